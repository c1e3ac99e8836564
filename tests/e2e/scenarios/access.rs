//! The daemon asked from elsewhere: by TLS, by users with certificates and tokens, with curl and with `om` itself.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::ran::Ran;
use crate::watch::Terminal;
use crate::world::{World, until};

crate::trials!(
    users_ask_by_tls_what_they_may_and_see_nothing_else,
    om_asks_another_node_by_a_context,
    what_is_wrong_with_a_proof_is_said,
    a_flood_is_refused_while_others_are_served,
    another_user_of_the_machine_is_refused_and_recorded,
);

/// A port for each world, as scenarios may run side by side.
fn port(world: &World) -> u16 {
    20_000 + u16::from(world.number())
}

/// A daemon that answers by TLS on loopback, two users, and a service in each of two namespaces.
fn listening(world: &World) -> Daemon {
    for namespace in ["ns1", "ns2"] {
        let path = format!("{namespace}/svc/web");
        let file = world.write(&format!("{namespace}.conf"), "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
        world.om(&format!("{path} create --config {}", file.display())).ok();
    }
    world.om("usr/alice create --kw grant=operator:ns1").ok();
    world.om("system/usr/bob create --kw grant=guest:ns2").ok();
    let daemon = Daemon::start(world);
    // While it runs: the listener needs no restart.
    world.om(&format!("node set --kw listener.addr=127.0.0.1 --kw listener.port={}", port(world))).ok();
    until("it listens", || TcpStream::connect(("127.0.0.1", port(world))).is_ok());
    for user in ["alice", "bob"] {
        world.om(&format!("daemon cert create {user} --to {}", world.path("keys").display())).ok();
    }
    daemon
}

fn curl(world: &World, options: &str, address: &str) -> (String, String) {
    let keys = world.path("keys").display().to_string();
    let options = options.replace("{k}", &keys);
    let mut command = Command::new("curl");
    command.args(["-s", "-S", "-w", "\n%{http_code}", "--cacert", &format!("{keys}/ca.pem")]);
    command.args(options.split_whitespace()).arg(format!("https://localhost:{}{address}", port(world)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, code) = text.rsplit_once('\n').unwrap_or_default();
    (code.to_owned(), format!("{body}{}", String::from_utf8_lossy(&output.stderr)))
}

const ALICE: &str = "--cert {k}/alice.pem --key {k}/alice.key";
const BOB: &str = "--cert {k}/bob.pem --key {k}/bob.key";

fn users_ask_by_tls_what_they_may_and_see_nothing_else(world: &World) {
    let daemon = listening(world);
    let (code, status) = curl(world, ALICE, "/status");
    assert!(code == "200" && status.contains("ns1/svc/web") && !status.contains("ns2"), "{code} {status}");
    let (_, metrics) = curl(world, BOB, "/metrics");
    assert!(metrics.contains("ns2/svc/web") && !metrics.contains("ns1/"), "{metrics}");
    let order = format!("{ALICE} -d {{\"verb\":\"start\"}}");
    let (code, receipt) = curl(world, &order, "/object/ns1%2Fsvc%2Fweb/order");
    assert_eq!(code, "202", "{receipt}");
    until("the service is up", || {
        world.om("ns1/svc/web print status --format json").stdout.contains("\"avail\": \"up\"")
    });
    let (code, refused) = curl(world, &order, "/object/ns2%2Fsvc%2Fweb/order");
    let expected = "user alice may not do this to ns2/svc/web: it needs the role operator in namespace ns2";
    assert!(code == "403" && refused.contains(expected), "{code} {refused}");
    let (code, nobody) = curl(world, "", "/status");
    assert!(code == "401" && nobody.contains("nothing says who you are"), "{nobody}");
    // A grant that changes holds at once.
    world.om("usr/alice set --kw grant=guest:ns2").ok();
    let (_, status) = curl(world, ALICE, "/status");
    assert!(!status.contains("ns1/svc/web") && status.contains("ns2/svc/web"), "{status}");
    let audit = world.om("daemon audit --user alice").ok().stdout;
    assert!(audit.contains("order start") && audit.contains("denied: user alice may not"), "{audit}");
    assert!(!audit.contains("bob"), "{audit}");
    let mode = |file: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(world.path(file)).unwrap().permissions().mode() & 0o777
    };
    let private = ["root/var/certificate/api/ca.key", "root/log/access.jsonl", "keys/alice.key"];
    private.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{file}"));
    drop(daemon);
}

/// Writes the contexts of a user, and asks with one of them.
fn elsewhere(world: &World, context: &str, line: &str) -> Ran {
    let config = world.path("config").display().to_string();
    world.om_with(line, &[("XDG_CONFIG_HOME", &config), ("HOSTLER_CONTEXT", context), ("HOSTLER_ROOT", "/nonexistent")])
}

fn contexts(world: &World) {
    let (port, keys) = (port(world), world.path("keys").display().to_string());
    let of = |name: &str, user: &str| {
        let files = format!("ca = {keys}/ca.pem\ncertificate = {keys}/{user}.pem\nkey = {keys}/{user}.key\n");
        format!("[{name}]\nserver = https://127.0.0.1:{port}\n{files}")
    };
    let file = format!("{}{}", of("alice", "alice"), of("bob", "bob"));
    world.write("config/hostler/contexts.conf", &file);
}

fn om_asks_another_node_by_a_context(world: &World) {
    let daemon = listening(world);
    contexts(world);
    let mon = elsewhere(world, "alice", "mon").ok();
    assert!(mon.stdout.contains("ns1/svc/web") && !mon.stdout.contains("ns2"), "{mon}");
    assert!(mon.stdout.contains(&format!("127.0.0.1:{}", port(world))), "{mon}");
    let variables =
        format!("XDG_CONFIG_HOME={} HOSTLER_CONTEXT=alice HOSTLER_ROOT=/nonexistent", world.path("config").display());
    if let Some(terminal) = Terminal::open_with(world, (100, 24), &variables, "'ns1/**' mon --watch") {
        terminal.shows("Services ~ ns1/**");
        terminal.shows("ns1/svc/web");
        terminal.keys(&["/", "ns1/svc/w*", "Enter"]);
        terminal.shows("Services ~ ns1/svc/w*");
        terminal.keys(&["q"]);
        until("it ends", || !terminal.is_open());
    }
    let started = elsewhere(world, "alice", "ns1/svc/web start --wait").ok();
    assert_eq!(started.stdout, "ns1/svc/web@n1: start done\n");
    elsewhere(world, "alice", "ns1/svc/web print status").ok().says("up");
    let all = elsewhere(world, "alice", "** ls").ok();
    assert_eq!(all.stdout.trim(), "ns1/svc/web");
    elsewhere(world, "alice", "events --replay --limit 1").ok().says("ns1/svc/web");
    elsewhere(world, "alice", "ns1/svc/web explain").ok();
    elsewhere(world, "alice", "daemon whoami").ok().says("user   alice on n1").says("grant  operator:ns1");
    elsewhere(world, "alice", "ns2/svc/web start --wait").ends(1).says("it needs the role operator in namespace ns2");
    elsewhere(world, "bob", "ns2/svc/web start").ends(1).says("user bob may not do this to ns2/svc/web");
    elsewhere(world, "bob", "node freeze").ends(1).says("needs the role root");
    for line in ["ns1/svc/web set --kw comment=x", "ns1/svc/web start --local", "daemon stop", "driver ls"] {
        elsewhere(world, "alice", line).ends(4).says("on the node itself");
    }
    elsewhere(world, "nobody", "mon").ends(1).says("has no context [nobody]: there is alice bob");
    // By a token, without a file.
    let token = world.om("daemon auth --user bob --role guest --duration 1m").ok().stdout;
    let ca = world.path("keys/ca.pem").display().to_string();
    let line = format!("--server https://localhost:{} daemon whoami", port(world));
    let asked = world.om_with(&line, &[("HOSTLER_CA", &ca), ("HOSTLER_TOKEN", token.trim())]).ok();
    asked.says("user   bob on n1").says("auth   token").says("limit  guest");
    drop(daemon);
}

fn what_is_wrong_with_a_proof_is_said(world: &World) {
    let daemon = listening(world);
    contexts(world);
    let server = format!("--server https://localhost:{}", port(world));
    let ca = world.path("keys/ca.pem").display().to_string();
    let token = world.om("daemon auth --user alice --duration 1s").ok().stdout;
    let by_token = || world.om_with(&format!("{server} mon"), &[("HOSTLER_CA", &ca), ("HOSTLER_TOKEN", token.trim())]);
    until("the token expires", || by_token().code != Some(0));
    by_token().ends(1).says("the token expired").says("om daemon auth makes a new one");
    world.om_with(&format!("{server} mon"), &[("HOSTLER_CA", &ca), ("HOSTLER_TOKEN", "a.b.c")]).ends(1);
    world.om_with(&format!("{server} mon"), &[("HOSTLER_CA", &ca)]).ends(1).says("nothing says who you are");
    // An authority that somebody else has made, by another program.
    let (key, other) = (world.path("other.key").display().to_string(), world.path("other.pem").display().to_string());
    let make = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=other",
        "-days",
        "2",
        "-keyout",
        &key,
        "-out",
        &other,
    ];
    assert!(Command::new("openssl").args(make).output().unwrap().status.success());
    world.om_with(&format!("{server} mon"), &[("HOSTLER_CA", &other)]).ends(1).says("of another authority");
    let (code, refused) = curl(world, &format!("--cert {other} --key {key}"), "/status");
    assert!(code == "000" && refused.contains("alert"), "{code} {refused}");
    elsewhere(world, "alice", "mon").ok();
    world.om("daemon cert revoke alice").ok();
    elsewhere(world, "alice", "mon").ends(1).says("of user alice was revoked");
    world.om("system/usr/bob delete").ok();
    elsewhere(world, "bob", "mon").ends(1).says("user bob does not exist");
    let mut plain = TcpStream::connect(("127.0.0.1", port(world))).unwrap();
    plain.write_all(b"GET /status HTTP/1.1\r\nHost: n1\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("TLS only"), "{answer}");
    let audit = world.om("daemon audit --denied --format json").ok().stdout;
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let reasons: Vec<&str> = audit.as_array().unwrap().iter().filter_map(|one| one["reason"].as_str()).collect();
    for reason in ["the token expired", "certificate is refused", "was revoked", "user bob does not exist"] {
        assert!(reasons.iter().any(|told| told.contains(reason)), "{reason}: {reasons:?}");
    }
    // What is listened on ends with its keyword.
    world.om("node unset --kw listener.addr").ok();
    until("it listens no more", || TcpStream::connect(("127.0.0.1", port(world))).is_err());
    drop(daemon);
}

fn a_flood_is_refused_while_others_are_served(world: &World) {
    let daemon = listening(world);
    contexts(world);
    world.om("node set --kw listener.rate_limiter_rate=5 --kw listener.rate_limiter_burst=50").ok();
    // One connection, so that it is requests that come too fast.
    let keys = world.path("keys").display().to_string();
    let url = format!("https://localhost:{}/status?n=[1-400]", port(world));
    let mut flood = Command::new("curl");
    flood.args(["-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "--cacert", &format!("{keys}/ca.pem")]);
    flood.args(["--cert", &format!("{keys}/alice.pem"), "--key", &format!("{keys}/alice.key"), &url]);
    let flood = flood.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Root, on the socket, is not slowed down.
    world.om("mon").ok();
    world.om("ns1/svc/web start --wait").ok();
    let codes = String::from_utf8(flood.wait_with_output().unwrap().stdout).unwrap();
    let count = |code: &str| codes.lines().filter(|line| *line == code).count();
    assert!(count("200") >= 10 && count("429") >= 100, "{} answered, {} refused", count("200"), count("429"));
    let told = world.om("daemon audit --user alice --denied").ok().stdout;
    assert!(told.contains("requests of user alice come too fast"), "{told}");
    assert!(told.lines().count() < 60, "of a flood only the beginning is recorded");
    drop(daemon);
}

fn another_user_of_the_machine_is_refused_and_recorded(world: &World) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let daemon = listening(world);
    let open = |path: &str, mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(world.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    let socket = world.path("root/run/daemon.sock").display().to_string();
    let ask = |options: &[&str]| {
        let mut answer = String::new();
        until("the socket can be reached", || {
            // The agent closes its run directory again whenever it opens it: only root reaches the socket as it is.
            [("", 0o755), ("root", 0o755), ("root/run", 0o755), ("root/run/daemon.sock", 0o666)]
                .iter()
                .for_each(|(path, mode)| open(path, *mode));
            let mut command = Command::new("curl");
            command.args(["-s", "--unix-socket", &socket, "http://d/status"]).args(options).uid(65534).gid(65534);
            answer = String::from_utf8(command.output().unwrap().stdout).unwrap();
            !answer.is_empty()
        });
        answer
    };
    assert!(ask(&[]).contains("uid 65534 may not ask this daemon without a token"), "{}", ask(&[]));
    let token = world.om("daemon auth --user bob --duration 1m").ok().stdout;
    let answer = ask(&["-H", &format!("Authorization: Bearer {}", token.trim())]);
    assert!(answer.contains("ns2/svc/web") && !answer.contains("ns1"), "{answer}");
    let key = fs::metadata(world.path("root/var/token/key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    world.om("daemon audit --denied").ok().says("uid 65534");
    drop(daemon);
}
