//! Logs that also go to systemd's journal and to syslog: a real journald and a real rsyslogd, each for one scenario.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::daemon::Daemon;
use crate::world::{World, until};

crate::trials!(the_journal_gets_the_lines_with_their_fields, rsyslog_reads_what_is_sent_to_its_socket_and_over_tcp,);

const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// A program that is killed at the end of the test.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Server {
        Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A journal in a mount namespace whose `/run` is its own, and that `/run` as others reach it.
fn journald() -> (Server, PathBuf) {
    let script =
        format!("mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal && exec {JOURNALD}");
    let server = Server::start(Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let run = PathBuf::from(format!("/proc/{}/root/run", server.pid()));
    until("the journal listens", || run.join("systemd/journal/socket").exists());
    (server, run)
}

/// The entries of the journal about an object.
fn entries(run: &std::path::Path, object: &str) -> Vec<Value> {
    let mut journalctl = Command::new("journalctl");
    journalctl
        .args(["--no-pager", "-o", "json", "-D"])
        .arg(run.join("log/journal"))
        .arg(format!("OBJECT_PATH={object}"));
    let output = journalctl.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn the_journal_gets_the_lines_with_their_fields(world: &World) {
    if fs::metadata(JOURNALD).is_err() {
        println!("skipped: there is no {JOURNALD}");
        return;
    }
    let (mut journal, run) = journald();
    let socket = run.join("systemd/journal/socket");
    world.om(&format!("node set --kw node.journald={}", socket.display())).ok();
    world.create("web", &world.app("1", ""));
    world.om("web start --local").ok();
    until("the journal has the start", || {
        let found = entries(&run, "web");
        let of_app = found.iter().any(|entry| entry["RID"] == "app#1" && entry["NODE"] == "n1");
        let start =
            found.iter().any(|entry| entry["MESSAGE"].as_str().is_some_and(|text| text.starts_with(">>> do start")));
        of_app && start && found.iter().all(|entry| entry["SYSLOG_IDENTIFIER"] == "hostler")
    });
    // A journal that is gone costs nothing but its own lines.
    journal.stop();
    world.om("web stop --local").ok();
    world.om("web logs").ok().says("<<< done stop");
}

fn rsyslog(world: &World, port: u16) -> Option<Server> {
    if Command::new("rsyslogd").arg("-v").output().is_err() {
        println!("skipped: there is no rsyslogd");
        return None;
    }
    let config = r##"
global(workDirectory="{w}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{w}/log.sock" UseSpecialParser="off" IgnoreTimestamp="off" ParseHostname="on")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="fields" type="string" string="%inputname%|%hostname%|%app-name%|%syslogseverity%|%structured-data%|%msg%\n")
action(type="omfile" file="{w}/received" template="fields" asyncWriting="off" flushOnTXEnd="on")
"##;
    let config = world.write("rsyslog.conf", &world.fill(config).replace("{port}", &port.to_string()));
    let pid = world.path("rsyslog.pid");
    let server = Server::start(Command::new("rsyslogd").arg("-n").arg("-f").arg(config).arg("-i").arg(pid));
    until("rsyslogd listens", || world.exists("log.sock") && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some(server)
}

fn rsyslog_reads_what_is_sent_to_its_socket_and_over_tcp(world: &World) {
    let port = 40_000 + u16::from(world.number());
    let Some(mut server) = rsyslog(world, port) else { return };
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    let daemon = Daemon::start(world);
    // The daemon reads node.conf as it changes.
    world.om(&format!("node set --kw node.syslog={}", world.path("log.sock").display())).ok();
    world.om("web start --wait").ok();
    let has = |input: &str, rest: &str| {
        let lines = world.read("received");
        lines.lines().any(|line| line.starts_with(&format!("{input}|n1|hostler|6|")) && line.contains(rest))
    };
    until("the start came by the socket", || {
        has("imuxsock", r#"[hostler@32473 object="web" rid="app#1"]|web: app#1: run: "#)
            && has("imuxsock", "web: order.end")
    });
    world.om(&format!("node set --kw node.syslog=tcp://127.0.0.1:{port}")).ok();
    world.om("web stop --local").ok();
    until("the stop came over TCP", || has("imtcp", r#"[hostler@32473 object="web"]|web: <<< done stop"#));
    // A log host that is gone delays nothing, and the file has every line.
    server.stop();
    world.om("web start --local").ok();
    world.om("web logs").ok().says("<<< done start");
    world.om("daemon stop").ok();
    drop(daemon);
}
