//! Mounts: made, removed and listed, with the kernel's terse refusals put into words.

mod attach;
mod attributes;
mod btrfs_ioctl;
mod errors;
mod faults;
mod filesystems;
mod freeze_ioctl;
mod kinship;
pub mod mountinfo;
pub mod namespaces;
mod options;
mod overlay;
mod place;
mod signature;

#[cfg(test)]
pub(crate) use attach::mount_after;
pub use attach::{
    DetachedMount, FilesystemUsage, MadeMount, MountCall, UnmountForce, mount, statfs, supports, unmount_this,
    unmount_top,
};
pub use faults::errors_of;
pub use freeze_ioctl::thaw;
pub use kinship::is_btrfs_in_use;
pub use options::MountWord;
pub use place::{MountJudge, MountPlace};
pub use signature::MountSignature;
