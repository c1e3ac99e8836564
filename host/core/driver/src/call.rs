//! The input of a driver's call, and its results.

use std::sync::Arc;
use std::time::Duration;

use model::object::{GroupLimits, KeywordValue};
use model::status::{Provisioned, State};
use model::{DriverName, NodeName, ObjectPath, Rid, SubsetName};

use crate::ReportMessage;

/// What one call of a driver is about.
#[derive(Debug, Clone)]
pub struct DriverCall {
    pub object: ObjectPath,
    pub rid: Rid,
    /// The driver that the resource's type names.
    pub driver: DriverName,
    /// This node.
    pub node: NodeName,
    /// The other nodes of the object.
    pub peers: Vec<NodeName>,
    /// The id of the action's session, for logs and audit.
    pub sid: String,
    /// The evaluated keywords of the driver's own schema.
    pub keywords: Arc<Vec<KeywordValue>>,
    /// Texts that must never be shown, in addition to the values of secret keywords: parts of values that are secret, such as the
    /// value of one environment variable.
    pub secrets: Vec<String>,
    /// What the host knows beyond the configuration: `nodes`, `force`…
    pub vars: Arc<Vec<(String, String)>>,
    /// The limits of the programs that the call starts.
    pub limits: Arc<ProgramLimits>,
}

/// The limits of the programs of a resource. Each holds for all that runs within.
#[derive(Debug, Clone, Default)]
pub struct ProgramLimits {
    /// Those of the whole object.
    pub object: GroupLimits,
    /// Those of the resource's subset, if it has any, and its name.
    pub subset: Option<(SubsetName, GroupLimits)>,
    /// Those of the resource.
    pub resource: GroupLimits,
}

/// Why the host had to stop a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverFault {
    /// The driver crashed.
    #[error("the driver trapped: {0}")]
    Trap(String),
    /// The driver used up its processor time.
    #[error("the driver used more than {0:?} of processor time")]
    Cpu(Duration),
    /// The call did not return in time.
    #[error("no answer within {0:?}")]
    Wall(Duration),
    /// The driver asked for too much memory.
    #[error("the driver asked for more than {0} bytes of memory")]
    Memory(u64),
    /// The driver recursed too deeply, or left its memory.
    #[error("the driver overran its stack")]
    Stack,
    /// A kernel call of this resource has not returned.
    #[error("stuck: {0}")]
    Stuck(String),
    /// The driver is not installed, or cannot be loaded.
    #[error("needs driver {driver}: {reason}")]
    Missing { driver: String, reason: String },
}

impl DriverFault {
    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            // Not derived from the message: scripts rely on these words, and the messages may be reworded.
            DriverFault::Trap(_) => "trap",
            DriverFault::Cpu(_) => "cpu_limit",
            DriverFault::Wall(_) => "deadline",
            DriverFault::Memory(_) => "memory_limit",
            DriverFault::Stack => "stack_overrun",
            DriverFault::Stuck(_) => "stuck",
            DriverFault::Missing { .. } => "driver_missing",
        }
    }
}

/// Why an action of a driver failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The configuration cannot work.
    #[error("{0}")]
    InvalidConfig(String),
    /// The driver does not support the action.
    #[error("not supported by this driver")]
    Unsupported,
    /// A capability was denied.
    #[error("denied: needs the grant {line}{}{way_out}", if way_out.is_empty() { "" } else { "\n" })]
    NeedsGrant {
        /// The missing grant line.
        line: String,
        /// What the operator can do about it, possibly on several lines.
        way_out: String,
    },
    /// It failed, and may succeed later.
    #[error("{0}")]
    Retryable(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// What it waited for did not happen in time.
    #[error("{0}")]
    TimedOut(String),
    /// The action was given up.
    #[error("interrupted")]
    Cancelled,
    /// The driver was stopped by the host.
    #[error(transparent)]
    Fault(#[from] DriverFault),
}

impl ActionError {
    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            ActionError::InvalidConfig(_) => "invalid_config",
            ActionError::Unsupported => "unsupported",
            ActionError::NeedsGrant { .. } => "needs_grant",
            ActionError::Retryable(_) => "retryable",
            ActionError::Failed(_) => "failed",
            ActionError::TimedOut(_) => "timed_out",
            ActionError::Cancelled => "cancelled",
            // The fault's own word says more than that there was one.
            ActionError::Fault(fault) => fault.code(),
        }
    }
}

/// Whether a call changed anything. A rollback undoes everything but `Unchanged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing was changed.
    Unchanged,
    /// Something was changed.
    Changed,
    /// The call was stopped, so that nothing is known.
    Unknown,
}

/// The result of `start`, `stop`, `provision`, `unprovision` or `migrate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionReport {
    /// Whether anything was changed, even if the action failed.
    pub change: Change,
    /// A line for the log, or why it failed.
    pub result: Result<String, ActionError>,
}

/// The status of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// Up, down, warn, n/a or undef. The standby states are derived by the core.
    pub state: State,
    pub provisioned: Provisioned,
    /// A description in a few words.
    pub label: String,
    /// Warnings and errors for the operator.
    pub messages: Vec<ReportMessage>,
    /// What it offers to others: `device`, `pid`, `port`…
    pub exposes: Vec<(String, String)>,
    /// What it uses of others.
    pub uses: Vec<(String, String)>,
    /// Why the driver did not answer, if it did not.
    pub fault: Option<DriverFault>,
}

/// A keyword whose value the driver rejects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordProblem {
    pub keyword: String,
    /// What is wrong with its value.
    pub text: String,
}

/// The result of a task's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// 0 for success.
    pub exit_status: i32,
    /// A line for the log.
    pub text: String,
}

/// What is known of a node after a fence, or after a test of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceReport {
    /// Whether it is certain that no program runs on the node any more.
    pub proof: bool,
    /// A line for the log.
    pub text: String,
}

/// What a fence is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceWork {
    /// The node is ended.
    Fence,
    /// It is tried whether it could be.
    Test,
}

/// The result of the copy to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    pub target: String,
    /// How many bytes were sent.
    pub bytes: u64,
    /// Whether the target differed before.
    pub changed: bool,
    /// Why the copy failed, if it did.
    pub error: Option<String>,
}
