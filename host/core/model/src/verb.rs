//! The verbs of the field: what a driver can be asked to do with a resource.
//!
//! Keywords (`start_timeout`, `pre_stop`), plans, drivers and logs all name the same verbs.

use std::fmt;

/// An operation that a driver carries out on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Check the keywords.
    Validate,
    /// Report the state.
    Status,
    /// Bring up.
    Start,
    /// Bring down.
    Stop,
    /// Make what must exist before the first start.
    Provision,
    /// Destroy what provision made.
    Unprovision,
    /// Run a task.
    Run,
    /// Copy to targets.
    Sync,
    /// Open a shell inside.
    Enter,
    /// Run a command inside.
    Exec,
    /// Show the output.
    Logs,
    /// Move to another node.
    Migrate,
    /// End a node from outside, or try whether that could be done.
    Fence,
}

impl Verb {
    /// The verbs that keywords can name: each has a `<verb>_timeout`.
    pub const CONFIGURABLE: [Verb; 7] =
        [Verb::Start, Verb::Stop, Verb::Run, Verb::Sync, Verb::Provision, Verb::Unprovision, Verb::Migrate];

    /// The verbs that have a keyword `<verb>_requires`. A migration has none: it asks that of the instance as a whole.
    pub fn requiring() -> impl Iterator<Item = Verb> {
        Verb::CONFIGURABLE.into_iter().filter(|verb| *verb != Verb::Migrate)
    }

    /// The verbs that have triggers, such as `pre_<verb>`.
    pub fn triggering() -> impl Iterator<Item = Verb> {
        Verb::CONFIGURABLE.into_iter().filter(|verb| *verb != Verb::Sync)
    }

    /// The verb as keywords, the WIT contract and logs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Validate => "validate",
            Verb::Status => "status",
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Provision => "provision",
            Verb::Unprovision => "unprovision",
            Verb::Run => "run",
            Verb::Sync => "sync",
            Verb::Enter => "enter",
            Verb::Exec => "exec",
            Verb::Logs => "logs",
            Verb::Migrate => "migrate",
            Verb::Fence => "fence",
        }
    }

    /// Whether the verb may change anything. The others hold read grants only.
    pub fn mutates(self) -> bool {
        // `enter` and `exec` do whatever the operator types, so they count as changes.
        !matches!(self, Verb::Validate | Verb::Status | Verb::Logs)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
