//! Selecting: which objects a command is about, and which of their resources.
//!
//! The selectors know of no configuration: what they ask of one goes through small traits, so that an object that no
//! term asks about need not even be read.

mod glob;
mod object;
mod resource;
mod state;
mod term;

pub use glob::{BadGlob, Glob};
pub use object::{BadSelector, ObjectSelector};
pub use resource::{BadFilter, Barrier, NoBarrier, NothingSelected, ResourceFilter, ResourceOptions, Selectable};
pub use state::StateFilter;
pub use term::{Comparison, Keywords, Sections, Typed};
