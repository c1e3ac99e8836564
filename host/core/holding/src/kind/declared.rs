//! Holdings of which only the driver knows what they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DeviceIdentity;
use crate::record::HoldingScope;

/// A thing that the host cannot look at, such as a ticket of a licence server: it is gone only when the driver's status says so. Or a
/// device, which the host does look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredHolding {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub label: String,
    pub scope: HoldingScope,
}

impl DeclaredHolding {
    /// The device that it is, if it is one.
    pub fn device(&self) -> Option<DeviceIdentity> {
        (self.kind == DeviceIdentity::KIND).then(|| DeviceIdentity::parse(&self.id))?
    }
}

impl fmt::Display for DeclaredHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label.is_empty() {
            true => write!(f, "{} {}", self.kind, self.id),
            false => f.write_str(&self.label),
        }
    }
}
