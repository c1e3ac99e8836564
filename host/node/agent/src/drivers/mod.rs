//! The drivers of this node: which are available, how one is installed, what it may do, and what answers in its place when it
//! cannot be called.

mod available;
mod component;
pub mod effective;
mod loaded;
pub(crate) mod unavailable;

pub use available::{AvailableDriver, AvailableDrivers, BrokenDriver, DriverOrigin, NameClash};
pub use component::{DriverComponent, InstallError, remove};
pub(crate) use loaded::LoadedDrivers;
