//! The session of one action: the options of its request, and the values that its log must never show.

use std::sync::Arc;

use crate::log::SecretValues;

/// The session of one action. A mere look has a default session, without an id.
#[derive(Default)]
pub(crate) struct ActionSession {
    pub(crate) sid: String,
    pub(crate) secrets: Arc<SecretValues>,
    pub(crate) force: bool,
    pub(crate) confirm: bool,
    pub(crate) adopt: bool,
    /// `-e NAME=VALUE` of the command line.
    pub(crate) env: Vec<(String, String)>,
}
