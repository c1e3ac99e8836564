//! Everything that reads what a driver, a site, a namespace or an engine wrote. Nothing may panic or take long, and what is read must hold.

use exec::journal::Journal;
use grant::op::{MountFilesystem, MountFreedom, MountOption};
use grant::{Access, GrantRequest, Grants, Policy, PolicyError, SitePolicy};
use guard::{
    ContainerKeyword, ContainerResource, EngineFacts, EngineLookup, EngineRequest, ForwardedRequest, GuardVerdict,
    LookupResult, NamespaceRights, RequestedBy, judge,
};
use hostler_fuzz::FuzzTarget;
use serde_json::Value;

const GRANT_WORDS: &[&str] = &[
    "allow ",
    "deny ",
    "limit ",
    "digest ",
    "trust ",
    "files.write",
    "files.read",
    "mount",
    "exec",
    "http.unix",
    "http",
    "block.loop",
    "net.addr",
    "netns.link",
    "(caps=all)",
    "(guard=container)",
    "(user=team)",
    "(setid)",
    " = ",
    " on ",
    " in ",
    " from ",
    "{kw:dev}",
    "{kw:",
    "{namespace}",
    "{rundir}",
    "{rid}",
    "{{",
    "}",
    "**",
    "*",
    "/",
    "//",
    "/../",
    "%2e",
    "\"",
    "'",
    "\\",
    "sha256:",
    "memory 64m",
    "cpu 2s",
    "output 1m",
    "\n",
    "#",
    "\u{202e}",
    "::1",
    "[::]",
    "0.0.0.0/0",
];

const ENGINE_WORDS: &[&str] = &[
    "POST ",
    "GET ",
    "DELETE ",
    "/v1.41",
    "/containers/",
    "/create",
    "?name=",
    "ns1..web.container.1",
    "/start",
    "/restart",
    "/rename",
    "/exec",
    "/json",
    "/images/",
    "\"HostConfig\":",
    "\"Privileged\":true",
    "\"Binds\":[\"/:/host\"]",
    "\"Mounts\":[",
    "{\"Type\":\"bind\",\"Source\":\"/\",\"Target\":\"/h\"}",
    "\"PidMode\":\"host\"",
    "\"CapAdd\":[\"ALL\"]",
    "\"Devices\":[",
    "\"LogConfig\":{\"Type\":\"\",\"Config\":{\"path\":\"/x\"}}",
    "\"NetworkMode\":\"host\"",
    "\"ShmSize\":1e30",
    "null",
    "1e999",
    "\\u0000",
    "\\ud800",
    "%00",
    "%2f",
    "..",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\r\n",
    "X-Registry-Auth: ",
    "Upgrade: tcp",
    "\u{feff}",
];

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// A mistake is somewhere in the text.
fn placed(errors: &[PolicyError], text: &str) {
    let lines = text.lines().count().max(1);
    for error in errors {
        assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error}");
        assert!(!error.reason.is_empty());
    }
}

#[test]
fn policies() {
    FuzzTarget { name: "policies", words: GRANT_WORDS }.run(|input| {
        let text = text(input);
        if let Err(errors) = Policy::parse(&text) {
            placed(&errors, &text);
        }
        if let Err(errors) = SitePolicy::parse(&text) {
            placed(&errors, &text);
        }
    });
}

/// A line that was read is read again as the same.
#[test]
fn grant_lines() {
    FuzzTarget { name: "grant-lines", words: GRANT_WORDS }.run(|input| {
        for line in text(input).lines() {
            let Ok(request) = GrantRequest::parse(line) else { continue };
            let again = GrantRequest::parse(&request.to_string()).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            assert_eq!(again.to_string(), request.to_string());
            assert_eq!(again.keywords(), request.keywords());
        }
    });
}

