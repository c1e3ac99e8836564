//! `om driver inspect`: what a driver is and asks for, or with `--effective` what it may do for one resource.

use std::path::PathBuf;

use agent::node::paths::policy_of;
use anyhow::{Context, anyhow};
use driver::Manifest;
use grant::{DriverTrust, EffectiveGrant, GrantSentence, GrantStatus};
use model::keyword::Keyword;
use model::{ObjectPath, Rid};
use serde_json::{Value, json};

use super::named::{Named, named};
use super::policy::PolicyFile;
use super::sentences;
use crate::command::OutputFormat;
use crate::exit::Failure;
use crate::object::life::block_on;
use crate::render::{self, structured::structured};
use crate::session::{Session, print};

pub(crate) fn run(
    session: &Session,
    driver: &str,
    effective: Option<&[String]>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let named = named(session, driver)?;
    let (value, text) = match effective {
        Some([path, rid]) => effective_of(session, &named, path, rid)?,
        _ => {
            let site = SiteSays::read(session, &named);
            (value(&named, &site), text(&named, &site))
        }
    };
    print(&structured(format, &value).unwrap_or(text));
    Ok(())
}

/// What the site's file says of a driver.
struct SiteSays {
    path: PathBuf,
    lines: Result<Vec<String>, String>,
    nothing: &'static str,
}

impl SiteSays {
    fn read(session: &Session, named: &Named) -> SiteSays {
        let name = &named.manifest().name;
        let is_line = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines = match PolicyFile::read(session, name) {
            Ok(file) => Ok(file.text.lines().map(str::trim).filter(is_line).map(str::to_owned).collect()),
            Err(Failure { error, .. }) => Err(agent::chain(&*error)),
        };
        let nothing = match named.trust() {
            DriverTrust::BuiltIn => "nothing: it may do what it asks for",
            DriverTrust::ThirdParty => "nothing: it may do nothing until om driver allow",
        };
        SiteSays { path: policy_of(session.agent.home(), name), lines, nothing }
    }

    fn text(&self) -> String {
        match &self.lines {
            Ok(lines) if lines.is_empty() => format!("the site says {}\n", self.nothing),
            Ok(lines) => {
                let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
                format!("the site says ({}):\n{lines}", self.path.display())
            }
            Err(reason) => format!("no resource of this driver can act, because the site's file is broken: {reason}\n"),
        }
    }

    fn value(&self) -> Value {
        match &self.lines {
            Ok(lines) => json!({ "file": self.path, "lines": lines }),
            Err(reason) => json!({ "file": self.path, "lines": [], "error": reason }),
        }
    }
}

/// `disk.loop 0.1.0  built in  sha256:…`
fn title(named: &Named) -> String {
    let manifest = named.manifest();
    format!("{} {}  {}  {}", manifest.name, manifest.version, named.origin(), named.digest())
}

fn text(named: &Named, site: &SiteSays) -> String {
    let manifest = named.manifest();
    let mut text = format!("{}\n  {}\n", title(named), manifest.summary);
    if !manifest.aliases.is_empty() {
        text += &format!("also called: {}\n", manifest.aliases.join(", "));
    }
    let verbs: Vec<&str> = manifest.verbs.iter().map(|verb| verb.as_str()).collect();
    text += &format!("actions: {}\n", verbs.join(", "));
    if manifest.persistent {
        text += "what it starts is still there after a reboot\n";
    }
    text += &keywords(manifest);
    let asked = sentences::of(&manifest.grants);
    text += if asked.is_empty() { "asks for nothing\n" } else { "asks to:\n" };
    text + &sentences::text(&asked, "") + &site.text()
}

