//! Virtual machines, and the disks attached to them.

use serde_json::{Value, json};

use super::resource::{link, name};
use super::{CloudAnswer, EmulatedCloud, MethodCall, OperationEffect};
use crate::ApiError;

/// The maximum number of disks of an instance.
const MOST_DISKS: usize = 128;

impl EmulatedCloud {
    /// Adds an instance that runs.
    pub fn add_instance(&mut self, instance: &str, zone: &str) {
        let path = format!("projects/{}/zones/{zone}/instances/{instance}", self.project);
        if self.exists(&path) {
            return;
        }
        let asked = json!({
            "name": instance,
            "machineType": link(&format!("projects/{}/zones/{zone}/machineTypes/e2-small", self.project)),
            "canIpForward": true,
            "disks": [],
            "networkInterfaces": [{"network": "global/networks/default"}],
        });
        let said = self.said_of_instance(&asked, zone, "RUNNING");
        self.add(&path, "compute#instance", &asked, said);
    }

    /// Creates the devices of all disks that are attached to running instances, after the state was restored.
    pub fn show_devices(&mut self) -> Result<(), String> {
        let running = |(path, resource): (&String, &Value)| {
            (path.contains("/instances/") && resource["status"] == "RUNNING").then(|| path.clone())
        };
        let instances: Vec<String> = self.state.resources.iter().filter_map(running).collect();
        for instance in instances {
            for disk in self.disks_of(&instance) {
                self.hide(&instance, &disk)?;
                self.show(&instance, &disk)?;
            }
        }
        Ok(())
    }

    /// The fields of an instance that the server sets.
    fn said_of_instance(&mut self, asked: &Value, zone: &str, status: &str) -> Value {
        let network = link(&format!("projects/{}/global/networks/default", self.project));
        let address = format!("10.132.0.{}", self.number() % 250 + 2);
        let mut interface = asked["networkInterfaces"][0].clone();
        interface["network"] = json!(network);
        interface["name"] = json!("nic0");
        interface["networkIP"] = json!(address);
        interface["fingerprint"] = self.fingerprint();
        let mut metadata = if asked["metadata"].is_object() { asked["metadata"].clone() } else { json!({}) };
        metadata["kind"] = json!("compute#metadata");
        metadata["fingerprint"] = self.fingerprint();
        json!({
            "status": status,
            "zone": link(&format!("projects/{}/zones/{zone}", self.project)),
            "networkInterfaces": [interface],
            "metadata": metadata,
            "fingerprint": self.fingerprint(),
            "labelFingerprint": self.fingerprint(),
            "cpuPlatform": "Intel Haswell",
        })
    }

