//! Checks of every entry, whether or not it is the one that holds on this node: does the keyword exist, can it
//! be scoped, is it an old name, is its text a valid value.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::keyword::{ALWAYS_ON, AncestorEffect, AncestorKeyword, RETIRED, ancestor_keyword};
use model::convert::convert;
use model::datastore::{DATA, DataValue};
use model::keyword::ValueKind;
use model::{InvalidGrant, ObjectKind, RoleGrant};

use crate::ConfigKey;
use crate::document::text::{DEFAULT, Document, Entry};
use crate::nearest::did_you_mean;
use crate::node::data::NodeData;
use crate::resolve::outline::{KeywordSpelling, SectionRole};
use crate::resolve::resolver::KeywordResolver;
use crate::schema::DriverSchemas;
use crate::value::template::ValueTemplate;

/// The scopes that are sets of nodes.
const SETS: [&str; 5] = ["nodes", "drpnodes", "encapnodes", "flex_primary", "drp_flex_primary"];

/// The keyword of a user.
const GRANT: &str = "grant";

/// Keywords whose text is for people.
const FREE_TEXTS: [&str; 1] = ["comment"];

/// A word of a grant that gives nothing.
fn grant_problem(entry: &Entry, word: &str) -> Option<Diagnostic> {
    // What a reference becomes is not known here, and gives nothing if it is no grant.
    let error = word.parse::<RoleGrant>().err().filter(|_| !word.contains('{'))?;
    let message = error.to_string();
    Some(match error {
        InvalidGrant::Unsupported(_) => Diagnostic::warning(entry.value_span, message, "has no effect"),
        InvalidGrant::Form(_) | InvalidGrant::Root(_) => {
            Diagnostic::error(entry.value_span, message, "such as admin:ns1 operator:ns2 guest:*")
        }
    })
}

/// Whether a value is that word, in any of the ways to write a boolean.
fn same_word(value: &str, word: &str) -> bool {
    let canonical = |text: &str| convert(ValueKind::Boolean, text).unwrap_or_else(|_| vec![text.trim().to_owned()]);
    canonical(value) == canonical(word)
}

/// The facts that an entry is checked against.
pub(crate) struct DocumentCheck<'c, 'a> {
    pub(crate) resolver: &'c KeywordResolver<'a>,
    pub(crate) node: &'c NodeData,
    pub(crate) schemas: &'c dyn DriverSchemas,
    /// The nodes that the object names.
    pub(crate) members: HashSet<&'c str>,
}

/// The findings of a check.
#[derive(Default)]
pub(crate) struct CheckFindings {
    /// Values that do not convert, and all other problems.
    pub(crate) problems: Vec<Diagnostic>,
    /// Unknown keywords. A driver that is not installed here, or another version of one, may know them.
    pub(crate) unknown: Vec<Diagnostic>,
}

impl DocumentCheck<'_, '_> {
    /// Checks the entries of a document.
    pub(crate) fn document(&self, document: &Document, checked: &mut CheckFindings) {
        for section in document.sections() {
            for entry in &section.entries {
                match self.resolver.outline.of(&section.name) {
                    Some(SectionRole::Free { scopable: true }) => {
                        self.free(&section.name, entry, &mut checked.problems)
                    }
                    Some(SectionRole::Default | SectionRole::Subset(..) | SectionRole::Resource(_)) => {
                        self.keyword(&section.name, entry, checked);
                    }
                    // The values of labels are taken as they stand; a mistaken section was reported as such.
                    Some(SectionRole::Free { scopable: false }) if section.name == DATA => {
                        checked.problems.extend(self.data(entry));
                    }
                    Some(SectionRole::Free { scopable: false } | SectionRole::Other | SectionRole::Unknown) | None => {}
                }
            }
        }
    }

