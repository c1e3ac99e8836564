//! Configurations and their values as they may be shown: `***` stands for what is secret.

use capability::hide_secret_values;
use config::diagnostic::Diagnostic;
use config::{Document, DriverSchemas, Entry, KeywordReader, MASK, NodeData, Section, is_secret_of_node};
use model::ObjectPath;
use protocol::ConfigTarget;

use super::mask::is_data;
use crate::Agent;
use crate::log::SecretValues;

/// A value that is shorter stands in too many other words to be covered in them.
const TELLING: usize = 4;

impl Agent {
    /// The text of a configuration without its secrets. What a store holds is encrypted, and stays.
    pub fn covered_config(&self, target: &ConfigTarget, text: &str) -> String {
        self.secrets_covered(target, text, false).shown
    }

    /// A value of a configuration without what is secret in it: values of keywords that are secret or have the name of a secret, and
    /// those of variables with such names.
    pub fn covered_value(&self, target: &ConfigTarget, text: &str, value: &str) -> String {
        let secrets = SecretValues::default();
        for secret in self.secret_values(target, text) {
            // However short it is: the least length is about secrets within other words, and this is the whole value.
            if secret == value {
                return MASK.to_owned();
            }
            if secret.len() >= TELLING {
                secrets.add(&secret);
            }
        }
        hide_secret_values(&secrets.redact(value))
    }

    /// The problems of a configuration in words that show none of its secrets: an error may be about the value itself.
    pub(crate) fn covered_problems(
        &self,
        target: &ConfigTarget,
        text: &str,
        problems: Vec<Diagnostic>,
    ) -> Vec<Diagnostic> {
        if problems.is_empty() {
            return problems;
        }
        let (node, drivers) = (self.node(), self.drivers());
        let secrets = match target {
            ConfigTarget::Object(path) => secrets_of(path, &Document::parse(text), &node, &*drivers),
            ConfigTarget::Node => self.secret_values(target, text),
        };
        covered_in(&secrets, problems)
    }

    fn secret_values(&self, target: &ConfigTarget, text: &str) -> Vec<String> {
        let document = Document::parse(text);
        let (node, drivers) = (self.node(), self.drivers());
        match target {
            ConfigTarget::Object(path) => secrets_of(path, &document, &node, &*drivers),
            ConfigTarget::Node => values_of(&document, &is_secret_of_node),
        }
    }
}

/// The values of an object's configuration that are secret. What a store holds is encrypted, and not among them.
pub(crate) fn secrets_of(
    path: &ObjectPath,
    document: &Document,
    node: &NodeData,
    schemas: &dyn DriverSchemas,
) -> Vec<String> {
    let reader = KeywordReader::new(path, document, node, schemas);
    values_of(document, &|section, entry| !is_data(path, section) && reader.is_secret(section, entry))
}

fn values_of(document: &Document, is_secret: &dyn Fn(&Section, &Entry) -> bool) -> Vec<String> {
    let entries =
        document.sections().iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
    let secret = entries.filter(|(section, entry)| is_secret(section, entry));
    secret.map(|(_, entry)| entry.value.clone()).filter(|value| !value.is_empty()).collect()
}

/// The problems without these values.
pub(crate) fn covered_in(secrets: &[String], mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let known = SecretValues::default();
    secrets.iter().filter(|secret| secret.len() >= TELLING).for_each(|secret| known.add(secret));
    for problem in &mut problems {
        problem.message = hide_secret_values(&known.redact(&problem.message));
        problem.label = hide_secret_values(&known.redact(&problem.label));
    }
    problems
}

/// A line without the values of its variables that have the name of a secret: `environment = DB_PASSWORD=***`.
pub(super) fn variables_covered(line: &str) -> String {
    match line.split_once('=') {
        Some((key, value)) if !line.starts_with(char::is_whitespace) => format!("{key}={}", hide_secret_values(value)),
        _ => hide_secret_values(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_line_are_covered_and_its_keyword_is_not() {
        assert_eq!(variables_covered("environment = DB_PASSWORD=hunter2 A=1\n"), "environment = DB_PASSWORD=*** A=1\n");
        assert_eq!(variables_covered("  API_TOKEN=hunter2"), "  API_TOKEN=***");
        assert_eq!(variables_covered("keyfile=/etc/x"), "keyfile=/etc/x");
        assert_eq!(variables_covered("[DEFAULT]\n"), "[DEFAULT]\n");
    }
}
