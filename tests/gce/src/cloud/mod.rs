//! The emulated cloud: resources by their paths, operations that take time, and the effects of each method.
//!
//! A mutating method checks the request and returns an operation. It takes effect when the operation is done: after a number of
//! polls, or after some time, whichever is first. See `operation.rs`.

mod disk;
mod fault;
mod instance;
mod operation;
mod resource;
mod route;
mod snapshot;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fault::{FaultRule, FaultRules, InjectedFault};
pub use operation::CloudOperation;
pub(crate) use operation::OperationEffect;

use crate::{ApiError, DeviceBackend};

/// The response of a method.
pub type CloudAnswer = Result<Value, ApiError>;

/// The prefix of every `selfLink`.
pub const BASE: &str = "https://www.googleapis.com/compute/v1/";

/// The existing zones.
pub const ZONES: [&str; 5] = ["europe-west1-b", "europe-west1-c", "europe-west1-d", "us-central1-a", "us-central1-b"];

/// A call of a method, its parameters and its body checked against the document.
#[derive(Debug)]
pub struct MethodCall {
    /// `compute.disks.insert`
    pub id: &'static str,
    /// Of the path and of the query.
    pub parameters: BTreeMap<String, String>,
    /// Null where the method has none.
    pub body: Value,
}

impl MethodCall {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// `projects/p/zones/z/` or `projects/p/global/`, which all resources of the call begin with.
    pub(crate) fn scope(&self) -> String {
        match self.parameters.get("zone") {
            Some(zone) => format!("projects/{}/zones/{zone}/", self.parameter("project")),
            None => format!("projects/{}/global/", self.parameter("project")),
        }
    }

    /// The path of the resource whose name is that parameter: `disks/` and `disk`.
    pub(crate) fn path(&self, collection: &str, parameter: &str) -> String {
        format!("{}{collection}/{}", self.scope(), self.parameter(parameter))
    }

    /// A text of the body.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

/// The state that is kept when the program exits.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CloudState {
    /// By path.
    pub(crate) resources: BTreeMap<String, Value>,
    /// By path.
    pub(crate) operations: BTreeMap<String, CloudOperation>,
    /// The operations of `requestId`s that were seen.
    pub(crate) requests: BTreeMap<String, String>,
    /// The number of the last resource.
    pub(crate) last: u64,
}

/// The cloud.
pub struct EmulatedCloud {
    /// The only project.
    pub project: String,
    /// How many polls an operation takes to be done.
    pub steps: u32,
    /// After how long it is done, even without polls.
    pub patience: Duration,
    /// The injected faults.
    pub faults: FaultRules,
    pub(crate) state: CloudState,
    devices: Box<dyn DeviceBackend + Send>,
    now: Duration,
}

impl EmulatedCloud {
    /// An empty cloud.
    pub fn new(project: &str, devices: Box<dyn DeviceBackend + Send>) -> EmulatedCloud {
        EmulatedCloud {
            project: project.to_owned(),
            steps: 2,
            patience: Duration::from_secs(2),
            faults: FaultRules::default(),
            state: CloudState::default(),
            devices,
            now: Duration::ZERO,
        }
    }

    /// The state to keep.
    pub fn state(&self) -> &CloudState {
        &self.state
    }

    /// Restores a kept state.
    pub fn restore(&mut self, state: CloudState) {
        self.state = state;
    }

    /// Every resource with its path.
    pub fn resources(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.state.resources.iter()
    }

