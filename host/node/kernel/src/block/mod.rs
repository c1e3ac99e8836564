//! Block devices: found by path, label or UUID, identified by what is on them, attached and detached as loop devices, and
//! explained when they are busy.

pub(crate) mod content;
mod device;
pub(crate) mod holders;
pub(crate) mod loop_ioctl;
pub mod loopdev;
mod names;
mod pinned;
pub mod signature;
mod stacked;
mod stacked_ioctl;
mod unseen;

pub use content::{DeviceFilter, any_device, with_content};
pub use device::{DeviceInfo, DeviceSpec, canonical_source, find, find_among, is_claimed, number_of, user_of};
pub(crate) use device::{describe, device_number, pin};
pub use names::{DeviceNumber, loop_number, names_of, names_of_node};
pub use pinned::PinnedSource;
pub use stacked::{StackedDevice, StackedKind, below, stacked, stacked_of, take_down};
