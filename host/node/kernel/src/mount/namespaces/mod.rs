//! The mounts of every mount namespace, see mount_namespaces(7): of those that a process or a thread is in, and of those that only a file
//! keeps.
//!
//! A mount is copied into each new namespace, and an unmount in one leaves the copies of those that take no part in its propagation.
//! Such a copy keeps the file system in use, and shows in no other table than that namespace's own. After a lazy unmount no table shows
//! the mount, and the programs that have files of it open go on with it.

mod kept;
mod scan;
mod user;

pub use scan::{MountWitness, NamespacedMount, ProcessName, find_everywhere};
pub use user::user_of;
