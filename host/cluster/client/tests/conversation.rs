//! The client and the API together, over a real socket, with a daemon behind them that answers from a script.

mod fake;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use client::{ClientError, DaemonClient, EventWish};
use fake::FakeDaemon;
use model::ObjectPath;
use protocol::FailureKind;
use protocol::daemon::{API_VERSION, EventKind, OrderCommand, OrderRequest, StopRequest};
use serde_json::Value;

fn path(text: &str) -> ObjectPath {
    text.parse().unwrap()
}

fn start_order() -> OrderRequest {
    OrderRequest {
        verb: OrderCommand::Start,
        supersede: false,
        force: true,
        time: None,
        command: "om web start".into(),
    }
}

/// Speaks HTTP by hand, and returns the whole answer.
async fn raw(daemon: &FakeDaemon, request: String) -> String {
    let socket = daemon.socket.clone();
    let speak = move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(speak).await.unwrap()
}

fn get(address: &str, header: &str) -> String {
    format!("GET {address} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n{header}\r\n")
}

#[tokio::test]
async fn every_route_is_asked_and_answered() {
    let daemon = FakeDaemon::start();
    let client = &daemon.client;
    assert_eq!(client.version().await.unwrap().pid, std::process::id());
    assert_eq!(client.status().await.unwrap(), fake::status());
    let receipt = client.order(&path("ns1/svc/web"), &start_order()).await.unwrap();
    assert_eq!(
        (receipt.id.as_str(), receipt.path, receipt.ended),
        ("Start om web start root", path("ns1/svc/web"), true)
    );
    assert_eq!(client.order_state(&path("web"), Some("a b")).await.unwrap().id, "a b");
    assert_eq!(client.order_state(&path("web"), None).await.unwrap().id, "last");
    client.refresh(Some(&path("web"))).await.unwrap();
    client.refresh(None).await.unwrap();
    assert_eq!(client.processes().await.unwrap(), [fake::process(7, "ns1/svc/web"), fake::process(8, "ns2/svc/db")]);
    client.kill(7).await.unwrap();
    assert!(client.freeze_node(true).await.unwrap() && !client.freeze_node(false).await.unwrap());
    client.stop(StopRequest { drain: true, keep: false }).await.unwrap();
    assert_eq!(client.usage().await.unwrap().pid, std::process::id());
    assert!(client.metrics().await.unwrap().contains("hostler_thread_running{thread=\"monitor\"} 1\n"));
    assert_eq!(client.openapi().await.unwrap()["openapi"], "3.1.0");
    daemon.end().await;
}

