//! `om driver …`: descriptions, grants and audits of drivers.

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::component::component;
use crate::world::World;

crate::trials!(
    a_driver_is_installed_allowed_denied_audited_and_removed,
    a_built_in_driver_can_be_denied,
    drivers_are_compiled_ahead
);

static COMPONENT: LazyLock<PathBuf> = LazyLock::new(|| component("hostile-driver"));

fn a_driver_is_installed_allowed_denied_audited_and_removed(world: &World) {
    let file = COMPONENT.display();
    world.om(&format!("driver install {file}")).ok();
    world.om(&format!("driver install --force {file}")).ok();
    assert!(world.om("driver ls").ok().stdout.contains("app.hostile"));
    let config = "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = stat {w}/own\nown = {w}/own\n";
    world.create("web", config);
    world.om("web start").ends(1).says("denied");
    world.om("driver audit --object web --denied").ok().says("app#1").says("denied");
    world.om("driver allow app.hostile --yes").ok();
    world.om("driver inspect app.hostile").ok().says("app.hostile");
    world.om("web start").ok();
    world.om("driver audit --driver app.hostile --rid app#1 -n 0").ok().says("app#1");
    let structured = world.om("driver audit --object web --format json").ok();
    assert!(serde_json::from_str::<serde_json::Value>(&structured.stdout).unwrap().is_array());
    world.om("driver deny app.hostile").ok();
    world.om("web start").ends(1).says("denied");
    world.om("driver remove app.hostile").ends(1).says("web app#1");
    world.om("driver remove app.hostile --force").ok();
    assert!(!world.om("driver ls").ok().stdout.contains("app.hostile"));
    world.om("driver remove app.hostile").ends(1);
}

fn a_built_in_driver_can_be_denied(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("driver inspect fs.flag").ok().says("the site says nothing: it may do what it asks for");
    world.om("driver deny fs.flag").ok();
    world.om("driver inspect fs.flag").ok().says("deny files.read = {rundir}/{rid}.flag");
    world.om("web start").ends(1).says("om driver allow");
    assert_eq!(world.states("web"), "fs#1 undef", "it may not even look");
    world.om("driver allow fs.flag --yes").ok();
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("driver remove fs.flag").ends(1);
}

fn drivers_are_compiled_ahead(world: &World) {
    world.om("driver warm").ok();
    world.create("web", "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 1m\n");
    world.om("web provision").ok();
    world.om("web print devs").ok().says("|- disk#1 (disk.loop)").says("exposes /dev/loop");
    world.om("web unprovision --confirm").ok();
}
