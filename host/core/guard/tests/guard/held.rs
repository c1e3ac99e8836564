//! What an attacker in a namespace sent to engines through the guard, and did not get through: each stays refused. The table is counted,
//! so that no row of it gets lost.

use hostler_guard::GuardVerdict;
use serde_json::{Value, json};

use crate::harness::{ELSEWHERE, EXEC, NOBODY, OTHER, OTHER_EXEC, OWN, SIBLING, body, image_and};

/// So many requests were refused, and so many bodies.
const REQUESTS: usize = 186;
const BODIES: usize = 85;

/// Requests that no resource needs, in the words of docker and of podman. `{own}` stands for its own container.
const NEEDLESS: &str = "\
    GET /containers/{own}/archive?path=/etc|PUT /containers/{own}/archive?path=/|HEAD /containers/{own}/archive?path=/|\
    GET /containers/{own}/export|POST /containers/{own}/copy|GET /containers/{own}/changes|POST /containers/{own}/attach|\
    GET /containers/{own}/attach/ws|\
    POST /containers/{own}/checkpoint|POST /containers/{own}/checkpoints|POST /containers/{own}/restore|\
    POST /containers/{own}/mount|POST /containers/{own}/init|POST /containers/prune|POST /containers/{own}/exec|\
    POST /commit?container={own}|POST /build|POST /build?remote=http://x/|POST /build/prune|POST /session|POST /auth|GET /events|\
    GET /system/df|POST /system/prune|GET /distribution/busybox/json|GET /plugins|POST /plugins/pull?remote=x|\
    POST /plugins/x/enable|POST /plugins/create?name=x|DELETE /plugins/x|GET /swarm|POST /swarm/init|POST /swarm/join|\
    POST /swarm/leave?force=true|POST /swarm/update|GET /swarm/unlockkey|GET /nodes|POST /nodes/x/update|GET /services|\
    POST /services/create|DELETE /services/x|GET /tasks|GET /secrets|POST /secrets/create|DELETE /secrets/x|GET /configs|\
    POST /configs/create|GET /networks|POST /networks/create|POST /networks/x/connect|POST /networks/x/disconnect|\
    POST /networks/prune|DELETE /networks/x|GET /volumes|POST /volumes/create|POST /volumes/prune|DELETE /volumes/x|\
    GET /volumes/x|POST /images/load|GET /images/get?names=busybox|POST /images/prune|\
    POST /images/busybox/tag?repo=evil|POST /images/busybox/push|DELETE /images/busybox|GET /images/search?term=x|\
    GET /images/json|GET /images/busybox/history|POST /images/create?fromSrc=-|POST /images/create?fromImage=evil|\
    POST /grpc|POST /debug/pprof/|GET /debug/vars|GET /metrics|GET /containers/{own}/../{other}/json|GET /containers//json|\
    POST /libpod/containers/create|POST /libpod/containers/{own}/start|POST /libpod/containers/{other}/stop|\
    DELETE /libpod/containers/{other}?force=true|GET /libpod/containers/json|POST /libpod/containers/{own}/mount|\
    GET /libpod/containers/{own}/export|POST /libpod/containers/{own}/checkpoint|POST /libpod/containers/{own}/restore|\
    POST /libpod/containers/prune|POST /libpod/play/kube|DELETE /libpod/play/kube|GET /libpod/generate/{own}/systemd|\
    POST /libpod/pods/create|DELETE /libpod/pods/x|POST /libpod/images/load|POST /libpod/images/pull?reference=x|\
    POST /libpod/images/scp/x|POST /libpod/volumes/create|DELETE /libpod/volumes/x|POST /libpod/secrets/create?name=x|\
    POST /libpod/manifests/x|POST /libpod/system/prune|POST /libpod/system/check|GET /libpod/info|GET /libpod/events|\
    POST /libpod/build|POST /libpod/commit?container={own}|POST /libpod/exec/x/start|GET /libpod/networks/json|\
    POST /libpod/networks/create|POST /libpod/containers/{own}/exec|POST /libpod/containers/{own}/update";

/// What is done with a container of others, by each of its names.
const OF_OTHERS: &str = "POST start|POST stop|POST kill|POST restart|POST wait|POST rename?name=x|POST update|POST unpause|\
    POST exec|GET logs?stdout=1|GET stats|GET top|GET archive?path=/|POST attach?stream=1|DELETE ";

