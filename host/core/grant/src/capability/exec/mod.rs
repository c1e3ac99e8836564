//! `exec = PROGRAM ARGUMENTS` and `spawn = PROGRAM ARGUMENTS`: programs of the node, and the resource's own processes.

mod argument;
mod operation;
mod pattern;
mod root;
mod template;
mod thing;

pub use operation::{KillProcesses, ProgramTerms, RunProgram, SeeProcesses, StartProgram};
pub(super) use template::CAPABILITIES;
pub use thing::ArgumentThing;