    /// Answers a call at this moment.
    pub fn call(&mut self, call: &MethodCall, now: Duration) -> CloudAnswer {
        self.now = now;
        self.settle();
        self.know_place(call)?;
        if let Some(operation) = self.repeated(call)? {
            return Ok(operation);
        }
        self.faults.refuse(call.id)?;
        match call.id {
            "compute.disks.insert" => self.insert_disk(call),
            "compute.disks.delete" => self.delete_disk(call),
            "compute.disks.resize" => self.resize_disk(call),
            "compute.disks.setLabels" => self.set_labels(call),
            "compute.disks.createSnapshot" => self.create_snapshot(call),
            "compute.disks.get" => self.get(&call.path("disks", "disk")),
            "compute.disks.list" => self.list(call, "disks", "compute#diskList"),
            "compute.snapshots.get" => self.get(&call.path("snapshots", "snapshot")),
            "compute.snapshots.list" => self.list(call, "snapshots", "compute#snapshotList"),
            "compute.snapshots.delete" => self.delete_snapshot(call),
            "compute.instances.insert" => self.insert_instance(call),
            "compute.instances.delete" => self.delete_instance(call),
            "compute.instances.start" => self.start_instance(call),
            "compute.instances.stop" => self.stop_instance(call),
            "compute.instances.suspend" => self.suspend_instance(call),
            "compute.instances.resume" => self.resume_instance(call),
            "compute.instances.attachDisk" => self.attach_disk(call),
            "compute.instances.detachDisk" => self.detach_disk(call),
            "compute.instances.setMetadata" => self.set_metadata(call),
            "compute.instances.get" => self.get(&call.path("instances", "instance")),
            "compute.instances.list" => self.list(call, "instances", "compute#instanceList"),
            "compute.routes.insert" => self.insert_route(call),
            "compute.routes.delete" => self.delete_route(call),
            "compute.routes.get" => self.get(&call.path("routes", "route")),
            "compute.routes.list" => self.list(call, "routes", "compute#routeList"),
            "compute.zoneOperations.get" | "compute.globalOperations.get" => self.look_at(call, false),
            "compute.zoneOperations.wait" | "compute.globalOperations.wait" => self.look_at(call, true),
            "compute.zoneOperations.list" | "compute.globalOperations.list" => self.list_operations(call),
            other => Err(ApiError::new(501, "notImplemented", format!("the stand-in does not know {other}"))),
        }
    }

    /// The project and the zone of a call.
    fn know_place(&self, call: &MethodCall) -> Result<(), ApiError> {
        let (project, zone) = (call.parameter("project"), call.parameters.get("zone"));
        if project != self.project {
            return Err(ApiError::not_found(&format!("projects/{project}")));
        }
        match zone {
            Some(zone) if !ZONES.contains(&zone.as_str()) => {
                Err(ApiError::invalid("zone", format!("'{zone}'. Unknown zone.")))
            }
            _ => Ok(()),
        }
    }

    /// The operation of a request that was answered already.
    fn repeated(&mut self, call: &MethodCall) -> Result<Option<Value>, ApiError> {
        let Some(id) = call.parameters.get("requestId") else { return Ok(None) };
        let groups: Vec<usize> = id.split('-').map(str::len).collect();
        let is_uuid = groups == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        if !is_uuid || id.chars().all(|c| "0-".contains(c)) {
            return Err(ApiError::invalid("requestId", format!("'{id}'. Must be a UUID.")));
        }
        let known = self.state.requests.get(&format!("{} {id}", call.id));
        Ok(known.and_then(|path| self.state.operations.get(path)).map(|operation| operation.resource.clone()))
    }

    /// Another number.
    pub(crate) fn number(&mut self) -> u64 {
        self.state.last += 1;
        self.state.last
    }

    /// A new fingerprint.
    pub(crate) fn fingerprint(&mut self) -> Value {
        Value::from(format!("{:011}=", self.number()))
    }

    /// This moment, as the API writes it.
    pub(crate) fn timestamp(&self) -> String {
        let seconds = self.now.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("2026-01-01T{hours:02}:{minutes:02}:{seconds:02}.{:03}-08:00", self.now.subsec_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoDevices;
    use crate::discovery::DOCUMENT;

    #[test]
    fn every_method_of_the_document_is_known() {
        for id in DOCUMENT.methods.keys() {
            let mut cloud = EmulatedCloud::new("p", Box::new(NoDevices));
            let parameters = [("project", "p"), ("zone", "europe-west1-b")];
            let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let answer = cloud.call(&MethodCall { id, parameters, body: Value::Null }, Duration::ZERO);
            assert!(answer.is_ok() || answer.is_err_and(|error| error.status != 501), "{id}");
        }
    }
}
