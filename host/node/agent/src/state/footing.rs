//! The devices and mount points that resources were started on. A resource that is up stands on those that were exposed when it was
//! started, whatever is exposed now: the agent must still see it and be able to stop it. The next boot makes all of it void.

use std::collections::BTreeMap;

use model::Rid;
use model::object::Exposure;

use super::{InstanceState, documents};
use crate::file::durable::FileError;

/// The devices and mount points that one resource was started on, by the resource that exposed them.
pub(crate) type DeviceFooting = BTreeMap<(Rid, Exposure), Vec<String>>;

/// What stands behind the id of a resource whose mount point is meant, in the file.
const MOUNT_POINT: &str = " mnt";

type Wire = BTreeMap<String, BTreeMap<String, Vec<String>>>;

impl InstanceState {
    /// The devices of every resource that was started on devices of others.
    pub(crate) fn stood_on(&self) -> BTreeMap<Rid, DeviceFooting> {
        let wire: Wire = documents::load(&self.stood_on_file()).ok().flatten().unwrap_or_default();
        let devices = |wire: BTreeMap<String, Vec<String>>| {
            wire.into_iter().filter_map(|(key, values)| Some((read(&key)?, values))).collect()
        };
        wire.into_iter().filter_map(|(rid, on)| Some((rid.parse().ok()?, devices(on)))).collect()
    }

    /// Replaces the devices of one resource. If there are none, the resource is forgotten.
    pub(crate) fn set_stood_on(&self, rid: &Rid, on: DeviceFooting) -> Result<(), FileError> {
        let mut all = self.stood_on();
        let before = match on.is_empty() {
            true => all.remove(rid),
            false => all.insert(rid.clone(), on.clone()),
        };
        // Most starts repeat what is known, and write nothing.
        if before.unwrap_or_default() == on {
            return Ok(());
        }
        let devices = |on: &DeviceFooting| {
            on.iter().map(|(key, values)| (written(key), values.clone())).collect::<BTreeMap<_, _>>()
        };
        let wire: Wire = all.iter().map(|(rid, on)| (rid.to_string(), devices(on))).collect();
        documents::jot(&self.stood_on_file(), &wire)
    }

    fn stood_on_file(&self) -> std::path::PathBuf {
        self.footing.clone()
    }
}

fn written((rid, exposure): &(Rid, Exposure)) -> String {
    match exposure {
        Exposure::Devices => rid.to_string(),
        Exposure::MountPoint => format!("{rid}{MOUNT_POINT}"),
    }
}

fn read(key: &str) -> Option<(Rid, Exposure)> {
    match key.strip_suffix(MOUNT_POINT) {
        Some(rid) => Some((rid.parse().ok()?, Exposure::MountPoint)),
        None => Some((key.parse().ok()?, Exposure::Devices)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn the_devices_below_a_resource_are_remembered_until_there_are_none() {
        let (_root, web) = web();
        let [fs, disk, volume]: [Rid; 3] = ["fs#1", "disk#1", "volume#0"].map(|rid| rid.parse().unwrap());
        assert_eq!(web.stood_on(), BTreeMap::new());
        let on = BTreeMap::from([
            ((disk, Exposure::Devices), vec!["/dev/loop7".to_owned()]),
            ((volume, Exposure::MountPoint), vec!["/srv/data".to_owned()]),
        ]);
        web.set_stood_on(&fs, on.clone()).unwrap();
        assert_eq!(web.stood_on(), BTreeMap::from([(fs.clone(), on)]));
        web.set_stood_on(&fs, DeviceFooting::new()).unwrap();
        assert_eq!(web.stood_on(), BTreeMap::new());
    }
}
