//! How a plan is made, phase by phase: `select` (who takes part) → `draft` (what each does) → `requires` (what comes before
//! what) → `arrange` (stages).

mod arrange;
mod draft;
mod migrate;
mod phases;
mod requires;
mod select;
mod targets;

pub use phases::plan;
