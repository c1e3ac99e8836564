//! The session of one action: what was asked for, and the values that its log must never show.

use std::sync::Arc;

use crate::log::SecretValues;

/// The session of one action. To look only takes a default one, which has no id.
#[derive(Default)]
pub(crate) struct ActionSession {
    pub(crate) sid: String,
    pub(crate) secrets: Arc<SecretValues>,
    pub(crate) force: bool,
    pub(crate) confirm: bool,
    /// `-e NAME=VALUE`.
    pub(crate) env: Vec<(String, String)>,
}
