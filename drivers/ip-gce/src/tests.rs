//! The driver against the stand-in of Google's cloud, on the SDK's fakes.

use hostler_gce::cloud::InjectedFault;
use hostler_gce::on_fakes::FakeCloud;
use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};
use serde_json::{Value, json};

use super::*;

fn route() -> CloudAddress {
    CloudAddress {
        name: "10.0.0.33".to_owned(),
        dev: "br0".to_owned(),
        routename: "rt-ip33".to_owned(),
        netmask: None,
        priority: 1000,
        cloud: FakeCloud::keywords(),
    }
}

fn cloud() -> FakeCloud {
    FakeCloud::new(Host::new().link("br0"))
}

fn context() -> Context {
    Context::fake("ip#01smg").with("nodes", "n1 n2").with("sid", "s")
}

fn on(cloud: &FakeCloud) -> Case<CloudAddress> {
    given(route()).with(context()).on(&cloud.host)
}

/// A route that leads to another instance.
fn led(cloud: FakeCloud, instance: &str) -> FakeCloud {
    let body = json!({
        "name": "rt-ip33", "network": "global/networks/default", "destRange": "10.0.0.33/32", "priority": 1000,
        "nextHopInstance": format!("zones/europe-west1-b/instances/{instance}"),
    });
    cloud.change("POST", "global/routes", &body);
    cloud
}

fn hop(cloud: &FakeCloud) -> Option<String> {
    let found = cloud.resource("global/routes/rt-ip33")?;
    Some(found["nextHopInstance"].as_str()?.rsplit('/').next()?.to_owned())
}

#[test]
fn both_routes_come_and_go() {
    let cloud = cloud();
    on(&cloud)
        .status()
        .is(State::Down)
        .labelled("gce ip 10.0.0.33@br0")
        .is_silent()
        .start()
        .is_changed("added 10.0.0.33/32 dev br0, rt-ip33 leads to n1")
        .start()
        .is_unchanged("10.0.0.33/32 dev br0 and rt-ip33 are there already")
        .status()
        .is(State::Up)
        .is_silent();
    let made = cloud.resource("global/routes/rt-ip33").unwrap();
    assert_eq!((&made["destRange"], &made["priority"]), (&json!("10.0.0.33/32"), &json!(1000)));
    on(&cloud)
        .stop()
        .is_changed("removed the route to 10.0.0.33/32 on br0, removed rt-ip33")
        .stop()
        .is_unchanged("10.0.0.33/32 does not lead here")
        .status()
        .is(State::Down);
    assert_eq!(hop(&cloud), None);
}

#[test]
fn a_switch_takes_the_route_over_and_the_stop_of_the_former_node_leaves_it() {
    let cloud = led(cloud(), "n2");
    on(&cloud)
        .status()
        .is(State::Down)
        .mentions("rt-ip33 leads 10.0.0.33/32 to n2")
        .stop()
        .is_unchanged("10.0.0.33/32 does not lead here");
    assert_eq!(hop(&cloud).as_deref(), Some("n2"));
    on(&cloud).start().is_changed("added 10.0.0.33/32 dev br0, rt-ip33 leads to n1").status().is(State::Up);
    assert_eq!(hop(&cloud).as_deref(), Some("n1"));
    // Somebody switches it away while the service is up here.
    cloud.change("DELETE", "global/routes/rt-ip33", &Value::Null);
    on(&cloud).status().is(State::Warn).mentions("there is no route rt-ip33");
    let cloud = led(cloud, "n2");
    on(&cloud)
        .status()
        .is(State::Warn)
        .mentions("rt-ip33 leads 10.0.0.33/32 to n2")
        .stop()
        .is_changed("removed the route to 10.0.0.33/32 on br0")
        .status()
        .is(State::Down);
    assert_eq!(hop(&cloud).as_deref(), Some("n2"), "the route is the other node's");
}

#[test]
fn a_route_of_another_owner_is_left_alone() {
    let strange = || context().with("nodes", "n1 n3");
    let start = |cloud: &FakeCloud, context| given(route()).with(context).on(&cloud.host).start();
    let cloud = led(cloud(), "n2");
    start(&cloud, strange())
        .fails_with("rt-ip33 leads to n2, which is RUNNING and not a node of this object: free it there");
    assert_eq!(hop(&cloud).as_deref(), Some("n2"));
    start(&cloud, strange().with("force", "true")).is_changed("rt-ip33 leads to n1");
    let stopped = led(self::cloud(), "n2");
    stopped.change("POST", "zones/europe-west1-b/instances/n2/stop", &Value::Null);
    start(&stopped, strange()).is_changed("added 10.0.0.33/32 dev br0, rt-ip33 leads to n1");
    let gone = led(self::cloud(), "n2");
    gone.change("DELETE", "zones/europe-west1-b/instances/n2", &Value::Null);
    start(&gone, strange()).is_changed("added 10.0.0.33/32 dev br0, rt-ip33 leads to n1");
    let other = led(self::cloud(), "n1");
    let address = CloudAddress { name: "10.0.0.34".to_owned(), ..route() };
    given(address)
        .with(context())
        .on(&other.host)
        .start()
        .fails_with("rt-ip33 is the route of 10.0.0.33/32, not of 10.0.0.34/32");
}

