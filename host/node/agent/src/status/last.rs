//! Which status is shown: the last known one, or a new one.

use std::os::unix::fs::MetadataExt;

use model::ObjectPath;

use super::InstanceStatus;
use crate::file::blocking::blocking;
use crate::state::{FreezeState, InstanceState};
use crate::{ActError, Agent};

impl Agent {
    /// The last known status of an instance. The drivers are asked if there is none, if the configuration has changed since,
    /// or if `refresh` says so.
    pub async fn last_or_new_status(&self, path: &ObjectPath, refresh: bool) -> Result<InstanceStatus, ActError> {
        if refresh {
            return self.status(path).await;
        }
        let (agent, object) = (self.clone(), path.clone());
        match blocking(move || agent.last_status(&object)).await {
            Some(last) => Ok(last),
            None => self.status(path).await,
        }
    }

    /// The last known status, unless the configuration has changed since.
    fn last_status(&self, path: &ObjectPath) -> Option<InstanceStatus> {
        let state = InstanceState::of(self.home(), path);
        let last = state.last_status().ok().flatten().filter(|last| !self.is_outdated(last))?;
        // A freeze asks no driver, so the last status does not know of it.
        let frozen = state.frozen().map_or(last.frozen, |frozen| frozen != FreezeState::No);
        Some(InstanceStatus { frozen, ..last })
    }

    /// Whether the configuration changed after the status was read. A change in the same second counts: the time is not finer.
    fn is_outdated(&self, status: &InstanceStatus) -> bool {
        let file = std::fs::metadata(self.home().config(&status.path));
        file.is_ok_and(|file| file.mtime() >= status.seen_at)
    }
}
