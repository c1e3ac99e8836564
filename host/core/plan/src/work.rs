//! The work of a step: the calls of a driver, with all that each call needs to know.

use std::time::Duration;

use model::object::Trigger;
use model::{NodeName, Verb};

/// One call of a driver, and the triggers around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepWork {
    /// The verb, with its data.
    pub order: WorkOrder,
    /// How long the call may take.
    pub deadline: Duration,
    /// The triggers around it, in the order in which they run.
    pub triggers: Vec<Trigger>,
}

impl StepWork {
    /// The verb of the call.
    pub fn verb(&self) -> Verb {
        self.order.verb()
    }
}

/// A verb, and all that the driver must be given with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkOrder {
    /// Bring up.
    Start,
    /// Bring down.
    Stop,
    /// Make what must exist before the first start.
    Provision,
    /// Destroy what provision made.
    Unprovision,
    /// Run a task.
    Run,
    /// Copy.
    Sync {
        /// How, in the words of drivers: `update`, `full`…
        verb: String,
        /// Node names, or `local`. Never empty.
        targets: Vec<String>,
    },
    /// Move to another node.
    Migrate {
        /// That node.
        to: NodeName,
    },
}

impl WorkOrder {
    /// The verb of the order.
    pub fn verb(&self) -> Verb {
        match self {
            WorkOrder::Start => Verb::Start,
            WorkOrder::Stop => Verb::Stop,
            WorkOrder::Provision => Verb::Provision,
            WorkOrder::Unprovision => Verb::Unprovision,
            WorkOrder::Run => Verb::Run,
            WorkOrder::Sync { .. } => Verb::Sync,
            WorkOrder::Migrate { .. } => Verb::Migrate,
        }
    }
}
