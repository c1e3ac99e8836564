//! What a daemon says to those who follow it: events, answers of its API, hooks, metrics, logs. None of it has a secret, whether that is
//! a key of a store, a value of the configuration whose name tells, or a variable; not even where the value itself is the error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::daemon::Daemon;
use crate::escapes::install;
use crate::world::{World, until};

crate::trials!(the_daemon_shows_no_secret);

/// A service whose program, driver and keywords say their secrets aloud.
const LOUD: &str = "[DEFAULT]\nnodes = n1\norchestrate = start\n[env]\ndb_password = hunter41\n\
    [app#1]\ntype = forking\nstart = /bin/sh -c 'echo $PIN $API_TOKEN {env.db_password} >&2; exit 1'\nstop = /bin/true\n\
    check = /bin/false\nenvironment = API_TOKEN=hunter42\nsecrets_environment = PIN=db/pin\n\
    [app#2]\ntype = hostile\nattempt = hunter {env.db_password}\noptional = true\n\
    [app#3]\ntype = forking\nstart = {w}/none --password {env.db_password}\nstop = /bin/true\ncheck = /bin/cat {w}/{env.db_password}\n\
    optional = true\n\
    [task#1]\ntype = host\ncommand = /bin/sh -c 'echo {env.db_password} $PIN; exit 3'\nsecrets_environment = PIN=db/pin\n\
    schedule = @1s\n";

/// A configuration whose errors are its secrets.
const BROKEN: &str = "[DEFAULT]\nnodes = n1\n[env]\ndb_password = hunter44\nadmin_secret = hunter45\n[app#1]\ntype = forking\n\
    start = /bin/true\nstart_timeout = {env.db_password}\nstop_timeout = {env.admin_secret}\nstop = /bin/true\ncheck = /bin/true\n\
    restart = API_TOKEN=hunter46\nsize = {env.admin_secret}\n";

/// The answers of the daemon's interface to root on this machine.
fn answers(world: &World, order: &str) -> String {
    let socket = world.path("root/run/daemon.sock").display().to_string();
    let addresses = [
        "/version",
        "/openapi.json",
        "/metrics",
        "/status",
        "/events?after=0",
        "/object/web/explain",
        "/object/bad/explain",
        "/processes",
        "/daemon/usage",
        "/audit",
        "/auth/token",
        "/auth/whoami",
        "/certificate",
    ];
    let order = format!("/object/web/order?id={order}");
    let ask = |address: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-S", "-m", "2", "--unix-socket", &socket, &format!("http://localhost{address}")]);
        let output = curl.output().unwrap();
        format!("{address}\n{}\n", String::from_utf8_lossy(&output.stdout))
    };
    addresses.into_iter().chain([order.as_str()]).map(ask).collect()
}

fn the_daemon_shows_no_secret(world: &World) {
    install(world);
    world.om("sec/db create").ok();
    world.om("sec/db add --key pin --value hunter43").ok();
    let hook = world.write("hook", "#!/bin/sh\n(env; cat) >>\"$(dirname \"$0\")/hooked\"\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    world.om(&format!("node set --kw hook#all.events=* --kw hook#all.command={}", hook.display())).ok();
    let file = world.write("web.conf", &world.fill(LOUD));
    world.om(&format!("web create --force --config {}", file.display())).does_not_say("hunter4");
    let daemon = Daemon::start(world);
    let file = world.write("bad.conf", BROKEN);
    world.om(&format!("bad create --force --config {}", file.display())).does_not_say("hunter4");
    let order = world.om("web start --wait --format json").does_not_say("hunter4");
    let order: serde_json::Value = serde_json::from_str(&order.stdout).unwrap_or_default();
    world.om("web clear --wait").does_not_say("hunter4");
    world.om("web set --kw env.db_password=hunter47 --kw app#1.environment=API_TOKEN=hunter48").does_not_say("hunter4");
    world.om("web start --wait --supersede").does_not_say("hunter4");
    world.om("web run --rid task#1").does_not_say("hunter4");
    until("the hook was told of it", || {
        let told = world.read("hooked");
        ["order.end", "exec.end", "object.config", "instance.status"].iter().all(|kind| told.contains(kind))
    });
    for line in [
        "daemon status",
        "daemon status --format json",
        "daemon ps --format json",
        "daemon log",
        "daemon audit --format json",
        "mon",
        "mon --format json",
        "web explain",
        "web explain --format json",
        "bad explain",
        "bad print status --refresh",
        "bad config validate",
        "bad start --local",
        "web print status --refresh --format json",
        "web print schedule --format json",
        "web logs",
        "web config history",
        "web config diff",
        "web validate config",
        "** ls --format json",
        "driver audit -n 0 --format json",
        "driver inspect app.hostile --effective web app#2",
    ] {
        world.om(line).does_not_say("hunter4");
    }
    let asked = answers(world, order["id"].as_str().unwrap_or_default());
    assert!(asked.contains("instance.blocked") && asked.contains("hostler_instance_state"), "{asked}");
    let told = world.read("hooked");
    let logs = logs(&world.path("root/log"));
    for (what, text) in [("the interface", asked), ("the hook", told), ("the logs", logs)] {
        let shown: Vec<&str> = text.lines().filter(|line| line.contains("hunter4")).collect();
        assert!(shown.is_empty(), "{what}: {shown:#?}");
    }
    world.om("daemon stop").ok();
    drop(daemon);
    world.om("web stop --local --force");
}

/// All that the agent and its daemon have written into their logs.
fn logs(directory: &std::path::Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => all += &logs(&entry.path()),
            // What a program prints is its own, and for root alone.
            false if entry.path().extension().is_some_and(|extension| extension == "out") => {}
            false => all += &String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()),
        }
    }
    all
}
