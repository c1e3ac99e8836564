//! The devices that the resources of an instance were started on. A resource that is up still stands on them, whatever the
//! resource below exposes now.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use model::Rid;
use model::config::Resource;

use super::Instance;
use super::exposures::{ExposedState, ExposureMap};
use crate::state::DeviceFooting;
use crate::status::ResourceStatus;

impl Instance<'_> {
    pub(super) fn footing(&self) -> MutexGuard<'_, BTreeMap<Rid, DeviceFooting>> {
        self.footing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A resource is about to be started on what others expose now.
    pub(super) fn stands_on(&self, resource: &Resource, exposures: &ExposureMap) {
        let on: DeviceFooting = resource
            .speaks_of(false)
            .into_iter()
            .filter_map(|rid| Some((rid.clone(), exposures.get(rid)?.devices())))
            .filter(|(_, devices)| !devices.is_empty())
            .collect();
        if !on.is_empty() {
            let mut all = self.footing();
            // Lost without harm, but that a stop may have to be told what it is to stop.
            let _ = self.state().set_stood_on(&resource.rid, on.clone());
            all.insert(resource.rid.clone(), on);
        }
    }

    /// What is down stands on nothing any more.
    pub(crate) fn forget_what_is_down(&self, seen: &[ResourceStatus]) {
        let memory = self.state();
        let mut all = self.footing();
        for seen in seen.iter().filter(|seen| ExposedState::of(seen).is_down()) {
            if all.remove(&seen.rid).is_some() {
                let _ = memory.set_stood_on(&seen.rid, DeviceFooting::new());
            }
        }
    }
}
