//! Process groups.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{known, number};

/// The processes of a resource that outlive the call which started them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessHolding {
    /// The directory of their control group. None where there are no control groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The variables in their environment by which they are found without control groups, and outside of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<(String, String)>,
    /// The first process, and when it started, in the kernel's ticks since the boot: something may move it to another control group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<(u32, u64)>,
    /// Whether a trigger has left them running, so that they are not what the driver of the resource has started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_trigger: bool,
}

impl ProcessHolding {
    /// The processes of the same resource, whichever of them was first.
    pub fn is_same(&self, other: &ProcessHolding) -> bool {
        match (&self.group, &other.group) {
            _ if self.of_trigger != other.of_trigger => false,
            (Some(one), Some(two)) => one == two,
            (None, None) => self.marks == other.marks,
            // One of them is from before the node had control groups, or from after.
            _ => false,
        }
    }

    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([("group", self.group.clone()), ("first", self.first.map(|(pid, _)| number(pid)))])
    }
}

impl fmt::Display for ProcessHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => {
                // From the slice of all services on, as `om exec --pg` takes it.
                let start = group.find("hostler.slice").unwrap_or(0);
                let whose = if self.of_trigger { "processes of a trigger in" } else { "processes in" };
                write!(f, "{whose} {}", &group[start..])
            }
            None if self.of_trigger => f.write_str("processes of a trigger"),
            None => f.write_str("processes"),
        }
    }
}
