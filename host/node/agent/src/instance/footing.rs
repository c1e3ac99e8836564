//! The devices and the volumes that the resources of an instance were started on. A resource that is up still stands on them, whatever the
//! resource below exposes now.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use model::Rid;
use model::object::Resource;

use super::Instance;
use super::exposures::{ExposedState, ExposureMap};
use crate::state::DeviceFooting;
use crate::status::ResourceStatus;
use exec::blocking;

impl Instance<'_> {
    pub(super) fn footing(&self) -> MutexGuard<'_, BTreeMap<Rid, DeviceFooting>> {
        self.footing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the devices that a resource will stand on, just before it is started: those that others expose now.
    pub(super) async fn stands_on(&self, resource: &Resource, exposures: &ExposureMap) {
        let on: DeviceFooting = resource
            .late(false)
            .filter_map(|(rid, exposure)| Some(((rid.clone(), exposure), exposures.get(rid)?.exposed(exposure))))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        if !on.is_empty() {
            self.footing().insert(resource.rid.clone(), on.clone());
            self.write_footing(vec![(resource.rid.clone(), on)]).await;
        }
    }

    /// Forgets the devices of resources that are down: they stand on nothing any more.
    pub(crate) async fn forget_what_is_down(&self, seen: &[ResourceStatus]) {
        let down = seen.iter().filter(|seen| ExposedState::of(seen).is_down());
        // In a block of its own: a guard of std's Mutex that is held across an await makes the future
        // unfit to move between threads.
        let forgotten: Vec<_> = {
            let mut all = self.footing();
            down.filter(|seen| all.remove(&seen.rid).is_some())
                .map(|seen| (seen.rid.clone(), DeviceFooting::new()))
                .collect()
        };
        if !forgotten.is_empty() {
            self.write_footing(forgotten).await;
        }
    }

    /// A start goes on if the file cannot be written. Then a later stop may need the operator's help, if the resource below has
    /// changed its device meanwhile.
    async fn write_footing(&self, changes: Vec<(Rid, DeviceFooting)>) {
        // The members of a parallel subset start at once, and all of them change this one file.
        let _turn = self.footing_turn.lock().await;
        let state = self.state();
        blocking(move || {
            for (rid, on) in changes {
                let _ = state.set_stood_on(&rid, on);
            }
        })
        .await;
    }
}
