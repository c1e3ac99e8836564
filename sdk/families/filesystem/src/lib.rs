//! File systems, for the drivers that mount something.
//!
//! ```text
//!   fs.tmpfs fs.bind fs.overlay ──▶ FilesystemMount: status, start, stop of one mount
//!                                      ▲
//!   fs.ext4 fs.xfs fs.btrfs ──▶ VolumeFilesystem: the same on a block device; it checks the file system before the mount,
//!                               and creates one on an empty device
//! ```
//!
//! A driver describes what it mounts. What is mounted, the host's record of holdings says. This crate decides when to refuse, and
//! what to report.

mod asked;
mod health;
mod kind;
mod mounted;
mod point;
mod resource;
mod volume;

pub use kind::{CheckProgram, FilesystemKind};
pub use mounted::{FilesystemMount, held_mount};
pub use point::MountPoint;
pub use resource::VolumeResource;
pub use volume::{VolumeFilesystem, VolumeKeywords};
