//! The driver against the stand-in of Google's cloud, on the SDK's fakes.

use hostler_gce::cloud::InjectedFault;
use hostler_gce::on_fakes::FakeCloud;
use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};
use serde_json::Value;

use super::*;

fn volumes(names: &[&str]) -> CloudDisks {
    CloudDisks {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        size: Some(Size::mib(17 << 10)),
        disk_type: None,
        image: None,
        image_project: None,
        source_snapshot: None,
        description: None,
        device_timeout: Duration::from_secs(30),
        cloud: FakeCloud::keywords(),
    }
}

fn context() -> Context {
    let mut context = Context::fake("disk#01").with("nodes", "n1 n2").with("sid", "s");
    context.object = "spdsvc01".to_owned();
    context
}

fn on(cloud: &FakeCloud, names: &[&str]) -> Case<CloudDisks> {
    given(volumes(names)).with(context()).on(&cloud.host)
}

fn cloud() -> FakeCloud {
    FakeCloud::new(Host::new())
}

const POD1: &str = "zones/europe-west1-b/disks/spdsvc01-pod1";
const DEVICE: &str = "/dev/disk/by-id/google-spdsvc01.disk.01.0";

#[test]
fn a_disk_is_allocated_attached_detached_and_deleted() {
    let cloud = cloud();
    on(&cloud, &["spdsvc01-pod1"])
        .status()
        .is(State::Down)
        .labelled("gce volumes spdsvc01-pod1")
        .is_provisioned(false)
        .mentions("not allocated: spdsvc01-pod1")
        .start()
        .fails_with("spdsvc01-pod1 is not allocated in zones/europe-west1-b/disks/spdsvc01-pod1: provision it first")
        .provision()
        .is_changed("allocated spdsvc01-pod1 of 17g")
        .provision()
        .is_unchanged("spdsvc01-pod1 is allocated already")
        .start()
        .is_changed("attached spdsvc01-pod1")
        .start()
        .is_unchanged("spdsvc01-pod1 is already attached")
        .status()
        .is(State::Up)
        .is_provisioned(true)
        .is_silent()
        .exposes("device", DEVICE)
        .stop()
        .is_changed("detached spdsvc01-pod1")
        .stop()
        .is_unchanged("spdsvc01-pod1 is not attached here")
        .status()
        .is(State::Down)
        .unprovision()
        .is_changed("deleted spdsvc01-pod1")
        .unprovision()
        .is_unchanged("spdsvc01-pod1 is not allocated");
    assert_eq!(cloud.resource(POD1), None);
}

#[test]
fn several_disks_are_numbered() {
    let cloud = cloud();
    on(&cloud, &["a", "b"])
        .provision()
        .is_changed("allocated a of 17g, allocated b of 17g")
        .start()
        .is_changed("attached a b")
        .status()
        .exposes("device", DEVICE)
        .exposes("device", "/dev/disk/by-id/google-spdsvc01.disk.01.1");
    on(&cloud, &["b"])
        .status()
        .is(State::Warn)
        .mentions("b is attached as spdsvc01.disk.01.1, not as spdsvc01.disk.01.0");
    on(&cloud, &["b"]).start().fails_with("detach it");
    on(&cloud, &["a", "c"]).status().is(State::Warn).mentions("1 of 2 disks are attached");
}

#[test]
fn a_namespace_is_part_of_the_name() {
    let cloud = cloud().disk("a", 17, None);
    let mut context = context();
    context.object = "ns1/svc/web".to_owned();
    let case = given(volumes(&["a"])).with(context).on(&cloud.host);
    case.start().is_changed("attached a").status().exposes("device", "/dev/disk/by-id/google-ns1.web.disk.01.0");
}

#[test]
fn an_existing_disk_is_never_recreated_and_only_grows() {
    let cloud = cloud().disk("small", 5, None).disk("large", 50, None);
    on(&cloud, &["small", "large"]).provision().is_changed("grew small from 5 to 17 GB");
    let size = |name: &str| cloud.resource(&format!("zones/europe-west1-b/disks/{name}")).unwrap()["sizeGb"].clone();
    assert_eq!((size("small"), size("large")), ("17".into(), "50".into()));
    let unsized_ = CloudDisks { size: None, ..volumes(&["new"]) };
    given(unsized_).with(context()).on(&cloud.host).provision().fails_with("size is not set: new cannot be allocated");
}

