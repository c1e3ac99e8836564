//! Drivers that are missing, damaged, forbidden, or misbehave: that resource gets a line, and all others go on.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::component::component;
use crate::world::World;

crate::trials!(
    an_unknown_driver_is_an_error_of_the_configuration,
    a_driver_that_is_not_allowed_may_do_nothing,
    a_damaged_driver_is_refused_and_its_resource_is_undefined,
    a_driver_that_traps_makes_its_resource_undefined,
    a_driver_that_hangs_is_stopped_in_time,
    a_driver_that_lies_about_a_stop_is_not_believed,
);

/// The driver that misbehaves on request, compiled once per run.
static COMPONENT: LazyLock<PathBuf> = LazyLock::new(|| component("hostile-driver"));

/// Installs it and allows what it asks for.
fn install(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    world.om("driver allow app.hostile --yes").ok();
}

/// A service of three applications, of which the second one attempts something.
fn beside_others(world: &World, attempt: &str) {
    let hostile = format!(
        "[app#2]\ntype = hostile\nattempt = {attempt}\nown = {{w}}/own\nstop_timeout = 2s\nstart_timeout = 2s\nstatus_timeout = 2s\n"
    );
    world.create(
        "web",
        &format!("[DEFAULT]\nnodes = n1\n{}{}{}", world.app("1", ""), world.fill(&hostile), world.app("3", "")),
    );
}

fn an_unknown_driver_is_an_error_of_the_configuration(world: &World) {
    let file = world.write("web.conf", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = nosuch\n[fs#2]\ntype = flag\n");
    world.om(&format!("config validate {}", file.display())).ends(1).says("nosuch");
    world.om(&format!("web create --config {}", file.display())).ends(1).says("nosuch");
    world.om(&format!("web create --force --config {}", file.display())).ok();
    world.om("web print status").says("nosuch");
}

fn a_driver_that_is_not_allowed_may_do_nothing(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    beside_others(world, "stat {w}/own");
    world.om("web start --rid app#2").ends(1).says("om driver allow");
    world.om("driver allow app.hostile --yes").ok();
    world.om("web start --rid app#2").ok();
}

fn a_damaged_driver_is_refused_and_its_resource_is_undefined(world: &World) {
    install(world);
    beside_others(world, "log 1");
    world.om("web start --rid app#1,app#3").ok();
    let file = world.path("root/var/drivers/app.hostile.wasm");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert_eq!(world.states("web"), "app#1 up, app#2 undef, app#3 up");
    world.om("web print status").ok().says("app.hostile");
    world.take_marks();
    world.om("web stop").ends(1).says("app#2");
    assert_eq!(world.take_marks(), "-3 -1", "others do not go on");
    fs::write(&file, b"").unwrap();
    assert_eq!(world.states("web"), "app#1 down, app#2 undef, app#3 down");
    fs::remove_file(&file).unwrap();
    world.om("web print status").ok();
    world.om("driver ls").ok();
}

fn a_driver_that_traps_makes_its_resource_undefined(world: &World) {
    install(world);
    for attempt in ["panic over", "recurse", "memory"] {
        beside_others(world, attempt);
        assert_eq!(world.states("web"), "app#1 down, app#2 undef, app#3 down", "{attempt}");
        world.om("web start").ends(1).says("failed at app#2, rolled back all but app#2");
        assert_eq!(world.take_marks(), "+1 -1", "{attempt}");
        world.om("web start --rid app#1,app#3").ok();
        assert_eq!(world.status("web")["overall"], "warn", "{attempt}");
        world.om("web stop").ends(1).says("app#2");
        assert_eq!(world.take_marks(), "+1 +3 -3 -1", "{attempt}");
        world.om("web delete --force").ok();
    }
}

fn a_driver_that_hangs_is_stopped_in_time(world: &World) {
    install(world);
    for attempt in ["loop", "sleep"] {
        beside_others(world, attempt);
        let began = Instant::now();
        world.om("web stop").ends(7).says("app#2");
        assert!(began.elapsed() < Duration::from_secs(20), "{attempt}: {:?}", began.elapsed());
        world.om("web delete --force").ok();
    }
}

fn a_driver_that_lies_about_a_stop_is_not_believed(world: &World) {
    install(world);
    beside_others(world, "lie changed");
    world.om("web start").ok();
    world.om("web stop").ends(1).says("stop reported success, but the resource is up");
    assert_eq!(world.take_marks(), "+1 +3 -3 -1");
    assert_eq!(world.states("web"), "app#1 down, app#2 up, app#3 down");
}
