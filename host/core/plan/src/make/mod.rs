//! How a plan is made, phase by phase: `select` (who takes part) → `draft` (what each does) → `requires` and `places` (what
//! comes before what) → `arrange` (stages).

mod arrange;
mod draft;
mod follow;
mod migrate;
mod phases;
mod places;
mod requires;
mod select;
mod targets;

pub use phases::plan;
