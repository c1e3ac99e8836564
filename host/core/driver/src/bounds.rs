//! How long a call of a driver may take, and the signal that gives it up. What the call is about is in [`crate::DriverCall`].

use std::time::Duration;

use crate::CancelSignal;

/// The bounds of one call of a driver.
#[derive(Debug, Clone)]
pub struct CallBounds {
    /// How long the call may take, in wall-clock time.
    pub deadline: Duration,
    /// Raised when the action is given up.
    pub cancel: CancelSignal,
}

impl CallBounds {
    /// Bounds of a call that nothing but its deadline ends.
    pub fn within(deadline: Duration) -> CallBounds {
        CallBounds { deadline, cancel: CancelSignal::default() }
    }
}
