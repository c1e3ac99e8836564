//! Containers: the resource's own, by their whole ids, and no others.

use hostler_guard::{GuardVerdict, RequestedBy, TerminalStream};
use serde_json::json;

use crate::harness::{
    ELSEWHERE, EXEC, GUEST, INTRUDER, NOBODY, OTHER, OTHER_EXEC, OWN, SIBLING, allowed, denied, image_and,
};

#[test]
fn its_own_container_is_named_by_its_whole_id() {
    let given = image_and(&[]);
    for (method, target, sent) in [
        ("GET", "/v1.41/containers/own/json", format!("/v1.41/containers/{OWN}/json")),
        ("GET", "/containers/own/logs?stdout=1&tail=5", format!("/containers/{OWN}/logs?stdout=1&tail=5")),
        ("GET", "/containers/own/stats?stream=false", format!("/containers/{OWN}/stats?stream=false")),
        ("POST", "/containers/own/start", format!("/containers/{OWN}/start")),
        ("POST", "/containers/own/stop?t=10", format!("/containers/{OWN}/stop?t=10")),
        ("POST", "/containers/own/kill?signal=KILL", format!("/containers/{OWN}/kill?signal=KILL")),
        ("POST", "/containers/own/wait?condition=next-exit", format!("/containers/{OWN}/wait?condition=next-exit")),
        ("POST", "/containers/own/resize?h=24&w=80", format!("/containers/{OWN}/resize?h=24&w=80")),
        (
            "POST",
            "/containers/own/rename?name=web.container.1",
            format!("/containers/{OWN}/rename?name=web.container.1"),
        ),
        ("DELETE", "/containers/own?force=true&v=1", format!("/containers/{OWN}?force=true&v=1")),
    ] {
        assert_eq!(allowed(given.judge(method, target, b"")).target, sent);
    }
}

#[test]
fn containers_of_others_are_out_of_reach() {
    let given = image_and(&[]);
    let intruder = ("intruder", INTRUDER);
    for (name, id) in [("sibling", SIBLING), ("elsewhere", ELSEWHERE), ("other", OTHER), ("nobody", NOBODY), intruder] {
        for (method, verb) in [
            ("GET", "logs?stdout=1"),
            ("GET", "stats"),
            ("POST", "start"),
            ("POST", "stop"),
            ("POST", "kill"),
            ("POST", "wait"),
            ("POST", "resize?h=1&w=1"),
            ("POST", "rename?name=web.container.1"),
        ] {
            let found = denied(given.judge(method, &format!("/containers/{name}/{verb}"), b""));
            assert_eq!(found, format!("the container {name} does not carry the labels of this resource"));
        }
        // The answer reveals only that it exists, and its id.
        let answer = given.judge("GET", &format!("/containers/{name}/json"), b"");
        let body = json!({"Config": {"Labels": {}}, "Id": name}).to_string().into_bytes();
        assert_eq!(answer, GuardVerdict::Answer { status: 200, body, stranger: Some(id.to_owned()) });
        denied(given.judge("DELETE", &format!("/containers/{name}?force=1"), b""));
        denied(given.judge_for(RequestedBy::Console(None), "POST", &format!("/containers/{name}/exec"), b"{}"));
        denied(given.judge_for(RequestedBy::Attachment, "POST", &format!("/containers/{name}/attach?stream=1"), b""));
    }
}

#[test]
fn a_resource_whose_namespace_is_shared_is_looked_at_and_not_touched() {
    let given = image_and(&[("netns", "container#2")]);
    let forward = allowed(given.judge("GET", "/containers/sibling/json", b""));
    assert_eq!(forward.target, format!("/containers/{SIBLING}/json"));
    denied(given.judge("POST", "/containers/sibling/stop", b""));
    denied(given.judge("DELETE", "/containers/sibling", b""));
}

