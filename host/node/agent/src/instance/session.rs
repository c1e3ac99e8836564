//! The session of one action: the options of its request, and the values that its log must never show.

use std::sync::Arc;
use std::time::Duration;

use driver::CancelSignal;

use super::recent::RecentLooks;
use crate::log::SecretValues;

/// The session of one action. A mere look has a default session, without an id.
#[derive(Default, Clone)]
pub(crate) struct ActionSession {
    pub(crate) sid: String,
    pub(crate) secrets: Arc<SecretValues>,
    pub(crate) force: bool,
    pub(crate) confirm: bool,
    pub(crate) adopt: bool,
    pub(crate) i_know: bool,
    /// Whether a user waits for the outcome: then a start counts only if its programs still run a moment later.
    pub(crate) confirms: bool,
    /// Another node leads the provision or unprovision.
    pub(crate) follows: bool,
    /// `-e NAME=VALUE` of the command line.
    pub(crate) env: Vec<(String, String)>,
    /// How long a look at a resource may take, if that is less than its own timeout.
    pub(crate) patience: Option<Duration>,
    /// What the executor has just seen.
    pub(crate) recent: Arc<RecentLooks>,
    /// Gives up the looks. What is undone after a cancellation must be looked at all the same, so only the look for a plan has the
    /// signal of the action.
    pub(crate) cancel: CancelSignal,
}
