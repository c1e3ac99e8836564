//! The manifest: a driver's description of itself, from the component's custom section `hostler.manifest`.
//!
//! The JSON form is known here only; all other code sees [`Manifest`]. Unknown members are ignored unless the manifest lists them
//! as `critical`.

use model::DriverName;
use model::keyword::{Keyword, KeywordInheritance, ValueKind};
use serde::Deserialize;

use crate::Verb;

/// The version of the contract that this agent implements, as in the WIT package.
const CONTRACT: &str = "0.1";

/// A driver's description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `disk.loop`.
    pub name: DriverName,
    /// Other names, within the group, by which a section's `type` may call it.
    pub aliases: Vec<String>,
    /// The driver's own version.
    pub version: String,
    /// One line.
    pub summary: String,
    /// Markdown, of any length.
    pub description: String,
    /// The keywords of its sections, in addition to those of every resource.
    pub keywords: Vec<Keyword>,
    /// The grants that it requests, one line each.
    pub grants: Vec<String>,
    /// The verbs that it supports.
    pub verbs: Vec<Verb>,
    /// Whether what `start` does survives a reboot.
    pub persistent: bool,
    /// The section of the resource that every object of several nodes has implicitly, if this driver provides one: `sync#i0`.
    pub implicit: Option<String>,
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not JSON of the right shape.
    #[error("the manifest does not parse")]
    Json(#[source] serde_json::Error),
    /// It was made for another version of the contract.
    #[error("the driver was made for contract {0}, this host speaks {CONTRACT}")]
    Contract(String),
    /// It needs a feature that this host does not have.
    #[error("the driver needs a host that knows {0:?}")]
    Critical(String),
    /// A member has an invalid value.
    #[error("the manifest's {member} holds {value:?}: expected {expected}")]
    Member {
        /// The member's name.
        member: String,
        /// Its value.
        value: String,
        /// What is expected instead.
        expected: &'static str,
    },
}

impl Manifest {
    /// The first member in which another manifest differs.
    pub fn difference(&self, other: &Manifest) -> Option<&'static str> {
        let differences = [
            ("name", self.name != other.name),
            ("aliases", self.aliases != other.aliases),
            ("version", self.version != other.version),
            ("summary", self.summary != other.summary),
            ("description", self.description != other.description),
            ("keywords", self.keywords != other.keywords),
            ("grants", self.grants != other.grants),
            ("verbs", self.verbs != other.verbs),
            ("persistent", self.persistent != other.persistent),
            ("implicit", self.implicit != other.implicit),
        ];
        differences.into_iter().find(|(_, differs)| *differs).map(|(member, _)| member)
    }

    /// The manifest as that of a driver which does not come with the agent.
    #[must_use]
    pub fn foreign(mut self) -> Manifest {
        self.keywords.iter_mut().for_each(|keyword| keyword.foreign = true);
        self
    }

    /// Parses the document.
    pub fn parse(json: &[u8]) -> Result<Manifest, ManifestError> {
        let wire: WireManifest = serde_json::from_slice(json).map_err(ManifestError::Json)?;
        // Before the members are judged: in another contract they may mean something else, and this error names the real cause.
        if wire.contract != CONTRACT {
            return Err(ManifestError::Contract(wire.contract));
        }
        // An unknown member is ignored, which would be wrong for these: the driver relies on them.
        if let Some(unknown) = wire.critical.iter().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(ManifestError::Critical(unknown.clone()));
        }
        wire.check_texts()?;
        let full_name = format!("{}.{}", wire.group, wire.name);
        // Only a known group has a place in the order of start and stop.
        let name = full_name.parse().map_err(|_| member("name", &full_name, "<group>.<name>"))?;
        Ok(Manifest {
            name,
            aliases: wire.aliases,
            version: wire.version,
            summary: wire.summary,
            description: wire.description,
            keywords: wire.keywords.into_iter().map(WireKeyword::into_model).collect::<Result<_, _>>()?,
            grants: wire.grants,
            verbs: wire.verbs.iter().map(|verb| verb_of(verb)).collect::<Result<_, _>>()?,
            persistent: wire.persistent,
            implicit: wire.implicit,
        })
    }
}

fn member(member: &str, value: &str, expected: &'static str) -> ManifestError {
    ManifestError::Member { member: member.to_owned(), value: value.to_owned(), expected }
}

