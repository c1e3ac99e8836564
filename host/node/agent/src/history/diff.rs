//! What differs between two versions: line by line, as `diff -u` prints it, and keyword by keyword.

use std::collections::BTreeMap;
use std::ops::Range;

use config::{ConfigKey, MASK};
use protocol::KeywordChange;
use similar::{ChangeTag, DiffOp, TextDiff};

use super::mask::MaskedText;

/// So many lines around a change are shown.
const CONTEXT: usize = 3;

/// The lines that differ, with what stands around them. Compared are the texts, shown the covered ones: so a secret that was
/// changed shows as changed.
pub(super) fn unified(from: &MaskedText, to: &MaskedText) -> Vec<String> {
    let diff = TextDiff::from_lines(from.document.text(), to.document.text());
    let (old, new) = (lines(&from.shown), lines(&to.shown));
    let mut shown = Vec::new();
    for hunk in diff.grouped_ops(CONTEXT) {
        shown.push(header(&hunk));
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, line) = match change.tag() {
                ChangeTag::Equal => (' ', change.old_index().and_then(|at| old.get(at))),
                ChangeTag::Delete => ('-', change.old_index().and_then(|at| old.get(at))),
                ChangeTag::Insert => ('+', change.new_index().and_then(|at| new.get(at))),
            };
            shown.push(format!("{sign}{}", line.copied().unwrap_or_default()));
            if change.missing_newline() {
                shown.push("\\ No newline at end of file".to_owned());
            }
        }
    }
    shown
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').map(|line| line.trim_end_matches(['\n', '\r'])).collect()
}

/// `@@ -1,4 +1,5 @@`.
fn header(hunk: &[DiffOp]) -> String {
    let all = |range: fn(&DiffOp) -> Range<usize>| {
        let (first, last) = (hunk.first().map(range).unwrap_or_default(), hunk.last().map(range).unwrap_or_default());
        let (start, count) = (first.start, last.end - first.start);
        // An empty range stands behind the line that it names.
        let line = if count == 0 { start } else { start + 1 };
        if count == 1 { line.to_string() } else { format!("{line},{count}") }
    };
    format!("@@ -{} +{} @@", all(DiffOp::old_range), all(DiffOp::new_range))
}

/// The keywords whose values differ, in the order of their names.
pub(super) fn keywords(from: &MaskedText, to: &MaskedText) -> Vec<KeywordChange> {
    let (before, after) = (values(from), values(to));
    let mut keys: Vec<&(String, String)> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let shown = |value: Option<&&str>, key: &(String, String), text: &MaskedText| {
        let secret = text.secrets.contains(key);
        value.map(|value| if secret { MASK.to_owned() } else { (*value).to_owned() })
    };
    changed
        .map(|key| KeywordChange {
            keyword: ConfigKey::new(key.0.as_str(), key.1.as_str()).to_string(),
            before: shown(before.get(key), key, from),
            after: shown(after.get(key), key, to),
        })
        .collect()
}

/// The values of a version. Of a key that is written twice, the last one counts.
fn values(text: &MaskedText) -> BTreeMap<(String, String), &str> {
    let sections = text.document.sections().iter();
    sections
        .flat_map(|section| section.entries.iter().map(move |entry| (section, entry)))
        .map(|(section, entry)| ((section.name.clone(), entry.key.clone()), entry.value.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use config::Document;

    use super::*;

    fn masked(text: &str) -> MaskedText {
        let document = Document::parse(text);
        let shown = document.masked(|_, entry| entry.key == "pin");
        MaskedText { document, shown, secrets: vec![("env".to_owned(), "pin".to_owned())] }
    }

    #[test]
    fn a_changed_secret_shows_as_changed_and_not_as_what_it_was() {
        let (from, to) =
            (masked("[DEFAULT]\napp = a\n[env]\npin = 1\n"), masked("[DEFAULT]\napp = a\n[env]\npin = 2\n"));
        let expected = ["@@ -1,4 +1,4 @@", " [DEFAULT]", " app = a", " [env]", "-pin = ***", "+pin = ***"];
        assert_eq!(unified(&from, &to), expected);
        let [change] = &keywords(&from, &to)[..] else { panic!("one keyword was changed") };
        assert_eq!((change.keyword.as_str(), change.before.as_deref()), ("env.pin", Some("***")));
        assert_eq!(unified(&from, &from), [""; 0]);
        assert!(keywords(&from, &from).is_empty());
    }

    #[test]
    fn hunks_say_where_they_stand_as_diff_does() {
        let old: String = (1..=20).map(|number| format!("# {number}\n")).collect();
        let new = old.replace("# 10\n", "# ten\n").replace("# 20\n", "# 20");
        let expected = [
            "@@ -7,7 +7,7 @@",
            " # 7",
            " # 8",
            " # 9",
            "-# 10",
            "+# ten",
            " # 11",
            " # 12",
            " # 13",
            "@@ -17,4 +17,4 @@",
            " # 17",
            " # 18",
            " # 19",
            "-# 20",
            "+# 20",
            "\\ No newline at end of file",
        ];
        assert_eq!(unified(&masked(&old), &masked(&new)), expected);
        assert_eq!(unified(&masked(""), &masked("a = 1\n")), ["@@ -0,0 +1 @@", "+a = 1"]);
    }

    #[test]
    fn keywords_come_go_and_change() {
        let changes =
            keywords(&masked("[fs#1]\ntype = flag\nsize = 1\n"), &masked("[fs#1]\ntype = ext4\n[env]\nA = 1\n"));
        let found: Vec<_> = changes
            .iter()
            .map(|change| (change.keyword.as_str(), change.before.as_deref(), change.after.as_deref()))
            .collect();
        let expected =
            [("env.A", None, Some("1")), ("fs#1.size", Some("1"), None), ("fs#1.type", Some("flag"), Some("ext4"))];
        assert_eq!(found, expected);
    }
}
