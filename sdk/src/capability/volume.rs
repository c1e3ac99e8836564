//! Volumes: objects of kind `vol` of the resource's own namespace, on this node. Each is an object of its own; a call here is the
//! ordinary action on it.

use std::path::PathBuf;

use super::{CapabilityResult, host};
use crate::bindings::hostler::driver::types::{self as wire, Kv};
use crate::bindings::hostler::driver::volume::VolumeReport;
use crate::{Provisioned, State};

/// What a volume is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The state of its instance on this node.
    pub state: State,
    /// Whether it is provisioned.
    pub provisioned: Provisioned,
    /// Lines for the reader of the status: the level, and the text.
    pub messages: Vec<(String, String)>,
    facts: Vec<(String, String)>,
}

impl Volume {
    fn of(report: VolumeReport) -> Volume {
        let VolumeReport { state, provisioned, messages, facts } = report;
        Volume {
            state,
            provisioned,
            messages: messages.into_iter().map(|wire::Message { level, text }| (level, text)).collect(),
            facts: facts.into_iter().map(|fact| (fact.key, fact.value)).collect(),
        }
    }

    fn facts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.facts.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where its file system is mounted, while it is.
    pub fn mount_point(&self) -> Option<PathBuf> {
        self.facts("mnt").next().map(PathBuf::from)
    }

    /// The devices that it offers.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.facts("device")
    }

    /// Whether this resource uses it.
    pub fn is_used(&self) -> bool {
        self.facts("used").next() == Some("true")
    }

    /// The other resources of this node that use it.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.facts("user")
    }
}

/// The volume of that name. None if there is no such object.
pub fn look(name: &str) -> CapabilityResult<Option<Volume>> {
    Ok(host::volume::look(name)?.map(Volume::of))
}

/// Makes the volume from the first pool that fits, unless it exists. False if it does. See `wit/volume.wit` for what can be asked.
pub fn make(name: &str, request: &[(&str, String)]) -> CapabilityResult<bool> {
    let request: Vec<Kv> =
        request.iter().map(|(key, value)| Kv { key: (*key).to_owned(), value: value.clone() }).collect();
    Ok(host::volume::make(name, &request)?)
}

/// Provisions its instance on this node. Returns what was done, if anything was.
pub fn provision(name: &str) -> CapabilityResult<String> {
    Ok(host::volume::provision(name)?)
}

/// Notes that this resource uses it, and starts it.
pub fn start(name: &str) -> CapabilityResult<String> {
    Ok(host::volume::start(name)?)
}

/// Notes that this resource does not use it any more, and stops it, unless another resource uses it.
pub fn stop(name: &str) -> CapabilityResult<String> {
    Ok(host::volume::stop(name)?)
}

/// Unprovisions and deletes it, if it was made for this resource and no other one uses it.
pub fn unprovision(name: &str) -> CapabilityResult<String> {
    Ok(host::volume::unprovision(name)?)
}

/// Writes what the keywords of the resource name below its mount point. Returns the paths of what was written.
pub fn install(name: &str) -> CapabilityResult<Vec<String>> {
    Ok(host::volume::install(name)?)
}
