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
