//! The promises of the stand-in: tokens that expire, operations that take their time, requests that are done once, errors on
//! demand, and a state that outlives the program.

mod program;

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_gce::cloud::{EmulatedCloud, FaultRule, InjectedFault};
use hostler_gce::{ApiGateway, GatewayRequest, NoDevices};
use program::Emulator;
use serde_json::{Value, json};

const ZONE: &str = "/compute/v1/projects/p/zones/europe-west1-b";

/// The stand-in and a clock.
struct Bench {
    gateway: ApiGateway,
    now: Duration,
    token: String,
}

impl Bench {
    fn new() -> Bench {
        let mut cloud = EmulatedCloud::new("p", Box::new(NoDevices));
        cloud.add_instance("n1", "europe-west1-b");
        let mut bench = Bench { gateway: ApiGateway::new(cloud), now: Duration::ZERO, token: String::new() };
        bench.token = bench.fresh_token();
        bench
    }

    fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> Option<(u16, Value)> {
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = GatewayRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body,
            instance: Some("n1".to_owned()),
        };
        let response = self.gateway.answer(&request, self.now)?;
        let text = String::from_utf8(response.body).unwrap();
        Some((response.status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn api(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token);
        self.send(method, &format!("{ZONE}{path}"), &[("authorization", &bearer)], &body).unwrap()
    }

    fn metadata(&mut self, path: &str) -> (u16, Value) {
        self.send("GET", &format!("/computeMetadata/v1/{path}"), &[("metadata-flavor", "Google")], &Value::Null)
            .unwrap()
    }

    fn fresh_token(&mut self) -> String {
        let (status, answer) = self.metadata("instance/service-accounts/default/token");
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The reason of a refusal.
    fn refused(&mut self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.api(method, path, body);
        (status, answer["error"]["errors"][0]["reason"].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
fn the_metadata_server_speaks_to_those_who_ask_as_they_should() {
    let mut bench = Bench::new();
    let (status, _) = bench.send("GET", "/computeMetadata/v1/instance/name", &[], &Value::Null).unwrap();
    assert_eq!(status, 403);
    for (path, expected) in [
        ("instance/name", "n1"),
        ("instance/zone", "projects/123456789012/zones/europe-west1-b"),
        ("project/project-id", "p"),
    ] {
        // Every text that parses as a number would count as one.
        assert_eq!(bench.metadata(path), (200, json!(expected)), "{path}");
    }
    assert_eq!(bench.metadata("instance/attributes/x").0, 404);
}

#[test]
fn a_token_expires_and_can_be_revoked() {
    let mut bench = Bench::new();
    assert_eq!(bench.api("GET", "/disks", Value::Null).0, 200);
    assert_eq!(bench.fresh_token(), bench.token, "the same one while it is good");
    bench.now = Duration::from_secs(3400);
    assert_ne!(bench.fresh_token(), bench.token, "another one shortly before its end");
    assert_eq!(bench.api("GET", "/disks", Value::Null).0, 200, "the former one is good until then");
    bench.now = Duration::from_secs(3601);
    assert_eq!(bench.refused("GET", "/disks", Value::Null), (401, "authError".to_owned()));
    bench.token = bench.fresh_token();
    bench.gateway.tokens.revoke();
    assert_eq!(bench.refused("GET", "/disks", Value::Null), (401, "authError".to_owned()));
}

#[test]
fn an_operation_takes_its_time() {
    let mut bench = Bench::new();
    let (_, operation) = bench.api("POST", "/disks", json!({"name": "d", "sizeGb": "1"}));
    let path = format!("/operations/{}", operation["name"].as_str().unwrap());
    let disk = |bench: &mut Bench| bench.api("GET", "/disks/d", Value::Null).1["status"].clone();
    assert_eq!((&operation["status"], disk(&mut bench)), (&json!("PENDING"), json!("CREATING")));
    assert_eq!(bench.api("GET", &path, Value::Null).1["status"], "RUNNING");
    assert_eq!(
        bench.refused("POST", "/disks/d/createSnapshot", json!({"name": "s"})),
        (400, "resourceNotReady".to_owned())
    );
    let (_, done) = bench.api("GET", &path, Value::Null);
    assert_eq!((&done["status"], disk(&mut bench)), (&json!("DONE"), json!("READY")));
    // An operation finishes even if it is never polled.
    bench.api("DELETE", "/disks/d", Value::Null);
    bench.now = Duration::from_secs(3);
    assert_eq!(bench.api("GET", "/disks/d", Value::Null).0, 404);
}

#[test]
fn a_request_with_an_id_is_done_once() {
    let mut bench = Bench::new();
    let path = "/disks?requestId=6b9c1d3e-0000-4000-8000-000000000001";
    let first = bench.api("POST", path, json!({"name": "d", "sizeGb": "1"}));
    assert_eq!(bench.api("POST", path, json!({"name": "d", "sizeGb": "1"})), first);
    assert_eq!(bench.refused("POST", "/disks", json!({"name": "d", "sizeGb": "1"})), (409, "alreadyExists".to_owned()));
    assert_eq!(bench.refused("POST", "/disks?requestId=x", json!({"name": "e"})), (400, "invalid".to_owned()));
}

#[test]
fn operations_that_are_long_done_are_forgotten() {
    let mut bench = Bench::new();
    let stuck = FaultRule { method: "disks.insert".to_owned(), fault: InjectedFault::Stuck, times: 1 };
    bench.gateway.cloud.faults.add(stuck);
    let begun = |bench: &mut Bench, disk: usize| {
        let path = format!("/disks?requestId=6b9c1d3e-0000-4000-8000-{disk:012}");
        let (status, operation) = bench.api("POST", &path, json!({"name": format!("d{disk}"), "sizeGb": "1"}));
        assert_eq!(status, 200, "{operation}");
        format!("/operations/{}", operation["name"].as_str().unwrap())
    };
    let finished = |bench: &mut Bench, disk: usize| {
        let operation = begun(bench, disk);
        assert_eq!(bench.api("POST", &format!("{operation}/wait"), Value::Null).0, 200);
        operation
    };
    let stuck = begun(&mut bench, 1);
    let early = finished(&mut bench, 2);
    let late = (3..400).map(|disk| finished(&mut bench, disk)).last().unwrap();
    assert_eq!([stuck, early, late].map(|operation| bench.api("GET", &operation, Value::Null).0), [200, 404, 200]);
    let state = serde_json::to_value(bench.gateway.cloud.state()).unwrap();
    for kind in ["operations", "requests"] {
        let left = state[kind].as_object().unwrap().len();
        assert!(left < 200, "{left} {kind}");
    }
}

#[test]
fn a_request_that_the_document_does_not_describe_is_refused() {
    let mut bench = Bench::new();
    for (method, path, body, status) in [
        ("POST", "/disks", json!({"name": "d", "sizeGb": 1}), 400),
        ("POST", "/disks", json!({"name": "D"}), 400),
        ("POST", "/disks?force=true", json!({"name": "d"}), 400),
        ("POST", "/disks", json!({"name": "d", "type": "zones/europe-west1-b/diskTypes/floppy"}), 400),
        ("POST", "/instances/n1/attachDisk", json!({"source": "zones/europe-west1-b/disks/none"}), 404),
        ("POST", "/instances/n1/detachDisk", Value::Null, 400),
        ("PUT", "/disks/d", json!({}), 405),
        ("GET", "/floppies", Value::Null, 404),
    ] {
        assert_eq!(bench.api(method, path, body.clone()).0, status, "{method} {path} {body}");
    }
}

#[test]
fn a_fault_occurs_as_often_as_requested() {
    let mut bench = Bench::new();
    for (fault, status, reason) in [
        (InjectedFault::Unavailable, 503, "backendError"),
        (InjectedFault::RateLimit, 403, "rateLimitExceeded"),
        (InjectedFault::Quota, 403, "quotaExceeded"),
        (InjectedFault::Forbidden, 403, "forbidden"),
        (InjectedFault::ExpiredToken, 401, "authError"),
        (InjectedFault::NotFound, 404, "notFound"),
        (InjectedFault::AlreadyExists, 409, "alreadyExists"),
        (InjectedFault::InUse, 400, "resourceInUseByAnotherResource"),
        (InjectedFault::NotReady, 400, "resourceNotReady"),
        (InjectedFault::ConditionNotMet, 412, "conditionNotMet"),
    ] {
        bench.gateway.cloud.faults.add(FaultRule { method: "disks.list".to_owned(), fault, times: 2 });
        for _ in 0..2 {
            assert_eq!(bench.refused("GET", "/disks", Value::Null), (status, reason.to_owned()));
        }
        assert_eq!(bench.api("GET", "/disks", Value::Null).0, 200);
    }
    let injected =
        bench.send("POST", "/control/faults", &[], &json!({"method": "disks.insert", "fault": "late-quota"}));
    assert_eq!(injected.unwrap().0, 200);
    let (_, operation) = bench.api("POST", "/disks", json!({"name": "d", "sizeGb": "1"}));
    let (_, failed) =
        bench.api("POST", &format!("/operations/{}/wait", operation["name"].as_str().unwrap()), Value::Null);
    assert_eq!(
        (&failed["error"]["errors"][0]["code"], &failed["httpErrorStatusCode"]),
        (&json!("QUOTA_EXCEEDED"), &json!(403))
    );
    assert_eq!(bench.api("GET", "/disks/d", Value::Null).0, 404, "nothing is left of it");
}

#[test]
fn a_response_can_be_lost_although_the_request_is_done() {
    let mut bench = Bench::new();
    bench.gateway.cloud.faults.add(FaultRule {
        method: "disks.insert".to_owned(),
        fault: InjectedFault::Lost,
        times: 1,
    });
    let bearer = format!("Bearer {}", bench.token);
    let body = json!({"name": "d", "sizeGb": "1"});
    assert_eq!(bench.send("POST", &format!("{ZONE}/disks"), &[("authorization", &bearer)], &body), None);
    assert_eq!(bench.api("GET", "/disks/d", Value::Null).0, 200);
}

#[test]
fn the_state_outlives_the_program() {
    let emulator = Emulator::start(&["--instance", "n1"]);
    assert!(emulator.get("/control/resources").contains("/instances/n1"));
    assert!(emulator.metadata("n1").starts_with("http://127.0.0.1:"));
    let body = json!({"method": "*", "fault": "quota"}).to_string();
    assert!(emulator.post("/control/faults", &body).starts_with("HTTP/1.1 200"));
    let directory = emulator.stop();
    let again = Emulator::start_on(directory, &["--instance", "n2"]);
    let resources = again.get("/control/resources");
    assert!(resources.contains("/instances/n1") && resources.contains("/instances/n2"), "{resources}");
}
