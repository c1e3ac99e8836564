//! Lists, images, headers, spellings; and the sentences about them.

use hostler_guard::{
    ContainerKeyword, ContainerResource, EngineLookup, EngineRequest, GuardVerdict, NamespaceRights, RequestedBy,
    sentences,
};
use serde_json::{Value, json};

use crate::harness::{Given, IMAGE, OWN, allowed, denied, given, image_and};

#[test]
fn lists_hold_the_resource_s_containers_whatever_is_asked() {
    let labels = |rid: &str| json!(["hostler.node=n1", "hostler.object=web", format!("hostler.rid={rid}")]);
    let check = |given: &Given, filters: Value, expected: Value| {
        let escaped: String = filters.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let sent = allowed(given.judge("GET", &format!("/containers/json?all=1&filters={escaped}"), b"")).target;
        let sent = sent.strip_prefix("/containers/json?all=1&filters=").unwrap().replace("%22", "\"");
        let sent = [
            ("%7B", "{"),
            ("%7D", "}"),
            ("%5B", "["),
            ("%5D", "]"),
            ("%3A", ":"),
            ("%2C", ","),
            ("%3D", "="),
            ("%23", "#"),
        ]
        .iter()
        .fold(sent, |text, (from, to)| text.replace(from, to));
        assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), expected);
    };
    let given = image_and(&[("netns", "container#2")]);
    check(&given, json!({}), json!({"label": labels("container#1")}));
    let all = json!({"label": ["hostler.node=n1", "hostler.object=web"]});
    check(&given, json!({"label": ["hostler.object=web"]}), all);
    let other = json!(["hostler.node=n1", "hostler.object=db", "hostler.object=web", "hostler.rid=container#1"]);
    check(&given, json!({"label": ["hostler.object=db"]}), json!({ "label": other }));
    check(&given, json!({"label": ["hostler.rid=container#2"]}), json!({"label": labels("container#2")}));
    check(&given, json!({"status": ["running"]}), json!({"label": labels("container#1"), "status": ["running"]}));
    for filters in
        [r#"{"label":["hostler.rid=container#3"]}"#, r#"{"volume":["x"]}"#, r#"{"label":{"a":true}}"#, "[]", "x"]
    {
        let escaped: String = filters.bytes().map(|byte| format!("%{byte:02X}")).collect();
        denied(given.judge("GET", &format!("/containers/json?filters={escaped}"), b""));
    }
    denied(given.judge("GET", "/containers/json?before=x", b""));
    assert!(allowed(given.judge("GET", "/containers/json", b"")).target.contains("filters="));
}

#[test]
fn the_image_of_the_keyword_is_pulled_and_no_other() {
    let given = given(&[("image", "ghcr.io/opensvc/pause")]);
    let pull = |query: &str| given.judge("POST", &format!("/v1.41/images/create?{query}"), b"");
    let sent = "/v1.41/images/create?fromImage=ghcr.io%2Fopensvc%2Fpause&tag=latest";
    for query in ["fromImage=ghcr.io/opensvc/pause", "fromImage=ghcr.io%2Fopensvc%2Fpause&tag=latest"] {
        assert_eq!(allowed(pull(query)).target, sent);
    }
    for query in [
        "",
        "fromImage=",
        "fromImage=busybox",
        "fromImage=ghcr.io/opensvc/pause&tag=evil",
        "fromImage=ghcr.io/opensvc/pause:evil&tag=latest",
        "fromImage=ghcr.io/opensvc/pause&fromSrc=-",
        "fromSrc=-&repo=ghcr.io/opensvc/pause",
        "fromSrc=http://10.0.0.1/x.tar",
        "fromImage=ghcr.io/opensvc/pause&repo=other",
        "fromImage=ghcr.io/opensvc/pause&changes=USER%20root",
        "fromImage=ghcr.io/opensvc/pause&fromImage=evil",
    ] {
        denied(pull(query));
    }
    allowed(given.judge("GET", "/images/ghcr.io/opensvc/pause:latest/json", b""));
    allowed(given.judge("GET", "/images/ghcr.io/opensvc/pause/get", b""));
    for (method, target) in [
        ("GET", "/images/busybox/json"),
        ("GET", "/images/json"),
        ("GET", "/images/search?term=x"),
        ("GET", "/images/get?names=busybox"),
        ("GET", "/images/busybox/get"),
        ("POST", "/images/load"),
        ("POST", "/images/ghcr.io/opensvc/pause/tag?repo=busybox"),
        ("POST", "/images/ghcr.io/opensvc/pause/push"),
        ("DELETE", "/images/ghcr.io/opensvc/pause"),
        ("POST", "/images/prune"),
    ] {
        denied(given.judge(method, target, b""));
    }
}

