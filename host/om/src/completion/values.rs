//! The values of options and arguments whose names only the agent knows.

use std::collections::BTreeSet;

use model::ObjectPath;
use protocol::NameKind;

use crate::session::Session;

/// The kind of name that a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// A name in an object.
    Named(NameKind),
    Driver,
}

impl ValueKind {
    /// The kind of the value of an option, if it is a name.
    pub(super) fn of_option(option: &str) -> Option<ValueKind> {
        Some(match option {
            // By the option alone: the `--to` of a migration takes a node, and is offered resources all the same.
            "--rid" | "--to" | "--upto" | "--downto" => ValueKind::Named(NameKind::Resource),
            "--tags" | "--tag" => ValueKind::Named(NameKind::Tag),
            "--subsets" | "--subset" => ValueKind::Named(NameKind::Subset),
            "--kw" | "--param" => ValueKind::Named(NameKind::Keyword),
            "--section" | "--delete" => ValueKind::Named(NameKind::Section),
            "--key" => ValueKind::Named(NameKind::Key),
            "--driver" => ValueKind::Driver,
            _ => return None,
        })
    }

    /// The kind of the argument of a subsystem's command.
    pub(super) fn of_argument(words: &[String]) -> Option<ValueKind> {
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        match words[..] {
            ["driver", "inspect" | "remove" | "allow" | "deny"] | ["config", "doc"] => Some(ValueKind::Driver),
            _ => None,
        }
    }

    /// The characters after which another value of a list begins.
    pub(super) fn separators(self) -> &'static [char] {
        match self {
            // `!` negates what follows, so a name may stand behind it.
            ValueKind::Named(NameKind::Resource | NameKind::Subset) => &[',', '!'],
            ValueKind::Named(NameKind::Tag) => &[',', '+', '!'],
            ValueKind::Named(_) | ValueKind::Driver => &[],
        }
    }

    /// All values, of the selected objects where objects have them.
    pub(super) fn all(self, session: &Session, selected: &[ObjectPath]) -> BTreeSet<String> {
        match self {
            ValueKind::Driver => {
                let list = session.backend.drivers().map(|list| list.drivers).unwrap_or_default();
                list.into_iter().map(|driver| driver.name).collect()
            }
            ValueKind::Named(kind) => {
                // One broken object must not hide the names of the others.
                selected.iter().flat_map(|path| session.backend.names(path, kind).unwrap_or_default()).collect()
            }
        }
    }
}