#[test]
fn a_container_that_lives_in_its_namespace_is_put_out_of_the_way_and_no_more() {
    let given = image_and(&[]);
    let sent = |method, target: &str| allowed(given.judge(method, target, b"")).target;
    assert_eq!(sent("GET", "/containers/guest/json"), format!("/containers/{GUEST}/json"));
    assert_eq!(sent("POST", "/containers/guest/stop?t=3"), format!("/containers/{GUEST}/stop?t=3"));
    assert_eq!(sent("DELETE", "/containers/guest?v=true"), format!("/containers/{GUEST}?v=true"));
    // Without force the engine removes only what does not run.
    let found = denied(given.judge("DELETE", "/containers/guest?force=true", b""));
    assert_eq!(found, "the parameter \"force\" is not known to the guard");
    for verb in
        ["start", "kill", "restart", "pause", "unpause", "wait", "rename?name=web.container.1", "exec", "update"]
    {
        denied(given.judge("POST", &format!("/containers/guest/{verb}"), b""));
    }
    denied(given.judge("GET", "/containers/guest/logs?stdout=1", b""));
    for name in ["intruder", "friend"] {
        denied(given.judge("POST", &format!("/containers/{name}/stop"), b""));
        denied(given.judge("DELETE", &format!("/containers/{name}"), b""));
    }
}

#[test]
fn a_name_is_not_taken_for_the_beginning_of_an_id() {
    let answer = image_and(&[]).judge("GET", "/containers/44/json", b"");
    let body = br#"{"message":"No such container: 44"}"#.to_vec();
    assert_eq!(answer, GuardVerdict::Answer { status: 404, body, stranger: None });
    denied(image_and(&[]).judge("DELETE", "/containers/44", b""));
}

#[test]
fn a_restart_policy_is_taken_back_and_nothing_else_is_updated() {
    let given = image_and(&[]);
    let update = |name: &str, body: &str| given.judge("POST", &format!("/containers/{name}/update"), body.as_bytes());
    let reset = r#"{"RestartPolicy":{"Name":"no"}}"#;
    let forward = allowed(update("own", reset));
    assert_eq!((forward.target, forward.body), (format!("/containers/{OWN}/update"), reset.as_bytes().to_vec()));
    for name in ["sibling", "other", "guest"] {
        denied(update(name, reset));
    }
    for body in [
        "",
        "{}",
        r#"{"RestartPolicy":{"Name":"always"}}"#,
        r#"{"RestartPolicy":{"Name":"no"},"Memory":0}"#,
        r#"{"RestartPolicy":{"Name":"no"},"RestartPolicy":{"Name":"always"}}"#,
    ] {
        assert!(denied(update("own", body)).contains("is not a request that a resource may send"), "{body}");
    }
}

#[test]
fn paths_of_the_node_must_exist_where_the_engine_would_make_them() {
    let mounts = [("volume_mounts", "/srv/ns1/a:/a:ro data:/d /srv/other:/o"), ("run_args", "-v /srv/ns1/rw:/w")];
    let sources = |given: &crate::harness::Given| allowed(given.judge("POST", "/containers/own/start", b"")).sources;
    let all = ["/srv/ns1/a", "/srv/other", "/srv/ns1/rw"].map(std::path::PathBuf::from);
    assert_eq!(sources(&image_and(&mounts)), all);
    // A namespace does not learn of paths that its policy does not allow.
    assert_eq!(
        sources(&image_and(&mounts).in_namespace()),
        ["/srv/ns1/a", "/srv/ns1/rw"].map(std::path::PathBuf::from)
    );
    assert!(allowed(image_and(&mounts).judge("POST", "/containers/own/stop", b"")).sources.is_empty());
}

#[test]
fn the_host_answers_for_a_missing_container() {
    let answer = image_and(&[]).judge("DELETE", "/containers/gone", b"");
    let body = br#"{"message":"No such container: gone"}"#.to_vec();
    assert_eq!(answer, GuardVerdict::Answer { status: 404, body, stranger: None });
}

