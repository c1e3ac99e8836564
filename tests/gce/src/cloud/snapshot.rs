//! Snapshots of disks.

use serde_json::json;

use super::{CloudAnswer, EmulatedCloud, MethodCall, OperationEffect};
use crate::ApiError;

impl EmulatedCloud {
    pub(crate) fn create_snapshot(&mut self, call: &MethodCall) -> CloudAnswer {
        let disk = call.path("disks", "disk");
        let found = self.get(&disk)?;
        if found["status"] != "READY" {
            return Err(ApiError::not_ready(&disk));
        }
        let snapshot = format!("projects/{}/global/snapshots/{}", self.project, call.text("name"));
        self.is_free(&snapshot)?;
        let said = json!({
            "status": "CREATING",
            "sourceDisk": found["selfLink"],
            "sourceDiskId": found["id"],
            "diskSizeGb": found["sizeGb"],
            "labelFingerprint": self.fingerprint(),
        });
        self.add(&snapshot, "compute#snapshot", &call.body, said);
        Ok(self.begin(call, "createSnapshot", &disk, OperationEffect::MakeSnapshot { snapshot, disk: disk.clone() }))
    }

    pub(crate) fn make_snapshot(&mut self, snapshot: &str, disk: &str) -> Result<(), String> {
        self.devices.snapshot(disk, snapshot)?;
        self.set(snapshot, "status", "READY");
        Ok(())
    }

    pub(crate) fn delete_snapshot(&mut self, call: &MethodCall) -> CloudAnswer {
        let snapshot = call.path("snapshots", "snapshot");
        self.get(&snapshot)?;
        self.set(&snapshot, "status", "DELETING");
        Ok(self.begin(call, "delete", &snapshot, OperationEffect::RemoveSnapshot { snapshot: snapshot.clone() }))
    }

    pub(crate) fn remove_snapshot(&mut self, snapshot: &str) -> Result<(), String> {
        self.devices.remove(snapshot)?;
        self.state.resources.remove(snapshot);
        Ok(())
    }
}
