//! What a line does not use is not defined: the options of another command than the one that is used, and the commands
//! beside it. To define all of them takes longer than everything else that reading a command line does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

/// Options, or the commands below a command, that the parser learns of when it comes to them.
#[derive(Debug, Clone)]
pub(crate) struct LazyArgs<T>(T);

/// The first commands of a line, of which the parser learns only the one that the line names.
#[derive(Debug, Clone)]
pub(crate) struct NamedCommand<T>(T);

/// What is known of the line that is parsed.
#[derive(Default)]
struct ParsedLine {
    /// Whether options may be defined lazily.
    lazy: bool,
    /// The words before the first option, as far as they are not used up: one for each level of commands.
    names: VecDeque<String>,
}

thread_local! {
    static LINE: RefCell<ParsedLine> = RefCell::default();
}

/// Lets the parser define the options of a command when it comes to the command. Not for a line that asks for help: lazily
/// defined options stand in another order.
pub(crate) fn define_lazily() {
    LINE.with_borrow_mut(|line| line.lazy = true);
}

/// Lets the parser of this line know of no other commands than those that the line names. Whether it names any. A line that
/// then does not parse must be parsed again without this, as errors tell of other commands.
pub(crate) fn define_named(words: &[String]) -> bool {
    let names: VecDeque<String> = words.iter().take_while(|word| !word.starts_with('-')).cloned().collect();
    let any = !names.is_empty();
    LINE.with_borrow_mut(|line| line.names = names);
    any
}

/// Ends [`define_named`].
pub(crate) fn define_all() {
    LINE.with_borrow_mut(|line| line.names.clear());
}

fn define(command: Command, definition: fn(Command) -> Command) -> Command {
    if LINE.with_borrow(|line| line.lazy) { command.defer(definition) } else { definition(command) }
}

/// Adds, of the commands of a definition, the one that the line names, or all of them if it names none.
fn add_named<T: Subcommand>(command: Command) -> Command {
    let Some(name) = LINE.with_borrow_mut(|line| line.names.pop_front()) else {
        return T::augment_subcommands(command);
    };
    // Defined on a command of its own, from which the one that is named is taken: the parser never comes to the others.
    match T::augment_subcommands(Command::default()).find_subcommand_mut(&name) {
        Some(named) => command.subcommand(std::mem::take(named)),
        None => {
            // An argument, or a command that only the parser's last resort knows. What follows it names no command.
            define_all();
            T::augment_subcommands(command)
        }
    }
}

impl<T> LazyArgs<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for LazyArgs<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for LazyArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(LazyArgs)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(LazyArgs)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}

impl<T: Args> Args for LazyArgs<T> {
    fn augment_args(command: Command) -> Command {
        define(command, T::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        define(command, T::augment_args_for_update)
    }
}

impl<T: Subcommand> Subcommand for LazyArgs<T> {
    fn augment_subcommands(command: Command) -> Command {
        define(command, add_named::<T>)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        define(command, T::augment_subcommands_for_update)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

impl<T> NamedCommand<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for NamedCommand<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(NamedCommand)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(NamedCommand)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}

impl<T: Subcommand> Subcommand for NamedCommand<T> {
    fn augment_subcommands(command: Command) -> Command {
        add_named::<T>(command)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        T::augment_subcommands_for_update(command)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command::{ObjectLine, OmLine};

    /// What a line is read as by a parser that knows its commands alone, and by one that knows all of them.
    fn read<P: Parser + std::fmt::Debug>(line: &str) -> (Option<String>, Option<String>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let parse = || P::try_parse_from(std::iter::once("om").chain(words.iter().map(String::as_str)));
        assert!(define_named(&words), "{line}");
        let named = parse();
        define_all();
        (named.ok().map(|line| format!("{line:?}")), parse().ok().map(|line| format!("{line:?}")))
    }

    #[test]
    fn a_line_means_the_same_whether_or_not_other_commands_are_known() {
        for line in [
            "ls",
            "list --quiet",
            "print status --refresh",
            "print nonsense",
            "instance start --rid fs",
            "config set --kw fs#1.mnt=/srv",
            "start --dry-run",
            "sync all",
            "exec --rid container#1 -- ls -l",
        ] {
            let (named, whole) = read::<ObjectLine>(line);
            assert!(named.is_some(), "{line}");
            assert_eq!(named, whole, "{line}");
        }
        for line in ["driver ls", "node print config", "daemon start"] {
            let (named, whole) = read::<OmLine>(line);
            assert!(named.is_some(), "{line}");
            assert_eq!(named, whole, "{line}");
        }
    }

    #[test]
    fn a_word_that_is_not_a_command_ends_the_names() {
        let (named, whole) = read::<ObjectLine>("docker start web");
        assert_eq!(named, whole);
        assert!(named.unwrap().contains(r#"Other(["docker", "start", "web"])"#));
        // The values of an option may be named like commands.
        assert_eq!(read::<ObjectLine>("print config start").0, None);
    }
}
