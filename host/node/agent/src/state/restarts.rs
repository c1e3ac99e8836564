//! When each resource was restarted, for the limits of restarts in a window of time and for the backoff between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Rid;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::FileError;

/// The restarts of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestartHistory {
    /// When it was restarted, the oldest first. The reader drops those that have left the window.
    pub at: Vec<Timestamp>,
}

impl InstanceState {
    /// The restarts of every resource that had any.
    pub fn restarts(&self) -> Result<BTreeMap<Rid, RestartHistory>, FileError> {
        let wire: BTreeMap<String, RestartHistory> =
            documents::load(&self.directory.join("restarts.json"))?.unwrap_or_default();
        Ok(wire.into_iter().filter_map(|(rid, restarts)| Some((rid.parse().ok()?, restarts))).collect())
    }

    /// Replaces them all. Only one process may do so: the daemon, or the holder of the action lock.
    pub fn set_restarts(&self, restarts: &BTreeMap<Rid, RestartHistory>) -> Result<(), FileError> {
        let wire: BTreeMap<String, &RestartHistory> =
            restarts.iter().map(|(rid, restarts)| (rid.to_string(), restarts)).collect();
        documents::store(&self.directory.join("restarts.json"), &wire)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn restarts_are_remembered_and_a_torn_file_forgets_them() {
        let (_root, web) = web();
        assert_eq!(web.restarts().unwrap(), BTreeMap::new());
        let restarts =
            BTreeMap::from([("app#1".parse().unwrap(), RestartHistory { at: vec![Timestamp::constant(1_000, 0)] })]);
        web.set_restarts(&restarts).unwrap();
        assert_eq!(web.restarts().unwrap(), restarts);
        std::fs::write(web.directory.join("restarts.json"), b"{\"app#1\":{\"at\":[\"19").unwrap();
        assert_eq!(web.restarts().unwrap(), BTreeMap::new());
    }
}