fn keywords(manifest: &Manifest) -> String {
    if manifest.keywords.is_empty() {
        return "keywords: none of its own\n".to_owned();
    }
    let width = manifest.keywords.iter().map(|keyword| keyword.name.len()).max().unwrap_or(0);
    let mut text = format!("keywords (om config doc {}):\n", manifest.name);
    for keyword in &manifest.keywords {
        let line = format!("  {:<width$}   {:<10} {}", keyword.name, render::doc::kind(keyword.kind), nature(keyword));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// `required, secret`, or `default 1g`.
fn nature(keyword: &Keyword) -> String {
    let default = keyword.default.as_ref().map(|value| format!("default {value}"));
    let words = [
        keyword.required.then(|| "required".to_owned()),
        default,
        keyword.secret.then(|| "secret".to_owned()),
        keyword.store.map(|kind| format!("keys of {kind} stores")),
        keyword.provisioning.then(|| "for provision".to_owned()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn value(named: &Named, site: &SiteSays) -> Value {
    let manifest = named.manifest();
    let keyword = |keyword: &Keyword| {
        json!({
            "name": keyword.name, "kind": render::doc::kind(keyword.kind), "required": keyword.required,
            "default": keyword.default, "secret": keyword.secret,
            "store": keyword.store.map(model::Kind::as_str), "provisioning": keyword.provisioning,
        })
    };
    let asked: Vec<Value> = sentences::of(&manifest.grants).iter().flatten().map(sentence).collect();
    json!({
        "name": manifest.name.to_string(), "version": manifest.version, "summary": manifest.summary,
        "origin": named.origin(), "digest": named.digest(), "aliases": manifest.aliases,
        "verbs": manifest.verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>(),
        "persistent": manifest.persistent,
        "keywords": manifest.keywords.iter().map(keyword).collect::<Vec<_>>(),
        "grants": asked, "site": site.value(),
    })
}

fn sentence(sentence: &GrantSentence) -> Value {
    json!({
        "grant": sentence.grant, "verb": sentence.verb, "object": sentence.object,
        "root_equivalent": sentence.root_equivalent,
    })
}

fn effective_of(session: &Session, named: &Named, path: &str, rid: &str) -> Result<(Value, String), Failure> {
    let path: ObjectPath = path.parse().with_context(|| format!("{path:?} is not the path of an object"))?;
    let rid: Rid = rid.parse().with_context(|| format!("{rid:?} is not the id of a resource"))?;
    let found = block_on(session.agent.effective(&path, &rid))?.map_err(anyhow::Error::from)?;
    let name = &named.manifest().name;
    // The section may call it by an alias.
    let meant = session.agent.drivers().get(&found.driver).map(|known| known.manifest.name.clone());
    if meant.as_ref() != Some(name) {
        return Err(anyhow!("{path} {rid} is driven by {}, not by {name}", found.driver).into());
    }
    let enforced = agent::drivers::effective::enforced_by(session.agent.home());
    let mut text = format!("{}  for {path} {rid}\n", title(named));
    for line in &found.lines {
        text += &effective_text(line);
    }
    match &found.guarded {
        Some(Ok(sentences)) => {
            text += "  the guard of the engine's socket lets it have containers:\n";
            sentences.iter().for_each(|sentence| text += &format!("          {sentence}\n"));
        }
        Some(Err(reason)) => text += &format!("  the guard of the engine's socket lets nothing through: {reason}\n"),
        None => {}
    }
    text += "  may   log, keep 64 KiB of state\n  may not do anything else\n";
    if let Some(unresolved) = &found.unresolved {
        text += &format!("not shown: grants that need a keyword without a value now: {unresolved}\n");
    }
    text += &format!("enforced here by: {}\n", enforced.join(", "));
    let lines: Vec<Value> = found.lines.iter().map(effective_value).collect();
    let value = json!({
        "driver": name.to_string(), "digest": named.digest(), "object": path.to_string(),
        "rid": rid.to_string(), "grants": lines, "guarded": found.guarded.as_ref().map(|guarded| match guarded {
            Ok(sentences) => json!({ "lets_through": sentences }),
            Err(reason) => json!({ "lets_through": [], "reason": reason }),
        }), "unresolved": found.unresolved, "enforced_by": enforced,
    });
    Ok((value, text))
}

fn effective_text(EffectiveGrant { sentence, standing, .. }: &EffectiveGrant) -> String {
    let object = agent::log::hide_secret_values(&sentence.object);
    let what = format!("{:<26} {object}{}", sentence.verb, sentences::root(sentence));
    match standing {
        GrantStatus::Allowed => format!("  may   {what}\n"),
        GrantStatus::Narrowed(lines) => {
            let but: String = lines.iter().map(|line| format!("          {line}\n")).collect();
            format!("  may   {what}, as far as policies say:\n{but}")
        }
        GrantStatus::Refused(by) => format!("  asks  {what}\n        refused: {by}\n"),
    }
}

fn effective_value(effective: &EffectiveGrant) -> Value {
    let mut value = sentence(&effective.sentence);
    let (standing, by) = match &effective.standing {
        GrantStatus::Allowed => ("allowed", Value::Null),
        GrantStatus::Narrowed(lines) => ("narrowed", json!(lines)),
        GrantStatus::Refused(by) => ("refused", by.to_string().into()),
    };
    value["standing"] = standing.into();
    value["by"] = by;
    value
}
