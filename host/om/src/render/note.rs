//! The sentences of a status: its notes on an instance.

use agent::status::StatusNote;
use model::ObjectPath;

/// The note on an instance of that object.
pub(crate) fn sentence(path: &ObjectPath, note: &StatusNote) -> String {
    match note {
        StatusNote::EarlierConfiguration { errors } => {
            format!("the configuration has {}: the last valid version is in use", counted(*errors))
        }
        StatusNote::PartOfConfiguration { errors } => {
            format!("the configuration has {}: everything else in it is in use", counted(*errors))
        }
        StatusNote::Interrupted { action } => format!("{action} was interrupted: the next action recovers it"),
        StatusNote::Failed { action, failure } => {
            format!("{action} {}, {:.0}: om {path} clear forgets it", failure.how, failure.at)
        }
    }
}

fn counted(errors: usize) -> String {
    if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") }
}

#[cfg(test)]
mod tests {
    use agent::state::ActionFailure;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_note_is_a_sentence_that_says_what_to_do() {
        let check = |note: StatusNote, expected: &str| assert_eq!(sentence(&"web".parse().unwrap(), &note), expected);
        let failure = ActionFailure { how: "failed at fs#1".to_owned(), at: Timestamp::constant(1_000, 0) };
        check(
            StatusNote::Failed { action: "start".to_owned(), failure },
            "start failed at fs#1, 1970-01-01T00:16:40Z: om web clear forgets it",
        );
        check(
            StatusNote::EarlierConfiguration { errors: 1 },
            "the configuration has 1 error: the last valid version is in use",
        );
        check(
            StatusNote::PartOfConfiguration { errors: 2 },
            "the configuration has 2 errors: everything else in it is in use",
        );
    }
}
