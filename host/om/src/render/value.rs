//! The value of a keyword, evaluated.

use protocol::{EvaluatedKeyword, KeywordKind};
use serde_json::{Value, json as value};

/// Printed in place of a value that must not be shown.
const HIDDEN: &str = "***";

/// For people: as they would write it.
pub(crate) fn text(evaluated: &EvaluatedKeyword) -> String {
    match evaluated.kind {
        // First, so that no kind of value can forget it.
        _ if evaluated.secret => HIDDEN.to_owned(),
        KeywordKind::Duration => duration(&first(evaluated)),
        KeywordKind::Mode => mode(&first(evaluated)),
        _ => evaluated.values.join(" "),
    }
}

/// For programs: numbers and booleans as such, sizes in bytes, lists as lists, durations and modes as they are written.
pub(crate) fn json(evaluated: &EvaluatedKeyword) -> Value {
    let one = first(evaluated);
    match evaluated.kind {
        _ if evaluated.secret => HIDDEN.into(),
        KeywordKind::Boolean => (one == "true").into(),
        // A number that does not fit stays a text, which loses nothing.
        KeywordKind::Integer | KeywordKind::Size => one.parse::<i64>().map_or_else(|_| one.into(), Value::from),
        KeywordKind::List | KeywordKind::Nodes | KeywordKind::Words | KeywordKind::Command | KeywordKind::Launcher => {
            value!(evaluated.values)
        }
        KeywordKind::String | KeywordKind::Path | KeywordKind::Schedule | KeywordKind::Duration | KeywordKind::Mode => {
            text(evaluated).into()
        }
    }
}

fn first(evaluated: &EvaluatedKeyword) -> String {
    evaluated.values.first().cloned().unwrap_or_default()
}

/// Milliseconds, as `1h30m`.
fn duration(canonical: &str) -> String {
    let Ok(mut rest) = canonical.parse::<u64>() else { return canonical.to_owned() };
    let mut text = String::new();
    for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= millis {
            text += &format!("{}{unit}", rest / millis);
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Permission bits, in octal.
fn mode(canonical: &str) -> String {
    canonical.parse::<u32>().map_or_else(|_| canonical.to_owned(), |bits| format!("{bits:04o}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::keyword::ValueKind;

    fn evaluated(kind: ValueKind, written: &str, secret: bool) -> EvaluatedKeyword {
        let values = model::convert::convert(kind, written).unwrap();
        EvaluatedKeyword { kind: kind.into(), values, secret }
    }

    #[test]
    fn values_are_shown_as_people_write_them_and_as_programs_read_them() {
        let check = |kind, written: &str, expected: &str, for_programs: Value| {
            let evaluated = evaluated(kind, written, false);
            assert_eq!(text(&evaluated), expected, "{written}");
            assert_eq!(json(&evaluated), for_programs, "{written}");
        };
        check(ValueKind::String, "a b", "a b", "a b".into());
        check(ValueKind::Boolean, "yes", "true", true.into());
        check(ValueKind::Integer, "-3", "-3", (-3).into());
        check(ValueKind::Size, "1k", "1024", 1024.into());
        check(ValueKind::Duration, "5400", "1h30m", "1h30m".into());
        check(ValueKind::Duration, "1500ms", "1s500ms", "1s500ms".into());
        check(ValueKind::Duration, "0", "0s", "0s".into());
        check(ValueKind::Mode, "755", "0755", "0755".into());
        check(ValueKind::List, " a  b ", "a b", value!(["a", "b"]));
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = evaluated(ValueKind::String, "hunter2", true);
        assert_eq!((text(&secret).as_str(), json(&secret)), ("***", "***".into()));
    }
}