#[test]
fn a_disk_begins_with_a_snapshot_or_an_image() {
    let cloud = cloud().disk("old", 20, None);
    cloud.change("POST", "zones/europe-west1-b/disks/old/createSnapshot", &serde_json::json!({"name": "before"}));
    let restored = CloudDisks { size: None, source_snapshot: Some("before".to_owned()), ..volumes(&["new"]) };
    given(restored).with(context()).on(&cloud.host).provision().is_changed("allocated new");
    assert_eq!(cloud.resource("zones/europe-west1-b/disks/new").unwrap()["sizeGb"], "20");
    let image = CloudDisks {
        image: Some("family/debian-12".to_owned()),
        image_project: Some("debian-cloud".to_owned()),
        disk_type: Some("pd-ssd".to_owned()),
        description: Some("a system".to_owned()),
        ..volumes(&["system"])
    };
    given(image).with(context()).on(&cloud.host).provision().is_changed("allocated system of 17g");
    let made = cloud.resource("zones/europe-west1-b/disks/system").unwrap();
    assert!(
        made["type"].as_str().unwrap().ends_with("/diskTypes/pd-ssd") && made["description"] == "a system",
        "{made}"
    );
    let absent = CloudDisks { source_snapshot: Some("absent".to_owned()), ..volumes(&["other"]) };
    given(absent)
        .with(context())
        .on(&cloud.host)
        .provision()
        .fails_with("cannot allocate other: Google says: The resource");
}

#[test]
fn a_disk_is_only_taken_from_an_instance_that_has_no_right_to_it() {
    let taken = || cloud().disk("spdsvc01-pod1", 17, Some("n2"));
    let pod = |cloud: &FakeCloud, context| given(volumes(&["spdsvc01-pod1"])).with(context).on(&cloud.host);
    let cloud = taken();
    pod(&cloud, context())
        .status()
        .is(State::Down)
        .mentions("spdsvc01-pod1 is attached to n2")
        .start()
        .fails_with(
            "spdsvc01-pod1 is attached to n2, which is RUNNING: stop the service there, or disable this resource there",
        )
        .unprovision()
        .fails_with("cannot delete spdsvc01-pod1: it is attached to n2");
    assert!(cloud.resource(POD1).unwrap()["users"][0].as_str().unwrap().ends_with("/n2"));
    for context in [
        context().with("disabled_nodes", "n2 n3"),
        context().with("disabled_nodes", "n2.example.net"),
        context().with("force", "true"),
    ] {
        pod(&taken(), context).start().is_changed("attached spdsvc01-pod1").status().is(State::Up);
    }
    let stopped = taken();
    stopped.change("POST", "zones/europe-west1-b/instances/n2/stop", &Value::Null);
    pod(&stopped, context()).start().is_changed("attached spdsvc01-pod1");
    let gone = taken();
    gone.change("DELETE", "zones/europe-west1-b/instances/n2", &Value::Null);
    pod(&gone, context()).start().is_changed("attached spdsvc01-pod1");
}

#[test]
fn a_disk_in_use_is_not_detached() {
    let cloud = cloud().disk("a", 17, None);
    let case = on(&cloud, &["a"]).start();
    case.then(|host| drop(host.clone().busy(DEVICE)))
        .stop()
        .fails_with("cannot detach a: a process has it open")
        .status()
        .is(State::Up)
        .unprovision()
        .fails_with("cannot detach a: a process has it open");
    assert!(cloud.resource("zones/europe-west1-b/disks/a").is_some());
}

#[test]
fn who_only_looks_at_a_device_is_waited_for() {
    let cloud = cloud().disk("a", 17, None);
    let case = on(&cloud, &["a"]).start();
    case.then(|host| drop(host.clone().busy_for(Duration::from_secs(1), DEVICE))).stop().is_changed("detached a");
}

#[test]
fn a_device_that_cannot_be_seen_any_more_may_be_in_use() {
    let cloud = cloud().disk("a", 17, None);
    let case = on(&cloud, &["a"]).start().then(|host| assert!(host.release_device(DEVICE)));
    case.stop().fails_with(&format!(
        "cannot detach a: {DEVICE} was there and is gone, so it cannot be determined whether it is in use"
    ));
    let forced = given(volumes(&["a"])).with(context().with("force", "true")).on(&cloud.host);
    forced.stop().is_changed("detached a");
}

