//! Why an action was not begun.

use model::select::NothingSelected;
use model::{NodeName, ObjectPath};
use plan::PlanError;

use crate::file::durable::FileError;
use crate::file::lock::LockError;
use crate::instance::RejectedKeyword;
use crate::node::PRD;
use crate::object::{NoUsableConfiguration, ObjectError};

/// Why an action was not begun.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such object, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no instance here.
    #[error("{object} has no instance on {node}: it runs on {nodes}")]
    NotHere {
        /// The object.
        object: ObjectPath,
        /// This node.
        node: String,
        /// Its nodes.
        nodes: String,
    },
    /// The object does not run where it is to be moved to.
    #[error("{object} cannot be moved to {to}: its other nodes are {others}")]
    NoDestination {
        /// The object.
        object: ObjectPath,
        /// Where to.
        to: NodeName,
        /// Where it could go.
        others: String,
    },
    /// The node is for production, and the object is not.
    #[error(
        "{object} is of environment {env}, and {node} is a node of environment {PRD}, which takes no other: only stop, \
         shutdown and unprovision are done (set env = {PRD} where that is what it is)"
    )]
    Environment {
        /// The object.
        object: ObjectPath,
        /// Its environment.
        env: String,
        /// This node.
        node: String,
    },
    /// Another action is under way.
    #[error(transparent)]
    Lock(LockError),
    /// What the action must write down cannot be.
    #[error("refused before anything was touched")]
    NoRoom(#[source] FileError),
    /// The options select nothing.
    #[error(transparent)]
    Nothing(#[from] NothingSelected),
    /// There is no plan for it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan is another one now.
    #[error("the plan is now {now}, not {wanted}: look at it again with --dry-run")]
    Moved {
        /// What the digest is now.
        now: String,
        /// What it was to begin with.
        wanted: String,
    },
    /// An earlier action was killed, and its story must be finished first.
    #[error(
        "an earlier {action} of {object} was interrupted: what it left behind is dealt with first, after which the plan \
        is another one: act without --if-plan"
    )]
    Unfinished {
        /// The object.
        object: ObjectPath,
        /// The earlier action.
        action: String,
    },
    /// The drivers do not accept their keywords: nothing was touched.
    #[error("refused before anything was touched: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotAccepted(Vec<RejectedKeyword>),
    /// The story of an earlier action could not be finished.
    #[error("what an earlier action left behind cannot be dealt with")]
    Recovery(#[source] exec::journal::JournalError),
    /// The journal cannot be had: nothing was touched.
    #[error("refused before anything was touched")]
    Refused(#[source] exec::Refused),
    /// The boot of this node cannot be told.
    #[error("cannot read the boot id of this node")]
    Boot(#[source] std::io::Error),
}
