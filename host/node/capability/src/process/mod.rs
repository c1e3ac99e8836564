//! `wit/process.wit`: programs.
//!
//! `run` and `pipe` wait for their programs; `spawn` leaves one behind, whose exit `watch` awaits, and which `running` and `terminate`
//! find again by its control group, or by marks in its environment where there are no control groups.

mod argument_reading;
mod arguments;
mod cgroup_slice;
mod command;
mod confinement;
mod environment;
mod exports;
mod leftovers;
mod limits;
mod run;
mod started;
mod supervised;
mod supervision;
mod trigger;

pub use cgroup_slice::CgroupSlice;
pub(crate) use command::prepare;
pub use command::{ProcessCommand, as_typed};
pub use environment::{PATH, ProgramFacts, account_variables};
pub use kernel::process::{PipeOutput, ProgramOutput};
pub use leftovers::TriggerLeftovers;
pub use limits::is_limit_possible;
pub use run::{pipe, run};
pub use started::{ProgramExit, StartedPrograms, WatchedProgram, watch};
pub use supervised::{ProcessInfo, running, spawn, terminate};
pub use supervision::{control_group, control_group_of_object, output_prefix};
pub(crate) use supervision::{control_group_in, members};
pub use trigger::run_trigger;
