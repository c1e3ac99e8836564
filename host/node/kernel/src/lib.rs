//! Safe wrappers of the kernel.
//!
//! What stands here knows nothing of drivers, grants or configurations: it does what it is told, by descriptor where a
//! path could be swapped, and says what failed. The only crate of the workspace that may hold `unsafe` code, in small
//! modules with a safe face.

pub mod block;
pub mod cgroup;
pub mod clock;
mod directory;
mod error;
pub mod files;
mod filesystems;
mod holders;
mod in_memory;
mod loop_ioctl;
pub mod loopdev;
pub mod mount;
mod mount_attr;
mod mount_errors;
mod mount_options;
pub mod mountinfo;
pub mod net;
pub mod ownership;
pub mod path;
pub mod process;
mod ready;
#[cfg(test)]
mod real_kernel;
pub mod signature;
pub mod terminal;
mod window;

pub use error::Error;
pub use in_memory::is_in_memory;
