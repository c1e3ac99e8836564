//! The options of a command that are defined only when the command is used: to define those of all commands takes longer than
//! everything else that reading a command line does.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

/// Options, or the commands below a command, that the parser learns of when it comes to them.
#[derive(Debug, Clone)]
pub(crate) struct LazyArgs<T>(T);

/// Whether options may be defined lazily.
static LAZY: AtomicBool = AtomicBool::new(false);

/// Lets the parser define the options of a command when it comes to the command. Not for a line that asks for help: lazily
/// defined options stand in another order.
pub(crate) fn define_lazily() {
    LAZY.store(true, Ordering::Relaxed);
}

fn define(command: Command, definition: fn(Command) -> Command) -> Command {
    if LAZY.load(Ordering::Relaxed) { command.defer(definition) } else { definition(command) }
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
        define(command, T::augment_subcommands)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        define(command, T::augment_subcommands_for_update)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}
