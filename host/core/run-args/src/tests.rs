//! Options as operators write them, and their meaning.

use crate::{
    ContainerLimits, DeviceMapping, HealthCheck, NamedValue, PortMapping, RestartPolicy, RunArgs, RunArgsError,
    TmpfsMount, Ulimit, parse,
};

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn check(text: &str, expected: RunArgs) {
    assert_eq!(parse(&words(text)), Ok(expected), "{text}");
}

fn fails(text: &str, expected: &str) {
    let error = parse(&words(text)).expect_err(text);
    assert!(error.to_string().starts_with(expected), "{text}: {error}");
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn variable(name: &str, value: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: value.to_owned() }
}

#[test]
fn a_pod_of_a_cloud_service_as_it_was_written_ten_years_ago() {
    let text = "--net=none -e MYSQL_ROOT_PASSWORD=a=b -v /etc/localtime:/etc/localtime:ro -v /svc/pod01/data:/var/lib/mysql:rw";
    check(
        text,
        RunArgs {
            network: Some("none".to_owned()),
            env: vec![variable("MYSQL_ROOT_PASSWORD", "a=b")],
            volumes: ["/etc/localtime:/etc/localtime:ro", "/svc/pod01/data:/var/lib/mysql:rw"]
                .map(|v| v.parse().unwrap())
                .into(),
            ..RunArgs::default()
        },
    );
}

#[test]
fn options_are_split_from_their_values_as_docker_does() {
    let expected = RunArgs {
        interactive: Some(true),
        tty: Some(true),
        env: vec![variable("A", "1")],
        hostname: Some("web".to_owned()),
        ..RunArgs::default()
    };
    for text in [
        "-i -t -e A=1 -h web",
        "-it -eA=1 --hostname web",
        "-ite A=1 --hostname=web",
        "--interactive --tty=true --env=A=1 -hweb",
        "-i=true -t=1 -e=A=1 -h=web",
    ] {
        check(text, expected.clone());
    }
    let with_space = parse(&["-e", "GREETING=two words", "--label", "empty"]).unwrap();
    assert_eq!(with_space.env, [variable("GREETING", "two words")]);
    assert_eq!(with_space.labels, [variable("empty", "")]);
}

#[test]
fn the_last_of_an_option_that_holds_one_value_counts() {
    check(
        "--privileged --privileged=false -u 1 -u 2:3",
        RunArgs { user: Some("2:3".to_owned()), ..RunArgs::default() },
    );
}

#[test]
fn options_of_power_and_sight() {
    check(
        "--cap-add net_admin --cap-add=CAP_SYS_TIME --cap-drop all --privileged --read-only",
        RunArgs {
            cap_add: texts(&["NET_ADMIN", "SYS_TIME"]),
            cap_drop: texts(&["ALL"]),
            privileged: true,
            read_only: true,
            ..RunArgs::default()
        },
    );
    let device = |host: &str, container: &str, permissions: &str| DeviceMapping {
        host: host.to_owned(),
        container: container.to_owned(),
        permissions: permissions.to_owned(),
    };
    check(
        "--device /dev/sda --device /dev/sdb:r --device /dev/sdc:/dev/xvdc --device /dev/sdd:/dev/xvdd:rw",
        RunArgs {
            devices: vec![
                device("/dev/sda", "/dev/sda", "rwm"),
                device("/dev/sdb", "/dev/sdb", "r"),
                device("/dev/sdc", "/dev/xvdc", "rwm"),
                device("/dev/sdd", "/dev/xvdd", "rw"),
            ],
            ..RunArgs::default()
        },
    );
    check(
        "--pid host --ipc=container:x --uts=host --userns host --net container:db --cgroupns private",
        RunArgs {
            pid: Some("host".to_owned()),
            ipc: Some("container:x".to_owned()),
            uts: Some("host".to_owned()),
            userns: Some("host".to_owned()),
            network: Some("container:db".to_owned()),
            cgroupns: Some("private".to_owned()),
            ..RunArgs::default()
        },
    );
}

