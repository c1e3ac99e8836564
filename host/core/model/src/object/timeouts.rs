//! How long each verb of a resource may take.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Verb;

/// How long each verb of a resource may take: `timeout`, and `<verb>_timeout` where a verb has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerbTimeouts {
    /// For every verb that has no timeout of its own.
    pub default: Duration,
    /// The timeouts of single verbs.
    pub verbs: BTreeMap<Verb, Duration>,
}

impl VerbTimeouts {
    /// How long `verb` may take.
    pub fn of(&self, verb: Verb) -> Duration {
        self.verbs.get(&verb).copied().unwrap_or(self.default)
    }
}

impl Default for VerbTimeouts {
    /// One hour, and one minute for a status.
    fn default() -> VerbTimeouts {
        let minute = Duration::from_secs(60);
        VerbTimeouts { default: 60 * minute, verbs: BTreeMap::from([(Verb::Status, minute)]) }
    }
}
