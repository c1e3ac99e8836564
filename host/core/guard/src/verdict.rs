//! The guard's verdict on a request.

use std::path::PathBuf;

use crate::engine_facts::{ContainerVolume, EngineLookup};
use crate::refusal::GuardRefusal;

/// The guard's verdict on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardVerdict {
    /// It is sent, in this form.
    Forward(Box<ForwardedRequest>),
    /// The caller must look this up, and ask again.
    LookUp(EngineLookup),
    /// The host answers it: the container or command does not exist.
    Answer {
        /// `404`.
        status: u16,
        /// In the engine's own words.
        body: Vec<u8>,
        /// The whole id of the container of another resource that the request is about.
        stranger: Option<String>,
    },
    /// It is not sent.
    Deny(GuardRefusal),
}

/// A request that is sent, written again from what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedRequest {
    /// The path with its query. It names a container by its whole id.
    pub target: String,
    /// The driver's headers that are passed on.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
    /// Paths of the node that the container will see, with whether it may write there. Its caller must check that no symbolic
    /// link leads elsewhere, and that nobody can put one in their place before the engine opens them.
    pub paths: Vec<(PathBuf, bool)>,
    /// The volumes of the engine's other containers. None of `paths` may lie below a writable one, and none of these below a
    /// writable one of `paths`: what is in a container could exchange the one that lies below.
    pub beside: Vec<ContainerVolume>,
    /// Paths of the node that the container sees. Its caller must check that each exists: the engine, which is root, would make
    /// an empty directory of one that does not.
    pub sources: Vec<PathBuf>,
    /// What becomes of a container if the engine does it. Its caller records that.
    pub effect: Option<ContainerEffect>,
    /// The whole id of the container that the answer describes. Its caller adds what the kernel knows of its first process.
    pub describes: Option<String>,
    /// The digest of the image of the container that it makes or starts, for the audit.
    pub image: Option<String>,
    /// A description of the request for the audit: `create a container of docker.io/library/busybox:latest`.
    pub what: String,
    /// How to read the answer, if it is for a terminal.
    pub stream: Option<TerminalStream>,
}

/// What becomes of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerEffect {
    /// It is made, under this name. The answer has its id.
    Made(String),
    /// It is started: the name and the whole id.
    Started(String, String),
    /// It is stopped or killed: the name and the whole id.
    Stopped(String, String),
    /// The one with this id is removed.
    Removed(String),
}

/// How to read the answer of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalStream {
    /// Whether it comes in frames that say which output they belong to: it does where the container has no terminal.
    pub framed: bool,
    /// Whether the operator's input is wanted.
    pub input: bool,
    /// The command whose exit status becomes the console's, and whose terminal follows the size of the operator's.
    pub exec: Option<String>,
}

/// Why a request is not sent now. It is the error of every function that judges.
#[derive(Debug)]
pub(crate) enum NotForwarded {
    LookUp(EngineLookup),
    Answer { status: u16, body: Vec<u8>, stranger: Option<String> },
    Deny(GuardRefusal),
}

impl From<GuardRefusal> for NotForwarded {
    fn from(refusal: GuardRefusal) -> NotForwarded {
        NotForwarded::Deny(refusal)
    }
}
