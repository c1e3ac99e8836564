//! The life of a volume group on an LVM in memory.

use hostler_family_lvm::fake::FakeLvm;
use hostler_family_options as options;
use hostler_sdk::fake::{Case, Host, MIB, given, stop_undoes_any_failed_start};

use super::*;

fn data() -> VolumeGroup {
    VolumeGroup { name: "data".to_owned(), pvs: vec!["/dev/sdb".to_owned()], options: Vec::new() }
}

fn vg(host: &Host) -> Case<VolumeGroup> {
    given(data()).on(host)
}

/// The same, with one more variable.
fn with(name: &str, value: &str, host: &Host) -> Case<VolumeGroup> {
    given(data()).with(Context::fake("disk#1").with(name, value)).on(host)
}

fn node(lvm: &FakeLvm) -> Host {
    lvm.on(Host::new().device("/dev/sdb", 64 * MIB))
}

/// A group of two volumes.
fn group(tags: &[&str]) -> (FakeLvm, Host) {
    let lvm = FakeLvm::new().group("data", tags, &["db", "web"]);
    let host = node(&lvm);
    (lvm, host)
}

#[test]
fn the_grant_is_that_of_the_options() {
    let line =
        format!("exec = /sbin/vgcreate --setautoactivation n {} -- {{kw:name}} {{kw:pvs}}", options::grant(&OPTIONS));
    assert!(VolumeGroup::GRANTS.contains(&line.as_str()), "{line}");
}

#[test]
fn start_tags_and_activates_once() {
    let (lvm, host) = group(&[]);
    vg(&host)
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .start()
        .is_changed("data is up")
        .start()
        .is_unchanged("data is already up")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("data")
        .exposes("device", "/dev/data/web");
    assert_eq!(lvm.tags("data").unwrap(), ["n1"]);
}

#[test]
fn stop_deactivates_and_gives_the_tag_back() {
    let (lvm, host) = group(&[]);
    vg(&host)
        .start()
        .stop()
        .is_changed("data is down")
        .stop()
        .is_unchanged("data is already down")
        .status()
        .is(State::Down);
    assert_eq!(lvm.tags("data").unwrap(), [""; 0]);
    assert!(!host.has_file("/dev/data/web"));
}

#[test]
fn a_group_that_another_node_uses_is_not_taken() {
    for tags in [&["n2"][..], &["n1", "n2"]] {
        let (lvm, host) = group(tags);
        vg(&host)
            .status()
            .is(State::Down)
            .mentions("tagged n2")
            .start()
            .fails_with("data is tagged n2: stop the service there, or take it with --force once n2 is surely off")
            .status()
            .is(State::Down);
        assert_eq!(lvm.tags("data").unwrap(), tags);
        assert!(!host.has_file("/dev/data/web"));
    }
}

#[test]
fn start_takes_what_another_node_left_if_forced_or_if_that_has_no_right_to_it() {
    for (name, value) in [("force", "true"), ("disabled_nodes", "n3 n2")] {
        let (lvm, host) = group(&["n2"]);
        with(name, value, &host).start().is_changed("data is up").status().is(State::Up).is_silent();
        assert_eq!(lvm.tags("data").unwrap(), ["n1"]);
        let logged = host.log().iter().any(|line| line.text == "data was tagged n2: it is this node's now");
        assert!(logged, "{:?}", host.log());
    }
    let (_, host) = group(&["n2", "old"]);
    with("disabled_nodes", "n2", &host).start().fails_with("data is tagged old");
    let (_, host) = group(&["n2"]);
    with("disabled_nodes", "n2.example.net", &host).start().fails_with("data is tagged n2");
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    assert!(stop_undoes_any_failed_start(|| with("force", "true", &group(&["n2"]).1)) >= 3);
}

#[test]
fn a_node_that_rebooted_has_the_tag_and_nothing_active() {
    let (_, host) = group(&["n1"]);
    vg(&host).status().is(State::Down).start().is_changed("data is up").status().is(State::Up);
}