/// Options of mounts, as drivers and configurations write them: by the reader whose list the grants, the audit and the kernel are given.
#[test]
fn mount_options() {
    const WORDS: &[&str] = &[
        "suid",
        "dev",
        "bind",
        "rbind",
        "remount",
        "size=64m",
        "mode=4755",
        "uid=0",
        "data=",
        "subvol=/",
        "lowerdir=/a:/b",
        "context=",
        "x-systemd.",
        "comment=",
        "nosuid",
        "ro",
        "rw",
        ",",
        "=",
        "\"",
        "\\,",
        " ",
        "\t",
        "**",
        "loop",
        "offset=1",
    ];
    FuzzTarget { name: "mount-options", words: WORDS }.run(|input| {
        let text = text(input);
        // As one list, and as many: drivers send either.
        let lists: Vec<String> = text.split('\n').map(str::to_owned).collect();
        for lists in [std::slice::from_ref(&text), &lists] {
            let Ok(options) = capability::mount::read_options(lists) else { continue };
            for option in &options {
                let odd = |c: char| c == '"' || c.is_control();
                assert!(!option.name.is_empty(), "{lists:?}");
                assert!(
                    !option.name.contains(|c: char| odd(c) || c.is_whitespace() || c == ','),
                    "{lists:?}: {option:?}"
                );
                assert!(!option.value.iter().any(|value| value.contains(odd)), "{lists:?}: {option:?}");
            }
            // What the audit shows is what was read.
            let shown: Vec<String> = options.iter().map(MountOption::text).collect();
            assert_eq!(capability::mount::read_options(&[shown.join(",")]).as_ref(), Ok(&options), "{lists:?}");
            for freedom in [MountFreedom::Full, MountFreedom::Namespace] {
                for fstype in ["ext4", "xfs", "overlay", "tmpfs", "bind", "btrfs", "nfs"] {
                    let op = MountFilesystem {
                        fstype: fstype.to_owned(),
                        source: "/dev/loop0".to_owned(),
                        target: "/srv/mnt".into(),
                        options: options.clone(),
                        freedom,
                        binds_file: false,
                    };
                    // Nothing is granted here, so nothing is allowed.
                    assert!(Grants::none().permit(op, Access::Mutate).is_err());
                }
            }
        }
    });
}

/// A manifest that is read has no text that steers a terminal.
#[test]
fn manifests() {
    const WORDS: &[&str] = &[
        "\"contract\":",
        "\"name\":",
        "\"aliases\":[",
        "\"keywords\":[",
        "\"grants\":[",
        "\"critical\":[",
        "\"kind\":\"path\"",
        "\"default\":",
        "\"verbs\":[\"start\"]",
        "\\u001b[2J",
        "\\u202e",
        "\\u0000",
        "\\ud83d",
        "1e999",
        "null",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
    ];
    FuzzTarget { name: "manifests", words: WORDS }.run(|input| {
        let Ok(manifest) = driver::Manifest::parse(input) else { return };
        assert_eq!(manifest.difference(&manifest), None);
        let shown = format!("{}{}{}", manifest.name, manifest.version, manifest.summary);
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
    });
}

#[test]
fn run_args() {
    const WORDS: &[&str] = &[
        "-v",
        "/:/host",
        ":ro",
        "--privileged",
        "--cap-add",
        "ALL",
        "--log-opt",
        "path=/x",
        "--net=host",
        "--pid=host",
        "--device",
        "/dev/sda:/dev/sda:rwm",
        "--tmpfs",
        "/t:size=1t",
        "--shm-size",
        "100g",
        "--mount",
        "type=bind,source=/,target=/h",
        "-p",
        "80:80/udp",
        "[::1]:1-65536:2",
        "--ulimit",
        "nofile=1:2",
        "-e",
        "A=",
        "=",
        ",",
        ":",
        "--",
        "-",
        "\n",
        "\u{0}",
        "18446744073709551616",
        "--memory",
        "9e9g",
        "--restart",
        "on-failure:99999999999",
    ];
    FuzzTarget { name: "run-args", words: WORDS }.run(|input| {
        let text = text(input);
        let words: Vec<&str> = text.split('\n').collect();
        let first = hostler_run_args::parse(&words);
        assert_eq!(hostler_run_args::parse(&words), first, "read twice, it differs");
    });
}

