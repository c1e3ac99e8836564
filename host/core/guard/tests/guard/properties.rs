//! Properties of all requests.

use hostler_guard::{EngineRequest, GuardVerdict, RequestedBy};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::harness::{Given, allowed, body, image_and};

const NAME: &str = "/containers/create?name=web.container.1";

fn resource() -> Given {
    image_and(&[("volume_mounts", "/srv/a:/a:ro"), ("netns", "none"), ("run_args", "--cap-drop ALL -e A=1")])
}

/// The body that its driver would send.
fn fair() -> Value {
    body("web", json!({"Env": ["A=1"]}), json!({"Binds": ["/srv/a:/a:ro"], "NetworkMode": "none", "CapDrop": ["ALL"]}))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        Just(json!("host")),
        Just(json!("/:/host")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Members of the API that say whether a container is confined.
fn member() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Privileged",
        "Binds",
        "Mounts",
        "Devices",
        "DeviceCgroupRules",
        "DeviceRequests",
        "CapAdd",
        "SecurityOpt",
        "PidMode",
        "IpcMode",
        "UTSMode",
        "UsernsMode",
        "CgroupnsMode",
        "CgroupParent",
        "Cgroup",
        "Runtime",
        "VolumesFrom",
        "PortBindings",
        "PublishAllPorts",
        "Sysctls",
        "MaskedPaths",
        "ReadonlyPaths",
        "GroupAdd",
        "Links",
        "OomScoreAdj",
        "StorageOpt",
        "Tmpfs",
        "VolumeDriver",
        "Ulimits",
        "Annotations",
        "Isolation",
        "CredentialSpec",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[A-Za-z]{1,16}"]
}

fn host_of(verdict: GuardVerdict) -> Option<Value> {
    match verdict {
        GuardVerdict::Forward(forward) => {
            let mut sent: Value = serde_json::from_slice(&forward.body).unwrap();
            Some(sent["HostConfig"].take())
        }
        _ => None,
    }
}

proptest! {
    /// No value of a member that the keywords do not determine makes the container mightier.
    #[test]
    fn no_member_makes_a_container_mightier(name in member(), value in value()) {
        const HARMLESS: [&str; 9] =
            ["AutoRemove", "Init", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "SecurityOpt", "IpcMode", "CgroupnsMode"];
        let plain = host_of(resource().create_body(fair())).unwrap();
        let mut body = fair();
        body["HostConfig"][&name] = value.clone();
        if let Some(mut host) = host_of(resource().create_body(body)) {
            for harmless in HARMLESS {
                host.as_object_mut().unwrap().remove(harmless);
            }
            // A missing member makes it less mighty; another number, or a member that narrows it, does not make it more so.
            let narrowing = ["CapDrop", "ReadonlyRootfs", "LogConfig", "CpusetCpus", "CpusetMems"];
            for (member, said) in host.as_object().unwrap() {
                let is_more = plain[member] != *said && !said.is_number() && !narrowing.contains(&member.as_str());
                prop_assert!(!is_more, "{name}: {value} makes {member} {said}");
            }
        }
    }

    /// A request that is let through is in its final form: judged again, it is let through unchanged.
    #[test]
    fn a_forwarded_request_is_forwarded_again(name in member(), value in value()) {
        let mut body = fair();
        body["HostConfig"][&name] = value;
        if let GuardVerdict::Forward(first) = resource().create_body(body) {
            let again = allowed(resource().judge("POST", &first.target, &first.body));
            prop_assert_eq!(again, *first);
        }
    }

    #[test]
    fn no_request_is_too_odd_to_be_judged(
        method in "[A-Z]{0,6}",
        target in "(/v1\\.[0-9]{2})?(/[a-zA-Z0-9%._:-]{0,10}){0,4}(\\?[ -~]{0,20})?",
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let request = EngineRequest { method: &method, target: &target, headers: &[], body: &body, asked: RequestedBy::Action };
        let _ = resource().judge_request(&request);
    }

    /// A path that is let through is the engine's own spelling: no escape, no dots, no double slash.
    #[test]
    fn paths_that_are_let_through_are_plain(name in "[ -~]{1,16}") {
        let verdict = resource().judge("POST", &format!("/containers/{name}/start"), b"");
        if let GuardVerdict::Forward(forward) = verdict {
            prop_assert!(forward.target.starts_with("/containers/1111") && !forward.target.contains(['%', '?']));
        }
    }

    #[test]
    fn bodies_of_any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = resource().judge("POST", NAME, &bytes);
    }
}
