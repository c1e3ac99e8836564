//! A little memory that the host keeps for a resource: durable before [`set`] returns, at most 64 KiB, denied in status.

use super::{Answer, host};

/// How long the host remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Until the next boot of the node.
    Boot,
    /// Until `unprovision`, or until the object is deleted.
    Persistent,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Scope::Boot => "boot",
            Scope::Persistent => "persistent",
        }
    }
}

/// The value under `key`, or none if it was never set. A store that cannot be read is an error, never none.
pub fn get(scope: Scope, key: &str) -> Answer<Option<String>> {
    Ok(host::state::get(scope.as_str(), key)?)
}

/// Sets `key`.
pub fn set(scope: Scope, key: &str, value: &str) -> Answer<()> {
    Ok(host::state::set(scope.as_str(), key, value)?)
}

/// Forgets `key`. No error if it was not set.
pub fn remove(scope: Scope, key: &str) -> Answer<()> {
    Ok(host::state::remove(scope.as_str(), key)?)
}
