//! File systems: what the drivers that mount something have in common.
//!
//! ```text
//!   fs.tmpfs fs.bind fs.overlay ──▶ Mounted: status, start, stop of whatever is mounted somewhere
//!                                      ▲
//!   fs.ext4 fs.xfs fs.btrfs ──▶ Volume + Kind: the same on a block device, which is checked, and made if it is empty
//! ```
//!
//! A driver says what it mounts; when to refuse, what counts as mounted and what to tell the operator is decided here.

mod kind;
mod mounted;
mod resource;
mod volume;

pub use kind::{Fsck, Kind};
pub use mounted::{IsOurs, MountPoint, Mounted};
pub use resource::VolumeResource;
pub use volume::{OnVolume, Volume};
