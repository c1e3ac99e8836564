//! Which resource owns which device, and which mount points of volumes.
//!
//! A driver reports the devices that its resource exposes, and other resources act on them. The host believes that report
//! only for devices that it gave to the resource itself, so that a driver cannot direct another one at a disk that is not
//! its own.

use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{ObjectPath, Rid};

/// The devices that this process gave to resources.
#[derive(Debug, Default)]
pub struct DeviceOwners(Mutex<BTreeSet<OwnedDevice>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct OwnedDevice {
    object: String,
    rid: String,
    device: String,
    /// Whether it is a mount point, with all that is below it.
    is_place: bool,
    /// The object that has lent it, and goes on owning it.
    lender: Option<String>,
}

impl OwnedDevice {
    fn new(object: &ObjectPath, rid: &Rid, device: &str) -> OwnedDevice {
        OwnedDevice {
            object: object.to_string(),
            rid: rid.to_string(),
            device: device.to_owned(),
            is_place: false,
            lender: None,
        }
    }
}

impl OwnedDevice {
    /// Whether it is the same thing of the same resource, lent or not.
    fn is(&self, other: &OwnedDevice) -> bool {
        (&self.object, &self.rid, &self.device, self.is_place)
            == (&other.object, &other.rid, &other.device, other.is_place)
    }
}

impl DeviceOwners {
    fn devices(&self) -> MutexGuard<'_, BTreeSet<OwnedDevice>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `device` the resource's own, and takes it from any other object. Resources of one object may share a device: a
    /// volume group exposes the volumes that other resources manage.
    pub fn give(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        let given = OwnedDevice::new(object, rid, device);
        let mut devices = self.devices();
        if devices.iter().any(|owned| owned.is(&given)) {
            return;
        }
        // The kernel reuses names such as /dev/loop0: the last object that got the device is its owner.
        let stays = |other: &OwnedDevice| other.object == given.object || other.lender.as_ref() == Some(&given.object);
        devices.retain(|other| other.device != given.device || stays(other));
        devices.insert(given);
    }

    /// Lets the resource have a device of `lender`, which goes on owning it.
    pub fn lend(&self, lender: &ObjectPath, object: &ObjectPath, rid: &Rid, device: &str) {
        let lent = OwnedDevice { lender: Some(lender.to_string()), ..OwnedDevice::new(object, rid, device) };
        self.devices().insert(lent);
    }

    /// Takes `device` from the resource.
    pub fn take(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        let taken = OwnedDevice::new(object, rid, device);
        self.devices().retain(|owned| !owned.is(&taken));
    }

    /// Whether `device` is the resource's own.
    pub fn gave(&self, object: &ObjectPath, rid: &Rid, device: &str) -> bool {
        let wanted = OwnedDevice::new(object, rid, device);
        self.devices().iter().any(|owned| owned.is(&wanted))
    }

    /// Whether any resource of the object owns `device`, or a mount point that is or is above it. The author of an object chooses
    /// which of its resources a keyword refers to, and one keyword may refer to several.
    pub fn gave_any(&self, object: &ObjectPath, device: &str) -> bool {
        let object = object.to_string();
        // `starts_with` compares words: a path with `..` would be within the place by its words alone.
        let leaves = Path::new(device).components().any(|part| part == Component::ParentDir);
        let is_within = |place: &str| !leaves && Path::new(device).starts_with(place);
        self.devices().iter().any(|owned| {
            owned.object == object && (owned.device == device || owned.is_place && is_within(&owned.device))
        })
    }

    /// Makes the mount point `place` the resource's own: what is below it may be named by other resources of the object.
    pub fn give_place(&self, object: &ObjectPath, rid: &Rid, place: &str) {
        self.devices().insert(OwnedDevice { is_place: true, ..OwnedDevice::new(object, rid, place) });
    }

    /// Whether `place` is a mount point of the resource's own.
    pub fn gave_place(&self, object: &ObjectPath, rid: &Rid, place: &str) -> bool {
        self.devices().contains(&OwnedDevice { is_place: true, ..OwnedDevice::new(object, rid, place) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_the_resources_from_give_to_take() {
        let owners = DeviceOwners::default();
        let web: ObjectPath = "web".parse().unwrap();
        let (rid, other): (Rid, Rid) = ("disk#1".parse().unwrap(), "disk#2".parse().unwrap());
        owners.give(&web, &rid, "/dev/loop0");
        owners.give(&web, &rid, "/dev/loop0");
        assert!(owners.gave(&web, &rid, "/dev/loop0") && owners.gave_any(&web, "/dev/loop0"));
        assert!(!owners.gave(&web, &other, "/dev/loop0"));
        assert!(!owners.gave(&"ns1/svc/web".parse().unwrap(), &rid, "/dev/loop0"));
        assert!(!owners.gave(&web, &rid, "/dev/loop1"));
        owners.take(&web, &rid, "/dev/loop0");
        assert!(!owners.gave(&web, &rid, "/dev/loop0") && !owners.gave_any(&web, "/dev/loop0"));
    }

    #[test]
    fn a_device_that_is_lent_belongs_to_both() {
        let owners = DeviceOwners::default();
        let (web, volume): (ObjectPath, ObjectPath) = ("web".parse().unwrap(), "vol/data".parse().unwrap());
        let (disk, user): (Rid, Rid) = ("disk#0".parse().unwrap(), "volume#0".parse().unwrap());
        owners.give(&volume, &disk, "/dev/loop0");
        owners.lend(&volume, &web, &user, "/dev/loop0");
        // Each of them says again what it exposes.
        owners.give(&web, &user, "/dev/loop0");
        owners.give(&volume, &disk, "/dev/loop0");
        assert!(owners.gave(&web, &user, "/dev/loop0") && owners.gave_any(&volume, "/dev/loop0"));
        owners.give(&"other".parse().unwrap(), &disk, "/dev/loop0");
        assert!(!owners.gave(&web, &user, "/dev/loop0") && !owners.gave_any(&volume, "/dev/loop0"));
    }

    #[test]
    fn what_is_below_a_mount_point_is_the_objects() {
        let owners = DeviceOwners::default();
        let web: ObjectPath = "web".parse().unwrap();
        let rid: Rid = "volume#0".parse().unwrap();
        owners.give_place(&web, &rid, "/srv/data");
        assert!(owners.gave_place(&web, &rid, "/srv/data") && !owners.gave(&web, &rid, "/srv/data"));
        assert!(owners.gave_any(&web, "/srv/data") && owners.gave_any(&web, "/srv/data/www:/www:ro"));
        for outside in ["/srv", "/srv/database", "/srv/data/../other"] {
            assert!(!owners.gave_any(&web, outside), "{outside}");
        }
    }

    #[test]
    fn a_device_that_is_given_to_another_object_is_lost_to_the_first() {
        let owners = DeviceOwners::default();
        let (web, other): (ObjectPath, ObjectPath) = ("web".parse().unwrap(), "other".parse().unwrap());
        let (first, second): (Rid, Rid) = ("disk#1".parse().unwrap(), "disk#2".parse().unwrap());
        owners.give(&web, &first, "/dev/loop0");
        owners.give(&web, &second, "/dev/loop0");
        assert!(owners.gave(&web, &first, "/dev/loop0") && owners.gave(&web, &second, "/dev/loop0"));
        owners.give(&other, &first, "/dev/loop0");
        assert!(!owners.gave(&web, &first, "/dev/loop0") && !owners.gave_any(&web, "/dev/loop0"));
        assert!(owners.gave(&other, &first, "/dev/loop0") && owners.gave_any(&other, "/dev/loop0"));
    }
}
