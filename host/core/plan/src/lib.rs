//! What an action does, in which order, and why.
//!
//! [`plan`] turns an [`Instance`] (what is) and a [`Request`] (what is asked) into a [`Plan`] (what to do), or into a
//! [`PlanError`] that names what is wrong before anything is touched. A plan is data: it is printed by `--dry-run`, and
//! the executor walks the very same value.
//!
//! Pure: no clock, no input or output, no driver is called. Flow of a plan through the modules:
//! `select` (who takes part) → `decide` (what each does) → `requires` (edges and tests) → `arrange` (stages).

mod arrange;
mod decide;
mod digest;
mod error;
mod make;
mod migrate;
pub mod render;
mod request;
mod requires;
mod select;
mod stage;
mod sync;
mod view;

pub use digest::Digest;
pub use error::PlanError;
pub use make::plan;
pub use model::select::Barrier;
pub use request::{Action, Request};
pub use stage::{ENCAP, Edge, EdgeKind, OnFailure, Phase, Plan, Skip, Stage, Step, Undo, Work, WorkOrder};
pub use sync::{CopyPlace, CopyRequest};
pub use view::{Instance, Passive, Resource};
