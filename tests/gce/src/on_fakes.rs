//! The emulator behind the fakes of the SDK: for a driver's own tests, without a socket and without a device.
//!
//! The fake host is the instance `n1`; `n2` runs as well. Time is the fake host's, so an operation needs as many polls as on the
//! real service, but no real time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hostler_family_gce as gce;
use hostler_sdk::fake::{Host, ServerRequest, ServerResponse};
use hostler_sdk::{CapabilityError, clock};
use serde_json::{Value, json};

use crate::cloud::{EmulatedCloud, FaultRule, InjectedFault};
use crate::{ApiGateway, DeviceBackend, GatewayRequest, GatewayResponse};

const ROOT: &str = "http://127.0.0.1:8480";

/// A change of devices that is to be made on the fake host.
#[derive(Debug)]
enum DeviceEvent {
    Appears(String, u64),
    Goes(String),
}

/// A cloud and the fake host that is an instance of it.
#[derive(Clone)]
pub struct FakeCloud {
    gateway: Rc<RefCell<ApiGateway>>,
    /// The instance `n1`.
    pub host: Host,
}

impl FakeCloud {
    /// A cloud with the instances `n1` and `n2`, and nothing else.
    pub fn new(host: Host) -> FakeCloud {
        let events: Arc<Mutex<Vec<DeviceEvent>>> = Arc::default();
        let devices = FakeDevices { events: events.clone(), sizes: BTreeMap::new() };
        let mut cloud = EmulatedCloud::new("stand-in", Box::new(devices));
        cloud.add_instance("n1", "europe-west1-b");
        cloud.add_instance("n2", "europe-west1-b");
        let gateway = Rc::new(RefCell::new(ApiGateway::new(cloud)));
        let shared = gateway.clone();
        let host = host.server(ROOT, move |asked| serve(&shared, &events, asked));
        FakeCloud { gateway, host }
    }

    /// The keywords that make a driver use this cloud.
    pub fn keywords() -> gce::CloudKeywords {
        gce::CloudKeywords {
            gce_endpoint: Some(format!("{ROOT}/compute/v1")),
            gce_metadata: Some(format!("{ROOT}/computeMetadata/v1")),
            ..gce::CloudKeywords::default()
        }
    }

    /// Injects a fault, `times` times.
    #[must_use]
    pub fn with(self, method: &str, fault: InjectedFault, times: u32) -> FakeCloud {
        self.gateway.borrow_mut().cloud.faults.add(FaultRule { method: method.to_owned(), fault, times });
        self
    }

    /// Clears all faults.
    pub fn heal(&self) {
        let cloud = &mut self.gateway.borrow_mut().cloud;
        cloud.faults.clear();
        cloud.unstick();
    }

    /// Invalidates all tokens.
    pub fn revoke(&self) {
        self.gateway.borrow_mut().tokens.revoke();
    }

    /// How many tokens were issued.
    pub fn tokens(&self) -> u64 {
        self.gateway.borrow().tokens.given()
    }

    /// Sets how long a token is valid.
    pub fn token_lifetime(&self, lifetime: Duration) {
        self.gateway.borrow_mut().tokens.lifetime = lifetime;
    }

    /// The methods that were called: `disks.insert`.
    pub fn called(&self) -> Vec<String> {
        self.gateway.borrow().called.clone()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.gateway.borrow_mut().called.clear();
    }

    /// A resource by its path within the project.
    pub fn resource(&self, path: &str) -> Option<Value> {
        let path = format!("projects/stand-in/{path}");
        self.gateway.borrow().cloud.resources().find(|(known, _)| **known == path).map(|(_, found)| found.clone())
    }

