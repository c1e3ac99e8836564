//! The driver against the stand-in of Google's cloud, on the SDK's fakes.

use hostler_gce::cloud::InjectedFault;
use hostler_gce::on_fakes::FakeCloud;
use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};
use serde_json::json;

use super::*;

fn machine() -> CloudMachine {
    CloudMachine {
        name: "web1".to_owned(),
        machine_type: "e2-small".to_owned(),
        image: Some("family/debian-12".to_owned()),
        image_project: Some("debian-cloud".to_owned()),
        boot_disk_size: None,
        boot_disk_type: None,
        disks: Vec::new(),
        network: "default".to_owned(),
        subnetwork: None,
        external_ip: false,
        can_ip_forward: false,
        service_account: "default".to_owned(),
        scopes: Vec::new(),
        metadata: Vec::new(),
        network_tags: Vec::new(),
        description: None,
        cloud: FakeCloud::keywords(),
    }
}

fn cloud() -> FakeCloud {
    FakeCloud::new(Host::new())
}

fn on(cloud: &FakeCloud) -> Case<CloudMachine> {
    given(machine()).on(&cloud.host)
}

const WEB1: &str = "zones/europe-west1-b/instances/web1";

#[test]
fn a_machine_is_made_stopped_started_and_deleted() {
    let cloud = cloud();
    on(&cloud)
        .status()
        .is(State::Down)
        .labelled("gce instance web1")
        .is_provisioned(false)
        .start()
        .fails_with("web1 does not exist: provision it first")
        .stop()
        .is_unchanged("web1 does not exist")
        .provision()
        .is_changed("made web1, a e2-small")
        .provision()
        .is_unchanged("web1 exists already")
        .status()
        .is(State::Up)
        .is_provisioned(true)
        .start()
        .is_unchanged("web1 already runs")
        .stop()
        .is_changed("web1 is stopped")
        .stop()
        .is_unchanged("web1 does not run")
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .start()
        .is_changed("web1 runs")
        .status()
        .is(State::Up)
        .unprovision()
        .is_changed("deleted web1")
        .unprovision()
        .is_unchanged("web1 does not exist");
    assert_eq!(cloud.resource("zones/europe-west1-b/disks/web1"), None, "the boot disk goes with it");
}

#[test]
fn the_keywords_determine_the_request() {
    let cloud = cloud().disk("web1-data", 10, None);
    let full = CloudMachine {
        boot_disk_size: Some(Size::mib(20 << 10)),
        boot_disk_type: Some("pd-ssd".to_owned()),
        disks: vec!["web1-data".to_owned()],
        subnetwork: Some("regions/europe-west1/subnetworks/web".to_owned()),
        external_ip: true,
        can_ip_forward: true,
        scopes: vec!["compute".to_owned(), "https://example.com/scope".to_owned()],
        metadata: vec!["role=web".to_owned(), "motd=a = b".to_owned()],
        network_tags: vec!["http-server".to_owned()],
        description: Some("the first".to_owned()),
        ..machine()
    };
    let case = given(full).on(&cloud.host).provision().is_changed("made web1, a e2-small");
    let made = cloud.resource(WEB1).unwrap();
    assert_eq!(made["canIpForward"], true);
    assert_eq!(made["metadata"]["items"][1], json!({"key": "motd", "value": "a = b"}));
    assert_eq!(
        made["serviceAccounts"][0]["scopes"],
        json!(["https://www.googleapis.com/auth/compute", "https://example.com/scope"])
    );
    assert_eq!(made["tags"]["items"], json!(["http-server"]));
    assert_eq!(made["networkInterfaces"][0]["accessConfigs"][0]["type"], "ONE_TO_ONE_NAT");
    assert_eq!(made["disks"][1]["deviceName"], "web1-data");
    assert_eq!(cloud.resource("zones/europe-west1-b/disks/web1").unwrap()["sizeGb"], "20");
    case.unprovision();
    assert!(cloud.resource("zones/europe-west1-b/disks/web1-data").is_some(), "a disk of its own outlives it");
}

#[test]
fn a_machine_on_its_way_is_a_warning_and_is_waited_for() {
    let cloud = cloud().with("instances.stop", InjectedFault::Stuck, 1);
    on(&cloud)
        .provision()
        .stop()
        .fails_with("cannot stop web1: stop of web1 is still under way at Google")
        .status()
        .is(State::Warn)
        .mentions("it is STOPPING")
        .start()
        .fails_with("web1 is still STOPPING: look again later")
        .then(|_| cloud.heal())
        .start()
        .is_changed("web1 runs");
}

#[test]
fn a_suspended_machine_is_down_and_resumes() {
    let cloud = cloud();
    let case = on(&cloud).provision();
    cloud.change("POST", &format!("{WEB1}/suspend"), &Value::Null);
    case.status()
        .is(State::Down)
        .mentions("it is suspended")
        .stop()
        .is_unchanged("web1 does not run")
        .start()
        .is_changed("web1 runs");
    assert!(cloud.called().contains(&"instances.resume".to_owned()));
}

#[test]
fn every_fault_is_a_sentence_and_a_second_try_converges() {
    for (method, fault, times, sentence) in [
        ("instances.insert", InjectedFault::Quota, 1, "cannot make web1: the quota of the project is exceeded"),
        ("instances.insert", InjectedFault::LateExhausted, 1, "cannot make web1: the zone has no resources left"),
        ("instances.insert", InjectedFault::LateQuota, 1, "cannot make web1: the quota of the project is exceeded"),
        ("instances.insert", InjectedFault::AlreadyExists, 1, "cannot make web1: Google says"),
        ("instances.insert", InjectedFault::RateLimit, 9, "cannot make web1: too many requests"),
        ("instances.get", InjectedFault::Unavailable, 9, "cannot look at web1: the Compute API has a problem"),
    ] {
        let cloud = cloud().with(method, fault, times);
        let case = on(&cloud).provision().fails_with(sentence).then(|_| cloud.heal());
        case.provision().is_changed("made web1, a e2-small").status().is(State::Up);
    }
    let cloud = cloud().with("instances.start", InjectedFault::LateExhausted, 1);
    let case = on(&cloud).provision().stop().start().fails_with("cannot start web1: the zone has no resources left");
    case.status().is(State::Down).start().is_changed("web1 runs");
    let cloud = self::cloud().with("instances.delete", InjectedFault::Forbidden, 1);
    on(&cloud)
        .provision()
        .unprovision()
        .fails_with("cannot delete web1: the instance's service account may not do this");
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    let down = || {
        let cloud = cloud();
        on(&cloud).provision().stop()
    };
    assert_eq!(stop_undoes_any_failed_start(down), 1);
}

#[test]
fn keywords_are_checked() {
    let wrong = CloudMachine { name: "Web".to_owned(), metadata: vec!["role".to_owned()], image: None, ..machine() };
    let name = "name \"Web\" is not a name for the Compute API: expected at most 63 lower case letters, digits and hyphens, a letter first";
    let case = given(wrong).on(&Host::new());
    case.validate()
        .finds(&[("name", name), ("metadata", "role is not KEY=VALUE")])
        .provision()
        .fails_with("is not a name");
    let imageless = CloudMachine { image: None, ..machine() };
    given(imageless).on(&cloud().host).provision().fails_with("image is not set: web1 cannot be made");
}
