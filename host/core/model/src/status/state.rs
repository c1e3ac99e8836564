//! The state of a resource, and of what is aggregated from resources.

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
    /// The resource has no state.
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

/// A word that is not a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a state: expected up, down, warn, n/a, undef, stdby up or stdby down")]
pub struct InvalidState(pub String);

impl FromStr for State {
    type Err = InvalidState;

    /// Also reads the spellings that need no quotes in a shell: `stdby-up`, `na`.
    fn from_str(s: &str) -> Result<State, InvalidState> {
        let bare = |word: &str| word.replace([' ', '-', '/'], "");
        let wanted = bare(s);
        State::ALL.into_iter().find(|state| bare(state.as_str()) == wanted).ok_or_else(|| InvalidState(s.to_owned()))
    }
}
