//! What a call of a guest came to: the guest's answer, and what the host has counted meanwhile.

use driver::{ActionError, Change, DriverFault};

/// What a call of a guest came to.
pub(crate) struct GuestOutcome<T> {
    /// The guest's own answer, or what stopped it before it had one.
    pub(crate) result: Result<T, GuestStop>,
    /// Whether the host can tell what was touched, by its own count.
    pub(crate) change: Change,
}

/// What stopped a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GuestStop {
    /// A trap, a limit or the deadline.
    Fault(DriverFault),
    /// The action was given up.
    Cancelled,
}

impl<T> GuestOutcome<T> {
    /// The guest ran. `mutations` is how many of its changes succeeded.
    pub(super) fn new(result: Result<T, GuestStop>, mutations: u64) -> GuestOutcome<T> {
        let change = match (&result, mutations) {
            // A guest that was stopped may have been in the middle of a change, which is unknown here.
            (Err(_), _) => Change::Unknown,
            (Ok(_), 0) => Change::Unchanged,
            (Ok(_), _) => Change::Changed,
        };
        GuestOutcome { result, change }
    }

    /// The guest never ran.
    pub(super) fn not_begun(fault: DriverFault) -> GuestOutcome<T> {
        // Not unknown: no host function could be called yet, so that there is nothing to undo.
        GuestOutcome { result: Err(fault.into()), change: Change::Unchanged }
    }
}

impl From<DriverFault> for GuestStop {
    fn from(fault: DriverFault) -> GuestStop {
        GuestStop::Fault(fault)
    }
}

impl From<GuestStop> for ActionError {
    fn from(cut: GuestStop) -> ActionError {
        match cut {
            GuestStop::Fault(fault) => ActionError::Fault(fault),
            GuestStop::Cancelled => ActionError::Cancelled,
        }
    }
}
