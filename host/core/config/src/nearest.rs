//! Suggestions for mistyped words.

use std::cell::Cell;

/// The longest word that a suggestion is searched for, in characters: the search takes time that grows with the square.
const LONGEST: usize = 64;

/// The candidate that a mistyped word resembles most, if any does.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let most = 1 + length / 4;
    // So many characters have to be added or taken away at least.
    let may_resemble = |candidate: &&'a str| candidate.chars().count().abs_diff(length) <= most;
    // Counts a swap of neighbours as one mistake, which is how people mistype.
    let distance = |candidate: &'a str| (candidate, strsim::osa_distance(word, candidate));
    let (best, steps) = candidates.into_iter().filter(may_resemble).map(distance).min_by_key(|(_, steps)| *steps)?;
    (steps <= most).then_some(best)
}

/// How many comparisons the suggestions for one text may take. A generated file may misspell a name in each of its sections, and
/// each search looks at all other names.
const COMPARISONS: usize = 200_000;

/// Suggestions for the words of one text.
#[derive(Debug)]
pub(crate) struct Suggestions {
    left: Cell<usize>,
}

impl Default for Suggestions {
    fn default() -> Suggestions {
        Suggestions { left: Cell::new(COMPARISONS) }
    }
}

impl Suggestions {
    /// The same as [`did_you_mean`], and `otherwise` once there were very many.
    pub(crate) fn did_you_mean<'a>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
        otherwise: &str,
    ) -> String {
        let take = |_: &&str| {
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            left > 0
        };
        did_you_mean(word, candidates.into_iter().take_while(take), otherwise)
    }
}

/// The label `did you mean x?`, or `otherwise` where nothing resembles the word.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(word, candidates).map_or_else(|| otherwise.to_owned(), |meant| format!("did you mean {meant}?"))
}

/// `a, b or c`.
pub(crate) fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_resemblance_is_suggested() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, ["image", "command", "standby"]), expected, "{word}");
        };
        check("imgae", Some("image"));
        check("stanby", Some("standby"));
        check("comand", Some("command"));
        check("colour", None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(&["failover", "flex"]), "failover or flex");
        assert_eq!(alternatives(&["no", "start", "ha"]), "no, start or ha");
    }
}
