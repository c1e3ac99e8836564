//! Calls that remove things without allocating, for a process that must still be able to act when memory, disks or other processes
//! cannot be counted on. Paths come with their zero, buffers are on the stack, errors are plain numbers.

mod address;
mod device;
mod group;
mod mount;
mod node;
mod text;

pub use address::{AddressPlace, remove_address};
pub use device::{is_in_use, is_loop_attached, release_loop};
pub use group::{is_group_empty, kill_group};
pub use mount::{BareMount, detach_mount, is_mounted};
pub use node::{reset_node, restart_node};
