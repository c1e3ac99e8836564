//! Containers are made of the resource's own keywords.

use hostler_guard::GuardVerdict;
use serde_json::{Value, json};

use crate::harness::{Given, IMAGE, SIBLING, allowed, body, denied, image_and};

/// Members of `HostConfig` that the keywords must say, each with a keyword that says so, and the refusal without it.
fn powers() -> Vec<(Value, (&'static str, &'static str), &'static str)> {
    let run = |options| ("run_args", options);
    vec![
        (json!({"Privileged": true}), ("privileged", "true"), "HostConfig.Privileged is true: the keyword privileged"),
        (json!({"Privileged": true}), run("--privileged"), "HostConfig.Privileged is true: the keyword privileged"),
        (
            json!({"Binds": ["/:/host"]}),
            ("volume_mounts", "/:/host"),
            "HostConfig.Binds is /:/host: the keyword volume_mounts",
        ),
        (
            json!({"Binds": ["/etc:/e:ro"]}),
            run("-v /etc:/e:ro"),
            "HostConfig.Binds is /etc:/e:ro: the keyword volume_mounts",
        ),
        (json!({"Binds": ["data:/d"]}), run("-v data:/d"), "HostConfig.Binds is data:/d: the keyword volume_mounts"),
        (
            json!({"Binds": ["/srv:/d:rshared"]}),
            run("-v /srv:/d:rshared"),
            "HostConfig.Binds is /srv:/d:rshared: the keyword volume_mounts",
        ),
        (
            json!({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/e"}]}),
            run("-v /etc:/e"),
            "HostConfig.Mounts is /etc:/e: the keyword volume_mounts",
        ),
        (
            json!({"Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/a", "CgroupPermissions": "rwm"}]}),
            ("devices", "/dev/sda:/dev/a"),
            "HostConfig.Devices is /dev/sda:/dev/a:rwm: the keyword devices",
        ),
        (
            json!({"DeviceCgroupRules": ["a"]}),
            run("--device-cgroup-rule a"),
            "HostConfig.DeviceCgroupRules is a: the keyword run_args",
        ),
        (
            json!({"CapAdd": ["CAP_SYS_ADMIN"]}),
            run("--cap-add=SYS_ADMIN"),
            "HostConfig.CapAdd is SYS_ADMIN: the keyword",
        ),
        (json!({"CapAdd": ["all"]}), run("--cap-add=ALL"), "HostConfig.CapAdd is ALL: the keyword run_args"),
        (
            json!({"SecurityOpt": ["seccomp=unconfined"]}),
            run("--security-opt seccomp=unconfined"),
            "HostConfig.SecurityOpt is seccomp=unconfined: the keyword run_args",
        ),
        (json!({"NetworkMode": "host"}), ("netns", "host"), "HostConfig.NetworkMode is host: the keyword netns"),
        (json!({"NetworkMode": "host"}), run("--net=host"), "HostConfig.NetworkMode is host: the keyword netns"),
        (json!({"NetworkMode": "lan"}), run("--net=lan"), "HostConfig.NetworkMode is lan: the keyword netns"),
        (
            json!({"NetworkMode": "container:other"}),
            ("netns", "container:other"),
            "HostConfig.NetworkMode is container:other: the keyword netns",
        ),
        (json!({"PidMode": "host"}), ("pidns", "host"), "HostConfig.PidMode is host: the keyword pidns"),
        (json!({"IpcMode": "host"}), ("ipcns", "host"), "HostConfig.IpcMode is host: the keyword ipcns"),
        (json!({"UTSMode": "host"}), ("utsns", "host"), "HostConfig.UTSMode is host: the keyword utsns"),
        (json!({"UsernsMode": "host"}), ("userns", "host"), "HostConfig.UsernsMode is host: the keyword userns"),
        (
            json!({"CgroupnsMode": "host"}),
            run("--cgroupns host"),
            "HostConfig.CgroupnsMode is host: the keyword run_args",
        ),
        (
            json!({"CgroupParent": "/x"}),
            run("--cgroup-parent /x"),
            "HostConfig.CgroupParent is /x: the keyword run_args",
        ),
        (json!({"Runtime": "evil"}), run("--runtime evil"), "HostConfig.Runtime is evil: the keyword run_args"),
        (
            json!({"VolumesFrom": ["db"]}),
            run("--volumes-from db"),
            "HostConfig.VolumesFrom is db: the keyword run_args",
        ),
        (json!({"Links": ["db:db"]}), run("--link db:db"), "HostConfig.Links is db:db: the keyword run_args"),
        (
            json!({"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}),
            run("-p 8080:80"),
            "HostConfig.PortBindings is another port: the keyword run_args",
        ),
        (json!({"PublishAllPorts": true}), run("-P"), "HostConfig.PublishAllPorts is true: the keyword run_args"),
        (json!({"OomKillDisable": true}), run("--oom-kill-disable"), "HostConfig.OomKillDisable is true: the keyword"),
        (
            json!({"OomScoreAdj": -999}),
            run("--oom-score-adj=-999"),
            "HostConfig.OomScoreAdj is -999: the keyword run_args",
        ),
        (
            json!({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://x"}}}),
            run("--log-driver syslog --log-opt syslog-address=tcp://x"),
            "HostConfig.LogConfig is syslog: the keyword run_args",
        ),
    ]
}

#[test]
fn only_a_keyword_gives_a_container_power() {
    for (host, keyword, refusal) in powers() {
        let found = denied(image_and(&[]).create(host.clone()));
        assert!(found.starts_with(refusal), "{host}: {found}");
        let forward = allowed(image_and(&[keyword]).create(host.clone()));
        let sent: Value = serde_json::from_slice(&forward.body).unwrap();
        assert!(sent["HostConfig"].as_object().is_some_and(|members| members.len() >= 2), "{host}: {sent}");
    }
}

#[test]
fn in_other_namespaces_not_even_a_keyword_can_say_so() {
    for (host, keyword, _) in powers() {
        let found = denied(image_and(&[keyword]).in_namespace().create(host.clone()));
        let expected =
            ["only objects of the namespace root may have that", "the policy of the namespace needs the line"];
        assert!(expected.iter().any(|text| found.contains(text)), "{host}: {found}");
    }
}

#[test]
fn a_restriction_cannot_be_left_out() {
    for (keyword, refusal) in [
        (("user", "1000"), "User is the image's: the keyword user"),
        (("read_only", "true"), "HostConfig.ReadonlyRootfs is false: the keyword read_only"),
        (("netns", "none"), "HostConfig.NetworkMode is the engine's default: the keyword netns"),
        (("run_args", "--net=none"), "HostConfig.NetworkMode is the engine's default"),
        (("run_args", "--cap-drop ALL"), "HostConfig.CapDrop is without ALL: the keyword run_args"),
        (("run_args", "--security-opt no-new-privileges"), "HostConfig.SecurityOpt is without no-new-privileges"),
        (("run_args", "--runtime runsc"), "HostConfig.Runtime is the engine's default: the keyword run_args"),
        (("run_args", "--userns keep-id"), "HostConfig.UsernsMode is the engine's default"),
    ] {
        let found = denied(image_and(&[keyword]).create(json!({})));
        assert!(found.starts_with(refusal), "{keyword:?}: {found}");
    }
}

#[test]
fn less_than_the_keywords_say_is_let_through() {
    let given = image_and(&[
        ("volume_mounts", "/srv/a:/a /srv/b:/b:ro"),
        ("netns", "none"),
        ("run_args", "--cap-drop NET_RAW"),
    ]);
    let forward = allowed(given.create(json!({
        "Binds": ["/srv/a:/a:ro"], "NetworkMode": "none", "CapDrop": ["ALL", "CAP_NET_RAW"], "Memory": 1048576,
        "SecurityOpt": ["no-new-privileges"], "RestartPolicy": {"Name": "no"}, "Init": true, "IpcMode": "private",
        "CgroupParent": "/own", "MaskedPaths": null, "Isolation": "", "VolumesFrom": [], "LogConfig": {"Type": "json-file"},
    })));
    let sent: Value = serde_json::from_slice(&forward.body).unwrap();
    assert_eq!(sent["HostConfig"]["Binds"], json!(["/srv/a:/a:ro"]));
    assert_eq!(sent["HostConfig"]["CapDrop"], json!(["ALL", "NET_RAW"]));
    assert_eq!(forward.target, "/v1.41/containers/create?name=web.container.1");
    assert_eq!(forward.what, "create a container of busybox:latest, made of the resource's keywords");
    assert_eq!(forward.image.as_deref(), Some(IMAGE));
}

#[test]
fn a_container_of_a_namespace_makes_no_devices_in_its_volumes() {
    let dropped = |given: Given, asked: Value| {
        let forward = allowed(given.create(asked));
        let sent: Value = serde_json::from_slice(&forward.body).unwrap();
        sent["HostConfig"]["CapDrop"].clone()
    };
    let elsewhere = || image_and(&[]).in_namespace();
    assert_eq!(dropped(elsewhere(), json!({})), json!(["MKNOD"]));
    assert_eq!(dropped(elsewhere(), json!({"CapDrop": ["cap_chown"]})), json!(["CHOWN", "MKNOD"]));
    for already in ["ALL", "CAP_MKNOD"] {
        let plain = already.trim_start_matches("CAP_");
        assert_eq!(dropped(elsewhere(), json!({"CapDrop": [already]})), json!([plain]));
    }
    assert_eq!(dropped(image_and(&[]), json!({})), Value::Null);
}

#[test]
fn mounts_of_both_kinds_are_held_against_the_same_keyword() {
    let given = image_and(&[("volume_mounts", "/srv/a:/a:ro data:/d /anonymous")]);
    let forward = allowed(given.create_body(body(
        "web",
        json!({"Volumes": {"/anonymous": {}}}),
        json!({"Mounts": [
            {"Type": "bind", "Source": "/srv/a", "Target": "/a", "ReadOnly": true, "BindOptions": {"Propagation": "rprivate"}},
            {"Type": "volume", "Source": "data", "Target": "/d"},
        ]}),
    )));
    let sent: Value = serde_json::from_slice(&forward.body).unwrap();
    assert_eq!(sent["HostConfig"]["Binds"], json!(["/srv/a:/a:ro", "data:/d"]));
    for mounts in [
        json!([{"Type": "bind", "Source": "/srv/a", "Target": "/a"}]),
        json!([{"Type": "bind", "Source": "/srv/a/../../etc", "Target": "/a", "ReadOnly": true}]),
        json!([{"Type": "volume", "Source": "/srv/a", "Target": "/a", "ReadOnly": true}]),
        json!([{"Type": "bind", "Source": "data", "Target": "/d"}]),
        json!([{"Type": "npipe", "Source": "data", "Target": "/d"}]),
        json!([{"Type": "bind", "Source": "/srv/a", "Target": "/a:rw,x", "ReadOnly": true}]),
        json!([{"Type": "bind", "Source": "/srv/a:/etc:rw", "Target": "/a", "ReadOnly": true}]),
        json!([{"Type": "volume", "Source": "data", "Target": "/d",
                "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"device": "/", "o": "bind", "type": "none"}}}}]),
        json!([{"Type": "bind", "Source": "/srv/a", "Target": "/a", "ReadOnly": true, "BindOptions": {"CreateMountpoint": true}}]),
        json!({"Type": "bind"}),
        json!(["/srv/a:/a"]),
    ] {
        denied(given.create(json!({ "Mounts": mounts })));
    }
    for binds in [
        json!(["/srv/a/:/a:ro"]),
        json!(["//srv/a:/a:ro"]),
        json!(["/srv/a:/a:ro:/x"]),
        json!(["a:/b"]),
        json!("/srv/a:/a:ro"),
    ] {
        denied(given.create(json!({ "Binds": binds })));
    }
    denied(given.create_body(body("web", json!({"Volumes": {"/srv/a:/x": {}}}), json!({}))));
    denied(given.create_body(body("web", json!({"Volumes": {"/anonymous": {"x": 1}}}), json!({}))));
    // An odd spelling in the keyword itself does not help.
    denied(image_and(&[("volume_mounts", "/srv/../etc:/e")]).create(json!({"Binds": ["/srv/../etc:/e"]})));
}

#[test]
fn the_namespace_of_another_resource_is_joined_by_its_whole_id() {
    for given in [image_and(&[("netns", "container#2")]), image_and(&[("run_args", "--net=container:container#2")])] {
        let forward = allowed(given.create(json!({"NetworkMode": "container:sibling"})));
        let sent: Value = serde_json::from_slice(&forward.body).unwrap();
        assert_eq!(sent["HostConfig"]["NetworkMode"], format!("container:{SIBLING}"));
        for other in
            ["container:other", "container:nobody", "container:elsewhere", "host", "bridge", "none", "sibling", "lan"]
        {
            denied(given.create(json!({"NetworkMode": other})));
        }
        assert!(matches!(
            given.create(json!({"NetworkMode": "container:gone"})),
            GuardVerdict::Answer { status: 404, .. }
        ));
        denied(given.create(json!({"NetworkMode": "container:container#2"})));
        denied(given.create(json!({"NetworkMode": "container:../images"})));
        denied(given.create(json!({"NetworkMode": "container:sibling", "PidMode": "container:sibling"})));
    }
    let inside = image_and(&[("netns", "container#2")]).in_namespace();
    allowed(inside.create(json!({"NetworkMode": "container:sibling"})));
}

#[test]
fn labels_image_name_command_and_user_are_the_resource_s() {
    let given =
        image_and(&[("command", "sleep 60"), ("user", "1000"), ("run_args", "-l app=web --entrypoint /bin/sh")]);
    let good = |more: Value| body("web", merge(json!({"User": "1000"}), more), json!({}));
    allowed(given.create_body(good(json!({"Cmd": ["sleep", "60"], "Entrypoint": ["/bin/sh"]}))));
    let labels = |object: &str, rid: &str, node: &str, more: Value| json!({ "Labels": merge(json!({"hostler.object": object, "hostler.rid": rid, "hostler.node": node}), more) });
    allowed(given.create_body(good(labels("web", "container#1", "n1", json!({"app": "web", "hostler.digest": "x"})))));
    for bad in [
        labels("db", "container#1", "n1", json!({})),
        labels("web", "container#2", "n1", json!({})),
        labels("web", "container#1", "n2", json!({})),
        labels("web", "container#1", "n1", json!({"app": "db"})),
        labels("web", "container#1", "n1", json!({"traefik.enable": "true"})),
        json!({"Labels": {}}),
        json!({"Labels": null}),
        json!({"Image": "alpine"}),
        json!({"Image": "evil.example/busybox"}),
        json!({"Image": null}),
        json!({"Cmd": ["sleep", "61"]}),
        json!({"Cmd": "sleep 60"}),
        json!({"Entrypoint": ["/bin/bash"]}),
        json!({"User": "0"}),
        json!({"User": ""}),
        json!({"MacAddress": "02:00:00:00:00:01"}),
        json!({"NetworkingConfig": {"EndpointsConfig": {"lan": {}}}}),
        json!({"NetworkingConfig": {"EndpointsConfig": {"bridge": {"NetworkID": "x"}}}}),
        json!({"NetworkingConfig": {"EndpointsConfig": {"bridge": {"Aliases": ["db"]}}}}),
        json!({"Healthcheck": {"Test": ["CMD", "x"]}}),
        json!({"hostconfig": {"Privileged": true}}),
        json!({"Unheard": 1}),
    ] {
        denied(given.create_body(good(bad)));
    }
    let target = |name: &str| format!("/containers/create{name}");
    let text = good(json!({})).to_string();
    for name in ["", "?name=", "?name=db.container.1", "?name=web.container.1&platform=linux", "?name=web.container.2"]
    {
        denied(given.judge("POST", &target(name), text.as_bytes()));
    }
    let named = image_and(&[("name", "front")]);
    allowed(named.judge("POST", &target("?name=front"), body("web", json!({}), json!({})).to_string().as_bytes()));
}

#[test]
fn a_health_check_is_that_of_run_args() {
    let given = image_and(&[("run_args", "--health-cmd /check --health-retries 2")]);
    let create = |health: Value| given.create_body(body("web", json!({ "Healthcheck": health }), json!({})));
    let good = json!({"Test": ["CMD-SHELL", "/check"], "Retries": 2});
    let forwarded: Value = serde_json::from_slice(&allowed(create(good.clone())).body).unwrap();
    assert_eq!(forwarded["Healthcheck"], good);
    for bad in [
        json!({"Test": ["CMD-SHELL", "/other"]}),
        json!({"Test": ["CMD", "/check"]}),
        json!({"Retries": 2}),
        json!({"Test": ["CMD-SHELL", "/check"], "Retries": 3}),
        json!({"Test": ["CMD-SHELL", "/check"], "Interval": 1}),
        json!({"Test": ["CMD-SHELL", "/check"], "Unheard": 1}),
    ] {
        denied(create(bad));
    }
}

#[test]
fn bodies_that_can_be_read_in_two_ways_are_denied() {
    let given = image_and(&[]);
    let text = body("web", json!({}), json!({})).to_string();
    let twice = text.replacen("{", r#"{"HostConfig":{"Privileged":true},"#, 1);
    let other_case = text.replacen("{", r#"{"hostConfig":{"Privileged":true},"#, 1);
    let trailing = format!("{text}{{\"HostConfig\":{{\"Privileged\":true}}}}");
    for bad in [twice, other_case, trailing, text.replace("\"HostConfig\":{}", "\"HostConfig\":{\"Memory\":1e3}")] {
        denied(given.judge("POST", "/containers/create?name=web.container.1", bad.as_bytes()));
    }
    allowed(given.judge("POST", "/containers/create?name=web.container.1", text.as_bytes()));
}

#[test]
fn a_refusal_never_shows_a_command_or_an_environment() {
    let given = image_and(&[("command", "sleep 60")]);
    let found = denied(given.create_body(body("web", json!({"Cmd": ["--password", "hunter2"]}), json!({}))));
    assert!(!found.contains("hunter2"), "{found}");
    let found = denied(given.create_body(body("web", json!({"Env": [{"PASSWORD": "hunter2"}]}), json!({}))));
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn in_other_namespaces_paths_are_those_of_the_policy() {
    let given = |volumes| -> Given { image_and(&[("volume_mounts", volumes)]).in_namespace() };
    let forward = allowed(given("/srv/ns1/rw/a:/a").create(json!({"Binds": ["/srv/ns1/rw/a:/a"]})));
    assert_eq!(forward.paths, [("/srv/ns1/rw/a".into(), true)]);
    let forward = allowed(given("/srv/ns1/a:/a:ro").create(json!({"Binds": ["/srv/ns1/a:/a:ro"]})));
    assert_eq!(forward.paths, [("/srv/ns1/a".into(), false)]);
    for (volumes, line) in [
        ("/srv/ns1/a:/a", "allow files.write = /srv/ns1/a"),
        ("/etc:/a:ro", "allow files.read = /etc"),
        ("/var/run/docker.sock:/a", "allow files.write = /var/run/docker.sock"),
    ] {
        let found = denied(given(volumes).create(json!({ "Binds": [volumes] })));
        assert!(found.contains(line), "{volumes}: {found}");
    }
    allowed(given("/a").create_body(body("ns1/svc/web", json!({"Volumes": {"/a": {}}}), json!({}))));
}

fn merge(mut left: Value, right: Value) -> Value {
    left.as_object_mut().unwrap().extend(right.as_object().unwrap().clone());
    left
}
