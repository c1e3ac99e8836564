//! `wit/process.wit`: programs.
//!
//! `run` and `pipe` wait for their programs; `spawn` leaves one behind, which `running` and `terminate` find again by its
//! control group, or by marks in its environment where there are no control groups.

mod cgroup_slice;
mod command;
mod confinement;
mod environment;
mod run;
mod supervised;
mod supervision;

pub use cgroup_slice::CgroupSlice;
pub(crate) use command::prepare;
pub use command::{ProcessCommand, as_typed};
pub use environment::{PATH, ProgramFacts, account_variables};
pub use kernel::process::{PipeOutput, ProgramOutput};
pub use run::{pipe, run};
pub use supervised::{ProcessInfo, running, spawn, terminate};
pub(crate) use supervision::members;
pub use supervision::{control_group, control_group_of_object, output_prefix};
