//! Who may ask what: every route with every role, tokens, and what a user sees. Over the real socket, with a daemon behind the API
//! that answers from a script.

mod fake;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use api::ListenerSettings;
use client::EventWish;
use fake::FakeDaemon;
use protocol::FailureKind;
use protocol::daemon::{AccessQuery, EventKind, TokenRequest};
use serde_json::Value;

/// The least that each route demands in the namespace ns1.
const DEMANDS: &[(&str, Demand)] = &[
    ("version", Demand::Nothing),
    ("openapi", Demand::Nothing),
    ("whoami", Demand::Nothing),
    ("makeToken", Demand::Nothing),
    ("tokens", Demand::Nothing),
    ("revokeToken", Demand::Nothing),
    ("status", Demand::Somewhere),
    ("metrics", Demand::Somewhere),
    ("events", Demand::Somewhere),
    ("trace", Demand::Somewhere),
    ("processes", Demand::Somewhere),
    ("usage", Demand::Somewhere),
    ("orderState", Demand::Role(1)),
    ("explain", Demand::Role(1)),
    ("order", Demand::Role(2)),
    ("refreshObject", Demand::Role(2)),
    ("kill", Demand::Role(2)),
    ("refresh", Demand::Role(4)),
    ("freezeNode", Demand::Role(4)),
    ("thawNode", Demand::Role(4)),
    ("orderNode", Demand::Role(4)),
    ("acceptEngine", Demand::Role(4)),
    ("evictNode", Demand::Role(4)),
    ("stopDaemon", Demand::Role(4)),
    ("certificates", Demand::Role(4)),
    ("signCertificate", Demand::Role(4)),
    ("renewCertificate", Demand::Role(4)),
    ("revokeCertificate", Demand::Role(4)),
    ("audit", Demand::Role(4)),
    // No user at all.
    ("ping", Demand::Role(5)),
    ("commandOfPeer", Demand::Role(5)),
    ("commandOnNode", Demand::Role(4)),
    ("joinCluster", Demand::Never),
    ("seatNode", Demand::Never),
];

#[derive(Clone, Copy)]
enum Demand {
    /// A user without any grant may.
    Nothing,
    /// A grant in any namespace is enough.
    Somewhere,
    /// The rank of the role in ns1: guest, operator, admin, root.
    Role(u8),
    /// No user may: only a node that joins, by its own kind of token.
    Never,
}

/// The users: what they are granted, and the rank of that in ns1.
const USERS: [(&str, &str, u8); 8] = [
    ("nothing", "", 0),
    ("guest1", "guest:ns1", 1),
    ("operator1", "operator:ns1", 2),
    ("admin1", "admin:ns1", 3),
    ("guest2", "guest:ns2", 0),
    ("admin2", "admin:ns2", 0),
    ("guests", "guest:*", 1),
    ("all", "root", 4),
];

async fn token(daemon: &FakeDaemon, user: &str, role: &str) -> String {
    let role = role.split_whitespace().map(str::to_owned).collect();
    let wanted = TokenRequest { user: Some(user.to_owned()), role, duration: None };
    daemon.client.make_token(&wanted).await.unwrap().token
}

/// Asks with a token, and returns the status, and the body as far as it is one line.
async fn ask(daemon: &FakeDaemon, token: &str, method: &str, address: &str, body: &str) -> (u16, String) {
    let request = format!(
        "{method} {address} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let socket: PathBuf = daemon.socket.clone();
    let speak = move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().unwrap().unwrap();
        let is_stream = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .any(|line| line.eq_ignore_ascii_case("content-type: text/event-stream"));
        let body = if is_stream { String::new() } else { lines.map_while(Result::ok).collect::<Vec<_>>().join("\n") };
        (status.split(' ').nth(1).unwrap().parse().unwrap(), body)
    };
    tokio::task::spawn_blocking(speak).await.unwrap()
}

