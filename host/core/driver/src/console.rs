//! A console: what an operator wants to see of the inside of a resource, and what the driver says to connect to.

use std::os::fd::OwnedFd;

use crate::Verb;

/// What an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Console {
    /// A shell inside.
    Enter,
    /// A command inside.
    Exec(Vec<String>),
    /// The output so far.
    Logs {
        /// And the output to come.
        follow: bool,
    },
}

impl Console {
    /// What the driver is asked to do.
    pub fn verb(&self) -> Verb {
        match self {
            Console::Enter => Verb::Enter,
            Console::Exec(_) => Verb::Exec,
            Console::Logs { .. } => Verb::Logs,
        }
    }

    /// The command that is to run inside, if the operator named one.
    pub fn argv(&self) -> &[String] {
        match self {
            Console::Exec(argv) => argv,
            _ => &[],
        }
    }
}

/// What to connect the operator's terminal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// A program and its arguments.
    Process(Vec<String>),
    /// A request to a unix socket, whose connection becomes the terminal's.
    HttpUpgrade {
        /// Where.
        socket: String,
        /// `POST`.
        method: String,
        /// With its query.
        path: String,
        /// May be empty.
        body: String,
    },
}

/// Where the operator sits. Need not be a terminal: a pipe will do.
#[derive(Debug)]
pub struct Terminal {
    /// What the operator types.
    pub input: OwnedFd,
    /// What the operator sees.
    pub output: OwnedFd,
    /// The same, for what went wrong, where the two can be told apart.
    pub errors: OwnedFd,
}
