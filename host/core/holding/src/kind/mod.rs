//! The kinds of holdings, one file each: what identifies such a thing, and how a person reads it.

mod container;
mod declared;
mod device;
mod file;
mod loop_device;
mod mount;
mod network;
mod process;

pub use container::ContainerHolding;
pub use declared::DeclaredHolding;
pub use device::{DeviceClass, DeviceIdentity};
pub use file::{FileHolding, FileIdentity};
pub use loop_device::LoopHolding;
pub use mount::{MountHolding, MountIdentity, MountSight, PreparedMount};
pub use network::{AddressHolding, LinkHolding, NamespaceIdentity, RouteHolding};
pub use process::ProcessHolding;

/// A number as an attribute.
fn number(value: impl ToString) -> String {
    value.to_string()
}

/// The attributes that are known.
fn known<const N: usize>(attributes: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