/// A resource of a namespace that may use nothing of the node: whatever is forwarded is confined.
fn judged(request: &EngineRequest<'_>, answer: &[u8]) -> Option<ForwardedRequest> {
    let (object, rid, node) = ("ns1/svc/web".parse().ok()?, "container#1".parse().ok()?, "n1".parse().ok()?);
    let image = ["busybox".to_owned()];
    let none = ["none".to_owned()];
    let keywords =
        [ContainerKeyword { name: "image", values: &image }, ContainerKeyword { name: "netns", values: &none }];
    let nothing = |_: &std::path::Path, _: bool| false;
    let resource = ContainerResource {
        object: &object,
        rid: &rid,
        node: &node,
        keywords: &keywords,
        namespace: NamespaceRights::Other(&nothing),
        cgroup: Some("/own"),
    };
    let mut known = EngineFacts::new();
    // A guard that asks for ever is as bad as one that panics.
    for _ in 0..16 {
        match judge(request, &resource, &known) {
            GuardVerdict::LookUp(lookup) => {
                let found = lookup.read(200, answer).unwrap_or(LookupResult::Nothing);
                assert!(known.insert(lookup, found).is_none(), "it asks again for what it knows");
            }
            GuardVerdict::Forward(forward) => return Some(*forward),
            GuardVerdict::Answer { .. } | GuardVerdict::Deny(_) => return None,
        }
    }
    panic!("it asks for ever");
}

const CREATE: &str = "/v1.41/containers/create?name=ns1..web.container.1";

#[test]
fn engine_bodies() {
    FuzzTarget { name: "engine-bodies", words: ENGINE_WORDS }.run(|input| {
        let request =
            EngineRequest { method: "POST", target: CREATE, headers: &[], body: input, asked: RequestedBy::Action };
        let Some(forward) = judged(&request, b"[]") else { return };
        let body: Value = serde_json::from_slice(&forward.body).unwrap_or_default();
        let host = &body["HostConfig"];
        let none = [
            "Privileged",
            "Binds",
            "Mounts",
            "Devices",
            "DeviceRequests",
            "CapAdd",
            "PidMode",
            "UsernsMode",
            "UTSMode",
            "CgroupParent",
            "VolumesFrom",
            "Sysctls",
            "PortBindings",
        ];
        for member in none {
            let is_nothing = match &host[member] {
                Value::Null | Value::Bool(false) => true,
                Value::Array(list) => list.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::String(text) => text.is_empty() || text == "private",
                _ => false,
            };
            assert!(is_nothing, "{member}: {}", host[member]);
        }
        assert!(host["NetworkMode"] == "none", "{host}");
    });
}

/// A request of a driver, as its first line, its headers, and its body would be on the wire.
#[test]
fn http_heads() {
    FuzzTarget { name: "http-heads", words: ENGINE_WORDS }.run(|input| {
        let text = text(input);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let (method, target) = first.split_once(' ').unwrap_or((first, ""));
        let headers: Vec<(String, String)> = headers
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let request =
            EngineRequest { method, target, headers: &headers, body: body.as_bytes(), asked: RequestedBy::Action };
        let Some(forward) = judged(&request, b"[]") else { return };
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
        assert!(plain(&forward.target), "{:?}", forward.target);
        for (name, value) in &forward.headers {
            let known = ["accept", "x-registry-auth"];
            assert!(
                known.contains(&name.to_lowercase().as_str()) && value.chars().all(|c| matches!(c, ' '..='~')),
                "{name}: {value}"
            );
        }
    });
}

