//! A configuration with its secrets covered, to be shown. It has as many lines as the text itself.

use super::text::{Document, Entry, Section};

/// What stands in place of a secret.
pub const MASK: &str = "***";

impl Document {
    /// The text with [`MASK`] in place of each line of the values that are secret.
    pub fn masked(&self, is_secret: impl Fn(&Section, &Entry) -> bool) -> String {
        let entries =
            self.sections.iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
        let secret = entries.filter(|(section, entry)| is_secret(section, entry));
        let mut pieces: Vec<_> = secret.flat_map(|(_, entry)| &entry.pieces).map(|line| line.span).collect();
        pieces.sort_by_key(|piece| piece.start);
        let (mut masked, mut from) = (String::with_capacity(self.text.len()), 0);
        for piece in pieces.into_iter().filter(|piece| piece.start < piece.end) {
            masked.push_str(self.text.get(from..piece.start).unwrap_or_default());
            masked.push_str(MASK);
            from = piece.end;
        }
        masked + self.text.get(from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_secret_is_covered_and_no_line_is_lost() {
        let text = "[DEFAULT]\napp = x\n[data]\npin = 1\n\nlong = one\n  # a comment\n  two\nempty =\n";
        let masked = Document::parse(text).masked(|section, _| section.name == "data");
        assert_eq!(masked, "[DEFAULT]\napp = x\n[data]\npin = ***\n\nlong = ***\n  # a comment\n  ***\nempty =\n");
        assert_eq!(Document::parse(text).masked(|_, _| false), text);
    }
}
