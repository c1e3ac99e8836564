//! Consoles: what an operator asks to see of the inside of a resource, and what the driver says to connect to.

use std::os::fd::OwnedFd;

use crate::Verb;

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleRequest {
    /// A shell inside.
    Enter,
    /// A command inside.
    Exec(Vec<String>),
    /// The output so far.
    Logs {
        /// Whether the output to come is shown too.
        follow: bool,
    },
}

impl ConsoleRequest {
    /// The verb that the driver is called with.
    pub fn verb(&self) -> Verb {
        match self {
            ConsoleRequest::Enter => Verb::Enter,
            ConsoleRequest::Exec(_) => Verb::Exec,
            ConsoleRequest::Logs { .. } => Verb::Logs,
        }
    }

    /// The command to run inside, if the operator named one.
    pub fn argv(&self) -> &[String] {
        match self {
            ConsoleRequest::Exec(argv) => argv,
            _ => &[],
        }
    }
}

/// What to connect the operator's terminal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleAttachment {
    /// A program and its arguments.
    Process(Vec<String>),
    /// A request to a unix socket, whose connection becomes the terminal's.
    HttpUpgrade {
        /// The path of the socket.
        socket: String,
        /// `POST`.
        method: String,
        /// The path and the query.
        path: String,
        /// The body, which may be empty.
        body: String,
    },
}

/// The operator's side of a console. It need not be a terminal: pipes will do.
#[derive(Debug)]
pub struct OperatorTerminal {
    /// What the operator types.
    pub input: OwnedFd,
    /// What the operator sees.
    pub output: OwnedFd,
    /// What the operator sees as errors, if the console keeps the two apart.
    pub errors: OwnedFd,
}
