//! Objects and their resources, as configurations mean them: the values that planner, agent and command line work with.
//!
//! They come from the crate `config`, and know nothing of files and sections. What only other resources know while they are
//! up, such as the device of a disk, is filled in by [`Resource::evaluate`] when the resource acts.

mod keyword;
mod late;
#[expect(clippy::module_inception, reason = "an object is made of what the other files hold")]
mod object;
mod placement;
mod process_group;
mod provenance;
mod requirement;
mod resource;
mod timeouts;
mod topology;
mod trigger;

pub use keyword::{ExposureLookup, KeywordEvaluation, KeywordValue, MissingValue, ResolvedKeyword};
pub use late::{Exposure, LateReference, LateValue, TextModifier, ValuePart};
pub use object::{Object, SubsetOptions};
pub use placement::{InvalidOrchestrateMode, InvalidPlacementPolicy, OrchestrateMode, PlacementPolicy};
pub use process_group::{CpuQuota, GroupLimit, GroupLimits};
pub use provenance::{Provenance, WordsBeside};
pub use requirement::Requirement;
pub use resource::{Resource, WrittenSchedule};
pub use timeouts::VerbTimeouts;
pub use topology::Topology;
pub use trigger::{Trigger, TriggerTime};
