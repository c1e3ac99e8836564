//! Which status is shown: the last known one, or a new one.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use model::ObjectPath;

use super::InstanceStatus;
use crate::snapshot::NodeSnapshot;
use crate::state::{FreezeState, InstanceState};
use crate::{ActError, Agent};
use exec::blocking;

impl Agent {
    /// The last known status of an instance. The drivers are asked if there is none, if the configuration has changed since,
    /// or if `refresh` says so.
    pub async fn last_or_new_status(&self, path: &ObjectPath, refresh: bool) -> Result<InstanceStatus, ActError> {
        match self.last_status_unless(refresh, path).await {
            Some(last) => Ok(last),
            None => self.status(path).await,
        }
    }

    /// Reads what the statuses of many instances have in common. Blocks.
    pub fn node_snapshot(&self) -> Arc<NodeSnapshot> {
        Arc::new(NodeSnapshot::take(self))
    }

    /// The status of one of many instances, as of [`Agent::last_or_new_status`].
    pub async fn last_or_new_status_among(
        &self,
        common: &Arc<NodeSnapshot>,
        path: &ObjectPath,
        refresh: bool,
    ) -> Result<InstanceStatus, ActError> {
        match self.last_status_unless(refresh, path).await {
            Some(last) => Ok(last),
            None => self.status_among(common, path).await,
        }
    }

    async fn last_status_unless(&self, refresh: bool, path: &ObjectPath) -> Option<InstanceStatus> {
        if refresh {
            return None;
        }
        let (agent, object) = (self.clone(), path.clone());
        blocking(move || agent.last_status(&object)).await
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
