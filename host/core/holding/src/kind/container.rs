//! Containers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{known, number};

/// A container of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerHolding {
    /// The socket of the engine.
    pub engine: String,
    pub name: String,
    /// The full id. None before the engine said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The first process of the container, and when it started, in the kernel's ticks since the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<(u32, u64)>,
    /// The directory of its control group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl ContainerHolding {
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([
            ("engine", Some(self.engine.clone())),
            ("name", Some(self.name.clone())),
            ("container", self.id.clone()),
            ("pid", self.process.map(|(pid, _)| number(pid))),
            ("group", self.group.clone()),
        ])
    }
}

impl fmt::Display for ContainerHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the container {}", self.name)?;
        match self.id.as_deref().and_then(|id| id.get(..12)) {
            Some(short) => write!(f, " ({short})"),
            None => Ok(()),
        }
    }
}
