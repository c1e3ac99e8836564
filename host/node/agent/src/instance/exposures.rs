//! What resources expose to each other: devices and mount points to resources whose keywords name them, a network namespace to resources that
//! join it.

use std::collections::BTreeMap;

use model::Rid;
use model::object::{Exposure, ExposureLookup, Resource};
use model::status::State;

use crate::state::DeviceFooting;
use crate::status::ResourceStatus;

/// The exposed states of the resources that were looked at.
pub(crate) type ExposureMap = BTreeMap<Rid, ExposedState>;

/// The state of a resource and what it exposes to others.
pub(crate) struct ExposedState {
    state: State,
    exposes: Vec<(String, String)>,
}

impl ExposedState {
    pub(crate) fn of(seen: &ResourceStatus) -> ExposedState {
        ExposedState { state: seen.state, exposes: seen.exposes.clone() }
    }

    /// Whether it is certain that no other resource can stand on this one.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.state, State::Down | State::StdbyDown | State::Na)
    }

    pub(crate) fn exposed(&self, exposure: Exposure) -> Vec<String> {
        let values = self.exposes.iter().filter(|(name, _)| name == exposure.as_str());
        values.map(|(_, value)| value.clone()).collect()
    }
}

/// The devices and mount points that a resource may use: those that others expose now, or else those that it was started on.
pub(crate) struct ExposedValues<'a> {
    pub(crate) now: &'a ExposureMap,
    pub(crate) then: Option<&'a DeviceFooting>,
}

impl ExposureLookup for ExposedValues<'_> {
    fn exposed(&self, rid: &Rid, exposure: Exposure) -> Option<Vec<String>> {
        let now = self.now.get(rid).map(|shown| shown.exposed(exposure)).filter(|values| !values.is_empty());
        // What is exposed now wins: a device may have changed its name since the start.
        now.or_else(|| self.then?.get(&(rid.clone(), exposure)).cloned())
    }
}

/// The variables that a driver receives about the resource that its own resource joins.
const JOINED: [&str; 3] = ["netns", "pid", "id"];

/// The resources that must be looked at before this one: those that its keywords name, and the one that it joins.
pub(crate) fn needs(resource: &Resource, provisioning: bool) -> Vec<&Rid> {
    resource.speaks_of(provisioning).into_iter().chain(&resource.joins).collect()
}

/// The variables about the resource that this one joins. While that one is down, only its id is known.
pub(crate) fn joined(resource: &Resource, exposures: &ExposureMap) -> Vec<(String, String)> {
    let Some(rid) = &resource.joins else { return Vec::new() };
    let exposed = exposures.get(rid).into_iter().flat_map(|shown| &shown.exposes);
    let known = exposed.filter(|(name, _)| JOINED.contains(&name.as_str()));
    let vars = known.map(|(name, value)| (format!("joined.{name}"), value.clone()));
    vars.chain([("joined.rid".to_owned(), rid.to_string())]).collect()
}