const KNOWN: [&str; 12] = [
    "contract",
    "group",
    "name",
    "aliases",
    "version",
    "summary",
    "description",
    "keywords",
    "grants",
    "verbs",
    "persistent",
    "implicit",
];

#[derive(Deserialize)]
struct WireManifest {
    contract: String,
    group: String,
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    version: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    keywords: Vec<WireKeyword>,
    #[serde(default)]
    grants: Vec<String>,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    persistent: bool,
    #[serde(default)]
    implicit: Option<String>,
    #[serde(default)]
    critical: Vec<String>,
}

#[derive(Deserialize)]
struct WireKeyword {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    kind: String,
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    scopable: bool,
    #[serde(default)]
    inherit: bool,
    #[serde(default)]
    provisioning: bool,
    #[serde(default)]
    place: bool,
    #[serde(default)]
    volumes: bool,
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    store: Option<String>,
    #[serde(default)]
    candidates: Vec<String>,
    #[serde(default)]
    help: String,
    #[serde(default)]
    example: String,
}

impl WireManifest {
    /// Refuses characters that a terminal acts upon, or that make a text read in another order: an operator reads all of it before
    /// the driver is allowed anything.
    fn check_texts(&self) -> Result<(), ManifestError> {
        let line = |member: &str, text: &str| plain(member, text, &[]);
        let text = |member: &str, text: &str| plain(member, text, &['\n', '\t']);
        for (member, value) in
            [("group", &self.group), ("name", &self.name), ("version", &self.version), ("summary", &self.summary)]
        {
            line(member, value)?;
        }
        text("description", &self.description)?;
        self.aliases.iter().try_for_each(|alias| line("aliases", alias))?;
        self.grants.iter().try_for_each(|grant| line("grants", grant))?;
        self.implicit.iter().try_for_each(|implicit| line("implicit", implicit))?;
        for keyword in &self.keywords {
            let at = |member: &str| format!("keywords.{}.{member}", model::text::harmless(&keyword.name));
            line("keywords.name", &keyword.name)?;
            keyword.aliases.iter().try_for_each(|alias| line(&at("aliases"), alias))?;
            keyword.candidates.iter().try_for_each(|candidate| line(&at("candidates"), candidate))?;
            keyword.default.iter().try_for_each(|default| text(&at("default"), default))?;
            text(&at("help"), &keyword.help)?;
            text(&at("example"), &keyword.example)?;
        }
        Ok(())
    }
}

fn plain(name: &str, text: &str, but: &[char]) -> Result<(), ManifestError> {
    let steers = |c: &char| model::text::steers_a_terminal(*c) && !but.contains(c);
    match text.chars().any(|c| steers(&c)) {
        true => Err(member(name, &model::text::harmless(text), "text without control characters")),
        false => Ok(()),
    }
}

impl WireKeyword {
    fn into_model(self) -> Result<Keyword, ManifestError> {
        let kind = kind_of(&self.kind).ok_or_else(|| {
            member(
                &format!("keywords.{}.kind", self.name),
                &self.kind,
                "string, boolean, integer, size, duration, list, words, command, path, mode, nodes or schedule",
            )
        })?;
        let store = self.store.map(|word| {
            // `svc` is a kind of object as well, but has no keys to read.
            let kind = word.parse::<model::ObjectKind>().ok().filter(|kind| kind.is_store());
            kind.ok_or_else(|| member(&format!("keywords.{}.store", self.name), &word, "sec or cfg"))
        });
        Ok(Keyword {
            store: store.transpose()?,
            name: self.name,
            aliases: self.aliases,
            kind,
            default: self.default,
            required: self.required,
            scopable: self.scopable,
            inherit: if self.inherit { KeywordInheritance::Default } else { KeywordInheritance::No },
            provisioning: self.provisioning,
            place: self.place,
            volumes: self.volumes,
            secret: self.secret,
            candidates: self.candidates,
            foreign: false,
            help: self.help,
            example: self.example,
        })
    }
}

