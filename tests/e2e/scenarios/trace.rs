//! `om daemon trace`: an operator watches what the daemon decides and does.

use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    what_the_daemon_decides_and_does_is_followed_live,
    a_trace_goes_on_with_the_next_daemon,
    a_daemon_that_is_older_than_om_is_named,
);

/// Starts a trace, and waits until the daemon sends to it.
fn trace(world: &World, options: &str) -> (String, Child) {
    let line = format!("daemon trace {options}");
    let socket = world.path("root/run/daemon.sock").display().to_string();
    let sockets = || std::fs::read_to_string("/proc/net/unix").unwrap_or_default().matches(&socket).count();
    // The daemon closes the connections of commands that have ended a moment later.
    let moments = (0..30).map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        sockets()
    });
    let before = moments.min().unwrap_or_default();
    let following = world.spawn(&line);
    until("it follows", || sockets() > before);
    (line, following)
}

fn end((line, om): (String, Child)) -> Ran {
    Ran::new(&format!("om {line}"), om.wait_with_output().unwrap()).ok()
}

fn what_the_daemon_decides_and_does_is_followed_live(world: &World) {
    for name in ["web", "db"] {
        world.create(name, "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    }
    let daemon = Daemon::start(world);
    let all = trace(world, "--for 6s --format json");
    let one = trace(world, "--object w* --kind step,end --for 6s");
    world.om("web start --wait").ok();
    world.om("db start --wait").ok();
    let printed = end(all).stdout;
    let entries: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |kind: &str, is_it: &dyn Fn(&Value) -> bool| {
        let found = entries.iter().position(|entry| entry["kind"] == kind && entry["path"] == "web" && is_it(entry));
        found.unwrap_or_else(|| panic!("no {kind} in {printed}"))
    };
    let starts = |text: &Value| text.as_str().is_some_and(|text| text.starts_with("start (order "));
    let decision = find("decision", &|entry| entry["steps"].as_array().unwrap().iter().any(starts));
    let step = find("step", &|entry| starts(&entry["step"]) && entry["held_back"].is_null());
    let call = find("call", &|entry| entry["verb"] == "start" && entry["rid"] == "fs#1");
    let over = find("end", &|entry| entry["action"] == "start" && entry["end"] == "done");
    assert!(decision < step.max(call) && step < call && call < over, "{printed}");
    let call = &entries[call];
    assert_eq!((&call["driver"], &call["end"], &call["changed"]), (&"fs.flag".into(), &"done".into(), &"yes".into()));
    assert!(call["took_ms"].as_f64().unwrap() > 0.0, "{call}");
    find("look", &|entry| entry["avail"] == "up");
    let printed = end(one).stdout;
    assert!(printed.lines().any(|line| line.contains(" step     web start (order ")), "{printed}");
    assert!(printed.lines().any(|line| line.contains(" end      web start (order ") && line.contains(" done in ")));
    assert!(!printed.contains(" db ") && !printed.contains(" call "), "{printed}");
    world.om("web,db stop --wait").ok();
    drop(daemon);
}

fn a_trace_goes_on_with_the_next_daemon(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("daemon start").ok();
    let (line, mut om) = trace(world, "--object web --kind call --limit 2 --format json");
    world.om("daemon restart").ok();
    // The trace reaches the next daemon a moment later.
    until("it has shown two calls", || {
        world.om("web start --wait").ok();
        world.om("web stop --wait").ok();
        om.try_wait().unwrap().is_some()
    });
    let printed = end((line, om)).stdout;
    assert_eq!(printed.lines().count(), 2, "{printed}");
    world.om("daemon stop").ok();
}

/// A daemon that has no such route, and says so as every version does.
fn a_daemon_that_is_older_than_om_is_named(world: &World) {
    use std::io::{Read, Write};
    std::fs::create_dir_all(world.path("root/run")).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(world.path("root/run/daemon.sock")).unwrap();
    let older = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        assert!(String::from_utf8_lossy(&head[..read]).starts_with("GET /trace?"));
        let body = r#"{"kind":"no_match","message":"there is no /trace"}"#;
        let head = "HTTP/1.1 404 Not Found\r\nhostler-api: 1\r\ncontent-type: application/json";
        write!(stream, "{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
    });
    world.om("daemon trace --for 1s").ends(4).says("this daemon is older than om").says("om daemon restart");
    older.join().unwrap();
}
