//! Google's cloud, played by the stand-in of `tests/gce`: real disks of loop devices, real routes, real requests over the
//! loopback interface.

use std::fs;
use std::path::Path;
use std::process::Command;

use hostler_gce::cloud::{FaultRule, InjectedFault};
use hostler_gce::{EmulatorOptions, HttpServer};
use nix::mount::{MsFlags, mount};

use crate::network;
use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    a_disk_carries_a_file_system_from_nothing_to_nothing,
    a_device_is_not_taken_from_under_a_file_system,
    a_disk_moves_where_the_configuration_says,
    every_fault_of_the_cloud_is_a_sentence_and_a_second_try_converges,
    a_device_that_never_appears_is_reported,
    an_address_is_led_here_and_taken_over_by_a_switch,
    a_machine_lives_its_life,
    an_unreachable_cloud_is_distinguished_from_a_stopped_service,
    a_site_decides_which_endpoint_may_be_asked,
);

/// The directory in which udev makes devices appear.
pub(crate) const BY_ID: &str = "/dev/disk/by-id";

/// Gives this process its own directory of devices. On a machine without udev, an empty directory may stay behind.
pub(crate) fn isolate() -> anyhow::Result<()> {
    fs::create_dir_all(BY_ID)?;
    mount(Some("tmpfs"), BY_ID, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    Ok(())
}

/// A cloud with the instances n1, which is this machine, and n2, whose devices are elsewhere.
fn cloud(world: &World) -> HttpServer {
    let options = EmulatorOptions {
        instances: vec![("n1".to_owned(), Some(BY_ID.into())), ("n2".to_owned(), Some(world.path("n2-devices")))],
        directory: world.path("cloud"),
        project: "stand-in".to_owned(),
        zone: "europe-west1-b".to_owned(),
        gigabyte: 16 << 20,
        token_lifetime: 3600,
        steps: 2,
        listen: "127.0.0.1:0".parse().unwrap(),
    };
    HttpServer::start(&options).unwrap()
}

/// The head of a configuration that points to the cloud.
fn head(server: &HttpServer) -> String {
    format!(
        "[DEFAULT]\nnodes = n1 n2\nrollback = true\ngce_zone = europe-west1-b\ngce_endpoint = {}\ngce_metadata = {}\n\
         gce_metadata@n2 = {}\n",
        server.api, server.metadata["n1"], server.metadata["n2"]
    )
}

/// The name of the world's service, which no other world has: its devices share a directory.
fn service(world: &World) -> String {
    format!("spd{}", world.number())
}

/// A disk and a file system on it.
fn pod(world: &World, server: &HttpServer, more: &str) -> String {
    let name = service(world);
    let config = format!(
        "{}[disk#01]\ntype = gce\nnames = {name}-pod1\nsize = 2g\n{more}\n[fs#01]\ntype = ext4\n\
         dev = {BY_ID}/google-{name}.disk.01.0\nmnt = {{w}}/site\n{more}\n",
        head(server)
    );
    world.create(&name, &config);
    name
}

fn inject(server: &HttpServer, method: &str, fault: InjectedFault, times: u32) {
    server.with(|gateway| gateway.cloud.faults.add(FaultRule { method: method.to_owned(), fault, times }));
}

fn heal(server: &HttpServer) {
    server.with(|gateway| {
        gateway.cloud.faults.clear();
        gateway.cloud.unstick();
    });
}

fn resource(server: &HttpServer, path: &str) -> serde_json::Value {
    let path = format!("projects/stand-in/{path}");
    let found = server
        .with(|gateway| gateway.cloud.resources().find(|(known, _)| **known == path).map(|(_, found)| found.clone()));
    found.unwrap_or_default()
}

/// The states of the resources, except for the one that every object of several nodes has.
fn states(world: &World, name: &str) -> String {
    world.states(name).trim_end_matches(", sync#i0 down").to_owned()
}

/// The instance that has a disk.
fn user(server: &HttpServer, disk: &str) -> String {
    let found = resource(server, &format!("zones/europe-west1-b/disks/{disk}"));
    found["users"][0].as_str().unwrap_or("no instance").rsplit('/').next().unwrap_or_default().to_owned()
}

/// `om` on the node n2.
fn om_on_n2(world: &World, line: &str) -> Ran {
    let root = world.path("root2").display().to_string();
    world.om_with(line, &[("HOSTLER_NODENAME", "n2"), ("HOSTLER_ROOT", &root)])
}

pub(crate) fn loops() -> bool {
    let found = Command::new("losetup").arg("-f").output().is_ok_and(|found| found.status.success());
    if !found {
        println!("gce: skipped: no loop devices to be had");
    }
    found
}

fn a_disk_carries_a_file_system_from_nothing_to_nothing(world: &World) {
    if !loops() {
        return;
    }
    let server = cloud(world);
    let name = pod(world, &server, "");
    let disk = format!("{name}-pod1");
    world.om(&format!("{name} print status --refresh")).ok().says(&format!("gce volumes {disk}")).says("not allocated");
    world.om(&format!("{name} start --local")).ends(1).says("not provisioned: disk#01");
    world
        .om(&format!("{name} provision --local"))
        .ok()
        .says(&format!("allocated {disk} of 2g"))
        .says(&format!("attached {disk}"));
    assert_eq!(states(world, &name), "disk#01 up, fs#01 up");
    assert!(Path::new(&format!("{BY_ID}/google-{name}.disk.01.0")).exists());
    assert_eq!(user(&server, &disk), "n1");
    let attached = format!("the disk {disk}, attached as {name}.disk.01.0");
    world.om(&format!("{name} print holdings")).ok().says(&attached);
    fs::write(world.path("site/data"), "kept").unwrap();
    world.om(&format!("{name} stop --local")).ok().says(&format!("detached {disk}"));
    world.om(&format!("{name} print holdings")).ok().does_not_say(&disk);
    assert_eq!(
        (states(world, &name).as_str(), user(&server, &disk).as_str()),
        ("disk#01 down, fs#01 down", "no instance")
    );
    // The earlier tokens are no longer valid, so a new one is requested.
    let given = server.with(|gateway| {
        gateway.tokens.revoke();
        gateway.tokens.given()
    });
    world.om(&format!("{name} start --local")).ok();
    assert_eq!(server.with(|gateway| gateway.tokens.given()), given + 1);
    assert_eq!(world.read("site/data"), "kept");
    world.om(&format!("{name} set --kw disk#01.size=3g")).ok();
    world.om(&format!("{name} provision --local")).ok().says(&format!("grew {disk} from 2 to 3 GB"));
    assert_eq!(world.read("site/data"), "kept", "provisioned twice");
    world.om(&format!("{name} unprovision --local --confirm")).ok().says(&format!("deleted {disk}"));
    assert_eq!(resource(&server, &format!("zones/europe-west1-b/disks/{disk}")), serde_json::Value::Null);
    world.om(&format!("{name} delete --confirm")).ok();
}

fn a_device_is_not_taken_from_under_a_file_system(world: &World) {
    if !loops() {
        return;
    }
    let server = cloud(world);
    let name = pod(world, &server, "");
    world.om(&format!("{name} provision --local")).ok();
    world.om(&format!("{name} stop --local --rid disk#01")).ends(1).says("cannot detach").says("it is mounted on");
    assert_eq!(states(world, &name), "disk#01 up, fs#01 up");
    world.om(&format!("{name} unprovision --local --confirm")).ok();
}

fn a_disk_moves_where_the_configuration_says(world: &World) {
    if !loops() {
        return;
    }
    let server = cloud(world);
    let name = pod(world, &server, "disable = true\ndisable@n1 = false");
    let disk = format!("{name}-pod1");
    world.om(&format!("{name} provision --local")).ok();
    // n2 has no device of its own to mount here: the disk is what matters.
    let config = format!("{}[disk#01]\ntype = gce\nnames = {disk}\nsize = 2g\ndevice_timeout = 1s\n", head(&server));
    let file = world.write("moved.conf", &config);
    om_on_n2(world, &format!("{name} create --config {}", file.display())).ok();
    om_on_n2(world, &format!("{name} start --local"))
        .ends(1)
        .says(&format!("{disk} is attached to n1, which is RUNNING"))
        .says("disable@n1 = true");
    assert_eq!(user(&server, &disk), "n1");
    world.om(&format!("{name} stop --local --rid fs#01")).ok();
    om_on_n2(world, &format!("{name} set --kw disk#01.disable@n1=true")).ok();
    // The device of n2 is on n2, and this is n1.
    om_on_n2(world, &format!("{name} start --local"))
        .ends(1)
        .says(&format!("{disk} is taken from n1, where the configuration disables this resource"))
        .says("did not appear within 1s");
    assert_eq!(user(&server, &disk), "no instance", "what failed was rolled back");
    assert_eq!(states(world, &name), "disk#01 down, fs#01 down");
    world.om(&format!("{name} unprovision --local --confirm")).ok();
}

fn every_fault_of_the_cloud_is_a_sentence_and_a_second_try_converges(world: &World) {
    if !loops() {
        return;
    }
    let server = cloud(world);
    let name = pod(world, &server, "");
    for (method, fault, times, sentence) in [
        ("disks.insert", InjectedFault::Quota, 1, "the quota of the project is exceeded"),
        ("disks.insert", InjectedFault::LateQuota, 1, "the quota of the project is exceeded"),
        ("disks.insert", InjectedFault::LateExhausted, 1, "the zone has no resources left"),
        ("disks.insert", InjectedFault::Forbidden, 1, "the instance's service account may not do this"),
        ("disks.insert", InjectedFault::RateLimit, 9, "too many requests"),
        ("disks.insert", InjectedFault::Unavailable, 9, "the Compute API has a problem"),
        ("disks.insert", InjectedFault::ExpiredToken, 9, "Google does not take the token"),
        ("instances.attachDisk", InjectedFault::InUse, 1, "is already being used by"),
        ("instances.attachDisk", InjectedFault::NotFound, 1, "was not found"),
        ("instances.attachDisk", InjectedFault::LateInternal, 1, "the Compute API has a problem"),
        ("instances.attachDisk", InjectedFault::ConditionNotMet, 1, "it was changed at the same time"),
    ] {
        inject(&server, method, fault, times);
        world.om(&format!("{name} provision --local")).ends(1).says("disk#01").says(sentence);
        assert!(states(world, &name).starts_with("disk#01 down"), "{method} {fault:?}: {}", states(world, &name));
        heal(&server);
        world.om(&format!("{name} provision --local")).ok();
        world.om(&format!("{name} unprovision --local --confirm")).ok();
    }
    // The operator does not notice a transient fault.
    for fault in [InjectedFault::Unavailable, InjectedFault::Lost, InjectedFault::ExpiredToken] {
        inject(&server, "disks.insert", fault, 1);
        inject(&server, "instances.attachDisk", fault, 1);
        world.om(&format!("{name} provision --local")).ok();
        world.om(&format!("{name} unprovision --local --confirm")).ok();
    }
}

fn a_device_that_never_appears_is_reported(world: &World) {
    if !loops() {
        return;
    }
    let server = cloud(world);
    let name = service(world);
    let config =
        format!("{}[disk#1]\ntype = gce\nnames = {name}-a\nsize = 1g\ndevice_timeout = 500ms\n", head(&server));
    world.create(&name, &config);
    inject(&server, "instances.attachDisk", InjectedFault::NoDevice, 1);
    world
        .om(&format!("{name} provision --local"))
        .ends(1)
        .says(&format!("{name}-a is attached, but {BY_ID}/google-{name}.disk.1.0 did not appear within 0.5s"));
    world.om(&format!("{name} start --local")).ok();
    world.om(&format!("{name} unprovision --local --confirm")).ok();
}

fn an_address_is_led_here_and_taken_over_by_a_switch(world: &World) {
    let server = cloud(world);
    let (name, dev, address) = (service(world), network::add_link(world), network::address(world));
    let config =
        format!("{}[ip#01smg]\ntype = gce\nipname = {address}\nipdev = {dev}\nroutename = rt-{name}\n", head(&server));
    world.create(&name, &config);
    let file = world.write("n2.conf", &config);
    om_on_n2(world, &format!("{name} create --config {}", file.display())).ok();
    let route = format!("global/routes/rt-{name}");
    let local = || network::ip(&format!("route show {address}/32")).contains(&format!("dev {dev}"));
    let hop = || {
        resource(&server, &route)["nextHopInstance"]
            .as_str()
            .unwrap_or("/none")
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    world.om(&format!("{name} start --local")).ok().says(&format!("rt-{name} leads to n1"));
    world.om(&format!("{name} print status --refresh")).ok().says(&format!("gce ip {address}@{dev}"));
    world.is(&name, "up");
    assert_eq!((local(), hop().as_str()), (true, "n1"));
    // Both nodes are this machine: the local route of n2 is that of n1, which it did not make.
    om_on_n2(world, &format!("{name} start --local")).ends(1).says("has another route on this node");
    om_on_n2(world, &format!("{name} start --local --adopt")).ok().says(&format!("rt-{name} leads to n2"));
    assert_eq!(hop(), "n2");
    world.is(&name, "warn");
    world.om(&format!("{name} stop --local")).ok();
    assert_eq!((local(), hop().as_str()), (false, "n2"), "the route is n2's now");
    inject(&server, "routes.delete", InjectedFault::Unavailable, 9);
    om_on_n2(world, &format!("{name} stop --local")).ends(1).says(&format!("cannot remove rt-{name}"));
    heal(&server);
    om_on_n2(world, &format!("{name} stop --local")).ok();
    assert_eq!(hop(), "none");
    network::remove_link(world);
    world.om(&format!("{name} start --local")).ends(1).says(&format!("the interface {dev} does not exist"));
    assert_eq!(hop(), "none");
}

fn a_machine_lives_its_life(world: &World) {
    let server = cloud(world);
    let name = service(world);
    let config = format!(
        "{}[container#1]\ntype = gce\nname = {name}-vm\nimage = family/debian-12\nimage_project = debian-cloud\n\
         scopes = compute\nmetadata = role=web\n",
        head(&server)
    );
    world.create(&name, &config);
    let state = || resource(&server, &format!("zones/europe-west1-b/instances/{name}-vm"))["status"].clone();
    world.om(&format!("{name} provision --local")).ok().says(&format!("made {name}-vm"));
    assert_eq!((states(world, &name).as_str(), state()), ("container#1 up", "RUNNING".into()));
    world.om(&format!("{name} stop --local")).ok();
    assert_eq!((states(world, &name).as_str(), state()), ("container#1 down", "TERMINATED".into()));
    inject(&server, "instances.start", InjectedFault::LateExhausted, 1);
    world.om(&format!("{name} start --local")).ends(1).says("the zone has no resources left");
    world.om(&format!("{name} start --local")).ok();
    world.om(&format!("{name} unprovision --local --confirm")).ok();
    assert_eq!(state(), serde_json::Value::Null);
}

fn an_unreachable_cloud_is_distinguished_from_a_stopped_service(world: &World) {
    let name = service(world);
    let config = "[DEFAULT]\nnodes = n1\ngce_zone = europe-west1-b\ngce_project = p\ngce_endpoint = http://127.0.0.1:1/compute/v1\n\
                  gce_metadata = http://127.0.0.1:1/computeMetadata/v1\n[disk#1]\ntype = gce\nnames = a\n";
    world.create(&name, config);
    world
        .om(&format!("{name} print status --refresh"))
        .ok()
        .says("undef")
        .says("the metadata server of Google did not help");
    world.om(&format!("{name} start --local")).ends(1).says("is this node an instance of Google's cloud?");
}

fn a_site_decides_which_endpoint_may_be_asked(world: &World) {
    let server = cloud(world);
    let name = format!("team/svc/{}", service(world));
    let config = format!("{}[container#1]\ntype = gce\nname = vm\n", head(&server));
    world.create(&name, &config);
    world.om(&format!("{name} start --local")).ends(1).says("denied").says("computeMetadata");
    assert_eq!(server.with(|gateway| gateway.tokens.given()), 0, "no token was issued");
}