#[test]
fn headers_that_could_end_a_request_early_or_name_another_host_are_denied() {
    let given = image_and(&[]);
    let with = |target: &str, method: &str, name: &str, value: &str| {
        let headers = [(name.to_owned(), value.to_owned())];
        given.judge_request(&EngineRequest { method, target, headers: &headers, body: b"", asked: RequestedBy::Action })
    };
    for (name, value) in [
        ("Host", "other"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "Upgrade"),
        ("Upgrade", "tcp"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "x"),
        ("Expect", "100-continue"),
        ("Trailer", "x"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Registry-Auth", "x"),
        ("X-Registry-Config", "x"),
        ("Cookie", "x"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ] {
        let found = denied(with("/_ping", "GET", name, value));
        assert_eq!(found, format!("the header {name} is not known to the guard"));
    }
    assert!(matches!(with("/_ping", "GET", "Accept", "*/*"), GuardVerdict::Forward(_)));
    let forward = allowed(with("/images/create?fromImage=busybox", "POST", "X-Registry-Auth", "e30="));
    assert_eq!(forward.headers, [("x-registry-auth".to_owned(), "e30=".to_owned())]);
}

#[test]
fn paths_that_could_be_read_in_two_ways_are_denied() {
    let given = image_and(&[]);
    for target in [
        "/v1.41/../containers/other/stop",
        "/v1.41//containers/own/stop",
        "/containers/own/../other/stop",
        "/containers/own%2f..%2fother/stop",
        "/containers/%6fwn/stop",
        "/containers/own/stop/",
        "/containers/own/stop?t=1&t=2",
        "/containers/own/stop?t=1#x",
        "/containers/own/stop?t=1;x=2",
        "/containers/own/STOP",
        "/Containers/own/stop",
        "/v1.12/containers/own/stop",
        "containers/own/stop",
        "http://x/containers/own/stop",
        "/containers/own/stop HTTP/1.1\r\nX: y",
    ] {
        denied(given.judge("POST", target, b""));
    }
}

#[test]
fn look_ups_read_what_the_engine_says() {
    let lookup = EngineLookup::Container("web".to_owned());
    assert_eq!(lookup.path("/v1.41/containers/web/stop?t=1"), "/v1.41/containers/web/json");
    let modes = json!({"NetworkMode": format!("container:{OWN}"), "PidMode": "container:own", "IpcMode": "host"});
    let found = json!({
        "Id": OWN, "Name": "/web", "HostConfig": modes, "Image": IMAGE, "Config": {"Labels": {"a": "b"}, "Tty": true},
    });
    let found = found.to_string();
    let expected = hostler_guard::LookupResult::Container {
        id: OWN.to_owned(),
        name: "web".to_owned(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        joins: [OWN.to_owned()].into(),
        tty: true,
        image: Some(IMAGE.to_owned()),
    };
    assert_eq!(lookup.read(200, found.as_bytes()), Ok(expected));
    assert_eq!(lookup.read(404, b"{}"), Ok(hostler_guard::LookupResult::Nothing));
    for (status, body) in [(500, found.as_str()), (200, "{}"), (200, "x"), (200, r#"{"Id":"web","Config":{}}"#)] {
        assert!(lookup.read(status, body.as_bytes()).is_err(), "{status} {body}");
    }
}

#[test]
fn keywords_that_cannot_be_understood_let_nothing_through() {
    for (keyword, value) in [
        ("run_args", "--what"),
        ("run_args", "--env-file /etc/shadow"),
        ("volume_mounts", "nowhere"),
        ("devices", "sda"),
        ("sysctl", "x"),
        ("image", "a b"),
    ] {
        let given = Given::clone_with(keyword, value);
        let found = denied(given.judge("GET", "/containers/json", b""));
        assert!(found.starts_with(&format!("the keyword {keyword} cannot be understood: ")), "{found}");
    }
}

impl Given {
    /// One keyword of one value, spaces and all.
    fn clone_with(keyword: &'static str, value: &str) -> Given {
        match keyword {
            "image" => given(&[("image", "a//b")]),
            _ => image_and(&[(keyword, value)]),
        }
    }
}

#[test]
fn sentences_say_what_is_let_through() {
    let (object, rid, node) = ("web".parse().unwrap(), "container#1".parse().unwrap(), "n1".parse().unwrap());
    let values = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (image, args) = (values("busybox"), values("-v /srv:/srv:ro --net=none --cap-add NET_ADMIN"));
    let keywords =
        [ContainerKeyword { name: "image", values: &image }, ContainerKeyword { name: "run_args", values: &args }];
    let resource = ContainerResource {
        object: &object,
        rid: &rid,
        node: &node,
        keywords: &keywords,
        namespace: NamespaceRights::Root,
        cgroup: None,
    };
    assert_eq!(
        sentences(&resource).unwrap(),
        [
            "its own containers only: those with the labels hostler.object=web, hostler.rid=container#1, hostler.node=n1",
            "of other containers, only whether they exist",
            "of the image docker.io/library/busybox:latest, which it may also pull",
            "that see these paths of the node: /srv:/srv:ro",
            "without devices of the node",
            "with the NetworkMode none",
            "without privileges",
            "with the capabilities: NET_ADMIN",
        ]
    );
}
