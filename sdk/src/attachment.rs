//! The other end of a console: what the host connects the operator's terminal to.

use std::path::Path;

use crate::bindings::console::exports::hostler::driver::console as wire;

/// The other end of a console: what the host connects the operator's terminal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// A program of the node and its arguments, run in the terminal's foreground. Needs an `exec` grant.
    Process(Vec<String>),
    /// A request to a unix socket, whose connection becomes the terminal's. Needs an `http.unix` grant.
    Upgrade {
        /// The path of the socket.
        socket: String,
        /// The method, such as `POST`.
        method: String,
        /// The path of the request with its query.
        path: String,
        /// The body of the request. May be empty.
        body: String,
    },
}

impl Attachment {
    /// A program of the node and its arguments.
    pub fn process<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Attachment {
        Attachment::Process(argv.into_iter().map(Into::into).collect())
    }

    /// A request to a unix socket.
    pub fn upgrade(
        socket: impl AsRef<Path>,
        method: &str,
        path: impl Into<String>,
        body: impl Into<String>,
    ) -> Attachment {
        Attachment::Upgrade {
            socket: socket.as_ref().to_string_lossy().into_owned(),
            method: method.to_owned(),
            path: path.into(),
            body: body.into(),
        }
    }

    pub(crate) fn into_wire(self) -> wire::Attachment {
        match self {
            Attachment::Process(argv) => wire::Attachment::Process(argv),
            Attachment::Upgrade { socket, method, path, body } => {
                // A case of a WIT variant has one payload, so its fields travel as a tuple.
                wire::Attachment::HttpUpgrade((socket, method, path, body))
            }
        }
    }
}
