//! Loop devices.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FileIdentity, known};

/// A loop device that was attached to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopHolding {
    /// The path of the file when the device was attached.
    pub file: String,
    /// The file itself.
    pub backing: FileIdentity,
    /// `/dev/loop3`. None before it is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl LoopHolding {
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([("device", self.device.clone()), ("file", Some(self.file.clone()))])
    }

    /// Whether a device that the kernel shows is this one. A name such as /dev/loop3 is used again for other files.
    pub fn is(&self, device: &str, backing: FileIdentity) -> bool {
        self.backing == backing && self.device.as_deref().is_none_or(|known| known == device)
    }
}

impl fmt::Display for LoopHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = self.device.as_deref().unwrap_or("a loop device");
        write!(f, "{device} on {}", self.file)
    }
}
