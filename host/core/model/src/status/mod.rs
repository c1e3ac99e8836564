//! States and how they add up: resources to an instance, instances to an object.
//!
//! Every sum is a function of the *set* of what is summed, so neither order nor grouping can matter.

mod aggregate;
mod flags;
mod instance;
mod object;
mod provisioned;
mod state;

pub use aggregate::{ProvisionedSet, StateSet};
pub use flags::{RemainingRestarts, ResourceFlags};
pub use instance::{StatusInput, StatusSums};
pub use object::{object_avail, object_overall, object_provisioned};
pub use provisioned::{InvalidProvisioned, Provisioned};
pub use state::{InvalidState, State};
