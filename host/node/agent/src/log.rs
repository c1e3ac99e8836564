//! The log of an object's actions: to a terminal and to the object's file.
//!
//! A line goes through [`Secrets`], then to the [`Console`] that the command line hands in, then to a [`LogFile`]. An
//! action is never given up because its log cannot be written: nothing in here fails an action.

mod action;
mod file;
mod follow;
mod line;
mod read;
mod redact;

pub use action::{ActionLog, Console};
pub use capability::hide_telling_values;
pub use file::{Limits, LogFile, remove};
pub use follow::Follow;
pub use line::Line;
pub use read::last_lines;
pub use redact::Secrets;
