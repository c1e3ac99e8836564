//! Disks.

use serde_json::{Value, json};

use super::resource::{link, name};
use super::{CloudAnswer, EmulatedCloud, MethodCall, OperationEffect};
use crate::ApiError;

/// The types that there are.
const TYPES: [&str; 5] = ["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme", "hyperdisk-balanced"];

impl EmulatedCloud {
    pub(crate) fn insert_disk(&mut self, call: &MethodCall) -> CloudAnswer {
        let disk = format!("{}disks/{}", call.scope(), call.text("name"));
        self.is_free(&disk)?;
        let from = self.source(call)?;
        let size = self.size(call, from.as_deref())?;
        let kind = match call.text("type") {
            "" => "pd-standard",
            named => name(named),
        };
        if !TYPES.contains(&kind) {
            return Err(ApiError::invalid("resource.type", format!("'{kind}'. Unknown disk type.")));
        }
        let said = json!({
            "status": if from.is_some() { "RESTORING" } else { "CREATING" },
            "sizeGb": size.to_string(),
            "type": link(&format!("{}diskTypes/{kind}", call.scope())),
            "zone": link(call.scope().trim_end_matches('/')),
            "physicalBlockSizeBytes": "4096",
            "labelFingerprint": self.fingerprint(),
        });
        self.add(&disk, "compute#disk", &call.body, said);
        if let Some(image) = call.parameters.get("sourceImage") {
            self.set(&disk, "sourceImage", image.as_str());
        }
        Ok(self.begin(call, "insert", &disk, OperationEffect::MakeDisk { disk: disk.clone(), from }))
    }

    /// The snapshot or the image that a disk is made of.
    fn source(&self, call: &MethodCall) -> Result<Option<String>, ApiError> {
        let image = call.parameters.get("sourceImage").map_or(call.text("sourceImage"), String::as_str);
        if !image.is_empty() {
            return self.image(image).map(Some);
        }
        match call.text("sourceSnapshot") {
            "" => Ok(None),
            named => {
                let snapshot = self.path_of(named);
                let found = self.get(&snapshot)?;
                if found["status"] == "READY" { Ok(Some(snapshot)) } else { Err(ApiError::not_ready(&snapshot)) }
            }
        }
    }

    /// An image of those that Google offers.
    pub(crate) fn image(&self, named: &str) -> Result<String, ApiError> {
        let image = self.path_of(named);
        let public = image.starts_with("projects/debian-cloud/global/images/");
        if public { Ok(image) } else { Err(ApiError::not_found(&image)) }
    }

    fn size(&self, call: &MethodCall, from: Option<&str>) -> Result<u64, ApiError> {
        let least = match from.and_then(|from| self.state.resources.get(from)) {
            Some(snapshot) => gigabytes(&snapshot["diskSizeGb"]),
            None => 1,
        };
        let asked = match call.text("sizeGb") {
            "" if from.is_some() => least.max(10),
            "" => 500,
            digits => digits.parse().unwrap_or(0),
        };
        if (least..=65536).contains(&asked) {
            return Ok(asked);
        }
        Err(ApiError::invalid("resource.sizeGb", format!("'{asked}'. Disk size must be from {least} GB to 65536 GB.")))
    }

    pub(crate) fn make_disk(&mut self, disk: &str, from: Option<&str>) -> Result<(), String> {
        let gb = gigabytes(&self.state.resources[disk]["sizeGb"]);
        let snapshot = from.filter(|from| from.contains("/snapshots/"));
        self.devices.make(disk, gb, snapshot)?;
        self.set(disk, "status", "READY");
        Ok(())
    }

    pub(crate) fn delete_disk(&mut self, call: &MethodCall) -> CloudAnswer {
        let disk = call.path("disks", "disk");
        if let Some(user) = self.get(&disk)?["users"][0].as_str() {
            return Err(ApiError::in_use(&disk, &self.path_of(user)));
        }
        self.set(&disk, "status", "DELETING");
        Ok(self.begin(call, "delete", &disk, OperationEffect::RemoveDisk { disk: disk.clone() }))
    }

    pub(crate) fn remove_disk(&mut self, disk: &str) -> Result<(), String> {
        self.devices.remove(disk)?;
        self.state.resources.remove(disk);
        Ok(())
    }

    pub(crate) fn resize_disk(&mut self, call: &MethodCall) -> CloudAnswer {
        let disk = call.path("disks", "disk");
        let now = gigabytes(&self.get(&disk)?["sizeGb"]);
        let gb = gigabytes(&call.body["sizeGb"]);
        if gb <= now {
            let message = format!("'{gb}'. Disk size must be larger than the current size of {now} GB.");
            return Err(ApiError::invalid("sizeGb", message));
        }
        Ok(self.begin(call, "resizeDisk", &disk, OperationEffect::ResizeDisk { disk: disk.clone(), gb }))
    }

    pub(crate) fn grow_disk(&mut self, disk: &str, gb: u64) -> Result<(), String> {
        self.devices.grow(disk, gb)?;
        self.set(disk, "sizeGb", gb.to_string());
        Ok(())
    }

    pub(crate) fn set_labels(&mut self, call: &MethodCall) -> CloudAnswer {
        let disk = call.path("disks", "resource");
        if self.get(&disk)?["labelFingerprint"] != call.body["labelFingerprint"] {
            return Err(ApiError::condition_not_met("labels"));
        }
        let fingerprint = self.fingerprint();
        self.set(&disk, "labels", call.body["labels"].clone());
        self.set(&disk, "labelFingerprint", fingerprint);
        Ok(self.begin(call, "setLabels", &disk, OperationEffect::Nothing))
    }
}

/// Digits in a string.
pub(crate) fn gigabytes(value: &Value) -> u64 {
    value.as_str().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
