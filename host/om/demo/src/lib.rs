//! `om demo`: the life of a service, on the real kernel, from its configuration to its deletion. Nothing of it is left.
//!
//! ```text
//! ladder ──▶ om demo --inside DIR     one process for each rung: it enters its namespaces before it has a second
//!               │                      thread, and reports if it cannot
//!               ├─ enter              namespaces, a tmpfs on DIR, lo
//!               └─ play ──▶ stage     each command as a user would type it, run by this program, and checked
//!                    │
//!                    └─ om demo --serve / --fetch   the service's application, and its client
//! ```

mod enter;
mod interrupt;
mod ladder;
mod play;
mod service;
mod stage;
mod upkeep;
mod web;

use std::io::Write;
use std::path::PathBuf;

pub use ladder::run;

/// The request: the demo itself, or one of its parts, which it starts by itself.
#[derive(Debug, Clone, Default)]
pub struct DemoOrder {
    /// Whether a shell is opened before everything is taken down.
    pub shell: bool,
    /// The rung to show. By default, the best one that this machine allows.
    pub rung: Option<DemoRung>,
    /// The directory of the demo, in the process that plays it.
    pub inside: Option<PathBuf>,
    /// The address and the directory to serve: the demo's application.
    pub serve: Option<Vec<String>>,
    /// The address whose page is printed.
    pub fetch: Option<String>,
}

/// A version of the demo, by how much of it a machine allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoRung {
    /// Root, with loop devices, in private namespaces.
    Root,
    /// An ordinary user in a user namespace.
    User,
    /// An ordinary user without one.
    Plain,
}

/// The reason why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No rung is possible on this machine.
    #[error("om demo: this machine does not allow it")]
    NotAllowed,
    /// Something went wrong.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

fn print(text: &str) {
    // A reader that went away has seen enough.
    let _ = anstream::stdout().write_all(text.as_bytes());
}

fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}
