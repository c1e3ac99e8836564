//! The author of an installed driver: defaults that ask a container engine for the node, names of the agent's own drivers, and
//! programs that reach for files that no grant is about.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use hostler_tests::{dockerd, podman};

use crate::component::component;
use crate::containers::node_engine;
use crate::escapes::{attempt, install, policy};
use crate::world::World;

crate::trials!(
    defaults_ask_the_engine_for_the_node_in_vain,
    an_alias_takes_no_name_of_another_driver,
    the_kernel_keeps_a_program_from_files_of_no_grant,
    a_program_reads_no_file_of_root_alone_in_a_public_place,
    what_a_program_of_an_installed_driver_leaves_running_ends_with_a_stop
);

static BOXER: LazyLock<PathBuf> = LazyLock::new(|| component("boxer-driver"));
static IMPOSTOR: LazyLock<PathBuf> = LazyLock::new(|| component("impostor-driver"));

/// Where the defaults of the driver lead.
const LURE: &str = "/srv/hostler-lure";

/// An engine, as far as the scenario asks for one.
struct Engine<'e> {
    socket: PathBuf,
    image: &'static str,
    /// What it has, running or not.
    containers: &'e dyn Fn() -> String,
}

fn defaults_ask_the_engine_for_the_node_in_vain(world: &World) {
    world.om(&format!("driver install {}", BOXER.display())).ok();
    world.om("driver allow container.boxer --yes").ok().says("allow http.unix(guard=container)");
    if let Some(engine) = node_engine(world) {
        let containers = || engine.docker("ps -aq").unwrap();
        box_in(world, &Engine { socket: engine.socket(), image: dockerd::IMAGE, containers: &containers });
    }
    if let Some(engine) = crate::podman::engine(world) {
        let containers = || engine.podman("ps -aq").unwrap();
        box_in(world, &Engine { socket: engine.socket(), image: podman::IMAGE, containers: &containers });
    }
}

fn box_in(world: &World, engine: &Engine<'_>) {
    let socket = engine.socket.display();
    policy(world, "ns1", &format!("allow http.unix(guard=container) = * {socket} /**\n"));
    let start = |namespace: &str, more: &str| {
        let head = format!("[DEFAULT]\nnodes = n1\n[container#1]\ntype = boxer\nimage = {}\n", engine.image);
        let file = world.write("boxer.conf", &format!("{head}netns = none\nsocket = {socket}\n{more}\n"));
        world.om(&format!("{namespace}web create --config {}", file.display())).ok();
        let ran = world.om(&format!("{namespace}web start --disable-rollback"));
        let made = (engine.containers)();
        world.om(&format!("{namespace}web stop --force"));
        world.om(&format!("{namespace}web delete --force --confirm")).ok();
        (ran, made)
    };
    for namespace in ["", "ns1/svc/"] {
        for asked in ["privileged", "mount", "command", "devices", "user", "capability", "pid"] {
            let (ran, made) = start(namespace, &format!("asks = {asked}"));
            ran.ends(1).says("denied");
            assert_eq!(made, "", "{namespace} {asked}");
        }
        let (ran, made) = start(namespace, "");
        ran.ends(1).says("denied");
        assert_eq!(made, "");
        assert!(!Path::new(LURE).exists());
        // What the configuration says is another matter, and what is not asked for is not there.
        let (ran, made) = start(namespace, "asks = command\ncommand = sleep 1000");
        let ran = ran.does_not_say("denied");
        assert_ne!(made, "", "{ran}");
    }
    let more = "asks = capability command\ncommand = sleep 1000\nrun_args = --cap-add SYS_ADMIN";
    assert_ne!(start("", more).1, "");
    start("ns1/svc/", more).0.ends(1).says("denied");
}

