//! The sentences of a status: its notes on an instance.

use model::ObjectPath;
use protocol::{NoteDocument, OrphanDocument};

/// The note on an instance of that object.
pub(crate) fn sentence(path: &ObjectPath, note: &NoteDocument) -> String {
    match note {
        NoteDocument::EarlierConfiguration { errors } => {
            format!("the configuration has {}: the last valid version is in use", counted(*errors))
        }
        NoteDocument::PartOfConfiguration { errors } => {
            format!("the configuration has {}: everything else in it is in use", counted(*errors))
        }
        NoteDocument::Interrupted { action } => format!("{action} was interrupted: the next action recovers it"),
        NoteDocument::Failed { action, how, at } => {
            format!("{action} {how}, {at}: om {path} clear forgets it")
        }
    }
}

/// What is still held for a section that no driver is asked about, and what to do about it.
pub(crate) fn of_orphan(orphan: &OrphanDocument) -> String {
    let OrphanDocument { rid, label, reason } = orphan;
    let (what, remedy) = match reason.as_str() {
        "disabled" => ("which is disabled", "enable it"),
        "unverified" => {
            return format!(
                "not down: it may hold {label} (once you have looked that nothing is left: stop --force --i-know)"
            );
        }
        "encap" => ("which acts inside its container only (encap)", "take encap away"),
        _ => ("a section that is gone", "put it back"),
    };
    format!("not down: {label} is held for {rid}, {what} ({remedy} and stop it, or undo that by hand)")
}

fn counted(errors: usize) -> String {
    if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_sentence_that_says_what_to_do() {
        let check = |note: NoteDocument, expected: &str| assert_eq!(sentence(&"web".parse().unwrap(), &note), expected);
        let (how, at) = ("failed at fs#1".to_owned(), "1970-01-01T00:16:40Z".to_owned());
        check(
            NoteDocument::Failed { action: "start".to_owned(), how, at },
            "start failed at fs#1, 1970-01-01T00:16:40Z: om web clear forgets it",
        );
        check(
            NoteDocument::EarlierConfiguration { errors: 1 },
            "the configuration has 1 error: the last valid version is in use",
        );
        check(
            NoteDocument::PartOfConfiguration { errors: 2 },
            "the configuration has 2 errors: everything else in it is in use",
        );
    }
}
