//! Bound words: text, and the stars that the line itself wrote. A keyword's value is always text.

use std::fmt;

use crate::line::token::quoted;

/// A part of a bound word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GlobPart {
    /// Exactly this text.
    Text(String),
    /// Anything without a `/`.
    Star,
}

/// A bound word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Glob(pub(crate) Vec<GlobPart>);

impl Glob {
    pub(crate) fn text(text: &str) -> Glob {
        Glob(vec![GlobPart::Text(text.to_owned())])
    }

    /// Whether it is only a star.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == [GlobPart::Star]
    }

    /// Its text, if it contains no star.
    pub(crate) fn literal(&self) -> Option<String> {
        self.texts().collect()
    }

    /// The texts that it consists of. None for each star.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(|part| match part {
            GlobPart::Text(text) => Some(text.as_str()),
            GlobPart::Star => None,
        })
    }

    /// Whether its text, without the stars, contains the character.
    pub(crate) fn has_char(&self, c: char) -> bool {
        self.0.iter().any(|part| matches!(part, GlobPart::Text(text) if text.contains(c)))
    }

    /// Whether it stands for this text. A star never crosses a `/` or a `boundary`.
    pub(crate) fn matches_within(&self, text: &str, boundary: char) -> bool {
        // Most words hold no star, and can stand for their text alone.
        if self.texts().all(|part| part.is_some()) {
            return self.texts().flatten().try_fold(text, |rest, part| rest.strip_prefix(part)) == Some("");
        }
        let chars: Vec<char> = text.chars().collect();
        // reached[n]: the parts so far can stand for the first n characters. All ways are followed at once, so that a word with
        // many stars takes no exponential time.
        let mut reached = vec![false; chars.len() + 1];
        reached[0] = true;
        for part in &self.0 {
            reached = match part {
                GlobPart::Text(text) => after_text(&reached, &chars, text),
                GlobPart::Star => after_star(&reached, &chars, boundary),
            };
        }
        reached[chars.len()]
    }

    /// Whether it stands for this text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.matches_within(text, '/')
    }
}

fn after_text(reached: &[bool], chars: &[char], text: &str) -> Vec<bool> {
    let text: Vec<char> = text.chars().collect();
    let mut next = vec![false; reached.len()];
    for start in (0..reached.len()).filter(|&start| reached[start]) {
        if chars[start..].starts_with(&text) {
            next[start + text.len()] = true;
        }
    }
    next
}

fn after_star(reached: &[bool], chars: &[char], boundary: char) -> Vec<bool> {
    let mut next = reached.to_vec();
    for end in 1..next.len() {
        let c = chars[end - 1];
        next[end] |= next[end - 1] && c != '/' && c != boundary;
    }
    next
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text is quoted as a whole, since its parts alone could read as words of the grammar.
        if let Some(text) = self.literal() {
            return f.write_str(&quoted(&text));
        }
        self.0.iter().try_for_each(|part| match part {
            GlobPart::Text(text) if text.is_empty() => Ok(()),
            GlobPart::Text(text) => f.write_str(&quoted(text)),
            GlobPart::Star => f.write_str("*"),
        })
    }
}
