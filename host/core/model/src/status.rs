//! States and how they add up: resources to an instance, instances to an object.
//!
//! Every sum is a function of the *set* of what is summed, so neither order nor grouping can matter.

mod aggregate;
mod flags;
mod instance;
mod object;

pub use aggregate::{ProvisionedSet, StateSet};
pub use flags::{Flags, RestartsLeft};
pub use instance::{InstanceStatus, ResourceStatus};
pub use object::{object_avail, object_overall, object_provisioned};

use std::fmt;
use std::str::FromStr;

/// The state of a resource, and of what is aggregated from resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Neither, or up with a fault.
    Warn,
    /// The question makes no sense.
    Na,
    /// Not known.
    Undef,
    /// A standby resource that is up.
    StdbyUp,
    /// A standby resource that is down.
    StdbyDown,
}

impl State {
    /// Every state.
    pub const ALL: [State; 7] =
        [State::Up, State::Down, State::Warn, State::Na, State::Undef, State::StdbyUp, State::StdbyDown];

    /// The state of a standby resource whose driver says this one.
    #[must_use]
    pub fn standby(self) -> State {
        match self {
            State::Up => State::StdbyUp,
            State::Down => State::StdbyDown,
            other => other,
        }
    }

    /// Whether it runs: up or stdby up.
    pub fn is_up(self) -> bool {
        matches!(self, State::Up | State::StdbyUp)
    }

    /// As printed: `up`, `n/a`, `stdby up`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Down => "down",
            State::Warn => "warn",
            State::Na => "n/a",
            State::Undef => "undef",
            State::StdbyUp => "stdby up",
            State::StdbyDown => "stdby down",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state: expected up, down, warn, n/a, undef, stdby up or stdby down")]
pub struct NoState(pub String);

impl FromStr for State {
    type Err = NoState;

    /// Also without the blank and the slash, which a shell would want quoted: `stdby-up`, `na`.
    fn from_str(s: &str) -> Result<State, NoState> {
        let bare = |word: &str| word.replace([' ', '-', '/'], "");
        let wanted = bare(s);
        State::ALL.into_iter().find(|state| bare(state.as_str()) == wanted).ok_or_else(|| NoState(s.to_owned()))
    }
}

/// Whether what provisioning makes exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provisioned {
    /// It exists.
    True,
    /// It does not.
    False,
    /// A part of it does.
    Mixed,
    /// There is nothing to provision.
    Na,
    /// Not known.
    Undef,
}

impl Provisioned {
    /// Every value.
    pub const ALL: [Provisioned; 5] =
        [Provisioned::True, Provisioned::False, Provisioned::Mixed, Provisioned::Na, Provisioned::Undef];

    /// As printed: `true`, `false`, `mixed`, `n/a`, `undef`.
    pub fn as_str(self) -> &'static str {
        match self {
            Provisioned::True => "true",
            Provisioned::False => "false",
            Provisioned::Mixed => "mixed",
            Provisioned::Na => "n/a",
            Provisioned::Undef => "undef",
        }
    }
}

impl fmt::Display for Provisioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no provisioned state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no provisioned state: expected true, false, mixed, n/a or undef")]
pub struct NoProvisioned(pub String);

impl FromStr for Provisioned {
    type Err = NoProvisioned;

    fn from_str(s: &str) -> Result<Provisioned, NoProvisioned> {
        Provisioned::ALL.into_iter().find(|value| value.as_str() == s).ok_or_else(|| NoProvisioned(s.to_owned()))
    }
}
