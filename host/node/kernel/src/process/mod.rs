//! Programs: started with nothing but what they are given, watched, and stopped as a whole.
//!
//! ```text
//!  CheckedProgram (who could have written it?) ─┐
//!  user, limits, capabilities                   ├─▶ ProgramLaunch ──▶ run         to its end, its output captured
//!  cgroup, environment, working directory      ─┘                ├──▶ pipe        two at once, the one feeds the other
//!                                                                ├──▶ start       outlives the agent, found again later
//!                                                                └──▶ foreground  an operator types at it
//! ```
//!
//! Everything that happens between fork and exec stands in `child.rs`, `inherited.rs` and `exec.rs`. `members/` finds the processes of a
//! resource again and stops them; `look.rs` looks at processes of other programs.

mod account;
mod child;
mod confine;
mod exec;
mod inherited;
mod landlock;
mod launch;
mod limit;
mod look;
mod members;
mod program;
mod public_files;
mod run;
mod signal;

pub use account::{UserAccount, login_variables, runs_as_root};
pub use confine::{CapabilityBounds, UnknownCapability};
pub use landlock::{FileAccess, FileRule, landlock_version};
pub use launch::{ProgramLaunch, StandardStream};
pub use limit::{ResourceLimit, UnknownLimit};
pub use look::{ProcessLook, counts_alike, group_directory, is_started_for, look};
pub use members::{FirstProcess, MemberProcess, ProcessMarkers, ResourceProcesses, kill_abandoned};
pub use program::CheckedProgram;
pub use public_files::public_files;
pub use run::{
    ForegroundProgram, PipeListener, PipeOutput, ProgramOutput, RunError, StartedProgram, bound_output, foreground,
    open_output, pipe, run, run_recorded, start,
};
pub use signal::{Signal, signal_of};