/// What an engine answers, which may be another program than it says.
#[test]
fn engine_answers() {
    const WORDS: &[&str] = &[
        "\"Id\":",
        "\"Name\":\"/web\"",
        "\"Config\":{\"Labels\":{",
        "\"hostler.object\":\"web\"",
        "\"Mounts\":[",
        "\"Source\":\"/\"",
        "\"RW\":true",
        "null",
        "\"HostConfig\":{\"NetworkMode\":\"container:",
        "\"State\":{\"Pid\":1}",
        "\"ContainerID\":",
        "\"ExitCode\":",
        "1e999",
        "\\u0000",
        "{",
        "}",
        "[",
        "]",
        ",",
    ];
    FuzzTarget { name: "engine-answers", words: WORDS }.run(|input| {
        let lookups = [
            EngineLookup::Container("web".to_owned()),
            EngineLookup::Exec("1".repeat(64)),
            EngineLookup::Volumes,
            EngineLookup::Image("busybox".to_owned()),
        ];
        for lookup in lookups {
            for status in [200, 404, 500] {
                let Ok(LookupResult::Container { id, .. } | LookupResult::Exec { id, .. }) = lookup.read(status, input)
                else {
                    continue;
                };
                // It becomes a part of a path.
                assert!(!id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id:?}");
            }
        }
        for target in ["/v1.41/containers/web/start", "/v1.41/containers/web/exec", CREATE] {
            let request =
                EngineRequest { method: "POST", target, headers: &[], body: b"{}", asked: RequestedBy::Action };
            judged(&request, input);
        }
    });
}

#[test]
fn component_files() {
    const WORDS: &[&str] = &["\0asm", "\r\0\u{1}\0", "\u{1}\0\0\0", "hostler-manifest", "\u{7f}", "\0", "{", "}"];
    FuzzTarget { name: "component-files", words: WORDS }.run(|input| {
        let Ok(manifest) = runtime::manifest_of(input) else { return };
        let _ = driver::Manifest::parse(manifest.as_bytes());
    });
}

/// Journals of actions and ledgers of what is held, after any accident: the very bytes, and each line of them with the checksums that
/// they would have.
#[test]
fn journals() {
    const WORDS: &[&str] = &[
        "\n",
        "{\"",
        "\"}",
        "plan",
        "start",
        "done",
        "volatile",
        "\0\0\0\0",
        "18446744073709551615",
        "-1",
        "\\ud800",
        "null",
        "\"number\":1",
        "\"event\":\"held\"",
        "\"ledger\":1",
        "\"next\":0",
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    FuzzTarget { name: "journals", words: WORDS }.run(|input| {
        for journal in [input.to_vec(), framed(input)] {
            std::fs::write(&path, &journal).unwrap();
            let read = || format!("{:?}", Journal::pending(&path).map_err(|error| error.to_string()));
            assert_eq!(read(), read());
            assert_eq!(std::fs::read(&path).unwrap(), journal, "reading changed it");
        }
        for ledger in [input.to_vec(), summed(input)] {
            assert_eq!(format!("{:?}", holding::replay(&ledger)), format!("{:?}", holding::replay(&ledger)));
        }
    });
}

/// Each line as a record of a journal, see `host/node/exec/src/journal/frame.rs`.
fn framed(input: &[u8]) -> Vec<u8> {
    let sum = |chain: u32, bytes: &[u8]| {
        let mut hasher = crc32fast::Hasher::new_with_initial(chain);
        hasher.update(bytes);
        hasher.finalize()
    };
    let (mut chain, mut journal) = (0, Vec::new());
    for payload in input.split(|byte| *byte == b'\n') {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let of_length = sum(chain, &length);
        chain = sum(of_length, payload);
        journal.extend([&length[..], &of_length.to_le_bytes(), &chain.to_le_bytes(), payload].concat());
    }
    journal
}

/// Each line as one of a ledger, see `host/core/holding/src/event.rs`.
fn summed(input: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| [format!("{:08x} ", crc32fast::hash(line)).as_bytes(), line, b"\n"].concat();
    input.split(|byte| *byte == b'\n').flat_map(line).collect()
}
