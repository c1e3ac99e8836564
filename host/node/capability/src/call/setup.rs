//! The parts that make up a [`CallContext`](super::CallContext).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{CallBounds, DriverCall, KeywordValue, LogSink, ProgramLimits, Verb};
use grant::{DriverTrust, GrantContext, GrantRequest, Grants};
use model::{DriverName, NodeName, ObjectPath, Rid};

use super::HostServices;
use crate::holdings::LedgerPlaces;
use crate::process::CgroupSlice;

/// The resource that a call works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub object: ObjectPath,
    pub rid: Rid,
    pub driver: DriverName,
    /// This node.
    pub node: NodeName,
}

impl From<&DriverCall> for Subject {
    fn from(call: &DriverCall) -> Subject {
        Subject {
            object: call.object.clone(),
            rid: call.rid.clone(),
            driver: call.driver.clone(),
            node: call.node.clone(),
        }
    }
}

/// The values that a call works with, and that a capability checks the driver's arguments against.
#[derive(Debug, Clone, Default)]
pub struct CallInputs {
    /// The evaluated keywords of the resource.
    pub keywords: Arc<Vec<KeywordValue>>,
    /// Facts of the host beyond the configuration, such as `joined.netns` and `env.NAME`.
    pub vars: Arc<Vec<(String, String)>>,
    /// The limits of the programs that are started.
    pub limits: Arc<ProgramLimits>,
    /// Texts that are never shown, beside the values of secret keywords.
    pub secrets: Vec<String>,
    /// The command that an operator wants run, in [`Verb::Exec`].
    pub argv: Vec<String>,
}

impl From<&DriverCall> for CallInputs {
    fn from(call: &DriverCall) -> CallInputs {
        CallInputs {
            keywords: Arc::clone(&call.keywords),
            vars: Arc::clone(&call.vars),
            limits: Arc::clone(&call.limits),
            secrets: call.secrets.clone(),
            argv: Vec::new(),
        }
    }
}

/// The directories of a resource, and of the instance that it belongs to.
#[derive(Debug, Clone)]
pub struct ResourcePaths {
    pub instance: Arc<InstancePaths>,
    /// The resource's own directory that survives a reboot.
    pub statedir: PathBuf,
    /// Where the host keeps what it remembers of the resource.
    pub record: RecordPlace,
}

/// The host's record of a resource: what its driver asked to be kept, and what it declared to hold, with the keywords of that time.
#[derive(Debug, Clone)]
pub struct RecordPlace {
    /// The directory, in which no driver may write.
    pub directory: PathBuf,
    /// Where earlier versions had it.
    pub before: PathBuf,
}

impl RecordPlace {
    /// The record of the resource with this directory of its own, in `directory`.
    pub fn new(directory: PathBuf, statedir: &Path) -> RecordPlace {
        RecordPlace { directory, before: statedir.join("state") }
    }
}

/// What all resources of an instance share: its directories, and the slice of the control groups.
#[derive(Debug, Clone)]
pub struct InstancePaths {
    /// The directory that a reboot empties.
    pub rundir: PathBuf,
    /// The object's configuration file.
    pub config: PathBuf,
    /// The directory for the output of long-lived processes.
    pub logdir: PathBuf,
    /// What holds the control groups of all resources.
    pub slice: Arc<CgroupSlice>,
    /// The directory of the keeper, whose page says until when the instance is this node's.
    pub keeper: PathBuf,
    /// Where the instance's ledger of holdings is.
    pub holdings: LedgerPlaces,
}

/// What a driver requests, before the keywords of a resource are filled in.
#[derive(Debug, Clone)]
pub struct GrantTemplates {
    pub requests: Arc<[GrantRequest]>,
    /// Where the driver comes from.
    pub trust: DriverTrust,
    pub context: GrantContext,
}

/// The parts that make up a [`CallContext`](super::CallContext).
pub struct ContextSetup {
    pub subject: Arc<Subject>,
    pub verb: Verb,
    /// The session of the action, for the audit trail and the environment of programs.
    pub sid: String,
    /// The sha256 of the driver's component.
    pub digest: Arc<str>,
    pub inputs: CallInputs,
    pub bounds: CallBounds,
    /// The operations that the driver may do for this resource.
    pub grants: Grants,
    /// What they were bound from. None for a component that works for no resource.
    pub templates: Option<GrantTemplates>,
    pub paths: ResourcePaths,
    /// How many bytes of log lines the call may write: [`OUTPUT_BUDGET`](super::OUTPUT_BUDGET), or the site's `limit
    /// output`.
    pub output_budget: u64,
    /// Takes the log lines of the action.
    pub log: Arc<dyn LogSink>,
    pub services: Arc<HostServices>,
}
