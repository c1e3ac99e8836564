//! Globs as shells have them: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`. No character is special to them, `/` no more than others.

use regex::Regex;

/// A pattern that the whole of a text must match.
#[derive(Debug, Clone)]
pub struct GlobPattern {
    pattern: String,
    regex: Regex,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{pattern:?} is not a pattern")]
pub struct InvalidGlob {
    /// The text.
    pub pattern: String,
    /// What is wrong with it.
    #[source]
    pub source: regex::Error,
}

impl GlobPattern {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<GlobPattern, InvalidGlob> {
        let regex =
            Regex::new(&to_regex(pattern)).map_err(|source| InvalidGlob { pattern: pattern.to_owned(), source })?;
        Ok(GlobPattern { pattern: pattern.to_owned(), regex })
    }

    /// Whether the pattern covers the whole text.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether a text holds wildcards.
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '['])
    }
}

fn to_regex(pattern: &str) -> String {
    // `(?s)` lets stars go across line feeds, as they do in a shell.
    let mut regex = String::from("(?s)^");
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let (meaning, length) = match first {
            '*' => (".*".to_owned(), 1),
            '?' => (".".to_owned(), 1),
            '[' => class(rest).unwrap_or_else(|| (r"\[".to_owned(), 1)),
            other => (regex::escape(other.encode_utf8(&mut [0; 4])), other.len_utf8()),
        };
        regex.push_str(&meaning);
        rest = &rest[length..];
    }
    // A pattern covers the whole text, as in a shell: without this `web` would match `web1`.
    regex.push('$');
    regex
}

/// The class at the start of a text, as a regular expression has it, and its length. None where the bracket never closes:
/// then it is a bracket.
fn class(text: &str) -> Option<(String, usize)> {
    let inner = &text[1..];
    let (negation, inner) = match inner.strip_prefix(['!', '^']) {
        Some(rest) => ("^", rest),
        None => ("", inner),
    };
    // A bracket that comes first is a member of the class.
    let first = inner.chars().next()?.len_utf8();
    let end = first + inner[first..].find(']')?;
    let members: String = inner[..end].chars().map(class_member).collect();
    // `!` and `^` are one byte each, as the negation is that stands for them.
    Some((format!("[{negation}{members}]"), 1 + negation.len() + end + 1))
}

/// Within a class only the hyphen of a range keeps its meaning.
fn class_member(member: char) -> String {
    match member {
        // `&&` and `~~` are set operations of the regular expressions that this becomes.
        '[' | ']' | '\\' | '^' | '&' | '~' => format!("\\{member}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_cover_whole_texts() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(GlobPattern::new(pattern).unwrap().matches(text), expected, "{pattern} on {text}");
        };
        check("web", "web", true);
        check("web", "web1", false);
        check("web*", "web", true);
        check("*dns", "pridns", true);
        check("*dns", "dns1", false);
        check("web?", "web1", true);
        check("web?", "web", false);
        check("[vs]1", "v1", true);
        check("[vs]1", "w1", false);
        check("[!vs]1", "v1", false);
        check("n[0-9]", "n7", true);
        check("[]]", "]", true);
        check("[a", "[a", true);
        check("a.c", "abc", false);
        check("fs#*", "fs#1", true);
        check("*", "", true);
        check("a*z", "a/b\nz", true);
    }

    #[test]
    fn a_range_that_runs_backwards_is_refused() {
        assert_eq!(GlobPattern::new("[z-a]").unwrap_err().to_string(), r#""[z-a]" is not a pattern"#);
    }

    proptest! {
        #[test]
        fn no_pattern_panics_and_plain_text_means_itself(pattern in r"[a-c*?\[\]!^\\&~ü-]{0,12}", text in "[a-c]{0,6}") {
            let _ = GlobPattern::new(&pattern).map(|glob| glob.matches(&text));
            prop_assert!(GlobPattern::new(&text).unwrap().matches(&text));
        }
    }
}
