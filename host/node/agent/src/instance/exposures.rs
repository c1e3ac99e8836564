//! What resources expose to each other: devices to those whose keywords speak of them, a network namespace to those that join.

use std::collections::BTreeMap;

use model::Rid;
use model::config::{Exposed, Resource};
use model::status::State;

use crate::state::DeviceFooting;
use crate::status::ResourceStatus;

/// What resources expose, as far as they were asked.
pub(crate) type ExposureMap = BTreeMap<Rid, ExposedState>;

/// How a resource is, as far as another one may have to know.
pub(crate) struct ExposedState {
    state: State,
    exposes: Vec<(String, String)>,
}

impl ExposedState {
    pub(crate) fn of(seen: &ResourceStatus) -> ExposedState {
        ExposedState { state: seen.state, exposes: seen.exposes.clone() }
    }

    /// Whether nothing can stand on it, for certain.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.state, State::Down | State::StdbyDown | State::Na)
    }

    pub(crate) fn devices(&self) -> Vec<String> {
        self.exposes.iter().filter(|(name, _)| name == "device").map(|(_, device)| device.clone()).collect()
    }
}

/// What a resource may know of others: what they expose now, else what they exposed when it was started on that.
pub(crate) struct ExposedDevices<'a> {
    pub(crate) now: &'a ExposureMap,
    pub(crate) then: Option<&'a DeviceFooting>,
}

impl Exposed for ExposedDevices<'_> {
    fn devices(&self, rid: &Rid) -> Option<Vec<String>> {
        let now = self.now.get(rid).map(ExposedState::devices).filter(|devices| !devices.is_empty());
        now.or_else(|| self.then?.get(rid).cloned())
    }
}

/// What a resource is told of the one that it joins, where that one exposes it.
const JOINED: [&str; 3] = ["netns", "pid", "id"];

/// The resources that must be looked at before this one: those that its keywords speak of, and the one that it joins.
pub(crate) fn needs(resource: &Resource, provisioning: bool) -> Vec<&Rid> {
    resource.speaks_of(provisioning).into_iter().chain(&resource.joins).collect()
}

/// What a resource is told of the one that it joins. While that one is down, it exposes nothing.
pub(crate) fn joined(resource: &Resource, exposures: &ExposureMap) -> Vec<(String, String)> {
    let Some(rid) = &resource.joins else { return Vec::new() };
    let exposed = exposures.get(rid).into_iter().flat_map(|shown| &shown.exposes);
    let told = exposed.filter(|(name, _)| JOINED.contains(&name.as_str()));
    let vars = told.map(|(name, value)| (format!("joined.{name}"), value.clone()));
    vars.chain([("joined.rid".to_owned(), rid.to_string())]).collect()
}