#[test]
fn half_of_it_is_a_warning_and_start_completes_it() {
    let cloud = led(cloud(), "n1");
    on(&cloud)
        .status()
        .is(State::Warn)
        .mentions("there is no route 10.0.0.33/32 dev br0")
        .start()
        .is_changed("added 10.0.0.33/32 dev br0")
        .status()
        .is(State::Up);
}

#[test]
fn the_interface_must_lead_somewhere_and_nothing_else_may_have_the_address() {
    on(&FakeCloud::new(Host::new())).start().fails_with("the interface br0 does not exist");
    on(&FakeCloud::new(Host::new().link("br0").link_down("br0"))).start().fails_with("br0 is down");
    let taken = FakeCloud::new(Host::new().link("br0").route("10.0.0.33/32", Some("10.0.0.1"), Some("eth0")));
    on(&taken)
        .start()
        .fails_with("10.0.0.33/32 has another route on this node, 10.0.0.33/32 via 10.0.0.1 dev eth0: remove it first");
    assert_eq!(hop(&taken), None);
}

#[test]
fn every_fault_is_a_sentence_and_a_second_try_converges() {
    for (method, fault, times, sentence) in [
        (
            "routes.insert",
            InjectedFault::Quota,
            1,
            "cannot make rt-ip33 lead here: the quota of the project is exceeded",
        ),
        (
            "routes.insert",
            InjectedFault::LateInternal,
            1,
            "cannot make rt-ip33 lead here: the Compute API has a problem",
        ),
        ("routes.insert", InjectedFault::Forbidden, 1, "and for routes roles/compute.networkAdmin"),
        ("routes.insert", InjectedFault::AlreadyExists, 1, "cannot make rt-ip33 lead here: Google says"),
        ("routes.insert", InjectedFault::Unavailable, 9, "the Compute API has a problem"),
        ("routes.insert", InjectedFault::Stuck, 1, "making the route rt-ip33 is still under way at Google"),
        ("routes.get", InjectedFault::RateLimit, 9, "cannot make rt-ip33 lead here: too many requests"),
        (
            "routes.delete",
            InjectedFault::Unavailable,
            9,
            "cannot make rt-ip33 lead here: the Compute API has a problem",
        ),
    ] {
        let cloud = led(cloud(), "n2").with(method, fault, times);
        on(&cloud)
            .start()
            .fails_with(sentence)
            .then(|_| cloud.heal())
            .start()
            .status()
            .is(State::Up)
            .stop()
            .status()
            .is(State::Down);
    }
}

#[test]
fn changes_made_before_a_failure_are_reported() {
    let cloud =
        cloud().with("routes.insert", InjectedFault::Quota, 1).with("routes.delete", InjectedFault::Forbidden, 1);
    let logged = |text: &str| cloud.host.log().iter().any(|line| line.text == text);
    let case = on(&cloud).start().fails_with("the quota of the project is exceeded");
    assert!(logged("added 10.0.0.33/32 dev br0"), "{:?}", cloud.host.log());
    case.start().stop().fails_with("cannot remove rt-ip33");
    assert!(logged("removed the route to 10.0.0.33/32 on br0"), "{:?}", cloud.host.log());
}

#[test]
fn stop_goes_as_far_as_it_can() {
    let cloud = cloud().with("routes.delete", InjectedFault::Unavailable, 9);
    on(&cloud)
        .start()
        .stop()
        .fails_with("cannot remove rt-ip33: the Compute API has a problem")
        .status()
        .is(State::Warn)
        .mentions("there is no route 10.0.0.33/32 dev br0")
        .then(|_| cloud.heal())
        .stop()
        .is_changed("removed rt-ip33");
    let dead = self::cloud().with("routes.get", InjectedFault::Unavailable, 9);
    on(&dead).status().is(State::Undefined).mentions("cannot look at rt-ip33: the Compute API has a problem");
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    assert_eq!(stop_undoes_any_failed_start(|| on(&cloud())), 2);
}

#[test]
fn keywords_are_checked() {
    let wrong = CloudAddress { name: "web.example".to_owned(), routename: "RT".to_owned(), priority: 70000, ..route() };
    let name = "routename \"RT\" is not a name for the Compute API: expected at most 63 lower case letters, digits and hyphens, a letter first";
    given(wrong).on(&Host::new()).validate().finds(&[
        ("name", "web.example is not an address: expected one such as 10.0.0.33"),
        ("routename", name),
        ("priority", "70000 is out of range: expected 0 to 65535"),
    ]);
}
