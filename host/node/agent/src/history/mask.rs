//! Versions as they may be shown: without the values that are secret.

use capability::hide_option_values;
use config::{Document, Entry, KeywordReader, MASK, Section, is_secret_of_node};
use model::{ObjectKind, ObjectPath, datastore, is_secret_name};
use protocol::ConfigTarget;

use super::cover::variables_covered;
use crate::Agent;

/// A version of a configuration, and how it is shown.
pub(super) struct MaskedText {
    pub(super) document: Document,
    /// With as many lines as the document.
    pub(super) shown: String,
    /// The entries whose values are secret, as section and key.
    pub(super) secrets: Vec<(String, String)>,
}

impl Agent {
    /// A version, with what must not be shown of it covered.
    pub(super) fn masked(&self, target: &ConfigTarget, text: &str) -> MaskedText {
        self.secrets_covered(target, text, true)
    }

    /// The same, with or without what a store holds, which is encrypted.
    pub(super) fn secrets_covered(&self, target: &ConfigTarget, text: &str, with_data: bool) -> MaskedText {
        let document = Document::parse(text);
        let (shown, secrets) = match target {
            ConfigTarget::Node => cover(&document, &is_secret_of_node),
            ConfigTarget::Object(path) => {
                let (node, drivers) = (self.node(), self.drivers());
                let reader = KeywordReader::new(path, &document, &node, &*drivers);
                cover(&document, &|section, entry| match is_data(path, section) {
                    true => with_data,
                    false => reader.is_secret(section, entry),
                })
            }
        };
        MaskedText { document, shown, secrets }
    }
}

/// Whether it is a secret of a store, or of a user.
pub(super) fn is_data(path: &ObjectPath, section: &Section) -> bool {
    matches!(path.kind(), ObjectKind::Sec | ObjectKind::Usr) && section.name == datastore::DATA
}

fn cover(document: &Document, is_secret: &dyn Fn(&Section, &Entry) -> bool) -> (String, Vec<(String, String)>) {
    let entries =
        document.sections().iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
    let secret = entries.filter(|(section, entry)| is_secret(section, entry));
    let names = secret.map(|(section, entry)| (section.name.clone(), entry.key.clone())).collect();
    let lines = document.masked(is_secret);
    let shown: String = lines.split_inclusive('\n').map(|line| variables_covered(&comment(line))).collect();
    // Of all lines together: the value of an option may be on the next one.
    (hide_option_values(&shown), names)
}

/// A line, covered if it is an entry with the name of a secret that was commented out.
fn comment(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    match text.split_once('=') {
        Some((name, value))
            if text.trim_start().starts_with(['#', ';']) && is_secret_name(name) && !value.is_empty() =>
        {
            format!("{name}= {MASK}{end}")
        }
        _ => line.to_owned(),
    }
}
