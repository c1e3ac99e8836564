//! Objects and their resources, as configurations mean them: the values that planner, agent and command line work with.

mod requirement;
mod timeouts;
mod topology;
mod trigger;

pub use requirement::Requirement;
pub use timeouts::Timeouts;
pub use topology::Topology;
pub use trigger::{Trigger, TriggerTime};
