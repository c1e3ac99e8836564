//! `netns`, `netns.link`, `netns.addr` and `netns.route`: links, addresses and routes within a network namespace.

pub(super) mod name;
mod operation;
mod set;
mod words;

pub use operation::{
    AnnounceNetnsAddress, ChangeNetnsAddress, ChangeNetnsRoute, PlugNetns, ProbeNetnsAddress, SeeNetns, UnplugNetns,
};
pub(super) use words::CAPABILITIES;