#[test]
fn verbs_that_no_resource_needs_are_denied() {
    let given = image_and(&[]);
    for (method, target) in [
        ("POST", "/containers/own/update"),
        ("GET", "/containers/own/archive?path=/"),
        ("PUT", "/containers/own/archive?path=/"),
        ("HEAD", "/containers/own/archive?path=/"),
        ("GET", "/containers/own/export"),
        ("GET", "/containers/own/top?ps_args=-ef"),
        ("GET", "/containers/own/changes"),
        ("GET", "/containers/own/attach/ws"),
        ("POST", "/containers/own/attach?stream=1"),
        ("POST", "/containers/own/copy"),
        ("POST", "/containers/own/exec"),
        ("POST", "/containers/prune"),
        ("GET", "/containers/own"),
        ("GET", "/containers/own/"),
        ("DELETE", "/containers/own/json"),
        ("DELETE", "/containers/own?link=1"),
        ("POST", "/containers/own/start?checkpoint=x&checkpoint-dir=/"),
        ("POST", "/containers/own/rename?name=db"),
        ("POST", "/containers/own/json"),
        ("PUT", "/containers/create?name=web.container.1"),
        ("POST", "/commit?container=own"),
        ("POST", "/build"),
        ("POST", "/session"),
        ("POST", "/auth"),
        ("GET", "/events"),
        ("GET", "/networks"),
        ("POST", "/networks/create"),
        ("POST", "/networks/bridge/connect"),
        ("POST", "/volumes/create"),
        ("GET", "/volumes"),
        ("GET", "/secrets"),
        ("GET", "/system/df"),
        ("POST", "/swarm/init"),
        ("POST", "/plugins/pull?remote=x"),
        ("POST", "/grpc"),
        ("GET", "/libpod/info"),
        ("GET", "/v4.0.0/libpod/info"),
        ("POST", "/_ping"),
        ("CONNECT", "/containers/own/json"),
        ("get", "/_ping"),
    ] {
        denied(given.judge(method, target, b""));
    }
    let found = denied(given.judge("POST", "/containers/own/start", br#"{"Binds":["/:/host"],"Privileged":true}"#));
    assert_eq!(found, "a body where none belongs is not known to the guard");
    denied(given.judge("GET", "/containers/own/json", b"GET / HTTP/1.1\r\n\r\n"));
}

#[test]
fn a_command_runs_for_an_operator_and_is_the_operator_s() {
    let given = image_and(&[("user", "1000")]);
    let argv = ["id".to_owned(), "-u".to_owned()];
    let exec = |asked, body: serde_json::Value| {
        given.judge_for(asked, "POST", "/v1.41/containers/own/exec", body.to_string().as_bytes())
    };
    let body = json!({"Cmd": ["id", "-u"], "Tty": true, "AttachStdin": true, "AttachStdout": true, "User": "1000"});
    let forward = allowed(exec(RequestedBy::Console(Some(&argv)), body.clone()));
    assert_eq!(forward.target, format!("/v1.41/containers/{OWN}/exec"));
    assert_eq!(denied(exec(RequestedBy::Action, body)), "exec is for an operator's console only");
    for bad in [
        json!({"Cmd": ["id"], "User": "1000"}),
        json!({"Cmd": ["id", "-u"]}),
        json!({"Cmd": ["id", "-u"], "User": "0"}),
        json!({"Cmd": ["id", "-u"], "User": "1000", "Privileged": true}),
        json!({"Cmd": ["id", "-u"], "User": "1000", "Detach": true}),
    ] {
        denied(exec(RequestedBy::Console(Some(&argv)), bad));
    }
    allowed(exec(RequestedBy::Console(None), json!({"Cmd": ["/bin/sh"], "User": "1000"})));
}

#[test]
fn a_terminal_is_connected_by_the_host_alone() {
    let given = image_and(&[]);
    let start = format!("/v1.41/exec/{EXEC}/start");
    let forward = allowed(given.judge_for(RequestedBy::Attachment, "POST", &start, br#"{"Detach":false,"Tty":false}"#));
    // The terminal was decided when the command was prepared.
    assert_eq!(forward.body, br#"{"Tty":true}"#);
    assert_eq!(forward.stream, Some(TerminalStream { framed: false, input: true, exec: Some(EXEC.to_owned()) }));
    for asked in [RequestedBy::Action, RequestedBy::Console(None)] {
        assert_eq!(denied(given.judge_for(asked, "POST", &start, b"{}")), "exec is for an operator's console only");
        denied(given.judge_for(asked, "POST", "/containers/own/attach?stream=1", b""));
    }
    let other = format!("/exec/{OTHER_EXEC}/start");
    denied(given.judge_for(RequestedBy::Attachment, "POST", &other, b"{}"));
    denied(given.judge("GET", &format!("/exec/{OTHER_EXEC}/json"), b""));
    denied(given.judge("GET", "/exec/../json", b""));
    allowed(given.judge("GET", &format!("/exec/{EXEC}/json"), b""));
    let logs = allowed(given.judge_for(RequestedBy::Attachment, "GET", "/containers/own/logs?stdout=1&follow=1", b""));
    assert_eq!(logs.stream, Some(TerminalStream { framed: true, input: false, exec: None }));
    assert_eq!(allowed(given.judge("GET", "/containers/own/logs?stdout=1", b"")).stream, None);
}