    fn free(&self, section: &str, entry: &Entry, problems: &mut Vec<Diagnostic>) {
        problems.extend(self.scope(entry));
        if self.applies(entry) {
            problems.extend(self.resolver.entry_problems(section, entry));
            // This finds what no single reference is to blame for, such as a value that becomes too long. What both
            // report is kept once: all problems end up in a set.
            problems.extend(self.resolver.entry_value(section, entry).err());
        }
    }

    /// Checks a key of a data store. The diagnostic never shows its value.
    fn data(&self, entry: &Entry) -> Option<Diagnostic> {
        let path = self.resolver.path;
        // Only the values of stores are encoded. In other kinds the section holds plain texts.
        if !path.kind().is_store() {
            return None;
        }
        let error = DataValue::parse(path.kind(), &entry.value).err()?;
        let again = format!("expected what om {path} add --key {} writes", entry.key);
        Some(Diagnostic::error(entry.key_span, format!("the value of {} {error}", entry.key), again))
    }

    fn keyword(&self, section: &str, entry: &Entry, checked: &mut CheckFindings) {
        let problems = &mut checked.problems;
        let option = entry.option();
        if section == DEFAULT
            && let Some((old, now)) = RETIRED.iter().find(|(old, _)| *old == option)
        {
            problems.push(Diagnostic::warning(entry.key_span, format!("{old} is an old name"), *now));
            return;
        }
        // The keywords of an unknown driver cannot be checked.
        let driver_unknown =
            self.resolver.outline.resource_of(section).is_some_and(|resource| resource.driver.is_none());
        let Some(spelling) = self.resolver.outline.keyword(section, option) else {
            if driver_unknown {
                return;
            }
            match self.ancestor(section, entry) {
                Some(word) => self.of_ancestor(word, section, entry, checked),
                None => checked.unknown.push(self.unknown(section, entry)),
            }
            return;
        };
        let key = || self.key(section, option);
        if spelling.old {
            let label = format!("now called {}", spelling.keyword.name);
            problems.push(Diagnostic::warning(entry.key_span, format!("{} is an old name", key()), label));
        }
        match entry.scope_span().filter(|_| !spelling.keyword.scopable) {
            Some(span) => {
                problems.push(Diagnostic::error(span, format!("{} cannot be scoped", key()), "expected no @ here"));
            }
            None => problems.extend(self.scope(entry)),
        }
        problems.extend(self.literal(section, entry, &spelling));
        problems.extend(self.comment_behind(section, entry, &spelling));
        if spelling.keyword.name == GRANT && self.resolver.path.kind() == ObjectKind::Usr {
            problems.extend(entry.value.split_whitespace().filter_map(|word| grant_problem(entry, word)));
        }
        // By address: an equal entry may stand in another place, and only the one that counts is resolved.
        let holds = |held: &Entry| std::ptr::eq(held, entry);
        if self.applies(entry) && self.resolver.written(section, spelling.keyword).is_some_and(holds) {
            problems.extend(self.resolver.entry_problems(section, entry));
        }
    }

    /// A text without references converts on every node or on none, so it is checked here. All others are checked where they
    /// hold.
    fn literal(&self, section: &str, entry: &Entry, spelling: &KeywordSpelling<'_>) -> Option<Diagnostic> {
        // `always_on` holds nodes, while `standby`, by which it is replaced, is a boolean: its text does not convert.
        let text = ValueTemplate::parse(&entry.value).literal().filter(|_| entry.option() != ALWAYS_ON)?;
        self.resolver.converted(section, spelling.keyword, &text, || entry.value_span).err()
    }

    /// A comment behind a value is a part of the value, as in OpenSVC. In a command it means something to the shell.
    fn comment_behind(&self, section: &str, entry: &Entry, spelling: &KeywordSpelling<'_>) -> Option<Diagnostic> {
        let is_text = matches!(spelling.keyword.kind, ValueKind::Command | ValueKind::Launcher | ValueKind::Words);
        if is_text || FREE_TEXTS.contains(&spelling.keyword.name.as_str()) {
            return None;
        }
        let marks = ["#", ";"]
            .into_iter()
            .filter(|mark| entry.value.split_whitespace().skip(1).any(|word| word.starts_with(mark)));
        let mark = marks.min_by_key(|mark| entry.value.find(mark))?;
        let message = format!("the value of {} goes on behind {mark}", self.key(section, entry.option()));
        Some(Diagnostic::warning(entry.value_span, message, "a comment stands on a line of its own"))
    }