/// What an installation would have written down of the driver: its digest, and its manifest as it stands in the component.
fn record() -> String {
    let component = fs::read(&*IMPOSTOR).unwrap();
    let text = String::from_utf8_lossy(&component);
    let from = text.find("hostler.manifest{").unwrap() + "hostler.manifest".len();
    let length = text[from..].find('}').unwrap() + 1;
    let digest = Command::new("sha256sum").arg(&*IMPOSTOR).output().unwrap().stdout;
    let digest = String::from_utf8(digest).unwrap();
    format!("sha256:{}\n{}", digest.split(' ').next().unwrap(), &text[from..from + length])
}

fn an_alias_takes_no_name_of_another_driver(world: &World) {
    world.create("before", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("before start").ok();
    // Refused at install, and at allow, for the alias that it names.
    for line in ["install", "allow"] {
        let refused = world.om(&format!("driver {line} {}", IMPOSTOR.display()));
        refused.ends(1).says("fs.ext5").says("flag").says("fs.flag");
    }
    world.om("driver ls").ok().does_not_say("ext5");
    // However the file came there, the names of the agent's own drivers come first.
    let directory = world.path("root/var/drivers");
    fs::create_dir_all(&directory).unwrap();
    fs::copy(&*IMPOSTOR, directory.join("fs.ext5.wasm")).unwrap();
    world.om("driver allow fs.ext5 --yes").ends(1).says("fs.ext5.manifest does not exist");
    fs::write(directory.join("fs.ext5.manifest"), record()).unwrap();
    world.om("driver allow fs.ext5 --yes").ends(1).says("flag").says("fs.flag");
    world.is("before", "up");
    world.om("before stop").ok();
    assert_eq!(world.status("before")["avail"], "down", "{:#}", world.status("before"));
    world.create("after", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("after print status").ok().does_not_say("impostor");
    world.is("after", "down");
}

/// A directory of root's that is not among those in which every program may work, as /tmp is.
struct Home(PathBuf);

impl Home {
    fn new() -> Home {
        let home = PathBuf::from(format!("/var/lib/hostler-confined-{}", std::process::id()));
        fs::create_dir_all(home.join("secret")).unwrap();
        fs::create_dir(home.join("own")).unwrap();
        fs::write(home.join("secret/key"), "the key").unwrap();
        symlink(home.join("secret"), home.join("own/elsewhere")).unwrap();
        Home(home)
    }

    /// What the program has left: what it read, by a link of its own, what it wrote elsewhere, and that it came to its end.
    fn take(&self) -> [String; 4] {
        ["own/found", "own/by-link", "secret/written", "own/end"].map(|name| {
            let text = fs::read_to_string(self.0.join(name)).unwrap_or_default();
            let _ = fs::remove_file(self.0.join(name));
            let _ = fs::remove_file(self.0.join("own/link"));
            text.trim().to_owned()
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program of root's that reaches for files of root's.
const REACHING: &str = "#!/bin/sh\ncd {home}/own\ncat ../secret/key elsewhere/key /etc/shadow >found 2>/dev/null\n\
                        echo x 2>/dev/null >{home}/secret/written\nln -s {home}/secret/key link 2>/dev/null\n\
                        cat link 2>/dev/null >by-link\necho done >end\n";

/// A program of an installed driver, and one of a namespace, is held to the files of its grants by the kernel.
fn the_kernel_keeps_a_program_from_files_of_no_grant(world: &World) {
    install(world);
    let home = Home::new();
    let at = home.0.display().to_string();
    let script = home.0.join("look");
    fs::write(&script, REACHING.replace("{home}", &at)).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let more = format!("own = {at}/own\nprogram = {at}/look\n");
    world.create("evil", &format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\n{more}"));
    let says = world.om("driver inspect app.hostile --effective evil app#1").ok();
    world.om("evil delete --force --confirm").ok();
    if says.stdout.contains("not here: Landlock") {
        return println!("skipped: this kernel has no Landlock, and inspect says so");
    }
    says.says("enforced here by").says("Landlock");
    // It may write where its driver may, and touches nothing else of root's, although it is root.
    let run = format!("run {at}/look");
    attempt(world, "", &run, &more).ok();
    assert_eq!(home.take(), ["", "", "", "done"]);
    policy(world, "ns1", &format!("allow exec = {at}/look\nallow files.write = {at}/own/**\n"));
    attempt(world, "ns1/svc/", &run, &more).ok();
    assert_eq!(home.take(), ["", "", "", "done"]);
    // Where the namespace may not write, its program may not either.
    policy(world, "ns1", &format!("allow exec = {at}/look\n"));
    attempt(world, "ns1/svc/", &run, &more);
    assert_eq!(home.take(), [""; 4]);
    // A program of the agent's own driver in the namespace root is root's own word.
    let job = format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = {at}/look\n");
    world.create("job", &job);
    world.om("job run").ok();
    let found = home.take();
    assert!(found[0].starts_with("the key") && found[3] == "done", "{found:?}");
    // The same in another namespace, whose policy gives it no capabilities.
    world.create("ns1/svc/job", &job);
    world.om("ns1/svc/job run").ends(1).says("caps=all");
    assert_eq!(home.take(), [""; 4]);
}

/// A directory of the node's own places.
struct Etc(PathBuf);

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program of root without capabilities owns root's files all the same: of `/etc` it reads what every user may read.
fn a_program_reads_no_file_of_root_alone_in_a_public_place(world: &World) {
    install(world);
    let etc = Etc(PathBuf::from(format!("/etc/hostler-trial-{}", std::process::id())));
    fs::create_dir_all(etc.0.join("closed")).unwrap();
    fs::set_permissions(etc.0.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    for (name, mode) in [("shown", 0o644), ("key", 0o600), ("closed/key", 0o644)] {
        fs::write(etc.0.join(name), name).unwrap();
        fs::set_permissions(etc.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let home = Home::new();
    let (at, trial) = (home.0.display().to_string(), etc.0.display());
    let script = home.0.join("look");
    let reach = format!(
        "#!/bin/sh\ncd {at}/own\ncat {trial}/key {trial}/closed/key >found 2>/dev/null\ncat {trial}/shown >by-link\necho done >end\n"
    );
    fs::write(&script, reach).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let more = format!("own = {at}/own\nprogram = {at}/look\n");
    world.create("evil", &format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\n{more}"));
    let says = world.om("driver inspect app.hostile --effective evil app#1").ok();
    world.om("evil delete --force --confirm").ok();
    if says.stdout.contains("not here: Landlock") {
        return println!("skipped: this kernel has no Landlock, and inspect says so");
    }
    attempt(world, "", &format!("run {at}/look"), &more).ok();
    assert_eq!(home.take(), ["", "shown", "", "done"]);
}

/// What a program leaves behind is in the group of its resource: the host knows of it, and a stop ends it.
fn what_a_program_of_an_installed_driver_leaves_running_ends_with_a_stop(world: &World) {
    install(world);
    let home = Home::new();
    let at = home.0.display().to_string();
    let script = home.0.join("leave");
    fs::write(&script, "#!/bin/sh\nsetsid sleep 86399 >/dev/null 2>&1 </dev/null &\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!("type = hostile\nattempt = run {at}/leave\nprogram = {at}/leave\n");
    world.create("evil", &format!("[DEFAULT]\nnodes = n1\n[app#1]\n{config}"));
    let started = world.om("evil start --disable-rollback").ok();
    if started.stdout.contains("no control groups") {
        return println!("skipped: this node has no control groups");
    }
    started.says("left running: ").says("a stop of the instance ends it");
    world.om("evil print holdings").ok().says("app#1  process-group  present");
    // The driver itself knows nothing of it.
    let file = world.write("quiet.conf", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\n");
    world.om(&format!("evil create --force --config {}", file.display())).ok();
    // Nor does it stop anything: what it says of itself is no matter here.
    world.om("evil stop").says("had left running");
    world.om("evil print holdings").ok().does_not_say("process-group");
    world.om("evil delete --force --confirm").ok();
}