#[test]
fn a_device_that_does_not_appear_is_a_sentence_and_a_second_try_converges() {
    let cloud = cloud().disk("a", 17, None).with("instances.attachDisk", InjectedFault::NoDevice, 1);
    on(&cloud, &["a"])
        .start()
        .fails_with(
            "a is attached, but /dev/disk/by-id/google-spdsvc01.disk.01.0 did not appear within 30s: does udev run",
        )
        .status()
        .is(State::Warn)
        .mentions("a is attached, but there is no /dev/disk/by-id/google-spdsvc01.disk.01.0")
        .then(|host| drop(host.clone().device(DEVICE, 17 << 30)))
        .start()
        .is_unchanged("a is already attached")
        .status()
        .is(State::Up);
}

#[test]
fn every_fault_is_a_sentence_and_a_second_try_converges() {
    for (method, fault, times, sentence) in [
        (
            "disks.insert",
            InjectedFault::Quota,
            1,
            "cannot allocate a: the quota of the project is exceeded: Quota 'DISKS_TOTAL_GB'",
        ),
        (
            "disks.insert",
            InjectedFault::LateQuota,
            1,
            "cannot allocate a: the quota of the project is exceeded: Quota 'DISKS_TOTAL_GB'",
        ),
        ("disks.insert", InjectedFault::LateExhausted, 1, "cannot allocate a: the zone has no resources left"),
        (
            "disks.insert",
            InjectedFault::LateInternal,
            1,
            "cannot allocate a: the Compute API has a problem: Internal error",
        ),
        ("disks.insert", InjectedFault::Forbidden, 1, "may not do this: Required 'compute.disks.insert' permission"),
        (
            "disks.insert",
            InjectedFault::Unavailable,
            9,
            "the Compute API has a problem: The service is currently unavailable. (try again)",
        ),
        ("disks.insert", InjectedFault::RateLimit, 9, "cannot allocate a: too many requests"),
        ("disks.insert", InjectedFault::ExpiredToken, 9, "does not take the token of the instance's service account"),
        ("disks.insert", InjectedFault::Stuck, 1, "allocating a is still under way at Google"),
        ("instances.attachDisk", InjectedFault::InUse, 1, "cannot attach a: Google says"),
        ("instances.attachDisk", InjectedFault::NotReady, 9, "cannot attach a: Google says"),
        ("instances.attachDisk", InjectedFault::LateInternal, 1, "cannot attach a: the Compute API has a problem"),
        ("instances.attachDisk", InjectedFault::NotFound, 1, "cannot attach a: Google says: The resource"),
        ("instances.get", InjectedFault::Unavailable, 9, "the Compute API has a problem"),
    ] {
        let cloud = cloud().with(method, fault, times);
        let provisioned = on(&cloud, &["a"]).provision();
        let failed = if method.starts_with("disks") { provisioned } else { provisioned.start() };
        let healed = failed.fails_with(sentence).then(|_| cloud.heal()).provision().start();
        healed.status().is(State::Up).stop().unprovision().status().is(State::Down).is_provisioned(false);
    }
}

#[test]
fn changes_made_before_a_failure_are_reported() {
    let cloud = cloud().disk("b", 17, Some("n2")).disk("c", 17, None);
    let logged = |text: &str| cloud.host.log().iter().any(|line| line.text == text);
    let case = on(&cloud, &["a", "b", "c"]).provision().is_changed("allocated a of 17g");
    let case = case.start().fails_with("b is attached to n2");
    assert!(logged("attached a"), "{:?}", cloud.host.log());
    case.stop().is_changed("detached a");
    let case = on(&cloud, &["a", "c"]).start().then(|host| drop(host.clone().busy(DEVICE)));
    case.stop().fails_with("cannot detach a: a process has it open");
    assert!(logged("detached c"), "{:?}", cloud.host.log());
    on(&cloud, &["c", "b"]).unprovision().fails_with("cannot delete b: it is attached to n2");
    assert!(logged("deleted c"), "{:?}", cloud.host.log());
}

#[test]
fn transient_faults_are_retried_and_the_change_is_made_once() {
    for fault in
        [InjectedFault::Unavailable, InjectedFault::RateLimit, InjectedFault::Lost, InjectedFault::ExpiredToken]
    {
        let cloud = cloud().with("disks.insert", fault, 1).with("instances.attachDisk", fault, 1);
        on(&cloud, &["a"]).provision().is_changed("allocated a of 17g").start().is_changed("attached a");
        assert_eq!(cloud.called().iter().filter(|method| *method == "disks.insert").count(), 2, "{fault:?}");
    }
}