fn kind_of(word: &str) -> Option<ValueKind> {
    Some(match word {
        "string" => ValueKind::String,
        "boolean" => ValueKind::Boolean,
        "integer" => ValueKind::Integer,
        "size" => ValueKind::Size,
        "duration" => ValueKind::Duration,
        "list" => ValueKind::List,
        "words" => ValueKind::Words,
        "command" => ValueKind::Command,
        "launcher" => ValueKind::Launcher,
        "path" => ValueKind::Path,
        "mode" => ValueKind::Mode,
        "nodes" => ValueKind::Nodes,
        "schedule" => ValueKind::Schedule,
        _ => return None,
    })
}

fn verb_of(word: &str) -> Result<Verb, ManifestError> {
    const VERBS: [Verb; 13] = [
        Verb::Validate,
        Verb::Status,
        Verb::Start,
        Verb::Stop,
        Verb::Provision,
        Verb::Unprovision,
        Verb::Run,
        Verb::Sync,
        Verb::Enter,
        Verb::Exec,
        Verb::Logs,
        Verb::Migrate,
        Verb::Fence,
    ];
    // Refused if unknown: the agent would never call it, and the author would not learn why.
    VERBS.into_iter().find(|verb| verb.as_str() == word).ok_or_else(|| member("verbs", word, "a verb of the contract"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal(extra: &str) -> String {
        format!(r#"{{"contract":"0.1","group":"disk","name":"loop","version":"1.0.0"{extra}}}"#)
    }

    #[test]
    fn unknown_members_are_ignored_unless_critical() {
        assert!(Manifest::parse(minimal(r#","colour":"red""#).as_bytes()).is_ok());
        let error = Manifest::parse(minimal(r#","colour":"red","critical":["colour"]"#).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), r#"the driver needs a host that knows "colour""#);
    }

    #[test]
    fn stores_are_of_the_kinds_that_hold_keys() {
        let with = |store: &str| {
            let keyword = format!(r#","keywords":[{{"name":"a","kind":"words","store":"{store}"}}]"#);
            Manifest::parse(minimal(&keyword).as_bytes()).map(|manifest| manifest.keywords[0].store)
        };
        assert_eq!(
            (with("sec").unwrap(), with("cfg").unwrap()),
            (Some(model::ObjectKind::Sec), Some(model::ObjectKind::Cfg))
        );
        let error = with("svc").unwrap_err().to_string();
        assert_eq!(error, r#"the manifest's keywords.a.store holds "svc": expected sec or cfg"#);
    }

    #[test]
    fn a_text_that_steers_a_terminal_is_refused() {
        for (member, expected) in [
            (r#","summary":"a\u001b[8mb""#, r#"the manifest's summary holds "a\\u{1b}[8mb""#),
            (r#","grants":["files.read = /a\u001b[1A\u001b[2K"]"#, "the manifest's grants holds"),
            (r#","aliases":["a\u202eb"]"#, "the manifest's aliases holds"),
            (r#","description":"a\u009b8m""#, "the manifest's description holds"),
            (r#","keywords":[{"name":"a","kind":"words","help":"b\u0007"}]"#, "the manifest's keywords.a.help holds"),
            (r#","keywords":[{"name":"a\r","kind":"words"}]"#, "the manifest's keywords.name holds"),
            (r#","summary":"two\nlines""#, "the manifest's summary holds"),
        ] {
            let error = Manifest::parse(minimal(member).as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(error.ends_with("expected text without control characters"), "{error}");
            assert!(!error.chars().any(model::text::steers_a_terminal), "{error:?}");
        }
        let text =
            r#","description":"two\nlines\tand déjà 漢字","keywords":[{"name":"a","kind":"words","help":"x\ny"}]"#;
        Manifest::parse(minimal(text).as_bytes()).unwrap();
    }

    #[test]
    fn manifests_differ_in_a_member() {
        let parse = |more: &str| Manifest::parse(minimal(more).as_bytes()).unwrap();
        assert_eq!(parse("").difference(&parse("")), None);
        assert_eq!(parse("").difference(&parse(r#","grants":["files.write = /**"]"#)), Some("grants"));
        assert_eq!(parse(r#","aliases":["x"]"#).difference(&parse("")), Some("aliases"));
    }

    #[test]
    fn another_contract_is_refused_by_name() {
        let json = minimal("").replace("0.1", "7.0");
        let error = Manifest::parse(json.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the driver was made for contract 7.0, this host speaks 0.1");
    }
}
