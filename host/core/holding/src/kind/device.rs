//! Devices that a driver's programs make: those of device-mapper, and arrays.
//!
//! A driver declares such a device by the UUID that the kernel shows of it, so that the host can look by itself whether it is gone,
//! whatever its name is by then.

use std::fmt;

/// The kinds of devices that have a UUID of their own in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceClass {
    /// Of device-mapper: `dm/uuid` in its directory of /sys/block.
    Mapped,
    /// A software RAID: `md/uuid` there.
    Array,
}

impl DeviceClass {
    const ALL: [DeviceClass; 2] = [DeviceClass::Mapped, DeviceClass::Array];

    fn prefix(self) -> &'static str {
        match self {
            DeviceClass::Mapped => "dm:",
            DeviceClass::Array => "md:",
        }
    }
}

/// The id of a device that is declared: `dm:` or `md:`, and its UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceIdentity {
    class: DeviceClass,
    /// As the driver writes it; of device-mapper, `*` stands for any text.
    uuid: String,
}

impl DeviceIdentity {
    /// The word for the kind of such a holding.
    pub const KIND: &'static str = "device";

    /// The identity of the device of this UUID.
    pub fn new(class: DeviceClass, uuid: &str) -> DeviceIdentity {
        DeviceIdentity { class, uuid: uuid.to_owned() }
    }

    /// Reads an id. None if it is not one of a device, or if it could be any device.
    pub fn parse(id: &str) -> Option<DeviceIdentity> {
        let class = DeviceClass::ALL.into_iter().find(|class| id.starts_with(class.prefix()))?;
        let uuid = &id[class.prefix().len()..];
        let says_something = match class {
            // `LVM-*` says which kind of device it is; `*` alone would claim the devices of every other object.
            DeviceClass::Mapped => !uuid.starts_with('*'),
            DeviceClass::Array => digits(uuid).len() == 32,
        };
        (says_something && !uuid.is_empty()).then(|| DeviceIdentity::new(class, uuid))
    }

    /// Whether a device that the kernel shows is this one.
    pub fn is(&self, class: DeviceClass, uuid: &str) -> bool {
        class == self.class
            && match class {
                DeviceClass::Mapped => is_like(&self.uuid, uuid),
                // mdadm(8), blkid(8) and the kernel put the separators at different places.
                DeviceClass::Array => digits(&self.uuid) == digits(uuid),
            }
    }
}

impl fmt::Display for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.class.prefix(), self.uuid)
    }
}

fn digits(uuid: &str) -> String {
    uuid.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect()
}

/// Whether a text is like a pattern in which `*` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| is_like(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_the_device_of_that_uuid_and_no_other() {
        let check = |id: &str, class, uuid: &str, expected| {
            assert_eq!(DeviceIdentity::parse(id).unwrap().is(class, uuid), expected, "{id} {uuid}");
        };
        let (mapped, array) = (DeviceClass::Mapped, DeviceClass::Array);
        check("dm:CRYPT-LUKS2-9c4f-vault", mapped, "CRYPT-LUKS2-9c4f-vault", true);
        check("dm:CRYPT-LUKS2-9c4f-vault", mapped, "CRYPT-LUKS2-9c4f-vault2", false);
        check("dm:CRYPT-LUKS*-9c4f-vault", mapped, "CRYPT-LUKS1-9c4f-vault", true);
        check("dm:LVM-groupA*", mapped, "LVM-groupAvolume-tpool", true);
        check("dm:LVM-groupA*", mapped, "LVM-groupA", true);
        check("dm:LVM-groupA*", mapped, "LVM-groupB", false);
        check("dm:LVM-groupA*", array, "LVM-groupA", false);
        let uuid = "md:808a2785:6b4e2147:7eb9fb04:9ac16668";
        check(uuid, array, "808A2785-6b4e-2147-7eb9-fb049ac16668", true);
        check(uuid, array, "808a2785-6b4e-2147-7eb9-fb049ac16669", false);
    }

    #[test]
    fn an_id_that_says_nothing_is_none() {
        for id in ["", "dm:", "md:", "dm:*", "dm:*-vault", "md:808a2785", "vault", "loop:1"] {
            assert_eq!(DeviceIdentity::parse(id), None, "{id}");
        }
    }
}
