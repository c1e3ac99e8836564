//! An action on an instance: the request, and the report of what came of it.

use std::time::Duration;

use model::select::{InvalidFilter, ResourceFilter, ResourceOptions};
use model::{NodeName, Rid};
use serde::{Deserialize, Serialize};

use crate::{InstanceDocument, word};

/// A request for an action, or for its plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionOrder {
    /// `start`, `stop`, …
    pub action: String,
    pub resources: ResourceSelection,
    /// The resource or group after which to stop.
    pub to: Option<String>,
    /// Whether standby resources and those that are not provisioned take part.
    pub force: bool,
    /// Whether a failed start is left as it is.
    pub disable_rollback: bool,
    /// Whether data may be destroyed.
    pub confirm: bool,
    /// Whether a start takes on what stands in its way.
    pub adopt: bool,
    /// Whether a stop counts that is not proven.
    pub i_know: bool,
    /// The beginning of the digest that the plan must have.
    pub if_plan: Option<String>,
    /// The number of members of a parallel subset that act at once.
    pub parallel: Option<usize>,
    /// The longest time to wait for another action. None: act beside it.
    pub wait: Option<Duration>,
    /// Variables for triggers and tasks.
    pub env: Vec<(String, String)>,
    /// The data that a sync copies, and its targets.
    pub copy: CopyOrder,
    /// The node that a migration moves to.
    #[serde(with = "word::optional")]
    pub destination: Option<NodeName>,
    /// Whether the action is about the object as a whole, so that the instance is frozen after a stop, and thawed after a
    /// start.
    pub orchestrated: bool,
    /// The command as it was typed, without secrets, for the log.
    pub command: String,
}

/// The resources that an action or a status is about, as the options name them. Nothing: all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceSelection {
    /// The groups that an action such as `startcontainer` is limited to.
    pub within: Option<String>,
    pub rid: Option<String>,
    pub tags: Option<String>,
    pub subsets: Option<String>,
}

/// The data that a sync copies, and its targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOrder {
    /// `update`, `full`, …
    pub verb: String,
    /// `nodes`, `drp`, `local` or names of nodes. Nothing: every target.
    pub targets: Vec<String>,
}

/// The report of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionResult {
    pub ending: EndingDocument,
    /// Whether anything was changed.
    pub changed: bool,
    /// Sentences for the operator beside the log of the action.
    pub warnings: Vec<String>,
    pub instance: InstanceDocument,
}

/// The ending of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum EndingDocument {
    /// Everything is as wanted, except for optional resources perhaps.
    Done,
    /// These resources failed.
    Failed {
        #[serde(with = "word::list")]
        rids: Vec<Rid>,
    },
    /// This resource did not finish in time.
    TimedOut {
        #[serde(with = "word")]
        rid: Rid,
    },
    /// The drivers of these resources have no such action.
    Unsupported {
        #[serde(with = "word::list")]
        rids: Vec<Rid>,
    },
    /// The action was cancelled.
    Interrupted,
}

impl Default for CopyOrder {
    fn default() -> CopyOrder {
        // The mildest verb: it copies only what differs.
        CopyOrder { verb: "update".to_owned(), targets: Vec::new() }
    }
}

impl ResourceSelection {
    /// The selection as a filter.
    pub fn filter(&self) -> Result<ResourceFilter, InvalidFilter> {
        ResourceFilter::new(ResourceOptions {
            within: self.within.as_deref(),
            rid: self.rid.as_deref(),
            tags: self.tags.as_deref(),
            subsets: self.subsets.as_deref(),
        })
    }

    /// Whether no option limits the action.
    pub fn is_all(&self) -> bool {
        *self == ResourceSelection::default()
    }
}

/// The plan of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionPlan {
    /// The plan for programs, digest included.
    pub document: serde_json::Value,
    /// The plan as a table.
    pub text: String,
    /// The plan as a graph, in the language of Graphviz.
    pub dot: String,
    /// The action that was interrupted and is recovered first, after which the plan is recomputed.
    pub interrupted: Option<String>,
}

/// The purpose of a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleOrder {
    /// A shell.
    Enter,
    /// A command.
    Exec { argv: Vec<String> },
    /// The output so far, and if `follow` says so the output to come.
    Logs { follow: bool },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_need_only_hold_what_is_not_the_default() {
        let order: ActionOrder =
            serde_json::from_value(json!({"action": "start", "resources": {"rid": "fs#1"}, "force": true})).unwrap();
        assert_eq!((order.action.as_str(), order.force, order.confirm), ("start", true, false));
        assert!(!order.resources.is_all());
        assert_eq!(order.copy.verb, "update");
    }

    #[test]
    fn an_ending_names_its_resources() {
        let ending = EndingDocument::Failed { rids: vec!["fs#1".parse().unwrap()] };
        let value = json!({"ending": "failed", "rids": ["fs#1"]});
        assert_eq!(serde_json::to_value(&ending).unwrap(), value);
        assert_eq!(serde_json::from_value::<EndingDocument>(value).unwrap(), ending);
    }
}