#[test]
fn a_fault_that_does_not_pass_leaves_the_state_unknown() {
    let cloud = cloud().with("instances.get", InjectedFault::Unavailable, 9);
    on(&cloud, &["a"])
        .status()
        .is(State::Undefined)
        .labelled("gce volumes a")
        .mentions("the Compute API has a problem");
    let elsewhere = FakeCloud::new(Host::new());
    let keywords = CloudKeywords { gce_metadata: Some("http://127.0.0.1:1/v1".to_owned()), ..FakeCloud::keywords() };
    let lost = given(CloudDisks { cloud: keywords, ..volumes(&["a"]) }).with(context()).on(&elsewhere.host);
    lost.status().is(State::Undefined).mentions("the metadata server of Google did not help");
    let stranger = CloudKeywords { gce_instance: Some("n9".to_owned()), ..FakeCloud::keywords() };
    let lost = given(CloudDisks { cloud: stranger, ..volumes(&["a"]) }).with(context()).on(&elsewhere.host);
    lost.start().fails_with("there is no instance zones/europe-west1-b/instances/n9 in stand-in (see gce_instance");
}

#[test]
fn a_token_is_requested_once_a_call_and_again_when_it_is_refused() {
    let cloud = cloud().disk("a", 17, None);
    let before = cloud.tokens();
    on(&cloud, &["a"]).start().is_changed("attached a");
    assert_eq!(cloud.tokens(), before, "the metadata server has one for an hour");
    cloud.revoke();
    on(&cloud, &["a"]).stop().is_changed("detached a");
    assert_eq!(cloud.tokens(), before + 1);
    cloud.revoke();
    cloud.token_lifetime(Duration::from_secs(12));
    let asked = cloud.tokens();
    // Nothing happens for a while, and the token expires on the way.
    let cloud = cloud.with("instances.attachDisk", InjectedFault::Stuck, 1);
    on(&cloud, &["a"]).start().fails_with("attaching a is still under way at Google: look again later");
    assert!(cloud.tokens() > asked + 1, "{} tokens", cloud.tokens() - asked);
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    let made = stop_undoes_any_failed_start(|| on(&cloud().disk("a", 17, None).disk("b", 17, None), &["a", "b"]));
    assert_eq!(made, 6, "each disk is recorded, attached and remembered");
}

#[test]
fn names_are_checked() {
    let text = "names \"A/b\" is not a name for the Compute API: expected at most 63 lower case letters, digits and hyphens, \
                a letter first";
    on(&cloud(), &["A/b"]).validate().finds(&[("names", text)]).provision().fails_with("is not a name");
    on(&cloud(), &[])
        .validate()
        .finds(&[("names", "expected the names of one or more disks")])
        .start()
        .fails_with("names");
    let both = CloudDisks { image: Some("i".to_owned()), source_snapshot: Some("s".to_owned()), ..volumes(&["a"]) };
    given(both)
        .with(context())
        .on(&cloud().host)
        .provision()
        .fails_with("an image or with a source_snapshot, not with both");
}

#[test]
fn an_attached_disk_is_held_until_it_is_detached_or_another_node_takes_it() {
    let cloud = cloud().disk("a", 17, None);
    let held = |expected: &[&str]| assert_eq!(cloud.host.holdings_of("disk#01"), expected);
    let case = on(&cloud, &["a"]).start();
    held(&["the disk a, attached as spdsvc01.disk.01.0"]);
    let case = case.stop();
    held(&[]);
    let case = case.start();
    cloud.change("POST", "zones/europe-west1-b/instances/n1/detachDisk?deviceName=spdsvc01.disk.01.0", &Value::Null);
    case.status().is(State::Down).exposes("gone", "attachment a");
}

#[test]
fn what_start_attached_is_detached_whatever_names_says_by_then_and_nothing_else() {
    let cloud = cloud().disk("a", 17, None).disk("b", 17, None);
    on(&cloud, &["a"]).start().is_changed("attached a");
    let body = serde_json::json!({"source": "projects/stand-in/zones/europe-west1-b/disks/b", "deviceName": "by-hand"});
    cloud.change("POST", "zones/europe-west1-b/instances/n1/attachDisk", &body);
    on(&cloud, &["b"])
        .status()
        .is(State::Warn)
        .mentions("a is attached: names applies at the next start")
        .mentions("b is attached as by-hand, and not by this resource")
        .stop()
        .is_changed("detached a")
        .stop()
        .is_unchanged("b is not attached here")
        .status()
        .is(State::Down);
    let users = |disk: &str| cloud.resource(&format!("zones/europe-west1-b/disks/{disk}")).unwrap()["users"].clone();
    assert!(users("a").as_array().is_none_or(Vec::is_empty) && users("b")[0].as_str().is_some());
}
