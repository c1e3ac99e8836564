//! What goes into a call of a driver, and what comes out.

use std::time::Duration;

use model::object::KeywordValue;
use model::status::{Provisioned, State};
use model::{DriverName, NodeName, ObjectPath, Rid};

use crate::Message;

/// Everything that one call of a driver is about.
#[derive(Debug, Clone)]
pub struct Call {
    /// The object.
    pub object: ObjectPath,
    /// The resource.
    pub rid: Rid,
    /// The driver that the resource's type names.
    pub driver: DriverName,
    /// This node.
    pub node: NodeName,
    /// The other nodes of the object.
    pub peers: Vec<NodeName>,
    /// The session of the action, for logs and audit.
    pub sid: String,
    /// The evaluated keywords of the driver's own schema.
    pub keywords: Vec<KeywordValue>,
    /// What must never be shown, beside the values of secret keywords: the part of one that is the secret, such as the value of
    /// a variable.
    pub secrets: Vec<String>,
    /// What the host knows beyond the configuration: `leader`, `force`…
    pub vars: Vec<(String, String)>,
}

/// What a sandbox or the host had to put an end to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The driver crashed.
    #[error("the driver trapped: {0}")]
    Trap(String),
    /// The driver used up its processor time.
    #[error("the driver used more than {0:?} of processor time")]
    Cpu(Duration),
    /// The call did not end in time.
    #[error("no answer within {0:?}")]
    Wall(Duration),
    /// The driver asked for too much memory.
    #[error("the driver asked for more than {0} bytes of memory")]
    Memory(u64),
    /// The driver recursed too deeply, or left its memory.
    #[error("the driver overran its stack")]
    Stack,
    /// A kernel call of this resource has not come back.
    #[error("stuck: {0}")]
    Stuck(String),
    /// The driver is not here, or cannot be loaded.
    #[error("needs driver {driver}: {reason}")]
    Missing {
        /// Its name.
        driver: String,
        /// Why it is not to be had.
        reason: String,
    },
}

impl Fault {
    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Trap(_) => "trap",
            Fault::Cpu(_) => "cpu_limit",
            Fault::Wall(_) => "deadline",
            Fault::Memory(_) => "memory_limit",
            Fault::Stack => "stack_overrun",
            Fault::Stuck(_) => "stuck",
            Fault::Missing { .. } => "driver_missing",
        }
    }
}

/// Why an action of a driver failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The configuration cannot work.
    #[error("{0}")]
    InvalidConfig(String),
    /// The driver has no such action.
    #[error("not supported by this driver")]
    Unsupported,
    /// A capability was denied.
    #[error("denied: needs the grant {line}{}{way_out}", if way_out.is_empty() { "" } else { "\n" })]
    NeedsGrant {
        /// The missing grant line.
        line: String,
        /// What to do about it, in as many lines as it takes.
        way_out: String,
    },
    /// It failed for now.
    #[error("{0}")]
    Retryable(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// What it waited for did not come to its end in time.
    #[error("{0}")]
    TimedOut(String),
    /// It was given up.
    #[error("interrupted")]
    Cancelled,
    /// The driver was stopped by the host.
    #[error(transparent)]
    Fault(#[from] Fault),
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
            ActionError::Fault(fault) => fault.code(),
        }
    }
}

/// Whether an action touched anything. Only `Unchanged` is never undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Everything was found as wanted.
    Unchanged,
    /// Something was done.
    Changed,
    /// The call did not end by itself: nobody can tell.
    Unknown,
}

/// The end of `start`, `stop`, `provision`, `unprovision` or `migrate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionReport {
    /// Whether anything was touched, also by an action that failed.
    pub change: Change,
    /// A line for the log, or why it failed.
    pub result: Result<String, ActionError>,
}

/// How a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// Up, down, warn, n/a or undef: standby is the core's business.
    pub state: State,
    /// Whether it is provisioned.
    pub provisioned: Provisioned,
    /// What it is, in a few words.
    pub label: String,
    /// For whoever reads the status.
    pub messages: Vec<Message>,
    /// What it offers: `device`, `pid`, `port`…
    pub exposes: Vec<(String, String)>,
    /// What it stands on.
    pub uses: Vec<(String, String)>,
    /// Why the driver could not answer, where it could not.
    pub fault: Option<Fault>,
}

/// A keyword whose value the driver does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keyword.
    pub keyword: String,
    /// What is wrong with its value.
    pub text: String,
}

/// How the run of a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The exit status, 0 for success.
    pub exit_status: i32,
    /// A line for the log.
    pub text: String,
}

/// How the copy to one target ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    /// The target.
    pub target: String,
    /// Bytes sent.
    pub bytes: u64,
    /// Whether the target was any different.
    pub changed: bool,
    /// Why it failed.
    pub error: Option<String>,
}