    fn key(&self, section: &str, option: &str) -> ConfigKey {
        ConfigKey::new(self.resolver.outline.display_name(section), option)
    }

    /// The keyword of OpenSVC that an entry sets.
    fn ancestor(&self, section: &str, entry: &Entry) -> Option<&'static AncestorKeyword> {
        let group = self.resolver.outline.resource_of(section).map(|resource| resource.rid.group());
        ancestor_keyword(group, entry.option()).filter(|_| group.is_some() || section == DEFAULT)
    }

    /// Checks a keyword of OpenSVC that is unknown here.
    fn of_ancestor(&self, word: &AncestorKeyword, section: &str, entry: &Entry, checked: &mut CheckFindings) {
        let key = self.key(section, entry.option());
        match word.effect {
            AncestorEffect::Idle => {
                let message = format!("{key} has no effect here");
                checked.problems.push(Diagnostic::warning(entry.key_span, message, word.instead));
            }
            // It asks for what happens anyway.
            AncestorEffect::Refused(usual) if same_word(&entry.value, usual) => {}
            AncestorEffect::Refused(_) => {
                let message = format!("{key} is not supported here");
                checked.unknown.push(Diagnostic::error(entry.key_span, message, word.instead));
            }
        }
    }

    fn unknown(&self, section: &str, entry: &Entry) -> Diagnostic {
        let option = entry.option();
        let message = format!("unknown keyword {}", self.key(section, option));
        let label = self.of_another_driver(section, option).unwrap_or_else(|| {
            let keywords = self.resolver.outline.keywords(section);
            if section != DEFAULT && self.resolver.outline.keyword(DEFAULT, option).is_some() {
                return "a keyword of the object: it belongs in [DEFAULT]".to_owned();
            }
            did_you_mean(option, keywords.iter().map(|keyword| keyword.name.as_str()), "no such keyword here")
        });
        Diagnostic::error(entry.key_span, message, label)
    }

    fn of_another_driver(&self, section: &str, option: &str) -> Option<String> {
        let resource = self.resolver.outline.resource_of(section)?;
        let (group, own) = (resource.rid.group(), resource.driver?);
        let names = self.schemas.names(group);
        let knows = |name: &&String| {
            let driver = self.schemas.driver(group, name);
            driver.is_some_and(|driver| driver.keywords.iter().any(|keyword| keyword.name == option))
        };
        // The commonest mistake after a typing error: the keyword of a sibling driver, such as fs.btrfs's in an fs.ext4.
        names.iter().find(knows).map(|other| format!("a keyword of {group}.{other}, not of {}", own.name))
    }

    fn scope(&self, entry: &Entry) -> Option<Diagnostic> {
        let (scope, span) = (entry.scope()?, entry.scope_span()?);
        let is_peer = || self.node.peers.keys().any(|name| name.as_str() == scope);
        if SETS.contains(&scope) || self.members.contains(scope) || is_peer() || self.node.name.as_str() == scope {
            return None;
        }
        let known = SETS.into_iter().chain(self.resolver.members.all().map(|name| name.as_str()));
        let label =
            self.resolver.outline.suggestions.did_you_mean(scope, known, "no node of this object nor of the cluster");
        // A warning: the node may have left the cluster, and the entry then simply does not count.
        Some(Diagnostic::warning(span, format!("unknown node {scope} in a scope"), label))
    }

    /// Whether an entry may hold on this node.
    fn applies(&self, entry: &Entry) -> bool {
        entry.scope().is_none_or(|scope| self.resolver.holds(scope))
    }
}
