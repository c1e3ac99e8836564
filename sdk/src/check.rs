//! Mistakes of a manifest that the compiler can see: it evaluates these functions while it makes the manifest, and a panic in them
//! is an error of the compiler.

use crate::schema::{KeywordSchema, SchemaEntry};

/// Panics if a grant names a keyword that the driver does not have: it would never be granted.
pub(crate) const fn grants(grants: &[&str], entries: &[SchemaEntry]) {
    let mut at = 0;
    while at < grants.len() {
        grant(grants[at].as_bytes(), entries);
        at += 1;
    }
}

/// Panics if a default is not a value of its keyword's kind, as far as a constant can tell.
pub(crate) const fn defaults(entries: &[SchemaEntry]) {
    let mut at = 0;
    while at < entries.len() {
        match &entries[at] {
            SchemaEntry::Keyword(keyword) => default_of(keyword),
            SchemaEntry::Group(group) => defaults(group),
        }
        at += 1;
    }
}

const fn grant(line: &[u8], entries: &[SchemaEntry]) {
    let mut at = 0;
    // Within quotes, a brace is text.
    let mut quoted = false;
    while at < line.len() {
        // An escaped quote does not end the text.
        if line[at] == b'\\' && quoted {
            at += 2;
            continue;
        }
        if line[at] == b'"' {
            quoted = !quoted;
        }
        if line[at] == b'{' && !quoted {
            let start = match (starts_with(line, at, b"{kw:"), starts_with(line, at, b"{command:")) {
                (true, _) => at + 4,
                (_, true) => at + 9,
                _ => at,
            };
            let end = find(line, at, b'}');
            assert!(
                start == at || has(entries, line, start, end),
                "a grant names a keyword that the driver does not have"
            );
        }
        at += 1;
    }
}

const fn find(text: &[u8], from: usize, byte: u8) -> usize {
    let mut at = from;
    while at < text.len() && text[at] != byte {
        at += 1;
    }
    at
}

const fn starts_with(text: &[u8], from: usize, start: &[u8]) -> bool {
    let mut at = 0;
    while at < start.len() {
        if from + at >= text.len() || text[from + at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn has(entries: &[SchemaEntry], line: &[u8], start: usize, end: usize) -> bool {
    let mut at = 0;
    while at < entries.len() {
        let found = match &entries[at] {
            SchemaEntry::Keyword(keyword) => {
                keyword.name.len() == end - start && starts_with(line, start, keyword.name.as_bytes())
            }
            SchemaEntry::Group(group) => has(group, line, start, end),
        };
        if found {
            return true;
        }
        at += 1;
    }
    false
}

const fn default_of(keyword: &KeywordSchema) {
    let Some(text) = keyword.default else { return };
    let text = text.as_bytes();
    // A default that refers to another keyword is known only on a node.
    if find(text, 0, b'{') < text.len() || find(text, 0, b'$') < text.len() {
        return;
    }
    let kind = keyword.kind.as_bytes();
    if same(kind, b"path") {
        assert!(text.is_empty() || text[0] == b'/', "the default of a path is not absolute");
    } else if same(kind, b"integer") {
        assert!(
            is_number(text, if text.len() > 1 && text[0] == b'-' { 1 } else { 0 }, b'0', b'9'),
            "the default of an integer is not one"
        );
    } else if same(kind, b"mode") {
        assert!(is_number(text, 0, b'0', b'7'), "the default of a mode is not octal");
    } else if same(kind, b"duration") || same(kind, b"size") {
        assert!(
            !text.is_empty() && text[0] >= b'0' && text[0] <= b'9',
            "the default of a size or a duration is not one"
        );
        assert!(is_unit(text[text.len() - 1]), "the default of a size or a duration ends in no unit");
    }
    if !keyword.candidates.is_empty() && !same(kind, b"list") && !same(kind, b"words") {
        assert!(is_among(keyword.candidates, text), "a default is not among the values that its keyword may have");
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    // The comparison of slices is a function of a trait, which a const function cannot call.
    one.len() == other.len() && starts_with(one, 0, other)
}

const fn is_number(text: &[u8], from: usize, first: u8, last: u8) -> bool {
    let mut at = from;
    while at < text.len() {
        if text[at] < first || text[at] > last {
            return false;
        }
        at += 1;
    }
    text.len() > from
}

/// Whether a size or a duration may end in it: a digit, or the last letter of a unit.
const fn is_unit(byte: u8) -> bool {
    let letters = b"smhdwykgtpebiKMGTPEBI%";
    (byte >= b'0' && byte <= b'9') || find(letters, 0, byte) < letters.len()
}

const fn is_among(candidates: &[&str], text: &[u8]) -> bool {
    let mut at = 0;
    while at < candidates.len() {
        if same(candidates[at].as_bytes(), text) {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keywords, Value};

    /// A few keywords.
    #[derive(Keywords)]
    #[expect(dead_code, reason = "only the schema counts")]
    struct Probe {
        /// An address.
        url: String,
        /// A time.
        #[keyword(default = "5s")]
        wait: std::time::Duration,
    }

    fn holds(check: impl FnOnce() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(check).is_ok()
    }

    #[test]
    fn a_grant_on_a_keyword_that_is_not_there_does_not_compile() {
        for (line, expected) in [
            ("http = POST {kw:url}/tickets", true),
            ("http = POST {kw:uri}/tickets", false),
            ("exec = {command:start}", false),
            ("files.read = {statedir}/{rid}", true),
            ("files.read = /srv/{kw:url}/{kw:ur}", false),
            (r#"exec = /bin/echo "{kw:none}""#, true),
        ] {
            assert_eq!(holds(|| grants(&[line], Probe::SCHEMA)), expected, "{line}");
        }
    }

    #[test]
    fn a_default_that_is_no_value_does_not_compile() {
        let of = |kind, text| KeywordSchema { default: Some(text), kind, candidates: &[], ..plain() };
        fn plain() -> KeywordSchema {
            match Probe::SCHEMA[1] {
                SchemaEntry::Keyword(keyword) => keyword,
                SchemaEntry::Group(_) => unreachable!("a keyword"),
            }
        }
        for (kind, text, expected) in [
            (<std::time::Duration as Value>::KIND, "5s", true),
            ("duration", "1x", false),
            ("duration", "soon", false),
            ("size", "1g", true),
            ("integer", "-3", true),
            ("integer", "three", false),
            ("mode", "0644", true),
            ("mode", "0999", false),
            ("path", "srv", false),
            ("string", "anything", true),
        ] {
            let keyword = of(kind, text);
            assert_eq!(holds(|| default_of(&keyword)), expected, "{kind} {text}");
        }
    }
}
