//! Operations: they are accepted at once and executed later, with success or an error.
//!
//! ```text
//!   accepted ──▶ PENDING ──look──▶ RUNNING ──look──▶ DONE: its effect, or its error
//!                                     └── stuck: stays there
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::AfterAcceptance;
use super::resource::{link, name};
use super::{CloudAnswer, EmulatedCloud, MethodCall};
use crate::ApiError;

/// How many operations that are done are remembered. Google forgets them after some days.
const REMEMBERED: usize = 128;

/// An operation and its effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CloudOperation {
    /// Greater than that of every earlier operation.
    number: u64,
    /// The operation in the format of the API.
    pub resource: Value,
    /// How many more polls it takes.
    looks: u32,
    /// When it was accepted, in milliseconds.
    since: u64,
    effect: OperationEffect,
    /// The failure, if it has to fail.
    fault: Option<AfterAcceptance>,
}

/// The effect of an operation. Paths name resources.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum OperationEffect {
    /// A disk is there, empty or with what a snapshot or an image holds.
    MakeDisk {
        disk: String,
        from: Option<String>,
    },
    RemoveDisk {
        disk: String,
    },
    ResizeDisk {
        disk: String,
        gb: u64,
    },
    MakeSnapshot {
        snapshot: String,
        disk: String,
    },
    RemoveSnapshot {
        snapshot: String,
    },
    /// An instance runs, its disks attached.
    Run {
        instance: String,
    },
    Halt {
        instance: String,
        status: String,
    },
    RemoveInstance {
        instance: String,
    },
    Attach {
        instance: String,
        attached: Value,
    },
    Detach {
        instance: String,
        device_name: String,
    },
    RemoveRoute {
        route: String,
    },
    /// No effect, because everything was done when it was accepted.
    Nothing,
}

impl CloudOperation {
    fn is_done(&self) -> bool {
        self.resource["status"] == "DONE"
    }
}

