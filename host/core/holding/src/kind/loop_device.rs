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
    /// The number of the attachment, which the kernel never uses again. None before it, and before Linux 5.15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

impl LoopHolding {
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([("device", self.device.clone()), ("file", Some(self.file.clone()))])
    }

    /// The same device on the same file, whatever the file is called by now.
    pub fn is_same(&self, other: &LoopHolding) -> bool {
        (self.backing, &self.device, self.sequence) == (other.backing, &other.device, other.sequence)
    }

    /// Whether what the kernel shows of the device is this attachment. A name such as /dev/loop3 is used again, also for the same file.
    pub fn is(&self, backing: FileIdentity, sequence: Option<u64>) -> bool {
        // Where one of the two is not known, the file has to do.
        self.backing == backing && self.sequence.zip(sequence).is_none_or(|(own, seen)| own == seen)
    }
}

impl fmt::Display for LoopHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = self.device.as_deref().unwrap_or("a loop device");
        write!(f, "{device} on {}", self.file)
    }
}
