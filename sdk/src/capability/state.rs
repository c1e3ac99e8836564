//! A small store that the host keeps for a resource: at most 64 KiB, durable before [`set`] returns. `status` and `validate` may
//! [`get`]. What must be given back is declared instead, see [`holdings::declare`](super::holdings::declare).

use super::{CapabilityResult, host};

/// The time for which the host keeps a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateScope {
    /// Until the next boot of the node.
    Boot,
    /// Until `unprovision`, or until the object is deleted.
    Persistent,
}

impl StateScope {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            // Words in the contract, so that it can get other scopes.
            StateScope::Boot => "boot",
            StateScope::Persistent => "persistent",
        }
    }
}

/// The value of `key`, or None if it was never set. A store that cannot be read is an error, never None.
pub fn get(scope: StateScope, key: &str) -> CapabilityResult<Option<String>> {
    Ok(host::state::get(scope.as_str(), key)?)
}

/// Sets the value of `key`.
pub fn set(scope: StateScope, key: &str, value: &str) -> CapabilityResult<()> {
    Ok(host::state::set(scope.as_str(), key, value)?)
}

/// Removes `key`. It is not an error if it was not set.
pub fn remove(scope: StateScope, key: &str) -> CapabilityResult<()> {
    Ok(host::state::remove(scope.as_str(), key)?)
}
