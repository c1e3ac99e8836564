//! Which resource owns which device.
//!
//! A driver reports the devices that its resource exposes, and other resources act on them. The host believes that report
//! only for devices that it gave to the resource itself, so that a driver cannot direct another one at a disk that is not
//! its own.

use std::collections::BTreeSet;
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
}

impl OwnedDevice {
    fn new(object: &ObjectPath, rid: &Rid, device: &str) -> OwnedDevice {
        OwnedDevice { object: object.to_string(), rid: rid.to_string(), device: device.to_owned() }
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
        // The kernel reuses names such as /dev/loop0: the last object that got the device is its owner.
        devices.retain(|other| other.device != given.device || other.object == given.object);
        devices.insert(given);
    }

    /// Takes `device` from the resource.
    pub fn take(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        self.devices().remove(&OwnedDevice::new(object, rid, device));
    }

    /// Whether `device` is the resource's own.
    pub fn gave(&self, object: &ObjectPath, rid: &Rid, device: &str) -> bool {
        self.devices().contains(&OwnedDevice::new(object, rid, device))
    }

    /// Whether any resource of the object owns `device`. The author of an object chooses which of its resources a keyword
    /// refers to, and one keyword may refer to several.
    pub fn gave_any(&self, object: &ObjectPath, device: &str) -> bool {
        let object = object.to_string();
        self.devices().iter().any(|owned| owned.object == object && owned.device == device)
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