impl EmulatedCloud {
    /// Accepts an operation on a resource.
    pub(crate) fn begin(&mut self, call: &MethodCall, kind: &str, target: &str, effect: OperationEffect) -> Value {
        let number = self.number();
        let path = format!("{}operations/operation-{number}", call.scope());
        let mut resource = json!({
            "id": (2_000_000_000_000_000_000 + number).to_string(),
            "kind": "compute#operation",
            "name": name(&path),
            "operationType": kind,
            "status": "PENDING",
            "progress": 0,
            "targetLink": link(target),
            "selfLink": link(&path),
            "insertTime": self.timestamp(),
            "user": "stand-in@example.iam.gserviceaccount.com",
        });
        if let Some(zone) = call.parameters.get("zone") {
            resource["zone"] = json!(link(&format!("projects/{}/zones/{zone}", self.project)));
        }
        if let Some(id) = self.state.resources.get(target).and_then(|resource| resource.get("id")) {
            resource["targetId"] = id.clone();
        }
        let since = u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX);
        let fault = self.faults.after_acceptance(call.id);
        let operation = CloudOperation { number, resource: resource.clone(), looks: self.steps, since, effect, fault };
        self.forget();
        self.state.operations.insert(path.clone(), operation);
        if let Some(request) = call.parameters.get("requestId") {
            self.state.requests.insert(format!("{} {request}", call.id), path);
        }
        resource
    }

    /// Forgets the oldest operations that are done, so that the state does not grow with each request.
    fn forget(&mut self) {
        let done = self.state.operations.iter().filter(|(_, operation)| operation.is_done());
        let mut done: Vec<(u64, String)> = done.map(|(path, operation)| (operation.number, path.clone())).collect();
        let Some(too_many) = done.len().checked_sub(REMEMBERED).filter(|too_many| *too_many > 0) else { return };
        done.sort_unstable();
        done[..too_many].iter().for_each(|(_, path)| drop(self.state.operations.remove(path)));
        self.state.requests.retain(|_, path| self.state.operations.contains_key(path));
    }

    /// Finishes every operation whose time is over.
    pub(crate) fn settle(&mut self) {
        let due = |operation: &CloudOperation| {
            !operation.is_done() && self.now >= Duration::from_millis(operation.since) + self.patience
        };
        let due: Vec<String> = self
            .state
            .operations
            .iter()
            .filter(|(_, operation)| due(operation))
            .map(|(path, _)| path.clone())
            .collect();
        due.iter().for_each(|path| self.finish(path));
    }

    /// Polls an operation, which advances it by one step; `wait` finishes it.
    pub(crate) fn look_at(&mut self, call: &MethodCall, wait: bool) -> CloudAnswer {
        let path = call.path("operations", "operation");
        let operation = self.state.operations.get_mut(&path).ok_or_else(|| ApiError::not_found(&path))?;
        if !operation.is_done() {
            operation.looks = operation.looks.saturating_sub(1);
            if wait || operation.looks == 0 {
                self.finish(&path);
            } else {
                operation.resource["status"] = json!("RUNNING");
                operation.resource["startTime"] = operation.resource["insertTime"].clone();
                self.under_way(&path);
            }
        }
        Ok(self.state.operations[&path].resource.clone())
    }

    /// The state of an instance follows the progress of its creation.
    fn under_way(&mut self, path: &str) {
        if let OperationEffect::Run { instance } = self.state.operations[path].effect.clone() {
            self.set(&instance, "status", "STAGING");
        }
    }

    fn finish(&mut self, path: &str) {
        let Some(operation) = self.state.operations.get(path) else { return };
        let (effect, fault) = (operation.effect.clone(), operation.fault.clone());
        let failure = match fault {
            Some(AfterAcceptance::Stuck) => return self.stay(path),
            Some(AfterAcceptance::Fails { code, message, status }) => {
                self.take_back(&effect);
                Some((code, message, status))
            }
            Some(AfterAcceptance::NoDevice) => self.carry_out(&effect, false).err().map(internal),
            None => self.carry_out(&effect, true).err().map(internal),
        };
        let now = self.timestamp();
        let Some(operation) = self.state.operations.get_mut(path) else { return };
        let resource = &mut operation.resource;
        resource["status"] = json!("DONE");
        resource["progress"] = json!(100);
        resource["startTime"] = resource["insertTime"].clone();
        resource["endTime"] = json!(now);
        if let Some((code, message, status)) = failure {
            resource["error"] = json!({"errors": [{"code": code, "message": message}]});
            resource["httpErrorStatusCode"] = json!(status);
            resource["httpErrorMessage"] = json!(if status == 503 { "SERVICE UNAVAILABLE" } else { "FORBIDDEN" });
        }
    }

    fn stay(&mut self, path: &str) {
        if let Some(operation) = self.state.operations.get_mut(path) {
            operation.resource["status"] = json!("RUNNING");
            operation.looks = 1;
        }
    }

    /// Lets stuck operations go on.
    pub fn unstick(&mut self) {
        for operation in self.state.operations.values_mut() {
            operation.fault.take_if(|fault| matches!(fault, AfterAcceptance::Stuck));
        }
    }

    pub(crate) fn list_operations(&mut self, call: &MethodCall) -> CloudAnswer {
        let directory = format!("{}operations/", call.scope());
        let items: Vec<Value> = self
            .state
            .operations
            .iter()
            .filter(|(path, _)| path.starts_with(&directory))
            .map(|(_, operation)| operation.resource.clone())
            .collect();
        self.page(call, items, &directory, "compute#operationList")
    }

    fn carry_out(&mut self, effect: &OperationEffect, with_device: bool) -> Result<(), String> {
        match effect {
            OperationEffect::MakeDisk { disk, from } => self.make_disk(disk, from.as_deref()),
            OperationEffect::RemoveDisk { disk } => self.remove_disk(disk),
            OperationEffect::ResizeDisk { disk, gb } => self.grow_disk(disk, *gb),
            OperationEffect::MakeSnapshot { snapshot, disk } => self.make_snapshot(snapshot, disk),
            OperationEffect::RemoveSnapshot { snapshot } => self.remove_snapshot(snapshot),
            OperationEffect::Run { instance } => self.run_instance(instance),
            OperationEffect::Halt { instance, status } => self.halt_instance(instance, status),
            OperationEffect::RemoveInstance { instance } => self.remove_instance(instance),
            OperationEffect::Attach { instance, attached } => self.attach(instance, attached, with_device),
            OperationEffect::Detach { instance, device_name } => self.detach(instance, device_name),
            OperationEffect::RemoveRoute { route } => {
                self.state.resources.remove(route);
                Ok(())
            }
            OperationEffect::Nothing => Ok(()),
        }
    }

    /// Undoes the beginnings of an operation that fails.
    fn take_back(&mut self, effect: &OperationEffect) {
        match effect {
            OperationEffect::MakeDisk { disk: path, .. } | OperationEffect::MakeSnapshot { snapshot: path, .. } => {
                self.state.resources.remove(path);
            }
            OperationEffect::Run { instance } => match self.state.resources[instance]["status"].as_str() {
                Some("PROVISIONING" | "STAGING")
                    if self.state.resources[instance].get("lastStartTimestamp").is_none() =>
                {
                    let _ = self.remove_instance(instance);
                }
                _ => self.set(instance, "status", "TERMINATED"),
            },
            OperationEffect::Halt { instance, .. } | OperationEffect::RemoveInstance { instance } => {
                self.set(instance, "status", "RUNNING")
            }
            OperationEffect::RemoveDisk { disk } => self.set(disk, "status", "READY"),
            OperationEffect::Attach { attached, .. } => {
                let disk = self.path_of(attached["source"].as_str().unwrap_or_default());
                self.free(&disk);
            }
            _ => {}
        }
    }
}

/// The error of the emulator itself, such as a loop device that could not be set up.
fn internal(why: String) -> (String, String, u16) {
    ("INTERNAL_ERROR".to_owned(), why, 503)
}
