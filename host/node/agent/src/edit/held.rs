//! What a change of a configuration means for what is held: a keyword applies at the next start, and a section is kept for as long as
//! its resource must be stopped.

use std::collections::{BTreeMap, BTreeSet};

use config::{ConfigKey, DEFAULT, Document, keyword};
use protocol::{ConfigTarget, HoldingDocument};

use super::ConfigError;
use crate::Agent;

/// How far a reference to a keyword that refers to another one is followed.
const DEPTH: usize = 8;

impl Agent {
    /// What to tell of a change from one text to another. Refuses to remove the section of a resource that holds something, unless
    /// the change is forced.
    pub async fn notes_of_held(
        &self,
        target: &ConfigTarget,
        (old, new): (&str, &str),
        force: bool,
    ) -> Result<Vec<String>, ConfigError> {
        let ConfigTarget::Object(path) = target else { return Ok(Vec::new()) };
        let (old, new) = (Document::parse(old), Document::parse(new));
        let (then, now) = (sections(&old), sections(&new));
        if then == now {
            return Ok(Vec::new());
        }
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for HoldingDocument { rid, label, .. } in self.held_by(path).await {
            held.entry(rid).or_default().push(label);
        }
        if let Some(why) = self.unverified(path).await {
            // Any resource may hold it, so that each section may be needed.
            let is_resource = |name: &str| name.contains('#') && !name.starts_with("subset#");
            let removed = then.keys().filter(|name| !now.contains_key(*name) && is_resource(name));
            removed.for_each(|name| held.entry(name.clone()).or_default().push(why.clone()));
        }
        let mut notes = Vec::new();
        for (rid, things) in held {
            let written = |document| self.as_written(target, document, &ConfigKey::new(rid.as_str(), "")).section;
            let (section, list) = (written(&old), things.join(", "));
            let Some(entries) = then.get(&section) else { continue };
            match now.get(&written(&new)) {
                None if !force => {
                    let (object, section) = (path.clone(), section.clone());
                    return Err(ConfigError::Held { object, section, held: list });
                }
                None => notes.push(format!(
                    "{path}: {section} is gone, and {list} is left without it: see om node print holdings --orphans"
                )),
                Some(same) if same == entries => {}
                Some(_) => notes.push(format!("{path}: {section} applies at the next start: it is up now with {list}")),
            }
        }
        Ok(notes)
    }
}

/// The entries of each section that a resource is started with, as text, and those that they refer to.
fn sections(document: &Document) -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for section in document.sections() {
        // Their changes need no start, so that a note about the next start would be wrong.
        let entries = section.entries.iter().filter(|entry| !applies_at_once(&entry.key));
        let own = sections.entry(section.name.clone()).or_default();
        for entry in entries {
            own.insert(format!("{}={}", entry.key, entry.value));
            referred(document, &section.name, &entry.value, DEPTH, own);
        }
    }
    sections
}

/// Adds the entries that a value refers to, such as that of `{env.dir}`, in all scopes.
fn referred(document: &Document, section: &str, value: &str, depth: usize, found: &mut BTreeSet<String>) {
    if depth == 0 {
        return;
    }
    for reference in value.split('{').skip(1).filter_map(|rest| rest.split(['}', '|', '[']).next()) {
        let (other, name) = reference.rsplit_once('.').unwrap_or((section, reference));
        let places = [other, DEFAULT];
        let of = document.sections().iter().filter(|place| places.contains(&place.name.as_str()));
        let named = of.flat_map(|place| place.entries.iter().map(move |entry| (place, entry)));
        for (place, entry) in named.filter(|(_, entry)| entry.key.split('@').next() == Some(name)) {
            if found.insert(format!("{}.{}={}", place.name, entry.key, entry.value)) {
                referred(document, &place.name, &entry.value, depth - 1, found);
            }
        }
    }
}

/// Whether the agent and the daemon read the keyword anew each time, such as `restart`: what every resource has, but for its type
/// and the limits of its processes.
fn applies_at_once(key: &str) -> bool {
    let name = key.split('@').next().unwrap_or(key);
    name != "type" && !name.starts_with("pg_") && keyword::resource().iter().any(|keyword| keyword.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_changes_with_what_its_keywords_refer_to() {
        let text = "[env]\ndir = {base}/web\nother = 1\nbase = /srv\n[fs#1]\ntype = tmpfs\nmnt = {env.dir}/a\n[fs#2]\ntype = flag\n";
        let check = |from: &str, to: &str, changed: &[&str]| {
            let (then, now) = (Document::parse(text), Document::parse(text.replace(from, to)));
            let (then, now) = (sections(&then), sections(&now));
            let differ = then.iter().filter(|(name, entries)| now.get(*name) != Some(entries));
            let differ: Vec<&str> = differ.map(|(name, _)| name.as_str()).filter(|name| *name != "env").collect();
            assert_eq!(differ, changed, "{to}");
        };
        check("/web", "/www", &["fs#1"]);
        check("/srv", "/data", &["fs#1"]);
        check("other = 1", "other = 2", &[]);
        check("flag", "tmpfs", &["fs#2"]);
    }

    #[test]
    fn a_reference_that_leads_to_itself_ends() {
        let text = "[env]\na = {env.b}{env.a}\nb = {env.a}\n[fs#1]\nmnt = {env.a}{\n";
        assert_eq!(sections(&Document::parse(text))["fs#1"].len(), 3);
    }
}
