//! Selecting: which objects a command is about, and which of their resources.
//!
//! The selectors know of no configuration: what they ask of one goes through small traits, so that an object that no
//! term asks about need not even be read.

mod glob;
mod object;
mod resource;
mod state;
mod term;

pub use glob::{GlobPattern, InvalidGlob};
pub use object::{InvalidSelector, ObjectSelector};
pub use resource::{
    Barrier, InvalidBarrier, InvalidFilter, NothingSelected, ResourceFilter, ResourceOptions, Selectable,
};
pub use state::StateFilter;
pub use term::{KeywordComparison, KeywordSource, SectionSource, TypedValue};
