//! Safe wrappers of the Linux kernel.
//!
//! Nothing in this crate knows drivers, grants or configurations. A function does what its arguments say, works on
//! descriptors wherever another process could swap a path, and names in its error the thing that failed. This is the only
//! crate of the workspace that may hold `unsafe` code: each such piece is a small module with a safe interface.
//!
//! ```text
//!  path      walks a path and pins what it leads to; everything below that takes a path goes through it
//!  files     regular files, directories, owners and modes
//!  block     block and loop devices, what is on them, what keeps them busy
//!  mount     mounting and unmounting, the mount table
//!  net       links, addresses, routes and network namespaces, over netlink
//!  process   programs: started, watched, found again, stopped as a group
//!  cgroup    the control groups that hold a resource's processes
//!  terminal  the operator's terminal
//!  bare      removal without a heap, for the keeper
//!  resident  memory that stays, a processor when it is needed
//!  watchdog  the device that resets the node
//!  watch     changes of files, mounts, links and addresses, as they happen
//!  clock     clocks and the boot id
//!  memory    how much there is
//! ```

pub mod bare;
pub mod block;
pub mod cgroup;
pub mod clock;
mod error;
pub mod files;
pub mod memory;
pub mod mount;
pub mod net;
pub mod path;
pub mod process;
mod ready;
pub mod resident;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod watch;
pub mod watchdog;

pub use error::KernelError;
