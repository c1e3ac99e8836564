//! `om daemon run`: the daemon and its API in this process.
//!
//! Input: requests over the socket, and signals. It ends when a request or a signal says so; services go on.

use std::path::PathBuf;

use crate::backend::Reply;
use crate::exit::Failure;

/// How the daemon is run.
#[derive(Debug)]
pub(crate) struct DaemonRun {
    pub(crate) root: Option<PathBuf>,
    /// Leave the terminal, and say on standard output when it is ready.
    pub(crate) detached: bool,
    pub(crate) quiet: bool,
}

/// What a detached daemon says when it is ready.
pub(crate) const READY: &str = "ready";

pub(crate) fn run_daemon(_how: &DaemonRun) -> Reply<()> {
    Err(Failure::not_supported("om daemon run"))
}
