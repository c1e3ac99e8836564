//! What is judged again at each use, and what is denied outside of the namespace `root` or everywhere.

use hostler_guard::{EngineLookup, EngineRequest, GuardVerdict, LookupResult, RequestedBy};
use serde_json::{Value, json};

use crate::harness::{IMAGE, OTHER, OWN, SIBLING, allowed, body, denied, image_and};

#[test]
fn a_container_is_judged_again_when_it_is_started() {
    let volumes = [(OWN, "/srv/ns1/rw/data", true), (OWN, "/srv/ns1/look", false), (OTHER, "/srv/other", true)];
    let given = image_and(&[]).in_namespace().beside(&volumes);
    for verb in ["start", "restart?t=1"] {
        let forward = allowed(given.judge("POST", &format!("/containers/own/{verb}"), b""));
        assert_eq!(forward.paths, [("/srv/ns1/rw/data".into(), true), ("/srv/ns1/look".into(), false)], "{verb}");
        let beside: Vec<&str> = forward.beside.iter().map(|volume| volume.container.as_str()).collect();
        assert_eq!(beside, [OTHER], "{verb}");
        assert_eq!(forward.image.as_deref(), Some(IMAGE), "{verb}");
    }
    // In the namespace root the keywords decided, and whoever writes them is root.
    let given = image_and(&[]).beside(&volumes);
    let forward = allowed(given.judge("POST", "/containers/own/start", b""));
    assert!(forward.paths.is_empty() && forward.beside.is_empty());
}

#[test]
fn the_digest_of_an_image_is_what_the_engine_says_if_it_is_one() {
    let digest = "c".repeat(64);
    let read = |body: String| EngineLookup::Image("busybox".to_owned()).read(200, body.as_bytes()).unwrap();
    for id in [digest.clone(), format!("sha256:{digest}")] {
        assert_eq!(read(format!("{{\"Id\":\"{id}\"}}")), LookupResult::Image(IMAGE.to_owned()));
    }
    for body in ["{}", "[]", "", r#"{"Id":"latest"}"#, r#"{"Id":1}"#] {
        assert_eq!(read(body.to_owned()), LookupResult::Nothing, "{body}");
    }
    assert_eq!(EngineLookup::Image("x".to_owned()).read(500, b"").unwrap(), LookupResult::Nothing);
}

#[test]
fn a_container_that_was_made_with_more_than_the_policy_allows_now_is_not_started() {
    for (source, writable, reason) in [
        ("/etc", false, "needs the line: allow files.read = /etc"),
        ("/srv/ns1/look", true, "needs the line: allow files.write = /srv/ns1/look"),
        ("/srv/ns1/../../etc", false, "has another spelling"),
    ] {
        let given = image_and(&[]).in_namespace().beside(&[(OWN, source, writable)]);
        for verb in ["start", "restart"] {
            let found = denied(given.judge("POST", &format!("/containers/own/{verb}"), b""));
            assert!(found.contains(reason), "{source} {verb}: {found}");
        }
        // It can still be stopped and removed.
        allowed(given.judge("POST", "/containers/own/stop", b""));
        allowed(given.judge("DELETE", "/containers/own", b""));
    }
}

#[test]
fn a_new_container_is_compared_with_the_volumes_of_all_others() {
    let volumes = [(SIBLING, "/srv/ns1/rw", true)];
    let given = image_and(&[("volume_mounts", "/srv/ns1/rw/sub:/x")]).in_namespace().beside(&volumes);
    let forward = allowed(given.create(json!({"Binds": ["/srv/ns1/rw/sub:/x"]})));
    assert_eq!(forward.beside.len(), 1);
    assert_eq!(forward.beside[0].source, std::path::Path::new("/srv/ns1/rw"));
    let without = image_and(&[]).in_namespace().beside(&volumes);
    assert!(allowed(without.create(json!({}))).beside.is_empty(), "a container without volumes can exchange none");
}

#[test]
fn an_engine_that_does_not_say_what_its_containers_see_is_not_believed() {
    let read = |body: Value| EngineLookup::Volumes.read(200, body.to_string().as_bytes());
    let bind = |source: &str| json!({"Type": "bind", "Source": source, "RW": false});
    let volume = json!({"Type": "volume", "Source": "/var/lib/docker/volumes/x"});
    let Ok(LookupResult::Volumes(found)) = read(json!([{"Id": OWN, "Mounts": [bind("/a"), volume]}])) else {
        panic!("a list is read");
    };
    assert_eq!((found.len(), found[0].source.to_str(), found[0].writable), (1, Some("/a"), false));
    for bad in
        [json!([{"Id": OWN}]), json!([{"Id": OWN, "Mounts": null}]), json!([{"Id": "x", "Mounts": []}]), json!({})]
    {
        assert!(read(bad.clone()).is_err(), "{bad}");
    }
    assert!(EngineLookup::Volumes.read(500, b"[]").is_err());
    let path = EngineLookup::Volumes.path("/v1.41/containers/x/start");
    assert_eq!(path, "/v1.41/containers/json?all=true");
}

