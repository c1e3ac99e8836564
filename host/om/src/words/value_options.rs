//! The options that take a value, so that a value is never mistaken for the action: in `--rid fs start`, `fs` is not one.

use std::cell::OnceCell;
use std::collections::BTreeSet;

/// The options that take a value, of a command and of all commands below it. They are read from the parser's own
/// definitions, so that none can be forgotten, but only when a line has an option before its first word.
pub(crate) struct ValueOptions {
    command: fn() -> clap::Command,
    names: OnceCell<BTreeSet<String>>,
}

impl ValueOptions {
    pub(crate) fn of(command: fn() -> clap::Command) -> ValueOptions {
        ValueOptions { command, names: OnceCell::new() }
    }

    /// The position of the first word that is neither an option nor the value of one.
    pub(super) fn first_word(&self, words: &[String]) -> Option<usize> {
        let mut at = 0;
        while at < words.len() {
            match words[at].as_str() {
                // A single dash is a word: the objects that standard input lists.
                "-" => return Some(at),
                // Behind `--` stands a command to run, never an action.
                "--" => return None,
                // Whether it takes a value is costly to find out, and does not matter: no word follows.
                word if word.starts_with('-') && at + 1 == words.len() => return None,
                word if self.takes_next(word) => at += 2,
                word if word.starts_with('-') => at += 1,
                _ => return Some(at),
            }
        }
        None
    }

    /// Whether the next word is the value of this option.
    fn takes_next(&self, word: &str) -> bool {
        word.starts_with('-') && !word.contains('=') && self.names().contains(word)
    }

    fn names(&self) -> &BTreeSet<String> {
        self.names.get_or_init(|| {
            let (mut command, mut names) = ((self.command)(), BTreeSet::new());
            // Options are defined lazily, and needed here.
            command.build();
            // Those of all actions together: these options stand before the action, which is still to be found.
            collect(&command, &mut names);
            names
        })
    }
}

fn collect(command: &clap::Command, names: &mut BTreeSet<String>) {
    for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_positional()) {
        names.extend(arg.get_short_and_visible_aliases().into_iter().flatten().map(|c| format!("-{c}")));
        names.extend(arg.get_long_and_visible_aliases().into_iter().flatten().map(|name| format!("--{name}")));
        // Hidden aliases as well: an old spelling takes a value like the present one.
        names.extend(arg.get_all_aliases().into_iter().flatten().map(|name| format!("--{name}")));
    }
    command.get_subcommands().for_each(|sub| collect(sub, names));
}
