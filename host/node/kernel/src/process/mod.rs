//! Programs: started with nothing but what they are given, watched, and ended as a whole.
//!
//! ```text
//!  Program (who may have written it?)  ─┐
//!  Account, limits, capabilities        ├─▶ Launch ──▶ run    (to its end, output captured)
//!  cgroup, environment, directory      ─┘         ├──▶ start  (outlives the agent, found again by Members)
//!                                                └──▶ foreground  (an operator types at it)
//! ```
//!
//! Everything between fork and exec stands in `child.rs` and `exec.rs`.

mod abandoned;
mod account;
mod capture;
mod child;
mod confine;
mod environ;
mod exec;
mod foreground;
mod group;
mod launch;
mod limit;
mod members;
mod output_file;
mod piped;
mod program;
mod run;
mod signal;
mod start;

pub use abandoned::end_abandoned;
pub use account::Account;
pub use confine::{Bounds, UnknownCapability};
pub use environ::Markers;
pub use foreground::{Foreground, foreground};
pub use launch::Launch;
pub use limit::{Limit, UnknownLimit};
pub use members::{Member, Members};
pub use output_file::open_output;
pub use piped::{Listener, Piped, pipe};
pub use program::Program;
pub use run::{Output, RunError, run};
pub use signal::{Signal, signal_of};
pub use start::start;
