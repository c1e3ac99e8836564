//! What a change of a configuration means for what is held: a keyword applies at the next start, and a section is kept for as long as
//! its resource must be stopped.

use std::collections::BTreeMap;

use config::{Document, keyword};
use protocol::{ConfigTarget, HoldingDocument};

use super::ConfigError;
use crate::Agent;

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
        let (old, new) = (sections(old), sections(new));
        let changed: Vec<(&String, bool)> = old
            .iter()
            .filter(|(name, text)| new.get(*name) != Some(*text))
            .map(|(name, _)| (name, !new.contains_key(name)))
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.held_by(path).await;
        let mut notes = Vec::new();
        for (section, is_removed) in changed {
            let own = held.iter().filter(|held| held.rid == *section);
            let own: Vec<&str> = own.map(|held: &HoldingDocument| held.label.as_str()).collect();
            let list = own.join(", ");
            match (own.is_empty(), is_removed) {
                (true, _) => {}
                (false, true) if !force => {
                    let (object, section) = (path.clone(), section.clone());
                    return Err(ConfigError::Held { object, section, held: list });
                }
                (false, true) => notes.push(format!(
                    "{path}: {section} is gone, and {list} is left without it: see om node print holdings --orphans"
                )),
                (false, false) => {
                    notes.push(format!("{path}: {section} applies at the next start: it is up now with {list}"));
                }
            }
        }
        Ok(notes)
    }
}

/// The entries of each section that a resource is started with, as text.
fn sections(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for section in Document::parse(text).sections() {
        // Their changes need no start, so that a note about the next start would be wrong.
        let entries = section.entries.iter().filter(|entry| !applies_at_once(&entry.key));
        let entries = entries.map(|entry| format!("{}={}", entry.key, entry.value));
        sections.entry(section.name.clone()).or_default().extend(entries);
    }
    sections
}

/// Whether the agent and the daemon read the keyword anew each time, such as `restart`: what every resource has, but for its type
/// and the limits of its processes.
fn applies_at_once(key: &str) -> bool {
    let name = key.split('@').next().unwrap_or(key);
    name != "type" && !name.starts_with("pg_") && keyword::resource().iter().any(|keyword| keyword.name == name)
}