#[tokio::test]
async fn every_route_is_answered_to_those_who_have_its_role_and_to_no_others() {
    let daemon = FakeDaemon::start_on(ListenerSettings { rate: 0, ..ListenerSettings::default() });
    let openapi = daemon.client.openapi().await.unwrap();
    let mut found = 0;
    for (user, grant, rank) in USERS {
        daemon.node.add_user(user, grant);
        let token = token(&daemon, user, "").await;
        for (template, methods) in openapi["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                let (_, demand) =
                    DEMANDS.iter().find(|(known, _)| *known == id).unwrap_or_else(|| panic!("{id}: who may?"));
                let may = match demand {
                    Demand::Nothing => true,
                    Demand::Somewhere => !grant.is_empty(),
                    Demand::Role(least) => rank >= *least,
                    Demand::Never => false,
                };
                let address = template.replace("{path}", "ns1%2Fsvc%2Fweb").replace("{id}", "7");
                let address = address.replace("{token}", "none").replace("{serial}", "none");
                let body = if id == "order" { r#"{"verb": "start"}"# } else { "" };
                let (status, answer) = ask(&daemon, &token, &method.to_uppercase(), &address, body).await;
                assert_eq!(status != 403, may, "{user} ({grant}) asks {id}: {status} {answer}");
                assert!(status != 401 && status != 429, "{user} asks {id}: {status} {answer}");
                assert!(!operation["x-hostler-access"].as_str().unwrap().is_empty());
                found += 1;
            }
        }
    }
    assert_eq!(found, USERS.len() * DEMANDS.len(), "DEMANDS names a route that is not there");
}

#[tokio::test]
async fn a_token_by_which_a_node_joins_is_good_for_that_alone() {
    let daemon = FakeDaemon::start_on(ListenerSettings { rate: 0, ..ListenerSettings::default() });
    let openapi = daemon.client.openapi().await.unwrap();
    for (template, methods) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let joins = ["joinCluster", "seatNode"].contains(&id);
            let address = template.replace("{path}", "web").replace("{id}", "7").replace("{token}", "x");
            let address = address.replace("{serial}", "x");
            let (status, answer) = ask(&daemon, "H1.5f3c1a2b.AAAA", &method.to_uppercase(), &address, "").await;
            // This daemon belongs to no cluster that a node could join, and the body is not a request to join.
            assert_eq!(status, if joins { 400 } else { 403 }, "{id}: {answer}");
        }
    }
}

#[tokio::test]
async fn an_order_that_removes_needs_an_admin() {
    let daemon = FakeDaemon::start();
    for (user, grant, may) in [("op", "operator:ns1", false), ("boss", "admin:ns1", true)] {
        daemon.node.add_user(user, grant);
        let token = token(&daemon, user, "").await;
        for verb in ["purge", "delete"] {
            let body = format!(r#"{{"verb": "{verb}"}}"#);
            let (status, answer) = ask(&daemon, &token, "POST", "/object/ns1%2Fsvc%2Fweb/order", &body).await;
            assert_eq!(status == 202, may, "{user} orders {verb}: {answer}");
            let expected = "user op may not do this to ns1/svc/web: it needs the role admin in namespace ns1";
            assert!(may || answer.contains(expected), "{answer}");
        }
    }
}

/// A guest of ns1 learns nothing of ns2.
#[tokio::test]
async fn what_is_read_is_only_what_the_user_may_see() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("guest1", "guest:ns1");
    let token = token(&daemon, "guest1", "").await;
    let root = |address: &'static str| ask(&daemon, "", "GET", address, "");
    for address in ["/status", "/metrics", "/processes"] {
        let (status, answer) = ask(&daemon, &token, "GET", address, "").await;
        assert!(status == 200 && answer.contains("ns1/svc/web") && !answer.contains("ns2"), "{address}: {answer}");
        assert_eq!(root(address).await.0, 401, "an empty token is none");
    }
    assert!(serde_json::to_string(&daemon.client.status().await.unwrap()).unwrap().contains("ns2"));

    let events = daemon.handle.events();
    let path = |text: &str| Some(text.parse().unwrap());
    events.add(1.0, EventKind::InstanceStatus, path("ns2/svc/db").as_ref(), Value::Null);
    events.add(2.0, EventKind::AuditDenied, None, Value::Null);
    events.add(3.0, EventKind::InstanceStatus, path("ns1/svc/web").as_ref(), Value::Null);
    let socket = daemon.socket.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        let head = format!("GET /events?after=100 HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("data: ")).unwrap()
    });
    let first = read.await.unwrap();
    assert!(first.contains("ns1/svc/web") && first.contains("instance.status"), "{first}");
}

