//! The capabilities that grant lines are about, one file each.
//!
//! A file holds all that the crate knows of its capability: how its lines are written ([`definition::LineTemplate`]), what
//! they stand for once bound ([`definition::LinePattern`]), the operations that need them, which lines allow and forbid each
//! operation, and how a person reads them. To add a capability, write its file and name it three times below.

pub(crate) mod definition;

mod block;
mod exec;
mod files;
mod http;
mod mount;
mod mount_option;
mod net;
mod netns;
mod state;
mod volume;

pub use netns::name::{NetnsReference, NetnsReferenceError};

pub(crate) use files::files_of;
pub(crate) use http::SocketPattern;

use definition::Capability;

/// The capabilities of each file, in the order in which an error lists them.
static CAPABILITIES: [&[Capability]; 8] = [
    &files::CAPABILITIES,
    &mount::CAPABILITIES,
    &block::CAPABILITIES,
    &net::CAPABILITIES,
    &netns::CAPABILITIES,
    &exec::CAPABILITIES,
    &http::CAPABILITIES,
    &volume::CAPABILITIES,
];

/// The operations that need a permit, one struct each: what a capability of the host is about to do, with every argument
/// that a grant line can restrict.
pub mod op {
    pub use super::block::*;
    pub use super::exec::*;
    pub use super::files::*;
    pub use super::http::*;
    pub use super::mount::*;
    pub use super::mount_option::{MountFreedom, MountOption};
    pub use super::net::*;
    pub use super::netns::*;
    pub use super::state::*;
    pub use super::volume::*;
}

/// All capabilities.
pub(crate) fn all() -> impl Iterator<Item = &'static Capability> {
    CAPABILITIES.iter().copied().flatten()
}

/// The capability of this name.
pub(crate) fn find(name: &str) -> Option<&'static Capability> {
    all().find(|capability| capability.name == name)
}