#[test]
fn outside_of_root_log_options_only_limit_and_a_path_goes_nowhere() {
    let log = |options: &[(&str, &str)]| {
        let options: serde_json::Map<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        json!({"LogConfig": {"Type": "", "Config": options}})
    };
    let said = "--log-opt path=/srv/x --log-opt Path=/srv/x --log-opt tag=a --log-opt max-size=10m";
    let (root, other) = (image_and(&[("run_args", said)]), image_and(&[("run_args", said)]).in_namespace());
    for name in ["path", "Path", " path", "path ", "path=/srv/x"] {
        for given in [&root, &other] {
            let found = denied(given.create(log(&[(name, "/srv/x")])));
            assert!(found.contains("lets the engine write to any file of the node"), "{name}: {found}");
        }
    }
    allowed(root.create(log(&[("tag", "a")])));
    assert!(denied(other.create(log(&[("tag", "a")]))).contains("only objects of the namespace root"));
    allowed(other.create(log(&[("max-size", "10m"), ("max-file", "3"), ("compress", "true")])));
    for (name, value) in [("max-size", "10m,path=/x"), ("max-size", ""), ("max-file", "-1"), ("compress", "1")] {
        let found = denied(other.create(log(&[(name, value)])));
        assert!(found.contains("the keyword run_args does not allow that"), "{name}={value}: {found}");
    }
}

#[test]
fn outside_of_root_a_name_begins_with_the_namespace() {
    let create = |name: &str| {
        let given = image_and(&[("name", name)]).in_namespace();
        let text = body("ns1/svc/web", json!({}), json!({})).to_string();
        given.judge("POST", &format!("/containers/create?name={name}"), text.as_bytes())
    };
    for name in ["shop.container.1", "ns1.container.1", "ns1", "ns10..x", "root..shop.container.1", ".ns1..x"] {
        assert!(denied(create(name)).contains("names of the namespace ns1 begin with ns1.."), "{name}");
    }
    allowed(create("ns1..web"));
    let given = image_and(&[("name", "shop")]).in_namespace();
    denied(given.judge("POST", "/containers/own/rename?name=shop", b""));
    let given = image_and(&[("name", "shop")]);
    allowed(given.judge("POST", "/containers/own/rename?name=shop", b""));
}

#[test]
fn headers_have_values_of_a_fixed_set_or_alphabet() {
    let given = image_and(&[]);
    let with = |target: &str, method: &str, name: &str, value: &str| {
        let headers = [(name.to_owned(), value.to_owned())];
        given.judge_request(&EngineRequest { method, target, headers: &headers, body: b"", asked: RequestedBy::Action })
    };
    let sent = |verdict: GuardVerdict| allowed(verdict).headers;
    assert_eq!(sent(with("/_ping", "GET", "User-Agent", ";disable server bk/s1;")), []);
    assert_eq!(sent(with("/_ping", "GET", "ACCEPT", "*/*")), [("accept".to_owned(), "*/*".to_owned())]);
    for (name, value) in [("Accept", ";disable server bk/s1;"), ("Content-Type", "text/x"), ("X-Registry-Auth", "YQ==")]
    {
        assert!(denied(with("/_ping", "GET", name, value)).contains("the header"), "{name}");
    }
    let pull = "/images/create?fromImage=busybox&tag=latest";
    assert_eq!(sent(with(pull, "POST", "X-Registry-Auth", "YQ-_==")).len(), 1);
    for bad in [";disable server bk/s1;", "a b", "a\tb", &"a".repeat(100_000)] {
        denied(with(pull, "POST", "X-Registry-Auth", bad));
    }
}

#[test]
fn outside_of_root_files_in_memory_are_bounded() {
    let shm = |given: &crate::harness::Given, size: i64| given.create(json!({ "ShmSize": size }));
    let (root, other) = (image_and(&[]), image_and(&[]).in_namespace());
    allowed(shm(&root, 100 << 30));
    allowed(shm(&other, 1 << 30));
    assert!(denied(shm(&other, 100 << 30)).contains("only objects of the namespace root"));
    assert!(denied(shm(&other, -1)).contains("expected a size"));
    let limited = image_and(&[("run_args", "--memory 64m")]).in_namespace();
    allowed(shm(&limited, 64 << 20));
    denied(shm(&limited, 65 << 20));
    let tmpfs = |options: &str, in_root: bool| {
        let given = image_and(&[("run_args", &*format!("--tmpfs /t:{options}"))]);
        let given = if in_root { given } else { given.in_namespace() };
        given.create(json!({"Tmpfs": {"/t": options}}))
    };
    for options in [
        "size=100t",
        "size=50%",
        "size=",
        "size=0",
        "size=1m,size=0",
        "size=99999999999999999999",
        "nr_inodes=0",
        "nr_inodes=99999999999",
        "nr_inodes=x",
        "mpol=bind:0",
        "rshared",
        "suid",
        "dev",
    ] {
        allowed(tmpfs(options, true));
        let found = denied(tmpfs(options, false));
        assert!(found.contains("only objects of the namespace root"), "{options}: {found}");
    }
    let sent = |options: &str| {
        let sent: Value = serde_json::from_slice(&allowed(tmpfs(options, false)).body).unwrap();
        sent["HostConfig"]["Tmpfs"]["/t"].as_str().unwrap().to_owned()
    };
    assert_eq!(sent("size=64m,mode=1777"), "size=64m,mode=1777");
    assert_eq!(sent("size=64m,nr_inodes=1k"), "size=64m,nr_inodes=1k");
    assert_eq!(sent("mode=1777"), "mode=1777,size=1073741824");
}