#[test]
fn a_mount_is_the_volume_or_tmpfs_that_it_describes() {
    let short = parse(&words("-v /a:/b:ro -v data:/c -v /d --tmpfs /run:size=64m,mode=755")).unwrap();
    let long = parse(&words(
        "--mount type=bind,source=/a,target=/b,readonly --mount src=data,dst=/c --mount target=/d \
         --mount type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=755",
    ));
    assert_eq!(long, Ok(short.clone()));
    assert_eq!(short.tmpfs, [TmpfsMount { target: "/run".to_owned(), options: "size=64m,mode=755".to_owned() }]);
    let seen: Vec<_> = short.volumes.iter().map(|v| (v.to_string(), v.is_bind(), v.read_only())).collect();
    assert_eq!(
        seen,
        [("/a:/b:ro".to_owned(), true, true), ("data:/c".to_owned(), false, false), ("/d".to_owned(), false, false)]
    );
}

#[test]
fn limits_are_in_the_units_of_the_engine() {
    let text = "-m 512m --memory-swap -1 --memory-reservation 1.5g --cpus 1.5 --cpu-shares 512 --cpuset-cpus 0-1 \
                --pids-limit 100 --oom-score-adj -500 --oom-kill-disable";
    check(
        text,
        RunArgs {
            limits: ContainerLimits {
                memory: Some(512 << 20),
                memory_swap: Some(-1),
                memory_reservation: Some(3 << 29),
                nano_cpus: Some(1_500_000_000),
                cpu_shares: Some(512),
                cpuset_cpus: Some("0-1".to_owned()),
                pids: Some(100),
                oom_score_adj: Some(-500),
                oom_kill_disable: true,
                ..ContainerLimits::default()
            },
            ..RunArgs::default()
        },
    );
    let ulimit = |soft, hard| Ulimit { name: "nofile".to_owned(), soft, hard };
    check(
        "--ulimit nofile=1024 --ulimit nofile=10:20 --ulimit nofile=-1 --shm-size 64mb --sysctl net.core.somaxconn=99",
        RunArgs {
            ulimits: vec![ulimit(1024, 1024), ulimit(10, 20), ulimit(-1, -1)],
            shm_size: Some(64 << 20),
            sysctls: vec![variable("net.core.somaxconn", "99")],
            ..RunArgs::default()
        },
    );
}

#[test]
fn ports_are_written_out() {
    let port = |ip: &str, host: &str, container, protocol: &str| PortMapping {
        host_ip: ip.to_owned(),
        host_port: host.to_owned(),
        container_port: container,
        protocol: protocol.to_owned(),
    };
    for (text, expected) in [
        ("80", vec![port("", "", 80, "tcp")]),
        ("8080:80/udp", vec![port("", "8080", 80, "udp")]),
        ("127.0.0.1:8080:80", vec![port("127.0.0.1", "8080", 80, "tcp")]),
        ("127.0.0.1::80", vec![port("127.0.0.1", "", 80, "tcp")]),
        ("[::1]:8080:80", vec![port("::1", "8080", 80, "tcp")]),
        ("8000-8001:80-81", vec![port("", "8000", 80, "tcp"), port("", "8001", 81, "tcp")]),
        ("8000-8010:80", vec![port("", "8000-8010", 80, "tcp")]),
    ] {
        let found = parse(&["-p", text]).map(|spec| spec.publish);
        assert_eq!(found, Ok(expected), "{text}");
    }
    for bad in ["", "0", "80:x", "8000-8002:80-81", "1.2.3:80:80", "80/icmp", "[::1:80:80", "81-80"] {
        assert!(parse(&["-p", bad]).is_err(), "{bad}");
    }
    assert_eq!(parse(&["--expose", "80-81"]).unwrap().expose, ["80/tcp", "81/tcp"]);
}

