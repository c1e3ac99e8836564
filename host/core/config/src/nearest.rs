//! Suggestions for mistyped words.

/// The candidate that a mistyped word resembles most, if any does.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Counts a swap of neighbours as one mistake, which is how people mistype.
    let distance = |candidate: &&str| strsim::osa_distance(word, candidate);
    let (best, steps) =
        candidates.into_iter().map(|candidate| (candidate, distance(&candidate))).min_by_key(|(_, steps)| *steps)?;
    (steps <= 1 + word.chars().count() / 4).then_some(best)
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
