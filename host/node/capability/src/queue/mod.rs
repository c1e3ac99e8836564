//! Kernel calls that block: run on threads of their own, one at a time for each resource.

mod blocking_threads;
mod resource_queues;

pub(crate) use resource_queues::CallLane;
pub use resource_queues::{ResourceQueues, StuckCall};