fn requests() -> Vec<(String, String)> {
    let own = |text: &str| text.replace("{own}", OWN).replace("{other}", OTHER);
    let split = |line: &str| line.trim().split_once(' ').map(|(method, rest)| (method.to_owned(), own(rest)));
    let needless = NEEDLESS.split('|').filter_map(split);
    let of_others = OF_OTHERS.split('|').flat_map(|line| {
        let (method, rest) = line.split_once(' ').unwrap();
        [OTHER, "other", "44", NOBODY, ELSEWHERE].map(|name| {
            let target = if rest.is_empty() {
                format!("/containers/{name}?force=true")
            } else {
                format!("/containers/{name}/{rest}")
            };
            (method.to_owned(), target)
        })
    });
    let execs = [OTHER_EXEC, EXEC]
        .into_iter()
        .flat_map(|id| ["start", "resize?h=1&w=1"].map(|what| ("POST".to_owned(), format!("/exec/{id}/{what}"))));
    needless.chain(of_others).chain(execs).collect()
}

#[test]
fn no_request_of_the_table_gets_through() {
    let requests = requests();
    assert!(requests.len() >= REQUESTS, "{} of {REQUESTS}", requests.len());
    let mut let_through = Vec::new();
    for given in [image_and(&[]), image_and(&[]).in_namespace()] {
        for (method, target) in &requests {
            for version in ["", "/v1.41", "/v4.3.1"] {
                let verdict = given.judge(method, &format!("{version}{target}"), b"{}");
                if matches!(verdict, GuardVerdict::Forward(_)) {
                    let_through.push(format!("{method} {version}{target}"));
                }
            }
        }
    }
    assert!(let_through.is_empty(), "{let_through:#?}");
}

