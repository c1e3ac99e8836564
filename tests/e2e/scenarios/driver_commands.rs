//! `om driver …`: descriptions, grants and audits of drivers.

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::component::component;
use crate::world::World;

crate::trials!(
    a_driver_is_installed_allowed_denied_audited_and_removed,
    a_built_in_driver_can_be_denied,
    what_is_read_aloud_is_what_is_allowed,
    drivers_are_compiled_ahead,
    a_driver_is_begun_as_a_package_of_its_own,
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

/// What `allow` says and writes, what `inspect` says of a resource, and what a start does, are one and the same.
fn what_is_read_aloud_is_what_is_allowed(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    // Nothing listens there.
    let url = "http://127.0.0.1:9/x";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = get {url}\nurl = {url}\n"));
    let policy = || world.read("root/etc/drivers.d/app.hostile.policy");
    let effective = || {
        let said = world.om("driver inspect app.hostile --effective web app#1").ok();
        let mut lines = said.stdout.lines().skip_while(|line| !line.contains(&format!("GET {url}")));
        let (line, below) = (lines.next(), lines.next());
        format!("{}\n{}", line.unwrap_or_else(|| panic!("no line about {url} in {said}")), below.unwrap_or_default())
    };
    assert!(effective().contains("refused"), "{}", effective());
    let denied = world.om("web start").ends(1);
    denied.says("denied").says(&format!("http = GET {url}")).says("om driver allow app.hostile");
    world.om("driver allow app.hostile --yes").ok().says("allow http = GET {kw:url}");
    assert!(policy().contains("allow http = GET {kw:url}\n"), "{}", policy());
    assert!(!effective().contains("refused"), "{}", effective());
    world.om("web start").ends(1).does_not_say("denied").says("127.0.0.1");
    let denying = format!("{}deny http = GET {url}\n", policy());
    world.write("root/etc/drivers.d/app.hostile.policy", &denying);
    assert!(effective().contains("refused") || effective().contains("deny"), "{}", effective());
    world.om("web start").ends(1).says("denied");
}

fn drivers_are_compiled_ahead(world: &World) {
    world.om("driver warm").ok();
    world.create("web", "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 1m\n");
    world.om("web provision").ok();
    world.om("web print devs").ok().says("|- disk#1 (disk.loop)").says("exposes /dev/loop");
    world.om("web unprovision --confirm").ok();
}

fn a_driver_is_begun_as_a_package_of_its_own(world: &World) {
    let sdk = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk");
    let new = |name: &str, sdk: &str| {
        world.om(&format!("driver new {name} --sdk {sdk} --to {}/begun", world.directory().display()))
    };
    new("app.ticket", "/nowhere").ends(1).says("expected the directory sdk of a checkout");
    new("ticket", sdk).ends(1).says("\"ticket\" is not the name of a driver");
    new("app.ticket", sdk).ok().says("make test");
    assert!(world.read("begun/src/lib.rs").contains("const NAME: &str = \"app.ticket\";"));
    // Cargo takes it as it is: nothing of it is inherited from a workspace.
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let cargo = cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"]);
    let read = cargo.arg(world.path("begun/Cargo.toml")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let package: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(package["packages"][0]["name"], "driver-app-ticket");
    new("app.ticket", sdk).ends(1).says("exists already and is not empty");
}