#[test]
fn an_unexpected_activation_of_volumes_is_a_warning() {
    let (_, host) = group(&[]);
    let host = host.device("/dev/data/web", MIB);
    vg(&host).status().is(State::Warn).mentions("active without the tag n1: web").stop().status().is(State::Down);
    let (_, host) = group(&["n1"]);
    let host = host.device("/dev/data/web", MIB);
    vg(&host).status().is(State::Warn).mentions("not active: db").start().status().is(State::Up);
}

#[test]
fn what_start_activated_is_deactivated_whatever_the_keywords_say_by_then() {
    let lvm = FakeLvm::new().group("data", &[], &["db"]).group("other", &[], &["x"]);
    let host = node(&lvm);
    vg(&host).start();
    given(VolumeGroup { name: "other".to_owned(), ..data() })
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("data is up: name applies at the next start")
        .exposes("device", "/dev/data/db")
        .stop()
        .is_changed("data is down")
        .status()
        .is(State::Down);
    assert!(!host.has_file("/dev/data/db"));
    assert_eq!(lvm.tags("data").unwrap(), [""; 0]);
}

#[test]
fn a_volume_in_use_keeps_the_group_up() {
    let (_, host) = group(&[]);
    let host = host.busy("/dev/data/web");
    vg(&host).start().stop().fails_with("Logical volume data/web in use");
}

#[test]
fn a_group_that_is_not_here_is_down_and_cannot_start() {
    vg(&node(&FakeLvm::new()))
        .status()
        .is(State::Down)
        .is_provisioned(false)
        .start()
        .fails_with("there is no volume group data: are its disks here?")
        .stop()
        .is_unchanged("data is not here");
}

#[test]
fn a_group_is_unknown_where_its_devices_are_missing() {
    let host = FakeLvm::new().on(Host::new());
    vg(&host).status().is(State::Down).is_provisioned_as(Provisioned::Unknown);
    let host = node(&FakeLvm::new()).signature("/dev/sdb", "LVM2_member");
    vg(&host).status().is(State::Down).is_provisioned_as(Provisioned::Unknown);
}

#[test]
fn without_lvm_nothing_is_known() {
    vg(&Host::new())
        .status()
        .is(State::Undefined)
        .mentions("/sbin/vgs is not installed: it comes with the package lvm2");
}

#[test]
fn provision_makes_it_of_empty_devices_and_unprovision_leaves_them_empty() {
    let lvm = FakeLvm::new();
    vg(&node(&lvm))
        .provision()
        .is_changed("made data of /dev/sdb")
        .status()
        .is_provisioned(true)
        .provision()
        .is_unchanged("data already exists")
        .start()
        .stop()
        .unprovision()
        .is_changed("removed data")
        .unprovision()
        .is_unchanged("data does not exist")
        .provision()
        .is_changed("made data of /dev/sdb");
}

#[test]
fn provision_writes_on_no_device_that_holds_something() {
    let lvm = FakeLvm::new();
    let host = node(&lvm).signature("/dev/sdb", "ext4");
    vg(&host).provision().fails_with("/dev/sdb holds ext4: it is not overwritten");
    assert_eq!(lvm.tags("data"), None);
}

#[test]
fn a_group_with_volumes_is_not_removed() {
    let (lvm, host) = group(&[]);
    vg(&host).unprovision().fails_with("data holds db web: remove them first");
    assert!(lvm.tags("data").is_some());
}

#[test]
fn options_that_run_programs_and_names_that_lvm_refuses_are_problems() {
    let case = |name: &str, options: &[&str]| {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        given(VolumeGroup { name: name.to_owned(), pvs: vec!["/dev/sdb".to_owned()], options })
            .on(&node(&FakeLvm::new()))
    };
    case("data", &["--physicalextentsize", "8m"]).validate().finds(&[]);
    case("data", &["--config", "x"]).provision().fails_with("options: \"--config\" is not supported");
    case("-data", &[]).validate().finds(&[("name", "\"-data\" is not a name for LVM: it begins with a hyphen")]);
}