#[tokio::test]
async fn a_token_can_do_what_its_user_may_and_what_it_was_made_for() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("op", "operator:ns1 operator:ns2");
    let order = |namespace: &'static str, token: String| {
        let daemon = &daemon;
        async move {
            let address = format!("/object/{namespace}%2Fsvc%2Fweb/order");
            ask(daemon, &token, "POST", &address, r#"{"verb": "start"}"#).await
        }
    };
    let limited = token(&daemon, "op", "operator:ns1").await;
    assert_eq!(order("ns1", limited.clone()).await.0, 202);
    let (status, answer) = order("ns2", limited.clone()).await;
    assert!(status == 403 && answer.contains("this token of user op may not"), "{answer}");
    // More than the user may is of no use.
    let greedy = token(&daemon, "op", "root").await;
    assert_eq!(order("ns3", greedy).await.0, 403);
    // What the user may is looked up each time.
    daemon.node.add_user("op", "guest:ns1");
    assert_eq!(order("ns1", limited.clone()).await.0, 403);
    daemon.node.users.lock().unwrap().remove("op");
    let (status, answer) = order("ns1", limited).await;
    assert!(status == 401 && answer.contains("user op does not exist"), "{answer}");
}

#[tokio::test]
async fn a_token_makes_no_token_that_could_do_more_or_that_lives_longer() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("op", "operator:ns1");
    daemon.node.add_user("all", "root");
    let make = |token: String, body: &'static str| {
        let daemon = &daemon;
        async move { ask(daemon, &token, "POST", "/auth/token", body).await }
    };
    let own = token(&daemon, "op", "guest:ns1").await;
    let (status, answer) = make(own.clone(), r#"{"duration": 86400}"#).await;
    let made: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 201, "{answer}");
    let (_, seen) = ask(&daemon, made["token"].as_str().unwrap(), "GET", "/auth/whoami", "").await;
    let (_, parent) = ask(&daemon, &own, "GET", "/auth/whoami", "").await;
    let (seen, parent): (Value, Value) = (serde_json::from_str(&seen).unwrap(), serde_json::from_str(&parent).unwrap());
    assert_eq!((&seen["limit"], &seen["ends_at"]), (&serde_json::json!(["guest:ns1"]), &parent["ends_at"]));
    assert_eq!(make(own.clone(), r#"{"role": ["operator:ns1"]}"#).await.0, 403);
    assert_eq!(make(own.clone(), r#"{"user": "all"}"#).await.0, 403);
    let root_limited = token(&daemon, "all", "guest:ns1").await;
    assert_eq!(make(root_limited, r#"{"user": "all"}"#).await.0, 201, "the same limit again");
    for wrong in [r#"{"duration": 0}"#, r#"{"duration": 99999999}"#, r#"{"role": ["amdin:ns1"]}"#] {
        let full = token(&daemon, "op", "").await;
        assert_eq!(make(full, wrong).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_user_or_by_root() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("a", "guest:ns1");
    daemon.node.add_user("b", "guest:ns1");
    let (of_a, of_b) = (token(&daemon, "a", "").await, token(&daemon, "b", "").await);
    let tokens = daemon.client.tokens().await.unwrap();
    let id = |user: &str| tokens.iter().find(|token| token.user == user).unwrap().id.clone();
    assert_eq!(ask(&daemon, &of_a, "DELETE", &format!("/auth/token/{}", id("b")), "").await.0, 404);
    assert!(!ask(&daemon, &of_a, "GET", "/auth/token", "").await.1.contains(&id("b")));
    assert_eq!(ask(&daemon, &of_a, "DELETE", &format!("/auth/token/{}", id("a")), "").await.0, 204);
    let (status, answer) = ask(&daemon, &of_a, "GET", "/status", "").await;
    assert!(status == 401 && answer.contains("was revoked"), "{answer}");
    daemon.client.revoke_token(&id("b")).await.unwrap();
    assert_eq!(ask(&daemon, &of_b, "GET", "/status", "").await.0, 401);
    let missing = daemon.client.revoke_token("nothing").await.unwrap_err();
    assert_eq!(missing.kind(), FailureKind::NoMatch);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("a", "guest:ns1");
    let of_a = token(&daemon, "a", "").await;
    let socket = daemon.socket.clone();
    let (followed, follows) = tokio::sync::oneshot::channel();
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        let head = format!("GET /events HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer {of_a}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with(": following")).unwrap();
        followed.send(()).unwrap();
        lines.filter(|line| line.starts_with("data: ")).count()
    });
    follows.await.unwrap();
    let id = daemon.client.tokens().await.unwrap()[0].id.clone();
    daemon.client.revoke_token(&id).await.unwrap();
    // It is looked at again once five seconds are over, at the next event.
    let path = "ns1/svc/web".parse().unwrap();
    while !read.is_finished() {
        daemon.handle.events().add(0.0, EventKind::InstanceStatus, Some(&path), Value::Null);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(read.await.unwrap() < 100);
}

#[tokio::test]
async fn the_trail_says_who_did_what_and_what_was_refused() {
    let daemon = FakeDaemon::start();
    daemon.node.add_user("op", "operator:ns1");
    let of_op = token(&daemon, "op", "").await;
    let mut events = daemon.client.events(&EventWish::default()).await.unwrap();
    ask(&daemon, &of_op, "POST", "/object/ns1%2Fsvc%2Fweb/order", r#"{"verb": "start", "command": "om web start"}"#)
        .await;
    ask(&daemon, &of_op, "GET", "/status", "").await;
    ask(&daemon, &of_op, "POST", "/node/freeze", "").await;
    ask(&daemon, "forged", "POST", "/node/freeze", "").await;
    daemon.client.freeze_node(true).await.unwrap();
    let all = daemon.client.audit(&AccessQuery::default()).await.unwrap();
    let told: Vec<[&str; 4]> =
        all.iter().map(|one| ["user", "auth", "asked", "outcome"].map(|member| one.text(member))).collect();
    let expected = [
        ["root", "uxsock", "makeToken", "done"],
        ["op", "token", "order", "done"],
        ["op", "token", "freezeNode", "denied"],
        ["", "", "POST /node/freeze", "denied"],
        ["root", "uxsock", "freezeNode", "done"],
    ];
    assert_eq!(told, expected);
    assert_eq!(all[1].0["options"]["command"], "om web start");
    assert!(!serde_json::to_string(&all).unwrap().contains(&of_op), "no token is in the trail");
    let denied = events.next().await.unwrap().unwrap();
    assert_eq!((denied.kind, &denied.data["user"]), (EventKind::AuditDenied, &Value::from("op")));
    let query = AccessQuery { user: Some("op".to_owned()), denied: true, ..AccessQuery::default() };
    assert_eq!(daemon.client.audit(&query).await.unwrap().len(), 1);
}

/// One user asks as fast as it can, and is told to slow down; another one is answered all the while.
#[tokio::test]
async fn a_flood_of_one_user_leaves_the_others_served() {
    let daemon = FakeDaemon::start_on(ListenerSettings { rate: 1, burst: 10, ..ListenerSettings::default() });
    daemon.node.add_user("flood", "guest:ns1");
    daemon.node.add_user("calm", "guest:ns1");
    let (of_flood, of_calm) = (token(&daemon, "flood", "").await, token(&daemon, "calm", "").await);
    let mut refused = 0;
    for _ in 0..40 {
        refused += u32::from(ask(&daemon, &of_flood, "GET", "/status", "").await.0 == 429);
    }
    assert!(refused >= 1, "nothing was refused");
    let (status, answer) = ask(&daemon, &of_calm, "GET", "/status", "").await;
    assert_eq!(status, 200, "{answer}");
    let answers = async {
        loop {
            let (status, answer) = ask(&daemon, &of_flood, "GET", "/status", "").await;
            if status == 429 {
                break answer;
            }
        }
    };
    let answer = answers.await;
    assert!(answer.contains("come too fast (listener.rate_limiter_rate): try again in 1 s"), "{answer}");
    // Root on this node is never limited.
    for _ in 0..40 {
        daemon.client.version().await.unwrap();
    }
    let limited = daemon.client.audit(&AccessQuery { user: Some("flood".to_owned()), ..AccessQuery::default() }).await;
    assert!(limited.unwrap().len() <= 20, "of a flood only the beginning is in the trail");
}