    /// Changes the cloud as another user would, and waits until it is done.
    pub fn change(&self, method: &str, path: &str, body: &Value) {
        let answer = self.host.enter(|| {
            use hostler_sdk::http::HttpRequest;
            let token =
                HttpRequest::new("GET", format!("{ROOT}/computeMetadata/v1/instance/service-accounts/default/token"));
            let token = token.header("Metadata-Flavor", "Google").send().expect("a token").json().expect("a token");
            let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
            let mut request = HttpRequest::new(method, format!("{ROOT}/compute/v1/projects/stand-in/{path}"));
            if !body.is_null() {
                request = request.json(body);
            }
            let operation = request.header("Authorization", bearer.clone()).send().expect("an answer");
            assert!(operation.succeeded(), "{}", operation.text());
            let operation = operation.json().expect("an operation");
            let operation = gce::path_of(&operation["selfLink"]).to_owned();
            let wait = HttpRequest::new("POST", format!("{ROOT}/compute/v1/projects/stand-in/{operation}/wait"));
            wait.header("Authorization", bearer).send().expect("an answer").json().expect("an operation")
        });
        assert!(answer.get("error").is_none(), "{answer}");
    }

    /// Adds a disk. If an instance is named, the disk is attached to it as `taken-NAME`.
    #[must_use]
    pub fn disk(self, name: &str, gb: u64, user: Option<&str>) -> FakeCloud {
        self.change("POST", "zones/europe-west1-b/disks", &json!({"name": name, "sizeGb": gb.to_string()}));
        if let Some(user) = user {
            let source = format!("zones/europe-west1-b/disks/{name}");
            let path = format!("zones/europe-west1-b/instances/{user}/attachDisk");
            self.change("POST", &path, &json!({"source": source, "deviceName": format!("taken-{name}")}));
        }
        self.forget_calls();
        self
    }
}

fn serve(
    gateway: &RefCell<ApiGateway>,
    events: &Mutex<Vec<DeviceEvent>>,
    asked: &ServerRequest<'_>,
) -> Result<ServerResponse, CapabilityError> {
    let request = GatewayRequest {
        method: asked.method.to_owned(),
        target: asked.to.trim_start_matches(ROOT).to_owned(),
        headers: asked.headers.clone(),
        body: asked.body.to_vec(),
        instance: Some("n1".to_owned()),
    };
    let answer = gateway.borrow_mut().answer(&request, clock::since_boot());
    for event in events.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        match event {
            DeviceEvent::Appears(device, bytes) => drop(asked.host.clone().device(&device, bytes)),
            DeviceEvent::Goes(device) => asked.host.remove_device(&device),
        }
    }
    match answer {
        Some(GatewayResponse { status, body, .. }) => Ok(ServerResponse { status, headers: Vec::new(), body }),
        None => Err(CapabilityError::Other(format!(
            "the request failed: {} {}: the connection broke",
            asked.method, asked.to
        ))),
    }
}

/// Devices of the fake host.
struct FakeDevices {
    events: Arc<Mutex<Vec<DeviceEvent>>>,
    sizes: BTreeMap<String, u64>,
}

impl FakeDevices {
    fn happen(&self, event: DeviceEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl DeviceBackend for FakeDevices {
    fn make(&mut self, disk: &str, gb: u64, _: Option<&str>) -> Result<(), String> {
        self.sizes.insert(disk.to_owned(), gb << 30);
        Ok(())
    }

    fn grow(&mut self, disk: &str, gb: u64) -> Result<(), String> {
        self.sizes.insert(disk.to_owned(), gb << 30);
        Ok(())
    }

    fn remove(&mut self, disk: &str) -> Result<(), String> {
        self.sizes.remove(disk);
        Ok(())
    }

    fn snapshot(&mut self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn attach(&mut self, instance: &str, disk: &str, device_name: &str) -> Result<(), String> {
        if instance == "n1" {
            let bytes = self.sizes.get(disk).copied().unwrap_or(1 << 30);
            self.happen(DeviceEvent::Appears(format!("/dev/disk/by-id/google-{device_name}"), bytes));
        }
        Ok(())
    }

    fn detach(&mut self, instance: &str, _: &str, device_name: &str) -> Result<(), String> {
        if instance == "n1" {
            self.happen(DeviceEvent::Goes(format!("/dev/disk/by-id/google-{device_name}")));
        }
        Ok(())
    }
}
