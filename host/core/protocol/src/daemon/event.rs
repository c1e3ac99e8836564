//! Events: what happened on a node, in order, for readers that follow.

use model::{NodeName, ObjectPath};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::word;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonEvent {
    /// Its number on its node. Each is greater than the one before; a daemon that starts again goes on behind its last one.
    pub id: u64,
    /// Seconds since 1970.
    pub at: f64,
    pub kind: EventKind,
    #[serde(with = "word")]
    pub node: NodeName,
    /// The object that it is about, if it is about one.
    #[serde(default, with = "word::optional", skip_serializing_if = "Option::is_none")]
    pub path: Option<ObjectPath>,
    /// What belongs to its kind.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// The kind of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[EventKind] = &[$(EventKind::$variant,)*];

            /// As commands and filters name it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(EventKind::$variant => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// The daemon is ready: every object was looked at once.
    DaemonReady = "daemon.ready",
    /// The daemon ends, and its reason.
    DaemonEnd = "daemon.end",
    /// The state of the node: idle, draining, shutting, overloaded.
    NodeState = "node.state",
    /// This node's life in the cluster began.
    NodeRegistered = "node.registered",
    /// This node has ended the life of another one that was silent.
    NodeEvicted = "node.evicted",
    /// A fence has proven that another node has ended.
    NodeFenced = "node.fenced",
    /// No fence of another node could prove that it has ended.
    NodeFenceFailed = "node.fence_failed",
    NodeFrozen = "node.frozen",
    NodeThawed = "node.thawed",
    /// The drain of a node begins, or is over: then with what is left on it.
    NodeDrained = "node.drained",
    /// A file of the node's configuration was read again.
    NodeConfig = "node.config",
    /// The keeper began or ended, or its watchdog is not as the node requires.
    NodeKeeper = "node.keeper",
    /// The store answers again.
    EngineUp = "engine.up",
    /// The store does not take changes, and why.
    EngineDown = "engine.down",
    /// A member of the managed engine was started, promoted or removed, or does not run.
    EngineMember = "engine.member",
    ObjectCreated = "object.created",
    /// A new configuration is in force, or one that does not load was refused.
    ObjectConfig = "object.config",
    ObjectDeleted = "object.deleted",
    /// The status of the object over all of its instances.
    ObjectStatus = "object.status",
    /// The status of an instance.
    InstanceStatus = "instance.status",
    /// What the daemon does with an instance: idle, starting, `start failed`…
    InstanceState = "instance.state",
    /// A resource is restarted.
    InstanceRestart = "instance.restart",
    /// A step failed, and the instance waits for a person.
    InstanceBlocked = "instance.blocked",
    /// The hard deadline of its slot has passed: what the instance held was removed, or some of it is left.
    InstanceCut = "instance.cut",
    OrderAccepted = "order.accepted",
    OrderRefused = "order.refused",
    OrderStep = "order.step",
    OrderEnd = "order.end",
    /// An action begins, whoever began it.
    ExecStart = "exec.start",
    ExecEnd = "exec.end",
    /// A task or a sync was run by its schedule.
    TaskRun = "task.run",
    /// The daemon's own certificate ends soon, and why it was not renewed.
    CertExpiring = "cert.expiring",
    /// A request was refused for want of a right.
    AuditDenied = "audit.denied",
    /// A hook of node.conf has failed, or cannot be run.
    HookFailed = "hook.failed",
    /// The reader was too slow and has missed events: what it knows it must ask for again.
    Resync = "resync",
}
