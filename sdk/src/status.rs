//! The answers of a driver: the state of a resource and the outcome of an action.

use std::fmt::Display;

use crate::bindings::hostler::driver::types::{Kv, Message, Outcome as WitOutcome, StatusReport};
pub use crate::bindings::hostler::driver::types::{Problem, Provisioned, State};

/// The state of a resource: `Status::up().label(…).exposes("device", …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Status(StatusReport);

impl Status {
    /// A status with this state. It has nothing to provision until [`Status::provisioned`] is called.
    pub fn of(state: State) -> Status {
        Status(StatusReport {
            state,
            provisioned: Provisioned::NotApplicable,
            label: String::new(),
            messages: Vec::new(),
            exposes: Vec::new(),
            uses: Vec::new(),
        })
    }

    /// A status that is up.
    pub fn up() -> Status {
        Status::of(State::Up)
    }

    /// A status that is down.
    pub fn down() -> Status {
        Status::of(State::Down)
    }

    /// A status that is up if `up` is true, else down.
    pub fn up_if(up: bool) -> Status {
        if up { Status::up() } else { Status::down() }
    }

    /// A status for resources that are neither up nor down.
    pub fn not_applicable() -> Status {
        Status::of(State::NotApplicable)
    }

    /// A status for a state that the driver could not determine, and why.
    pub fn undefined(why: impl Display) -> Status {
        Status::of(State::Undefined).warning(why)
    }

    /// The resource is not as it should be, and why: the state becomes `warn`.
    pub fn degraded(mut self, why: impl Display) -> Status {
        self.0.state = State::Warn;
        self.warning(why)
    }

    /// A few words that identify the resource: `/dev/loop0@/srv/web`.
    pub fn label(mut self, label: impl Display) -> Status {
        self.0.label = label.to_string();
        self
    }

    /// Whether the things that `provision` creates exist.
    pub fn provisioned(mut self, exists: bool) -> Status {
        self.0.provisioned = if exists { Provisioned::Yes } else { Provisioned::No };
        self
    }

    /// The same, for drivers that also know states between yes and no.
    pub fn provisioned_as(mut self, provisioned: Provisioned) -> Status {
        self.0.provisioned = provisioned;
        self
    }

    /// A value that the resource offers to others: `device` (a block device's path), `pid` or `port`. A container also exposes
    /// `netns` (the path of its network namespace) and `id`, which the resources that join it receive.
    pub fn exposes(mut self, name: &str, value: impl Display) -> Status {
        self.0.exposes.push(kv(name, value));
        self
    }

    /// Says that a holding that this driver declared is gone although nobody stopped the resource: another node has taken it, for
    /// example. Without that, a resource that is down while something of it is declared is warn.
    pub fn gone(self, kind: &str, id: &str) -> Status {
        self.exposes("gone", format!("{kind} {id}"))
    }

    /// A value that the resource depends on, with the same names.
    pub fn uses(mut self, name: &str, value: impl Display) -> Status {
        self.0.uses.push(kv(name, value));
        self
    }

    /// Adds a line of information.
    pub fn info(self, text: impl Display) -> Status {
        self.message("info", text)
    }

    /// Adds a warning without changing the state; see [`Status::degraded`].
    pub fn warning(self, text: impl Display) -> Status {
        self.message("warn", text)
    }

    /// Adds an error without changing the state.
    pub fn error(self, text: impl Display) -> Status {
        self.message("error", text)
    }

    /// The current state.
    pub fn state(&self) -> State {
        self.0.state
    }

    /// The report that is sent to the host.
    pub fn report(&self) -> &StatusReport {
        &self.0
    }

    pub(crate) fn into_report(self) -> StatusReport {
        self.0
    }

    fn message(mut self, level: &str, text: impl Display) -> Status {
        // The level is a word in the contract, because an enum of WIT could never get another case.
        self.0.messages.push(Message { level: level.to_owned(), text: text.to_string() });
        self
    }
}

fn kv(name: &str, value: impl Display) -> Kv {
    Kv { key: name.to_owned(), value: value.to_string() }
}

impl Problem {
    /// A keyword and what is wrong with it.
    pub fn new(keyword: &str, text: impl Display) -> Problem {
        Problem { keyword: keyword.to_owned(), text: text.to_string() }
    }
}

/// The outcome of an action that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// False only if everything already was as wanted and nothing was touched. A rollback does not undo such a step.
    pub changed: bool,
    /// One line for the log. May be empty.
    pub text: String,
}

impl Outcome {
    /// An outcome for an action that found everything as wanted.
    pub fn unchanged(text: impl Into<String>) -> Outcome {
        Outcome { changed: false, text: text.into() }
    }

    /// An outcome for an action that changed something.
    pub fn changed(text: impl Into<String>) -> Outcome {
        Outcome { changed: true, text: text.into() }
    }

    pub(crate) fn into_wire(self) -> WitOutcome {
        WitOutcome { changed: self.changed, text: self.text }
    }
}

/// The result of one run of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The exit status of the command or container, 0 for success.
    pub exit_status: i32,
    /// One line for the log. May be empty.
    pub text: String,
}

/// The result of the copy to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    /// The name of a node, or `local`.
    pub target: String,
    /// The bytes sent, if the tool reports them.
    pub bytes: u64,
    /// False if the target already had the same data.
    pub changed: bool,
    /// The error if the copy failed.
    pub error: Option<String>,
}

impl TargetReport {
    /// A report for a target that received data.
    pub fn copied(target: &str, bytes: u64) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes, changed: true, error: None }
    }

    /// A report for a target that already had the same data.
    pub fn unchanged(target: &str) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes: 0, changed: false, error: None }
    }

    /// A report for a copy that failed. It counts as a change, because some data may have been sent.
    pub fn failed(target: &str, error: impl Display) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes: 0, changed: true, error: Some(error.to_string()) }
    }
}

/// What is known of a node after a fence, or after a test of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceReport {
    /// Whether it is certain that no program runs on the node any more.
    pub proof: bool,
    /// One line for the log. May be empty.
    pub text: String,
}

impl FenceReport {
    /// The node has ended.
    pub fn proof(text: impl Display) -> FenceReport {
        FenceReport { proof: true, text: text.to_string() }
    }

    /// The node may go on.
    pub fn no_proof(text: impl Display) -> FenceReport {
        FenceReport { proof: false, text: text.to_string() }
    }
}
