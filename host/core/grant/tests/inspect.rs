//! Grants in words: what `om driver inspect` and `om driver allow` show.

use hostler_grant::{EffectiveGrant, GrantContext, GrantRequest, GrantStatus, Grants, NoDeviceLedger, Policy, Refuser};

fn lines(requests: &[&str], site: Policy, namespace: Policy) -> Vec<EffectiveGrant> {
    let requests: Vec<GrantRequest> = requests.iter().map(|line| line.parse().unwrap()).collect();
    let context = GrantContext {
        object: "web".parse().unwrap(),
        rid: "disk#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/run/web".into(),
        statedir: "/state/web".into(),
        config: "/etc/web.conf".into(),
        peers: Vec::new(),
    };
    Grants::bind(&requests, &context, &[], &NoDeviceLedger, &site, &namespace).unwrap().lines()
}

#[test]
fn bound_requests_read_as_sentences() {
    let lines = lines(
        &[
            "block.loop = /srv/{name}.img",
            "files.write = {rundir}/**",
            "exec(read) = /bin/x [-a \"b c\"] * ",
            "net.link = {kw:gone}",
        ],
        Policy::everything(),
        Policy::everything(),
    );
    let sentences: Vec<String> =
        lines.iter().map(|line| format!("may {} {}", line.sentence.verb, line.sentence.object)).collect();
    assert_eq!(
        sentences,
        [
            "may attach a loop device to /srv/web.img",
            "may read and write all below /run/web/**",
            "may run, also to look, /bin/x [-a \"b c\"] *",
        ]
    );
    assert!(lines.iter().all(|line| line.standing == GrantStatus::Allowed));
}

#[test]
fn the_lines_that_narrow_a_request_are_listed() {
    let site = Policy::parse("allow files.read = /srv/**\nallow exec = /bin/x *\ndeny exec = /bin/x secret").unwrap();
    let namespace = Policy::parse("allow files.write = /srv/web/**\nallow exec = /bin/* **").unwrap();
    let standing: Vec<GrantStatus> =
        lines(&["files.read = /srv/web/x", "exec = /bin/x *", "block.loop = /srv/web/x"], site, namespace)
            .into_iter()
            .map(|line| line.standing)
            .collect();
    let narrowed = |lines: &[&str]| GrantStatus::Narrowed(lines.iter().map(ToString::to_string).collect());
    assert_eq!(
        standing,
        [
            // One path is allowed or not.
            GrantStatus::Allowed,
            narrowed(&["allow exec = /bin/x *", "deny exec = /bin/x secret", "allow exec = /bin/* **"]),
            GrantStatus::Refused(Refuser::Site),
        ]
    );
}

#[test]
fn root_equivalence_is_flagged_in_the_request_and_when_bound() {
    for (line, flagged) in [
        ("exec = /usr/bin/rsync **", true),
        ("exec = /bin/sh -c *", true),
        ("exec = /usr/sbin/exportfs -ra", false),
        ("exec = /bin/sh /opt/fixed", false),
        ("exec = /usr/bin/virsh -c qemu:///system define -- *", true),
        ("exec = /usr/bin/virsh -c qemu:///system define -- /run/hostler/svc/web/guest.xml", true),
        ("exec = /usr/bin/virsh -c qemu:///system start -- *", false),
        ("spawn = /usr/bin/flock --close /run/lock dockerd --host *", true),
        ("exec = /usr/bin/flock --shared /run/engine/lock /bin/true", false),
        ("exec(caps=all) = /bin/x", true),
        ("exec(caps=cap_net_raw) = /bin/x", false),
        ("http.unix = GET,POST /run/docker.sock /**", true),
        ("http.unix = GET /run/docker.sock /**", false),
        ("http.unix(root_equivalent) = GET /run/app.sock /**", true),
        ("http.unix = POST /run/app.sock /**", false),
        ("files.write = /etc/exports", true),
        ("files.write = /**", true),
        ("files.write = /srv/x", false),
        ("files.write = /srv/**", false),
        ("files.write = /run/hostler/svc/web/**", false),
        ("files.write = /var/lib/hostler/svc/web/driver/app#1/**", false),
        ("files.write = /var/spool/cron/crontabs/root", true),
        ("files.write = /run/systemd/system/evil.service", true),
        ("files.write = /var/lib/**", true),
        ("files.write = /var/lib/x", false),
        ("files.write = /run/app.pid", false),
        ("block.read = *", true),
        ("block.read = /dev/sdb", false),
    ] {
        let request: GrantRequest = line.parse().unwrap();
        assert_eq!(request.sentence().root_equivalent.is_some(), flagged, "{line}");
        let bound = lines(&[line], Policy::everything(), Policy::everything());
        let bound = bound[0].sentence.root_equivalent.is_some();
        // Bound, a command that a keyword chose can no longer be distinguished from one that the manifest wrote.
        assert!(bound == flagged || line == "exec = /bin/sh /opt/fixed", "{line}: {bound}");
    }
    let command: GrantRequest = "spawn = {command:start}".parse().unwrap();
    assert!(command.sentence().root_equivalent.is_some());
}

#[test]
fn a_guarded_socket_of_an_engine_is_not_root_s() {
    for (request, expected) in [
        ("http.unix = GET,POST /run/docker.sock /**", Some("a client of a container engine can become root")),
        ("http.unix(guard=container) = GET,POST /run/docker.sock /**", None),
        ("http.unix(root_equivalent) = GET,POST /run/x.sock /**", Some("the line declares it")),
    ] {
        let asked: GrantRequest = request.parse().unwrap();
        assert_eq!(asked.sentence().root_equivalent, expected, "{request}");
        let bound = &lines(&[request], Policy::everything(), Policy::everything())[0];
        assert_eq!(bound.sentence.root_equivalent, expected, "{request}");
        assert_eq!(bound.guard.is_some(), request.contains("guard"), "{request}");
        assert_eq!(bound.sentence.grant, request);
    }
}
