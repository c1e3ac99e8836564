//! Which devices this host gave to which resources.
//!
//! A driver says what it exposes, and other resources act on that. It is believed of no device but those that are here, so
//! that a driver cannot aim another one at a disk that is not its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use model::{ObjectPath, Rid};
use serde_json::{Value, json};

/// Remembers the devices that this host gave to resources.
pub trait Ledger: Send + Sync {
    /// `device` is now the resource's own, and no other object's. Resources of one object may share one: a volume group shows
    /// the volumes that other resources stand for.
    fn give(&self, object: &ObjectPath, rid: &Rid, device: &str);

    /// `device` is the resource's no more.
    fn take(&self, object: &ObjectPath, rid: &Rid, device: &str);

    /// Whether `device` is the resource's own.
    fn gave(&self, object: &ObjectPath, rid: &Rid, device: &str) -> bool;

    /// Whether `device` is any resource's of the object. Whoever writes the object chooses of which resource it speaks, and a
    /// keyword may speak of several.
    fn gave_any(&self, object: &ObjectPath, device: &str) -> bool;
}

/// An object, a resource, a device.
type Entry = (String, String, String);

fn entry(object: &ObjectPath, rid: &Rid, device: &str) -> Entry {
    (object.to_string(), rid.to_string(), device.to_owned())
}

/// A ledger that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<BTreeSet<Entry>>);

impl Ledger for MemoryLedger {
    fn give(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let object_name = object.to_string();
        entries.retain(|(other, _, old)| old != device || *other == object_name);
        entries.insert(entry(object, rid, device));
    }

    fn take(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry(object, rid, device));
    }

    fn gave(&self, object: &ObjectPath, rid: &Rid, device: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry(object, rid, device))
    }

    fn gave_any(&self, object: &ObjectPath, device: &str) -> bool {
        is_of_object(&self.0.lock().unwrap_or_else(PoisonError::into_inner), object, device)
    }
}

/// A ledger in a file, shared by the processes of this host. It belongs below a directory that a reboot empties: devices do
/// not keep their names any longer than that.
///
/// A file rather than memory, because `om web status` in a second process must believe what `om web start` exposed in the
/// first. A ledger that cannot be written only makes the host believe less.
#[derive(Debug)]
pub struct FileLedger {
    path: PathBuf,
}

impl FileLedger {
    /// Keeps the ledger in `path`, which is made with its first entry.
    pub fn new(path: PathBuf) -> FileLedger {
        FileLedger { path }
    }

    /// The entries: those given and not taken since.
    fn entries(&self) -> BTreeSet<Entry> {
        let mut entries = BTreeSet::new();
        for line in fs::read_to_string(&self.path).unwrap_or_default().lines() {
            // A torn line is nobody's device.
            let Ok(Value::Array(words)) = serde_json::from_str(line) else { continue };
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            if let [verb, object, rid, device] = words[..] {
                let entry = (object.to_owned(), rid.to_owned(), device.to_owned());
                match verb {
                    "give" => entries.insert(entry),
                    _ => entries.remove(&entry),
                };
            }
        }
        entries
    }

    /// Appends by one write(2), so that the processes of this host never tear each other's lines.
    fn append(&self, verb: &str, entry: &Entry) {
        use std::os::unix::fs::OpenOptionsExt;
        let (object, rid, device) = entry;
        let line = format!("{}\n", json!([verb, object, rid, device]));
        let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path);
        // What is not written is not believed, and is given again by the next `loop-of`.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

impl Ledger for FileLedger {
    fn give(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        let entry = entry(object, rid, device);
        let entries = self.entries();
        if entries.contains(&entry) {
            return;
        }
        // A device is one object's: whose it was before has lost it.
        for old in entries.iter().filter(|(other, _, old)| old == device && *other != entry.0) {
            self.append("take", old);
        }
        self.append("give", &entry);
    }

    fn take(&self, object: &ObjectPath, rid: &Rid, device: &str) {
        let entry = entry(object, rid, device);
        if self.entries().contains(&entry) {
            self.append("take", &entry);
        }
    }

    fn gave(&self, object: &ObjectPath, rid: &Rid, device: &str) -> bool {
        self.entries().contains(&entry(object, rid, device))
    }

    fn gave_any(&self, object: &ObjectPath, device: &str) -> bool {
        is_of_object(&self.entries(), object, device)
    }
}

fn is_of_object(entries: &BTreeSet<Entry>, object: &ObjectPath, device: &str) -> bool {
    let object = object.to_string();
    entries.iter().any(|(owner, _, own)| *owner == object && own == device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ledger: &dyn Ledger, again: &dyn Ledger) {
        let (web, other): (ObjectPath, ObjectPath) = ("web".parse().unwrap(), "other".parse().unwrap());
        let rid: Rid = "disk#1".parse().unwrap();
        assert!(!ledger.gave(&web, &rid, "/dev/loop0"));
        ledger.give(&web, &rid, "/dev/loop0");
        ledger.give(&web, &rid, "/dev/loop0");
        assert!(again.gave(&web, &rid, "/dev/loop0"));
        assert!(!again.gave(&other, &rid, "/dev/loop0"));
        assert!(!again.gave(&web, &"disk#2".parse().unwrap(), "/dev/loop0"));
        assert!(!again.gave(&web, &rid, "/dev/loop1"));
        ledger.take(&web, &rid, "/dev/loop0");
        assert!(!again.gave(&web, &rid, "/dev/loop0"));
    }

    #[test]
    fn a_device_is_the_resources_from_give_to_take() {
        let memory = MemoryLedger::default();
        check(&memory, &memory);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("devices");
        check(&FileLedger::new(path.clone()), &FileLedger::new(path));
    }

    #[test]
    fn a_device_that_is_given_anew_is_its_old_owners_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let file = FileLedger::new(dir.path().join("devices"));
        let (web, other): (ObjectPath, ObjectPath) = ("web".parse().unwrap(), "other".parse().unwrap());
        let (first, second): (Rid, Rid) = ("disk#1".parse().unwrap(), "disk#2".parse().unwrap());
        for ledger in [&file as &dyn Ledger, &MemoryLedger::default()] {
            ledger.give(&web, &first, "/dev/loop0");
            ledger.give(&web, &second, "/dev/loop0");
            assert!(ledger.gave(&web, &first, "/dev/loop0") && ledger.gave(&web, &second, "/dev/loop0"));
            ledger.give(&other, &first, "/dev/loop0");
            assert!(!ledger.gave(&web, &first, "/dev/loop0") && !ledger.gave_any(&web, "/dev/loop0"));
            assert!(ledger.gave(&other, &first, "/dev/loop0") && ledger.gave_any(&other, "/dev/loop0"));
        }
    }

    #[test]
    fn what_is_torn_or_unreadable_is_believed_of_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("devices");
        fs::write(&path, "[\"give\",\"web\",\"disk#1\",\"/dev/lo").unwrap();
        let web: ObjectPath = "web".parse().unwrap();
        assert!(!FileLedger::new(path).gave(&web, &"disk#1".parse().unwrap(), "/dev/lo"));
        let nowhere = FileLedger::new(dir.path().join("none/devices"));
        nowhere.give(&web, &"disk#1".parse().unwrap(), "/dev/loop0");
        assert!(!nowhere.gave(&web, &"disk#1".parse().unwrap(), "/dev/loop0"));
    }
}
