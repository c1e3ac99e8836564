//! The keeper: a small process beside the daemon that cuts what this node may not run any more, whatever became of the daemon, and
//! that owns the watchdog.
//!
//! ```text
//!  daemon ──page──▶ keeper ──▶ at the hard deadline: processes, addresses, mounts, loop devices; then it looks
//!         ◀─report──        └─▶ /dev/watchdog, petted while all that is held is in its time or proven gone
//! ```
//!
//! It takes no lock that another process takes, has no network and no runtime, and allocates nothing once it guards. What it needs
//! is locked in memory, and it runs before other processes. It outlives the daemon: the next one finds it by its lock.
//!
//! [`run`] is the process; [`process`] and [`TwinFile`] are what the daemon uses of this crate.

mod cut;
mod dog;
mod guard;
pub mod process;
mod run;
mod twin_file;
mod wake;

pub use cut::cut_here;
pub use run::{KeeperFault, run};
pub use twin_file::TwinFile;

/// What the keeper says of itself, in its directory.
pub const REPORT_FILE: &str = "report";
/// Held for as long as a keeper runs, and says which process it is.
pub const LOCK_FILE: &str = "lock";
