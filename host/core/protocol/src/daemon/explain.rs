//! Why an object is as it is, and what it waits for.

use model::{NodeName, ObjectPath, Rid};
use serde::{Deserialize, Serialize};

use crate::daemon::OrderDocument;
use crate::word;

/// Why nothing is done with an object's instance, or what comes next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectExplanation {
    #[serde(with = "word")]
    pub path: ObjectPath,
    #[serde(with = "word")]
    pub node: NodeName,
    /// What the daemon does with the instance: idle, starting, `start failed`…
    pub state: String,
    /// What it keeps up: none or started.
    pub local_expect: String,
    pub frozen: bool,
    pub order: Option<OrderDocument>,
    pub reasons: Vec<ReasonDocument>,
    /// What on the node keeps resources from being what they should be.
    #[serde(default)]
    pub obstacles: Vec<ObstacleDocument>,
    pub restarts: Vec<RestartDocument>,
    /// The line of the configuration that does not load, if there is one.
    pub config_problem: Option<String>,
    /// In how many seconds the daemon decides again, if nothing changes.
    pub next_look: Option<f64>,
}

/// A reason: a word for programs that does not change, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonDocument {
    pub code: String,
    pub text: String,
}

/// A thing on the node that keeps a resource from being up or down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObstacleDocument {
    pub rid: String,
    /// `held` (by this resource, as the host has recorded), or `told` (by its driver, such as a thing that it did not make).
    pub kind: String,
    /// `ext4 of /dev/loop3 on /srv/web`, or the words of the driver.
    pub thing: String,
    /// Where it is, or what keeps it in use. Empty if that is in `thing`.
    pub holder: String,
    /// What to do, with the command to type. Empty if only the driver could tell.
    pub remedy: String,
}

/// The restarts of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestartDocument {
    #[serde(with = "word")]
    pub rid: Rid,
    /// How many are left within the window.
    pub left: u32,
    pub budget: u32,
    /// In how many seconds the next one is due, if one is.
    pub due_in: Option<f64>,
    /// Whether a person stopped the resource: it stays down until somebody starts it.
    pub stopped: bool,
}
