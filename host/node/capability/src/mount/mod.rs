//! `wit/mount.wit`: file systems in the directory tree.

mod filesystem;
mod loops;
mod nfs;
mod options;
mod place;

pub use filesystem::{
    FilesystemUsage, MountEntry, MountRequest, errors_of, mount, mounts_at, statfs, supports, unmount,
};
pub(crate) use loops::{check_own_loop, is_foreign_loop};
pub use options::read_options;
