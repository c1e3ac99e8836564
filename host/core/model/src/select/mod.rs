//! Selectors: which objects a command is about, and which of their resources.
//!
//! The selectors do not know configurations. They ask for what they need through small traits, so that an object whose
//! keywords no term asks for need not be read.

mod glob;
mod object;
mod resource;
mod state;
mod term;

pub use glob::{GlobPattern, InvalidGlob};
pub use object::{InvalidSelector, ObjectSelector};
pub use resource::{
    Barrier, EmptySelection, InvalidBarrier, InvalidFilter, ResourceFilter, ResourceOptions, Selectable,
};
pub use state::StateFilter;
pub use term::{KeywordComparison, KeywordSource, SectionSource, TypedValue};