#[test]
fn a_health_check_is_what_docker_makes_of_it() {
    let text = "--health-cmd=/check --health-interval 1m30s --health-timeout 500ms --health-retries 2 --health-start-period=3s";
    let health = HealthCheck {
        command: Some("/check".to_owned()),
        none: false,
        interval: Some(90_000_000_000),
        timeout: Some(500_000_000),
        start_period: Some(3_000_000_000),
        retries: Some(2),
    };
    assert_eq!(health.test(), Some(texts(&["CMD-SHELL", "/check"])));
    check(text, RunArgs { health, ..RunArgs::default() });
    let none = HealthCheck { none: true, ..HealthCheck::default() };
    assert_eq!(none.test(), Some(texts(&["NONE"])));
    check("--no-healthcheck", RunArgs { health: none, ..RunArgs::default() });
    for wrong in ["5", "5x", "s", "1us", "99999999999999h"] {
        fails(&format!("--health-interval {wrong}"), &format!("--health-interval \"{wrong}\": expected a duration"));
    }
}

#[test]
fn the_rest_of_its_life() {
    let text = "--restart on-failure:3 --stop-signal INT --stop-timeout 5 --entrypoint /bin/x -w /srv --init --rm \
                --add-host db:10.0.0.1 --dns 10.0.0.2 --add-host six=[::1]";
    check(
        text,
        RunArgs {
            restart: Some(RestartPolicy::OnFailure(3)),
            stop_signal: Some("INT".to_owned()),
            stop_timeout: Some(5),
            entrypoint: Some("/bin/x".to_owned()),
            workdir: Some("/srv".to_owned()),
            init: Some(true),
            rm: Some(true),
            extra_hosts: texts(&["db:10.0.0.1", "six:::1"]),
            dns: texts(&["10.0.0.2"]),
            ..RunArgs::default()
        },
    );
}

#[test]
fn a_word_that_is_not_an_option_is_an_error_that_names_it() {
    fails("--privilegd", "--privilegd: unknown option");
    fails("-iz", "-z: unknown option");
    fails("-i nginx", "\"nginx\" is not an option");
    fails("-i -- nginx", "\"--\" is not an option");
    fails("-", "\"-\" is not an option");
    fails("-v", "-v needs a value");
    fails("--net", "--net needs a value");
    fails("--env-file /etc/env", "--env-file is not supported");
    fails("--memory=many", "--memory \"many\": expected a size");
    fails("--privileged=maybe", "--privileged \"maybe\": expected true or false");
    fails("-e PASSWORD", "-e \"PASSWORD\": expected NAME=VALUE");
    assert_eq!(
        parse(&["--net="]),
        Err(RunArgsError::Value { option: "--net".to_owned(), value: String::new(), expected: "a value" })
    );
}

#[test]
fn values_that_could_be_read_in_two_ways_are_errors() {
    for bad in ["relative:/a", "./a:/b", "/a:b", "/a:/b:ro:rw", "/a:/b:dance", ":/a", "a b:/c", "/a:/b:ro,/etc"] {
        let accepted = parse(&["-v", bad]);
        // A name without a slash is a volume of the engine, not a path.
        assert!(accepted.is_err() || bad == "relative:/a", "{bad}: {accepted:?}");
    }
    for bad in [
        "type=bind,source=/a:/b,target=/c",
        "type=bind,source=/a,target=ro",
        "type=bind,target=/c",
        "type=volume,source=/a,target=/b",
        "type=npipe,source=/a,target=/b",
        "type=bind,source=/a,target=/b,extra=1",
        "type=bind,source=/a,target=/b,bind-propagation=everywhere",
    ] {
        assert!(parse(&["--mount", bad]).is_err(), "{bad}");
    }
    for (option, bad) in [
        ("--device", "sda"),
        ("--device", "/dev/sda:x"),
        ("--cap-add", "NET ADMIN"),
        ("--tmpfs", "run"),
        ("--ulimit", "nofile=20:10"),
        ("--ulimit", "nofile"),
        ("--cpus", "1e3"),
        ("--memory", "9999999999g"),
        ("--restart", "sometimes"),
        ("--add-host", "db"),
    ] {
        assert!(parse(&[option, bad]).is_err(), "{option} {bad}");
    }
}
