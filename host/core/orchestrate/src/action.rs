//! What is done with an instance: the action, on which of its resources, and what caused it.

use std::collections::BTreeSet;
use std::fmt;

use model::Rid;

use crate::{ActionSequence, FencingToken, IntentId};

/// An action on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceAction {
    /// Clears what the last boot left behind.
    Boot,
    Start,
    /// Starts the standby resources alone.
    StartStandby,
    Stop,
    /// Stops the standby resources too.
    Shutdown,
    Provision,
    Unprovision,
    /// Removes the configuration and the state from this node.
    Delete,
}

impl InstanceAction {
    /// As `om` and the log name it.
    pub fn as_str(self) -> &'static str {
        match self {
            InstanceAction::Boot => "boot",
            InstanceAction::Start => "start",
            InstanceAction::StartStandby => "startstandby",
            InstanceAction::Stop => "stop",
            InstanceAction::Shutdown => "shutdown",
            InstanceAction::Provision => "provision",
            InstanceAction::Unprovision => "unprovision",
            InstanceAction::Delete => "delete",
        }
    }
}

impl fmt::Display for InstanceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The resources that an action is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionScope {
    /// All of the instance.
    Whole,
    /// These alone.
    Resources(BTreeSet<Rid>),
}

/// What caused an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionCause {
    /// A person on this node, without an order to the cluster.
    Hand,
    /// An intent.
    Intent(IntentId),
    /// The boot of the node.
    Boot,
    /// `orchestrate = ha` wants the instance up.
    Ha,
    /// A resource went down.
    Restart,
    /// A standby resource is down.
    Standby,
    /// No restart of a monitored resource is left.
    Monitor,
    /// More instances are up than wanted.
    Surplus,
    /// The node is drained or shut down.
    Drain,
    /// The object was deleted.
    Tombstone,
}

impl ActionCause {
    /// Whether the daemon acts of its own accord, which a frozen instance forbids.
    pub fn is_automatic(self) -> bool {
        matches!(
            self,
            ActionCause::Ha
                | ActionCause::Restart
                | ActionCause::Standby
                | ActionCause::Monitor
                | ActionCause::Surplus
                | ActionCause::Boot
        )
    }

    /// Whether a failure blocks the instance until it is cleared. Restarts have their own counts instead.
    pub fn blocks(self) -> bool {
        !matches!(self, ActionCause::Hand | ActionCause::Restart | ActionCause::Standby)
    }
}

/// An action that shall begin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionStep {
    pub action: InstanceAction,
    pub scope: ActionScope,
    pub cause: ActionCause,
    /// Whether this instance provisions or unprovisions what all instances share.
    pub leader: bool,
    /// Whether the instance is frozen before the action begins.
    pub freeze: bool,
    /// The proof of ownership that drivers get, if the object has slots. It is checked again just before the first step.
    pub token: Option<FencingToken>,
}

impl ActionStep {
    pub(crate) fn whole(action: InstanceAction, cause: ActionCause) -> ActionStep {
        ActionStep { action, scope: ActionScope::Whole, cause, leader: false, freeze: false, token: None }
    }
}

/// An action under way on an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningAction {
    pub sequence: ActionSequence,
    pub action: InstanceAction,
    pub cause: ActionCause,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActionEnd {
    /// It did what it was for.
    Success,
    /// It did not. The text is for people.
    Failure(String),
    /// The agent was killed or the node went down in between: what it was for still holds.
    Interruption,
}

/// An action that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRecord {
    pub sequence: ActionSequence,
    pub action: InstanceAction,
    pub end: ActionEnd,
}
