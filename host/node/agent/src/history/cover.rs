//! Configurations and their values as they may be shown: `***` stands for what is secret.

use capability::hide_secret_values;
use config::{Document, KeywordReader, MASK, is_secret_of_node};
use protocol::ConfigTarget;

use super::mask::is_data;
use crate::Agent;
use crate::log::SecretValues;

/// A value that is shorter stands in too many other words to be covered in them.
const TELLING: usize = 4;

impl Agent {
    /// The text of a configuration without its secrets. What a store holds is encrypted, and stays.
    pub fn covered_config(&self, target: &ConfigTarget, text: &str) -> String {
        let masked = self.secrets_covered(target, text, false).shown;
        masked.split_inclusive('\n').map(variables_covered).collect()
    }

    /// A value of a configuration without what is secret in it: values of keywords that are secret or have the name of a secret, and
    /// those of variables with such names.
    pub fn covered_value(&self, target: &ConfigTarget, text: &str, value: &str) -> String {
        let secrets = SecretValues::default();
        for secret in self.secret_values(target, text) {
            if secret == value {
                return MASK.to_owned();
            }
            if secret.len() >= TELLING {
                secrets.add(&secret);
            }
        }
        hide_secret_values(&secrets.redact(value))
    }

    fn secret_values(&self, target: &ConfigTarget, text: &str) -> Vec<String> {
        let document = Document::parse(text);
        let (node, drivers) = (self.node(), self.drivers());
        let reader = match target {
            ConfigTarget::Object(path) => Some(KeywordReader::new(path, &document, &node, &*drivers)),
            ConfigTarget::Node => None,
        };
        let entries =
            document.sections().iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
        let secret = entries.filter(|(section, entry)| match (&reader, target) {
            // It is encrypted.
            (_, ConfigTarget::Object(path)) if is_data(path, section) => false,
            (Some(reader), _) => reader.is_secret(section, entry),
            (None, _) => is_secret_of_node(section, entry),
        });
        secret.map(|(_, entry)| entry.value.clone()).filter(|value| !value.is_empty()).collect()
    }
}

/// A line without the values of its variables that have the name of a secret: `environment = DB_PASSWORD=***`.
fn variables_covered(line: &str) -> String {
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
