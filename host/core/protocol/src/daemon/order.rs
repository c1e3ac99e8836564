//! Orders to the daemon, and what becomes of them.

use model::{NodeName, ObjectPath};
use serde::{Deserialize, Serialize};

use crate::daemon::ReasonDocument;
use crate::word;

/// What is ordered, about one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    pub verb: OrderCommand,
    /// Whether it takes the place of an order that has not ended.
    #[serde(default)]
    pub supersede: bool,
    #[serde(default)]
    pub force: bool,
    /// The longest time that it may take, in seconds. Without one: an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// The command as it was typed, without secrets, for the log.
    #[serde(default)]
    pub command: String,
}

/// What an operator orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderCommand {
    Start,
    Stop,
    Restart,
    Freeze,
    Thaw,
    Provision,
    Unprovision,
    Purge,
    Delete,
    Switch {
        #[serde(with = "word::list")]
        to: Vec<NodeName>,
    },
    Takeover,
    Giveback,
    Abort,
    Clear,
}

/// The daemon's answer to an order that it accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReceipt {
    /// A UUID. `--wait` waits for the end of this very order.
    pub id: String,
    #[serde(with = "word")]
    pub path: ObjectPath,
    /// Whether it had ended by then, as a freeze does.
    pub ended: bool,
}

/// An order, and what has been done for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDocument {
    pub id: String,
    #[serde(with = "word")]
    pub path: ObjectPath,
    /// What it wants, as `om mon` shows it behind `>`.
    pub target: String,
    pub state: OrderState,
    /// Why it failed or expired, or what it waits for.
    pub reasons: Vec<ReasonDocument>,
    pub steps: Vec<OrderStep>,
}

/// How far an order came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    Running,
    Done,
    Failed,
    Aborted,
    Superseded,
    Expired,
}

/// An action that an instance did for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStep {
    #[serde(with = "word")]
    pub node: NodeName,
    pub action: String,
    /// None: it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether it was cut short, and is done again.
    #[serde(default)]
    pub interrupted: bool,
}

impl OrderState {
    /// Every state.
    pub const ALL: [OrderState; 6] = [
        OrderState::Running,
        OrderState::Done,
        OrderState::Failed,
        OrderState::Aborted,
        OrderState::Superseded,
        OrderState::Expired,
    ];

    /// Whether nothing more happens for the order.
    pub fn is_end(self) -> bool {
        self != OrderState::Running
    }

    /// As commands print it.
    pub fn as_str(self) -> &'static str {
        match self {
            OrderState::Running => "running",
            OrderState::Done => "done",
            OrderState::Failed => "failed",
            OrderState::Aborted => "aborted",
            OrderState::Superseded => "superseded",
            OrderState::Expired => "expired",
        }
    }
}
