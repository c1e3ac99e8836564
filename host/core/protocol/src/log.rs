//! The log of the actions on objects.

use model::ObjectPath;
use serde::{Deserialize, Serialize};

use crate::word;

/// A request for entries of the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    #[serde(with = "word::list")]
    pub objects: Vec<ObjectPath>,
    /// The first characters of the id of a session.
    pub sid: Option<String>,
    pub rid: Option<String>,
    /// The number of the last lines. Zero: all.
    pub lines: usize,
    /// Whether entries are sent as they are written, until the reader goes away.
    pub follow: bool,
}