/// Members of `HostConfig` and of the body itself, with the keyword that says the same: in a namespace not even that counts.
fn bodies() -> Vec<(Value, Value, &'static str)> {
    let host = |value: Value, options: &'static str| (json!({}), value, options);
    let bind = |text: &str| json!({ "Binds": [text] });
    let mount = |kind: &str, source: &str| json!({ "Mounts": [{ "Type": kind, "Source": source, "Target": "/x" }] });
    let mut all = vec![
        host(json!({ "Privileged": true }), "--privileged"),
        host(json!({ "privileged": true }), "--privileged"),
        host(json!({ "Privileged": 1 }), "--privileged"),
        host(json!({ "Privileged": "true" }), "--privileged"),
        host(
            json!({ "Devices": [{ "PathOnHost": "/dev/sda", "PathInContainer": "/x", "CgroupPermissions": "r" }] }),
            "--device /dev/sda",
        ),
        host(json!({ "DeviceRequests": [{ "Driver": "nvidia", "Count": -1 }] }), "--gpus all"),
        host(json!({ "DeviceCgroupRules": ["b *:* rwm"] }), "--device-cgroup-rule b"),
        host(json!({ "Runtime": "/srv/ns1/evil" }), "--runtime evil"),
        host(json!({ "CgroupParent": "/" }), "--cgroup-parent /"),
        host(json!({ "CgroupnsMode": "host" }), "--cgroupns host"),
        host(json!({ "Cgroup": "container:db" }), ""),
        host(json!({ "VolumesFrom": ["db"] }), "--volumes-from db"),
        host(json!({ "VolumeDriver": "evil" }), "--volume-driver evil"),
        host(json!({ "Links": ["db:db"] }), "--link db:db"),
        host(json!({ "PublishAllPorts": true }), "-P"),
        host(json!({ "PortBindings": { "80/tcp": [{ "HostPort": "22" }] } }), "-p 22:80"),
        host(json!({ "OomKillDisable": true }), "--oom-kill-disable"),
        host(json!({ "OomScoreAdj": -1000 }), "--oom-score-adj -1000"),
        host(json!({ "ContainerIDFile": "/etc/x" }), "--cidfile /etc/x"),
        host(json!({ "Sysctls": { "kernel.core_pattern": "|/x" } }), "--sysctl kernel.core_pattern=|/x"),
        host(json!({ "Sysctls": { "kernel/core_pattern": "|/x" } }), "--sysctl kernel/core_pattern=|/x"),
        host(json!({ "Sysctls": { "vm.overcommit_memory": "1" } }), "--sysctl vm.overcommit_memory=1"),
        host(json!({ "Sysctls": { "fs.suid_dumpable": "2" } }), "--sysctl fs.suid_dumpable=2"),
        host(json!({ "MaskedPaths": ["/x"] }), ""),
        host(json!({ "ReadonlyPaths": ["/x"] }), ""),
        host(json!({ "Isolation": "process" }), ""),
        host(json!({ "ShmSize": 1_u64 << 40 }), "--shm-size 1t"),
        host(json!({ "Tmpfs": { "/x": "size=1t" } }), "--tmpfs /x:size=1t"),
        host(json!({ "Tmpfs": { "/x": "exec,suid,dev" } }), "--tmpfs /x:suid"),
        host(json!({ "Annotations": { "run.oci.hooks.stderr": "/x" } }), "--annotation a=b"),
        host(json!({ "ExtraHosts": ["a:host-gateway", "x"], "Unknown": 1 }), ""),
        (json!({ "HostConfig": {}, "hostconfig": { "Privileged": true } }), json!({}), ""),
        (json!({ "NetworkingConfig": { "EndpointsConfig": { "lan": {} } } }), json!({}), "--net lan"),
        (json!({ "User": "0" }), json!({}), ""),
        (json!({ "Entrypoint": ["/bin/sh"] }), json!({}), ""),
        (json!({ "OnBuild": ["RUN x"] }), json!({}), ""),
        (json!({ "Shell": ["/x"] }), json!({}), ""),
        (json!({ "Image": "evil" }), json!({}), ""),
        (json!({ "Labels": {} }), json!({}), ""),
        (
            json!({ "Labels": { "hostler.object": "db", "hostler.rid": "container#1", "hostler.node": "n1" } }),
            json!({}),
            "",
        ),
        (json!({ "MacAddress": "02:00:00:00:00:01", "NetworkDisabled": "x" }), json!({}), ""),
    ];
    for text in [
        "/:/x",
        "/etc:/x",
        "/etc:/x:ro",
        "/proc:/x",
        "/sys:/x",
        "/dev:/x",
        "/run/docker.sock:/x",
        "/srv/ns2:/x",
        "/srv/ns1/../ns2:/x",
        "/srv/ns1:/x",
        "/srv/ns1/rw:/x:rshared",
        "/srv/ns1/rw:/x:U",
        "/srv/ns1/rw:/x:O",
        "/srv/ns1/rw:/x:z",
        "/srv/ns1/rw:/x:suid",
        "//srv/ns1/rw:/x",
        "/srv/ns1/rw/./a:/x",
        "relative:/x",
        "../x:/x",
    ] {
        all.push(host(bind(text), ""));
    }
    for (kind, source) in [
        ("bind", "/"),
        ("bind", "/srv/ns2"),
        ("volume", "/srv/ns1/rw"),
        ("npipe", "x"),
        ("cluster", "x"),
        ("glob", "/etc/*"),
        ("image", "x"),
        ("devpts", "x"),
        ("Bind", "/etc"),
    ] {
        all.push(host(mount(kind, source), ""));
    }
    for capability in
        ["SYS_ADMIN", "CAP_SYS_ADMIN", "ALL", "all", "SYS_MODULE", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"]
    {
        all.push(host(json!({ "CapAdd": [capability] }), "--cap-add SYS_ADMIN --cap-add ALL"));
    }
    for mode in ["host", "container:db", "ns:/proc/1/ns/net", "private:x", "lan"] {
        for name in ["NetworkMode", "PidMode", "IpcMode"] {
            all.push(host(json!({ name: mode }), "--net host --pid host --ipc host"));
        }
    }
    for option in ["seccomp=unconfined", "apparmor=unconfined", "label=disable", "systempaths=unconfined", "unmask=ALL"]
    {
        all.push(host(json!({ "SecurityOpt": [option] }), "--security-opt seccomp=unconfined"));
    }
    all
}

#[test]
fn no_body_of_the_table_gets_through() {
    let bodies = bodies();
    assert!(bodies.len() >= BODIES, "{} of {BODIES}", bodies.len());
    let mut let_through = Vec::new();
    for (more, host, options) in bodies {
        // Of a namespace not even by its keywords, and not without them.
        let beside = [(SIBLING, "/srv/ns1/rw", true)];
        for given in [image_and(&[("run_args", options)]), image_and(&[]).beside(&beside)] {
            let verdict = given.in_namespace().create_body(body("ns1/svc/web", more.clone(), host.clone()));
            if !matches!(verdict, GuardVerdict::Deny(_)) {
                let_through.push(format!("{more} {host} {options}"));
            }
        }
    }
    assert!(let_through.is_empty(), "{let_through:#?}");
}

#[test]
fn what_says_nothing_is_not_sent_on() {
    // To an engine, an empty list of the paths that it hides is not the same as none.
    for member in ["MaskedPaths", "ReadonlyPaths", "SecurityOpt", "CapDrop", "Devices"] {
        let GuardVerdict::Forward(forward) = image_and(&[]).create(json!({ member: [] })) else { continue };
        assert!(!String::from_utf8(forward.body).unwrap().contains(member), "{member}");
    }
    let sysctl = image_and(&[("sysctl", "net.ipv4.ip_forward=1")]).in_namespace();
    let verdict = sysctl.create(json!({ "Sysctls": { "net.ipv4.ip_forward": "1" } }));
    assert!(matches!(verdict, GuardVerdict::Forward(_)), "{verdict:?}");
}
