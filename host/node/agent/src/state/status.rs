//! The last known status of an instance, so that no driver has to run to show it.
//!
//! The document is a cache: one that cannot be read, because it is torn or of another version, is ignored.

use protocol::InstanceDocument;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::FileError;
use crate::status::InstanceStatus;

/// A status, and the boot in which it was seen.
#[derive(Serialize, Deserialize)]
struct CachedStatus {
    boot_id: Option<String>,
    status: InstanceDocument,
}

impl InstanceState {
    /// The last known status, if there is one of this boot. What was up before is gone.
    pub fn last_status(&self) -> Result<Option<InstanceStatus>, FileError> {
        let cached: Option<CachedStatus> = documents::load(&self.directory.join("status.json"))?;
        let of_this_boot = cached.filter(|cached| cached.boot_id == kernel::clock::boot_id());
        Ok(of_this_boot.map(|cached| InstanceStatus::from(cached.status)))
    }

    /// Forgets the status, because it is about to change.
    pub fn forget_last_status(&self) {
        let _ = std::fs::remove_file(self.directory.join("status.json"));
    }

    /// Remembers a status.
    pub fn set_last_status(&self, instance: &InstanceStatus) -> Result<(), FileError> {
        let cached = CachedStatus { boot_id: kernel::clock::boot_id(), status: InstanceDocument::from(instance) };
        documents::jot(&self.directory.join("status.json"), &cached)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use std::time::Duration;

    use driver::{DriverFault, LogSeverity, ReportMessage};
    use model::status::{Provisioned, RemainingRestarts, ResourceFlags, State, StatusSums};

    use super::*;
    use crate::status::{OrphanHolding, OrphanReason, ResourceStatus, StatusNote};

    fn seen(rid: &str, fault: Option<DriverFault>) -> ResourceStatus {
        ResourceStatus {
            rid: rid.parse().unwrap(),
            driver: "fs.ext4".parse().unwrap(),
            subset: Some(("s1".to_owned(), true)),
            tags: vec!["db".to_owned()],
            state: State::StdbyUp,
            flags: ResourceFlags {
                running: false,
                monitored: true,
                disabled: false,
                optional: false,
                encap: false,
                provisioned: Provisioned::True,
                standby: true,
                restarts_left: RemainingRestarts::Left(3),
            },
            label: "ext4 /dev/loop0@/srv/web".to_owned(),
            messages: vec![ReportMessage { level: LogSeverity::Warn, text: "nearly full".to_owned() }],
            exposes: vec![("device".to_owned(), "/dev/loop0".to_owned())],
            uses: Vec::new(),
            fault,
        }
    }

    fn instance() -> InstanceStatus {
        let faults = [
            DriverFault::Trap("unreachable".to_owned()),
            DriverFault::Wall(Duration::from_millis(1500)),
            DriverFault::Stack,
            DriverFault::Missing { driver: "fs.zfs".to_owned(), reason: "not installed".to_owned() },
        ];
        let faulty = faults.into_iter().enumerate().map(|(n, fault)| seen(&format!("fs#{n}"), Some(fault)));
        InstanceStatus {
            path: "web".parse().unwrap(),
            node: "n1".parse().unwrap(),
            sums: StatusSums {
                avail: State::StdbyUp,
                overall: State::Warn,
                optional: State::Na,
                provisioned: Provisioned::Mixed,
            },
            frozen: true,
            seen_at: 1_000,
            notes: vec![StatusNote::Interrupted { action: "start".to_owned() }],
            orphans: vec![OrphanHolding {
                rid: "app#2".to_owned(),
                label: "processes".to_owned(),
                reason: OrphanReason::Disabled,
            }],
            show_disabled: false,
            resources: faulty.chain([seen("fs#9", None)]).collect(),
        }
    }

    #[test]
    fn a_status_is_remembered_as_it_was() {
        let (_root, web) = web();
        assert_eq!(web.last_status().unwrap(), None);
        web.set_last_status(&instance()).unwrap();
        assert_eq!(web.last_status().unwrap(), Some(instance()));
    }

    #[test]
    fn a_status_of_another_boot_is_void() {
        let (_root, web) = web();
        web.set_last_status(&instance()).unwrap();
        let file = web.directory.join("status.json");
        let text = std::fs::read_to_string(&file).unwrap();
        let boot_id = kernel::clock::boot_id().unwrap();
        std::fs::write(&file, text.replace(&boot_id, "bb5fb5ab-0000-4000-8000-000000000000")).unwrap();
        assert_eq!(web.last_status().unwrap(), None);
    }

    #[test]
    fn a_torn_status_counts_as_absent() {
        let (_root, web) = web();
        web.set_last_status(&instance()).unwrap();
        let file = web.directory.join("status.json");
        let whole = std::fs::read(&file).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(web.last_status().unwrap(), None, "{length} bytes");
        }
    }
}
