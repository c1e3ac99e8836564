//! The value of a `<verb>_requires`, such as `disk#1 fs#2(up,stdby up)`.

use std::collections::BTreeSet;

use crate::diagnostic::Span;
use model::object::Requirement;
use model::status::State;

/// A problem of a text of requirements, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidRequirement {
    pub(crate) span: Span,
    pub(crate) label: String,
}

/// A requirement and where its resource id stands.
pub(crate) type LocatedRequirement = (Requirement, Span);

/// Reads words `<rid>[(<state>,…)]`. Without states, up and stdby up are meant.
pub(crate) fn parse(text: &str) -> Result<Vec<LocatedRequirement>, InvalidRequirement> {
    let mut requirements = Vec::new();
    let mut at = 0;
    loop {
        at += blanks(&text[at..]);
        if at == text.len() {
            return Ok(requirements);
        }
        let len = text[at..].find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len() - at);
        let span = Span::new(at, at + len);
        let rid = span.of(text).parse().map_err(|error: model::rid::InvalidRid| bad(span, error.to_string()))?;
        // Blanks may stand between an id and its states, as in `fs#1 (up)`.
        at = span.end + blanks(&text[span.end..]);
        let requirement = match text[at..].strip_prefix('(') {
            Some(inner) => {
                let len =
                    inner.find(')').ok_or_else(|| bad(Span::new(at, text.len()), "expected a ) behind the states"))?;
                let listed = Span::new(at + 1, at + 1 + len);
                at = listed.end + 1;
                Requirement { rid, states: states(listed.of(text)).map_err(|label| bad(listed, label))? }
            }
            None => Requirement::up(rid),
        };
        requirements.push((requirement, span));
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn bad(span: Span, label: impl Into<String>) -> InvalidRequirement {
    InvalidRequirement { span, label: label.into() }
}

fn states(text: &str) -> Result<BTreeSet<State>, String> {
    let state = |word: &str| {
        // A value can go over several lines, and `State` skips blanks but not line feeds.
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        word.parse::<State>().map_err(|error| error.to_string())
    };
    text.split(',').map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &[State])]) {
        let parsed = parse(text).unwrap_or_else(|bad| panic!("{text}: {}", bad.label));
        let shown: Vec<(String, BTreeSet<State>)> =
            parsed.into_iter().map(|(requirement, _)| (requirement.rid.to_string(), requirement.states)).collect();
        let expected: Vec<(String, BTreeSet<State>)> =
            expected.iter().map(|(rid, states)| ((*rid).to_owned(), states.iter().copied().collect())).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn states_stand_in_parentheses() {
        let up = &[State::Up, State::StdbyUp];
        check("", &[]);
        check("disk#1  fs#2", &[("disk#1", up), ("fs#2", up)]);
        check("volume#data-1(up)", &[("volume#data-1", &[State::Up])]);
        check("ip#1 (stdby up, down) fs#1", &[("ip#1", &[State::StdbyUp, State::Down]), ("fs#1", up)]);
    }

    #[test]
    fn mistakes_are_located() {
        let check = |text: &str, expected: &str| {
            let bad = parse(text).expect_err(text);
            assert_eq!(bad.span.of(text), expected, "{}", bad.label);
        };
        check("disk#1 nothing", "nothing");
        check("disk#1(uppish)", "uppish");
        check("disk#1(up", "(up");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r"([a-z#0-9(), ]|disk#1|up|.)*") {
            if let Err(bad) = parse(&text) {
                let _ = bad.span.of(&text);
            }
        }
    }
}
