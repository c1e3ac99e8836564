//! The ways to run a program: to its end with its output captured or in a file, two joined by a pipe, detached from the agent, or in the
//! foreground of the operator's terminal.

mod capture;
mod captured;
mod foreground;
mod group;
mod output_file;
mod piped;
mod recorded;
mod start;

pub use captured::{ProgramOutput, RunError, run};
pub use foreground::{ForegroundProgram, foreground};
pub use output_file::{bound_output, open_output};
pub use piped::{PipeListener, PipeOutput, pipe};
pub use recorded::run_recorded;
pub use start::{StartedProgram, start};