#[tokio::test]
async fn a_refusal_keeps_its_kind_and_its_words() {
    let daemon = FakeDaemon::start();
    let refused = daemon.client.explain(&path("ns1/svc/web")).await.unwrap_err();
    assert_eq!((refused.kind(), refused.to_string().as_str()), (FailureKind::NoMatch, "ns1/svc/web does not exist"));
    let answer = raw(&daemon, get("/object/web/explain", "")).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(raw(&daemon, get("/object/WEB/explain", "")).await.contains("is not the path of an object"));
    assert!(raw(&daemon, get("/events?kind=x", "")).await.contains("is not a kind of event"));
    let unreadable = "POST /object/web/order HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    let answer = raw(&daemon, unreadable.to_owned()).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("missing field `verb`"), "{answer}");
    let long = format!(
        "POST /refresh HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n{}",
        "x".repeat(70_000)
    );
    assert!(raw(&daemon, long).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_client_of_another_version_is_told_which_to_upgrade_and_may_ask_for_the_version() {
    let daemon = FakeDaemon::start();
    let newer = format!("hostler-api: {}\r\n", API_VERSION + 1);
    let answer = raw(&daemon, get("/status", &newer)).await;
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("om daemon restart"), "{answer}");
    assert!(raw(&daemon, get("/version", &newer)).await.starts_with("HTTP/1.1 200 "));
    assert!(raw(&daemon, get("/status", "")).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn events_are_followed_from_a_number_and_filtered() {
    let daemon = FakeDaemon::start();
    let events = daemon.handle.events();
    events.add(1.0, EventKind::DaemonReady, None, Value::Null);
    events.add(2.0, EventKind::OrderEnd, Some(&path("web")), Value::Null);
    let wish = EventWish { after: Some(100), ..EventWish::default() };
    let mut all = daemon.client.events(&wish).await.unwrap();
    assert_eq!(all.next().await.unwrap().unwrap().id, 101);
    assert_eq!(all.next().await.unwrap().unwrap().id, 102);
    let mut new = daemon.client.events(&EventWish::default()).await.unwrap();
    let wish = EventWish { after: Some(100), kinds: vec![EventKind::OrderEnd], paths: vec![path("web")] };
    let mut some = daemon.client.events(&wish).await.unwrap();
    events.add(3.0, EventKind::OrderEnd, Some(&path("db")), Value::Null);
    events.add(4.0, EventKind::OrderEnd, Some(&path("web")), Value::Null);
    assert_eq!(some.next().await.unwrap().unwrap().id, 102);
    assert_eq!(some.next().await.unwrap().unwrap().id, 104);
    assert_eq!(new.next().await.unwrap().unwrap().id, 103);
    daemon.end().await;
    assert_eq!(new.next().await.unwrap().unwrap().id, 104);
    assert_eq!(new.next().await.unwrap(), None);
}

/// Fifty readers, five of which stop reading: nobody waits for them, and they learn what they have missed.
#[tokio::test]
async fn a_reader_that_stops_costs_nobody_anything() {
    let daemon = FakeDaemon::start();
    let mut slow = Vec::new();
    for _ in 0..5 {
        slow.push(daemon.client.events(&EventWish::default()).await.unwrap());
    }
    let mut quick = daemon.client.events(&EventWish::default()).await.unwrap();
    for number in 0..15_000u64 {
        daemon.handle.events().add(0.0, EventKind::InstanceStatus, Some(&path("web")), Value::from("x".repeat(200)));
        let event = quick.next().await.unwrap().unwrap();
        assert_eq!((event.id, event.kind), (101 + number, EventKind::InstanceStatus));
    }
    for reader in &mut slow {
        let mut last = 100;
        let mut resync = 0;
        while last < 15_100 {
            let event = reader.next().await.unwrap().unwrap();
            assert!(event.id > last || event.kind == EventKind::Resync, "{event:?} behind {last}");
            resync += u32::from(event.kind == EventKind::Resync);
            last = event.id;
        }
        assert!(resync >= 1);
    }
}

/// A flood of readers and of connections is refused with the reason, and who only asks something is still answered.
#[tokio::test]
async fn a_flood_is_refused_and_leaves_room_for_questions() {
    let daemon = FakeDaemon::start();
    let mut streams = Vec::new();
    let refused = loop {
        match daemon.client.events(&EventWish::default()).await {
            Ok(stream) => streams.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!((streams.len(), refused.kind()), (128, FailureKind::Busy), "{refused}");
    daemon.client.status().await.unwrap();
    let mut idle: Vec<UnixStream> = (0..140).map(|_| UnixStream::connect(&daemon.socket).unwrap()).collect();
    let refused = daemon.client.status().await.unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Busy, "{refused}");
    idle.clear();
    drop(streams);
    // The server notices that they are gone as soon as it looks.
    while daemon.client.status().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_daemon_that_is_not_there_or_hangs_is_told_apart() {
    let nowhere = DaemonClient::new("/nonexistent/daemon.sock").version().await.unwrap_err();
    assert_eq!(nowhere.to_string(), "no daemon runs on this node: om daemon start");
    let run = tempfile::tempdir().unwrap();
    let left_behind = run.path().join("daemon.sock");
    drop(std::os::unix::net::UnixListener::bind(&left_behind).unwrap());
    assert!(matches!(DaemonClient::new(&left_behind).status().await, Err(ClientError::NotRunning)));

    // It takes every request, and answers none.
    let hung = FakeDaemon::start_with(|mut requests| async move {
        let mut kept = Vec::new();
        while let Some(request) = requests.recv().await {
            kept.push(request);
        }
    });
    let client = hung.client.clone().within(Duration::from_millis(50));
    assert!(matches!(client.status().await, Err(ClientError::Silent(_))));
    // What the API knows by itself is answered all the same.
    client.version().await.unwrap();
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test says why it skips")]
async fn another_user_is_refused_and_audited() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let daemon = FakeDaemon::start();
    open_to_all(&daemon);
    let mut audit = daemon.client.events(&EventWish::default()).await.unwrap();
    let socket = daemon.socket.clone();
    // The kernel notes who connects, and each thread may be another user.
    let ask = std::thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(get("/status", "").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = tokio::task::spawn_blocking(|| ask.join().unwrap()).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("uid 65534 may not ask this daemon without a token"),
        "{answer}"
    );
    let event = audit.next().await.unwrap().unwrap();
    assert_eq!((event.kind, &event.data["asked"]), (EventKind::AuditDenied, &Value::from("GET /status")));
}

/// Opens the socket and the way to it.
fn open_to_all(daemon: &FakeDaemon) {
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(daemon.socket.parent().unwrap(), 0o755);
    set(&daemon.socket, 0o666);
}
