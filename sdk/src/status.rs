//! What a driver answers: the state of a resource, the outcome of an action.

use std::fmt::Display;

use crate::bindings::hostler::driver::types::{Kv, Message, Outcome as WitOutcome, StatusReport};
pub use crate::bindings::hostler::driver::types::{Problem, Provisioned, State};

/// How a resource is: `Status::up().label(…).exposes("device", …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Status(StatusReport);

impl Status {
    /// Of any state. Nothing to provision, until said otherwise.
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

    /// Up.
    pub fn up() -> Status {
        Status::of(State::Up)
    }

    /// Down.
    pub fn down() -> Status {
        Status::of(State::Down)
    }

    /// Up or down.
    pub fn up_if(up: bool) -> Status {
        if up { Status::up() } else { Status::down() }
    }

    /// The question makes no sense for this resource.
    pub fn not_applicable() -> Status {
        Status::of(State::NotApplicable)
    }

    /// The driver could not find out, for this reason.
    pub fn undefined(why: impl Display) -> Status {
        Status::of(State::Undefined).warning(why)
    }

    /// Up or not, it is not as it should be, for this reason: the state becomes `warn`.
    pub fn degraded(mut self, why: impl Display) -> Status {
        self.0.state = State::Warn;
        self.warning(why)
    }

    /// What the resource is, in a few words: `/dev/loop0@/srv/web`.
    pub fn label(mut self, label: impl Display) -> Status {
        self.0.label = label.to_string();
        self
    }

    /// Whether what `provision` makes exists.
    pub fn provisioned(mut self, exists: bool) -> Status {
        self.0.provisioned = if exists { Provisioned::Yes } else { Provisioned::No };
        self
    }

    /// The same, where yes and no are not all there is.
    pub fn provisioned_as(mut self, provisioned: Provisioned) -> Status {
        self.0.provisioned = provisioned;
        self
    }

    /// What the resource offers to others: `device` (a block device's path), `pid`, `port`; a container also `netns` (the path
    /// of its network namespace) and `id`, which whoever joins it is told.
    pub fn exposes(mut self, name: &str, value: impl Display) -> Status {
        self.0.exposes.push(kv(name, value));
        self
    }

    /// What the resource stands on, with the same names.
    pub fn uses(mut self, name: &str, value: impl Display) -> Status {
        self.0.uses.push(kv(name, value));
        self
    }

    /// A line for whoever reads the status.
    pub fn info(self, text: impl Display) -> Status {
        self.message("info", text)
    }

    /// A line that asks to be looked at. The state stays; see [`Status::degraded`].
    pub fn warning(self, text: impl Display) -> Status {
        self.message("warn", text)
    }

    /// A line about what failed. The state stays.
    pub fn error(self, text: impl Display) -> Status {
        self.message("error", text)
    }

    /// The state as it stands.
    pub fn state(&self) -> State {
        self.0.state
    }

    /// The report as it goes to the host.
    pub fn report(&self) -> &StatusReport {
        &self.0
    }

    pub(crate) fn into_report(self) -> StatusReport {
        self.0
    }

    fn message(mut self, level: &str, text: impl Display) -> Status {
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
    /// False only if everything was found as wanted and nothing was touched: such a step is not undone on rollback.
    pub changed: bool,
    /// One line for the log. May be empty.
    pub text: String,
}

impl Outcome {
    /// Everything was found as wanted.
    pub fn unchanged(text: impl Into<String>) -> Outcome {
        Outcome { changed: false, text: text.into() }
    }

    /// Something was done.
    pub fn changed(text: impl Into<String>) -> Outcome {
        Outcome { changed: true, text: text.into() }
    }

    pub(crate) fn into_wire(self) -> WitOutcome {
        WitOutcome { changed: self.changed, text: self.text }
    }
}

/// How the run of a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The exit status of what was run, 0 for success.
    pub exit_status: i32,
    /// One line for the log. May be empty.
    pub text: String,
}

/// How the copy to one target ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    /// The name of a node, or `local`.
    pub target: String,
    /// Bytes sent, as far as the tool says.
    pub bytes: u64,
    /// False if the target already held the same.
    pub changed: bool,
    /// Why it failed.
    pub error: Option<String>,
}

impl TargetReport {
    /// It was copied.
    pub fn copied(target: &str, bytes: u64) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes, changed: true, error: None }
    }

    /// It already held the same.
    pub fn unchanged(target: &str) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes: 0, changed: false, error: None }
    }

    /// It failed. What was sent until then counts as a change.
    pub fn failed(target: &str, error: impl Display) -> TargetReport {
        TargetReport { target: target.to_owned(), bytes: 0, changed: true, error: Some(error.to_string()) }
    }
}