    pub(crate) fn insert_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = format!("{}instances/{}", call.scope(), call.text("name"));
        self.is_free(&instance)?;
        let machine = name(call.text("machineType"));
        if machine.is_empty() || !machine.contains('-') {
            return Err(ApiError::invalid("resource.machineType", format!("'{machine}'. Unknown machine type.")));
        }
        let interface = &call.body["networkInterfaces"][0];
        self.network(interface["network"].as_str().unwrap_or("global/networks/default"))?;
        if interface.is_null() {
            return Err(ApiError::invalid("resource.networkInterfaces", "At least one network interface is required."));
        }
        let disks = self.disks_of_new(call, &instance)?;
        let mut said = self.said_of_instance(&call.body, call.parameter("zone"), "PROVISIONING");
        said["machineType"] = json!(link(&format!("{}machineTypes/{machine}", call.scope())));
        said["disks"] = Value::Array(disks);
        self.add(&instance, "compute#instance", &call.body, said);
        Ok(self.begin(call, "insert", &instance, OperationEffect::Run { instance: instance.clone() }))
    }

    /// The disks of a new instance. Those with `initializeParams` are created, and are deleted with it.
    fn disks_of_new(&mut self, call: &MethodCall, instance: &str) -> Result<Vec<Value>, ApiError> {
        let asked = call.body["disks"].as_array().cloned().unwrap_or_default();
        if !asked.iter().any(|disk| disk["boot"] == true) {
            return Err(ApiError::invalid("resource.disks", "A boot disk must be specified."));
        }
        let mut disks = Vec::new();
        for (index, asked) in asked.into_iter().enumerate() {
            let disk = match asked["source"].as_str() {
                Some(source) => self.free_disk(source)?,
                None => self.boot_disk(call, &asked, name(instance))?,
            };
            disks.push(attached(&asked, &disk, index));
            self.set(&disk, "users", vec![link(instance)]);
        }
        Ok(disks)
    }

    /// A disk that is not attached.
    fn free_disk(&self, source: &str) -> Result<String, ApiError> {
        let disk = self.path_of(source);
        let found = self.get(&disk)?;
        match found["users"][0].as_str() {
            Some(user) => Err(ApiError::in_use(&disk, &self.path_of(user))),
            None if found["status"] != "READY" => Err(ApiError::not_ready(&disk)),
            None => Ok(disk),
        }
    }

    fn boot_disk(&mut self, call: &MethodCall, asked: &Value, instance: &str) -> Result<String, ApiError> {
        let wanted = &asked["initializeParams"];
        let image = self.image(wanted["sourceImage"].as_str().unwrap_or_default())?;
        let disk = format!("{}disks/{}", call.scope(), wanted["diskName"].as_str().unwrap_or(instance));
        self.is_free(&disk)?;
        let size = wanted["diskSizeGb"].as_str().unwrap_or("10");
        let kind = name(wanted["diskType"].as_str().unwrap_or("pd-standard"));
        let said = json!({
            "status": "READY",
            "sizeGb": size,
            "type": link(&format!("{}diskTypes/{kind}", call.scope())),
            "zone": link(call.scope().trim_end_matches('/')),
            "sourceImage": link(&image),
        });
        self.add(&disk, "compute#disk", &json!({"name": name(&disk)}), said);
        self.make_disk(&disk, None).map_err(|why| ApiError::new(500, "internalError", why))?;
        Ok(disk)
    }

    pub(crate) fn run_instance(&mut self, instance: &str) -> Result<(), String> {
        for disk in self.disks_of(instance) {
            self.show(instance, &disk)?;
        }
        let now = self.timestamp();
        self.set(instance, "lastStartTimestamp", now);
        self.set(instance, "status", "RUNNING");
        Ok(())
    }

    pub(crate) fn start_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        match self.get(&instance)?["status"].as_str() {
            Some("TERMINATED") => self.set(&instance, "status", "STAGING"),
            Some("RUNNING") => {}
            _ => return Err(ApiError::not_ready(&instance)),
        }
        Ok(self.begin(call, "start", &instance, OperationEffect::Run { instance: instance.clone() }))
    }

    pub(crate) fn resume_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        if self.get(&instance)?["status"] != "SUSPENDED" {
            return Err(ApiError::not_ready(&instance));
        }
        self.set(&instance, "status", "STAGING");
        Ok(self.begin(call, "resume", &instance, OperationEffect::Run { instance: instance.clone() }))
    }

    pub(crate) fn stop_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        self.end_instance(call, "stop", "STOPPING", "TERMINATED")
    }

    pub(crate) fn suspend_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        self.end_instance(call, "suspend", "SUSPENDING", "SUSPENDED")
    }

    /// Stops, suspends or deletes a running instance.
    fn end_instance(&mut self, call: &MethodCall, kind: &str, meanwhile: &str, then: &str) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        if self.get(&instance)?["status"] == "RUNNING" {
            self.set(&instance, "status", meanwhile);
        }
        let effect = OperationEffect::Halt { instance: instance.clone(), status: then.to_owned() };
        Ok(self.begin(call, kind, &instance, effect))
    }

    pub(crate) fn halt_instance(&mut self, instance: &str, status: &str) -> Result<(), String> {
        for disk in self.disks_of(instance) {
            self.hide(instance, &disk)?;
        }
        self.set(instance, "status", status);
        Ok(())
    }

    pub(crate) fn delete_instance(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        self.get(&instance)?;
        self.set(&instance, "status", "STOPPING");
        Ok(self.begin(call, "delete", &instance, OperationEffect::RemoveInstance { instance: instance.clone() }))
    }

    pub(crate) fn remove_instance(&mut self, instance: &str) -> Result<(), String> {
        for disk in self.disks_of(instance) {
            self.hide(instance, &disk)?;
            let source = self.path_of(disk["source"].as_str().unwrap_or_default());
            self.free(&source);
            if disk["autoDelete"] == true {
                self.remove_disk(&source)?;
            }
        }
        self.state.resources.remove(instance);
        Ok(())
    }

    pub(crate) fn attach_disk(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        let found = self.get(&instance)?;
        if !matches!(found["status"].as_str(), Some("RUNNING" | "TERMINATED")) {
            return Err(ApiError::not_ready(&instance));
        }
        let source = call.text("source");
        if source.is_empty() {
            return Err(ApiError::invalid("source", "must be specified."));
        }
        let disk = self.free_disk(source)?;
        if !disk.starts_with(&call.scope()) {
            return Err(ApiError::invalid("source", "The disk is in another zone than the instance."));
        }
        let disks = self.disks_of(&instance);
        if disks.len() >= MOST_DISKS {
            return Err(ApiError::new(403, "limitExceeded", format!("an instance takes {MOST_DISKS} disks")));
        }
        let attached = attached(&call.body, &disk, disks.len());
        let taken = disks.iter().any(|other| other["deviceName"] == attached["deviceName"]);
        if taken {
            return Err(ApiError::invalid("deviceName", format!("{} is already in use.", attached["deviceName"])));
        }
        // The disk counts as attached from now on, or two instances could attach it at the same time.
        self.set(&disk, "users", vec![link(&instance)]);
        Ok(self.begin(call, "attachDisk", &instance, OperationEffect::Attach { instance: instance.clone(), attached }))
    }

    pub(crate) fn attach(&mut self, instance: &str, attached: &Value, with_device: bool) -> Result<(), String> {
        if let Some(disks) = self.state.resources.get_mut(instance).and_then(|found| found["disks"].as_array_mut()) {
            disks.push(attached.clone());
        }
        let runs = self.state.resources.get(instance).is_some_and(|found| found["status"] == "RUNNING");
        if runs && with_device { self.show(instance, attached) } else { Ok(()) }
    }

    pub(crate) fn detach_disk(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        self.get(&instance)?;
        let device_name = call.parameter("deviceName").to_owned();
        if !self.disks_of(&instance).iter().any(|disk| disk["deviceName"] == device_name.as_str()) {
            return Err(ApiError::invalid(
                "deviceName",
                format!("No attached disk found with device name '{device_name}'"),
            ));
        }
        Ok(self.begin(
            call,
            "detachDisk",
            &instance,
            OperationEffect::Detach { instance: instance.clone(), device_name },
        ))
    }

    pub(crate) fn detach(&mut self, instance: &str, device_name: &str) -> Result<(), String> {
        let found = self.disks_of(instance).into_iter().find(|disk| disk["deviceName"] == device_name);
        let Some(disk) = found else { return Ok(()) };
        self.hide(instance, &disk)?;
        if let Some(disks) = self.state.resources.get_mut(instance).and_then(|found| found["disks"].as_array_mut()) {
            disks.retain(|disk| disk["deviceName"] != device_name);
        }
        let source = self.path_of(disk["source"].as_str().unwrap_or_default());
        self.free(&source);
        Ok(())
    }

    pub(crate) fn set_metadata(&mut self, call: &MethodCall) -> CloudAnswer {
        let instance = call.path("instances", "instance");
        if self.get(&instance)?["metadata"]["fingerprint"] != call.body["fingerprint"] {
            return Err(ApiError::condition_not_met("metadata"));
        }
        let mut metadata = call.body.clone();
        metadata["kind"] = json!("compute#metadata");
        metadata["fingerprint"] = self.fingerprint();
        self.set(&instance, "metadata", metadata);
        Ok(self.begin(call, "setMetadata", &instance, OperationEffect::Nothing))
    }

    fn disks_of(&self, instance: &str) -> Vec<Value> {
        let found = self.state.resources.get(instance);
        found.and_then(|found| found["disks"].as_array()).cloned().unwrap_or_default()
    }

    /// Marks a disk as not attached.
    pub(super) fn free(&mut self, disk: &str) {
        if let Some(members) = self.state.resources.get_mut(disk).and_then(Value::as_object_mut) {
            members.remove("users");
        }
    }

    /// The device of a disk appears on an instance.
    fn show(&mut self, instance: &str, attached: &Value) -> Result<(), String> {
        let disk = self.path_of(attached["source"].as_str().unwrap_or_default());
        self.devices.attach(name(instance), &disk, attached["deviceName"].as_str().unwrap_or_default())
    }

    /// Makes the device of a disk disappear.
    fn hide(&mut self, instance: &str, attached: &Value) -> Result<(), String> {
        let disk = self.path_of(attached["source"].as_str().unwrap_or_default());
        self.devices.detach(name(instance), &disk, attached["deviceName"].as_str().unwrap_or_default())
    }
}

/// A disk as an instance shows it.
fn attached(asked: &Value, disk: &str, index: usize) -> Value {
    let mut attached = json!({
        "kind": "compute#attachedDisk",
        "source": link(disk),
        "deviceName": asked["deviceName"].as_str().map_or(format!("persistent-disk-{index}"), str::to_owned),
        "index": index,
        "type": "PERSISTENT",
        "mode": asked["mode"].as_str().unwrap_or("READ_WRITE"),
        "boot": asked["boot"] == true,
        "interface": "SCSI",
    });
    attached["autoDelete"] = json!(asked["autoDelete"] == true);
    attached
}
