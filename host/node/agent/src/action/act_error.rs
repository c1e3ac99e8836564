//! Why an action was not begun.

use std::time::Duration;

use model::select::EmptySelection;
use model::{NodeName, ObjectPath, Rid};
use plan::PlanError;

use crate::file::durable::FileError;
use crate::file::lock::LockError;
use crate::instance::RejectedKeyword;
use crate::node::PRD;
use crate::object::{NoUsableConfiguration, ObjectError};

/// Why an action was not begun.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The object does not exist, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no instance here.
    #[error("{object} has no instance on {node}: it runs on {nodes}")]
    NotHere { object: ObjectPath, node: String, nodes: String },
    /// The destination of the move is not a node of the object.
    #[error("{object} cannot be moved to {to}: {others}")]
    NoDestination {
        object: ObjectPath,
        to: NodeName,
        /// Where it could move to, in words.
        others: String,
    },
    /// The node takes objects of the production environment only, and this object is of another.
    #[error(
        "{object} is of environment {env}, and {node} is a node of environment {PRD}, which takes no other: only stop, \
         shutdown and unprovision are done (set env = {PRD} where that is what it is)"
    )]
    Environment { object: ObjectPath, env: String, node: String },
    /// Another action is under way.
    #[error(transparent)]
    Lock(LockError),
    /// A run of a task does not end, although the action asked for it. Nothing was touched.
    #[error(
        "the run of {rid} by process {pid} has not ended within {patience:?}, and uses what would be stopped: end that process, \
         or go on beside it with --force"
    )]
    RunGoesOn { rid: Rid, pid: u32, patience: Duration },
    /// The disk has no room for what the action must record.
    #[error("refused before anything was touched")]
    NoRoom(#[source] FileError),
    /// The options select no resource.
    #[error(transparent)]
    Nothing(#[from] EmptySelection),
    /// The planner refuses the request.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan has changed since the caller saw it.
    #[error("the plan has changed: its digest is now {now}, not {wanted}: look at it again with --dry-run")]
    Moved {
        /// The digest of the plan as of now.
        now: String,
        /// The beginning of the digest that the caller expected.
        wanted: String,
    },
    /// An earlier action was interrupted and must be recovered first.
    #[error(
        "an earlier {action} of {object} was interrupted: it is recovered first, which changes the plan: \
        act without --if-plan"
    )]
    Unfinished {
        object: ObjectPath,
        /// The earlier action.
        action: String,
    },
    /// Something is held for sections that are gone, perhaps on what would be destroyed, or it is what would be started again.
    #[error(
        "{object}: refused before anything was touched: {held} is held for sections that are gone (undo that by hand, or put the \
         sections back and stop them; --force goes on)"
    )]
    Orphans { object: ObjectPath, held: String },
    /// The rest is stopped, and something is held for sections that are gone, or that the agent leaves alone.
    #[error(
        "{object} is not down: {held} is held for sections that are gone or left alone (undo that by hand, or put the sections back, \
         or enable them, and stop again; --force --i-know gives it up as it is)"
    )]
    OrphansLeft { object: ObjectPath, held: String },
    /// The rest is stopped, and something goes on that runs of tasks have left.
    #[error("{object} is not down: {left}: left by runs of tasks (end that by hand, and stop again)")]
    RunsLeft { object: ObjectPath, left: String },
    /// Another node may run it.
    #[error(
        "{object} is not started here: its slot is not this node's, so another node may run it (om {object} start, or switch, asks for \
         the slot; --local --force starts it all the same)"
    )]
    NoSlot { object: ObjectPath },
    /// Services use the volume. Nothing was touched.
    #[error("{object} is in use: {users} (stop that first; --local --force goes on)")]
    InUse { object: ObjectPath, users: String },
    /// The drivers reject their keywords. Nothing was touched.
    #[error("refused before anything was touched: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotAccepted(Vec<RejectedKeyword>),
    /// An earlier action was interrupted and could not be recovered.
    #[error("the interrupted earlier action cannot be recovered")]
    Recovery(#[source] exec::journal::JournalError),
    /// The journal cannot be written. Nothing was touched.
    #[error("refused before anything was touched")]
    Refused(#[source] exec::ExecutionRefusal),
    /// The time zone of the object's schedules does not exist.
    #[error(
        "{object}: timezone = {zone:?} is not a time zone that this node knows: expected a name such as Europe/Paris"
    )]
    Zone { object: ObjectPath, zone: String },
    /// The kernel does not say which boot of the node this is.
    #[error("cannot read the boot id of this node from /proc/sys/kernel/random/boot_id")]
    Boot,
}
