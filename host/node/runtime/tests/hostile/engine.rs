//! A real container engine behind the guard: a driver that tries everything reaches only its own containers.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use capability::AuditVerdict;
use driver::{ActionError, ConsoleRequest, DriverCall, OperatorTerminal, Verb};
use hostler_tests::dockerd::{Dockerd, IMAGE};
use serde_json::{Value, json};

use crate::guest::{Hostile, silent};
use crate::support::bounds;

/// The driver, a guarded engine, and a container of another object on it.
struct Siege {
    // Dropped first: its mounts are below the directory of the next field.
    dockerd: Dockerd,
    hostile: Hostile,
    victim: String,
}

impl Siege {
    fn lay(keywords: &[(&str, &[&str])]) -> Option<Siege> {
        let missing = Dockerd::missing().or_else(|| (!nix::unistd::geteuid().is_root()).then_some("root"));
        if let Some(missing) = missing {
            crate::support::skipped(missing);
            return None;
        }
        let mut hostile = Hostile::trusted();
        let directory = PathBuf::from(hostile.bench.path("engine"));
        let dockerd = Dockerd::start(&directory, &directory.join("data")).unwrap();
        dockerd.docker(&format!("tag {IMAGE} busybox")).unwrap();
        hostile.set("engine", &[&dockerd.socket().to_string_lossy()]);
        hostile.set("image", &["busybox"]);
        hostile.set("run_args", &["--net=none"]);
        hostile.set("netns", &[]);
        for (name, values) in keywords {
            hostile.set(name, values);
        }
        let labels = "--label hostler.object=db --label hostler.rid=app#1 --label hostler.node=n1";
        let run = format!("run -d --net none --name victim {labels} busybox /bin/sleep 3600");
        let victim = dockerd.docker(&run).unwrap().trim().to_owned();
        Some(Siege { dockerd, hostile, victim })
    }

    fn socket(&self) -> String {
        self.dockerd.socket().display().to_string()
    }

    fn containers(&self) -> Vec<String> {
        self.dockerd.containers().unwrap()
    }

    async fn attempt(&self, method: &str, path: &str, rest: &[&str]) -> Result<String, ActionError> {
        let socket = self.socket();
        let words = [&["engine", method, &socket, path], rest].concat();
        self.hostile.start(&words).await
    }

    /// Asserts that the guard refuses the request for this reason.
    async fn is_refused(&self, method: &str, path: &str, rest: &[&str], reason: &str) {
        let path = path.replace("VICTIM", &self.victim);
        let error = self.attempt(method, &path, rest).await.expect_err(&path).to_string();
        assert!(error.starts_with("denied: needs the grant http.unix = "), "{method} {path} {rest:?}: {error}");
        assert!(error.contains(reason), "{method} {path} {rest:?}: {error}");
    }

    fn body(&self, more: &Value, host: &Value) -> String {
        let mut body = json!({
            "Image": "busybox",
            "Labels": {"hostler.object": "web", "hostler.rid": "app#1", "hostler.node": "n1"},
            "Cmd": null,
            "HostConfig": {"NetworkMode": "none"},
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body["HostConfig"].as_object_mut().unwrap().extend(host.as_object().unwrap().clone());
        body.to_string()
    }
}

const CREATE: &str = "/v1.41/containers/create?name=web.app.1";

#[tokio::test]
async fn the_engine_stays_out_of_a_hostile_driver_s_reach() {
    let Some(siege) = Siege::lay(&[]) else { return };
    let stranger = "does not carry the labels of this resource";
    for (method, path) in [
        ("POST", "/containers/victim/stop"),
        ("POST", "/v1.41/containers/victim/kill?signal=KILL"),
        ("POST", "/containers/VICTIM/restart"),
        ("POST", "/containers/VICTIM/pause"),
        ("DELETE", "/containers/victim?force=1"),
        ("GET", "/containers/victim/logs?stdout=1"),
        ("GET", "/containers/victim/stats?stream=false"),
        ("POST", "/containers/victim/wait"),
        ("POST", "/containers/victim/rename?name=web.app.1"),
    ] {
        siege.is_refused(method, path, &[], stranger).await;
    }
    let prefix: String = siege.victim.chars().take(3).collect();
    siege.is_refused("POST", &format!("/containers/{prefix}/stop"), &[], stranger).await;
    for (method, path, reason) in [
        ("POST", "/containers/victim/update", "is not a request that a resource may send"),
        ("POST", "/containers/victim/exec", "exec is for an operator's console only"),
        ("POST", "/containers/victim/attach?stream=1&stdin=1", "attach is for an operator's console only"),
        ("GET", "/containers/victim/archive?path=/", "is not a request that a resource may send"),
        ("PUT", "/containers/victim/archive?path=/", "is not a request that a resource may send"),
        ("POST", "/containers/prune", "is not a request that a resource may send"),
        ("POST", "/build?remote=http://127.0.0.1/x", "is not a request that a resource may send"),
        ("POST", "/images/create?fromSrc=-&repo=busybox&tag=latest", "the keyword image does not allow that"),
        ("POST", "/images/create?fromImage=alpine", "the keyword image does not allow that"),
        ("POST", "/images/load", "is not a request that a resource may send"),
        ("DELETE", "/images/busybox", "is not a request that a resource may send"),
        ("POST", "/volumes/create", "is not a request that a resource may send"),
        ("POST", "/v1.41//containers/victim/stop", "not in its plain form"),
        ("POST", "/containers/victim%2fstop", "not in its plain form"),
        ("POST", "/containers/%76ictim/stop", "not in its plain form"),
        ("POST", "/v1.12/containers/victim/stop", "not in its plain form"),
        ("GET", "/containers/json?filters=%7B%22label%22%3A%5B%22hostler.rid%3Dapp%232%22%5D%7D", "the keyword netns"),
    ] {
        // The grant already refuses some odd paths. They only must not arrive.
        let error = siege.attempt(method, path, &[]).await.expect_err(path).to_string();
        assert!(error.starts_with("denied: "), "{method} {path}: {error}");
        let known = error.contains(reason) || error.contains("did not ask for it");
        assert!(known, "{method} {path}: {error}");
    }
    for (header, value) in [
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "Upgrade"),
        ("Upgrade", "tcp"),
        ("Host", "other"),
    ] {
        let smuggled = "POST /containers/victim/stop HTTP/1.1\r\nHost: x\r\n\r\n";
        let error = siege.attempt("GET", "/_ping", &[smuggled, header, value]).await.unwrap_err();
        assert!(error.to_string().contains("is the host's to set"), "{header}: {error}");
    }
    siege.is_refused("GET", "/_ping", &["POST /x"], "a body where none belongs").await;
    siege
        .is_refused("GET", "/_ping", &["", "X-Http-Method-Override", "DELETE"], "the header X-Http-Method-Override")
        .await;
    assert_eq!(siege.containers(), ["victim running"]);

    let answer = siege.attempt("GET", "/containers/victim/json", &[]).await.unwrap();
    assert_eq!(answer, r#"200 {"Config":{"Labels":{}},"Id":"victim"}"#);
    assert_eq!(siege.attempt("GET", "/v1.41/containers/json?all=1", &[]).await.unwrap().trim(), "200 []");
    assert!(siege.attempt("POST", "/containers/gone/start", &[]).await.unwrap().starts_with("404 "));
}

/// Bodies that would make a container mightier than the keywords say, and why they do not pass.
fn mighty() -> Vec<(Value, Value, &'static str)> {
    let none = || json!({});
    vec![
        (none(), json!({"Privileged": true}), "the keyword privileged does not allow that"),
        (none(), json!({"Binds": ["/:/host"]}), "the keyword volume_mounts does not allow that"),
        (none(), json!({"Binds": ["OWN:/own"]}), "the keyword volume_mounts does not allow that"),
        (none(), json!({"Binds": ["OWN/../../:/own:ro"]}), "the keyword volume_mounts does not allow that"),
        (
            none(),
            json!({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/own"}]}),
            "the keyword volume_mounts does not allow that",
        ),
        (
            none(),
            json!({"Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]}),
            "the keyword devices does not allow that",
        ),
        (none(), json!({"CapAdd": ["SYS_ADMIN"]}), "the keyword run_args does not allow that"),
        (none(), json!({"SecurityOpt": ["seccomp=unconfined"]}), "the keyword run_args does not allow that"),
        (none(), json!({"NetworkMode": "host"}), "the keyword netns does not allow that"),
        (none(), json!({"NetworkMode": "container:victim"}), "the keyword netns does not allow that"),
        (none(), json!({"PidMode": "host"}), "the keyword pidns does not allow that"),
        (none(), json!({"PidMode": "container:victim"}), "the keyword pidns does not allow that"),
        (none(), json!({"IpcMode": "host"}), "the keyword ipcns does not allow that"),
        (none(), json!({"UTSMode": "host"}), "the keyword utsns does not allow that"),
        (none(), json!({"UsernsMode": "host"}), "the keyword userns does not allow that"),
        (none(), json!({"CgroupParent": "/"}), "the keyword run_args does not allow that"),
        (none(), json!({"Sysctls": {"kernel.shmmax": "1"}}), "the keyword sysctl does not allow that"),
        (none(), json!({"Runtime": "other"}), "the keyword run_args does not allow that"),
        (none(), json!({"VolumesFrom": ["victim"]}), "the keyword run_args does not allow that"),
        (none(), json!({"RestartPolicy": {"Name": "always"}}), "the keyword run_args does not allow that"),
        (none(), json!({"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}), "the keyword run_args does not allow that"),
        (none(), json!({"DeviceRequests": [{"Count": -1}]}), "HostConfig.DeviceRequests is not known to the guard"),
        (none(), json!({"MaskedPaths": ["/x"]}), "HostConfig.MaskedPaths is not known to the guard"),
        (json!({"Image": "other"}), none(), "the keyword image does not allow that"),
        (json!({"Cmd": ["/bin/sh"]}), none(), "the keyword command does not allow that"),
        (json!({"User": "0"}), none(), "the keyword user does not allow that"),
        (json!({"Labels": {}}), none(), "Labels.hostler.object: expected the resource's own"),
        (json!({"hostConfig": {"Privileged": true}}), none(), "stands there twice"),
    ]
}

#[tokio::test]
async fn a_container_is_made_of_its_keywords_and_lives_its_life() {
    let Some(mut siege) = Siege::lay(&[]) else { return };
    let directory = siege.hostile.bench.path("own");
    siege.hostile.set("volume_mounts", &[&format!("{directory}:/own:ro")]);
    siege.hostile.set("run_args", &["--net=none", "--entrypoint", "/bin/sleep"]);
    siege.hostile.set("command", &["3600"]);
    for (more, host, reason) in mighty() {
        let host: Value = serde_json::from_str(&host.to_string().replace("OWN", &directory)).unwrap();
        let body = siege.body(&more, &host);
        siege.is_refused("POST", CREATE, &[&body], reason).await;
    }
    let body = siege.body(&json!({}), &json!({}));
    siege.is_refused("POST", "/containers/create?name=other", &[&body], "the keyword name does not allow that").await;
    assert_eq!(siege.containers(), ["victim running"]);
    assert!(siege.hostile.bench.audit.records().iter().all(|record| matches!(record.verdict, AuditVerdict::Denied(_))));

    let fair = siege.body(
        &json!({"Entrypoint": ["/bin/sleep"], "Cmd": ["3600"], "Env": ["DB_PASSWORD=hunter2"]}),
        &json!({"Binds": [format!("{directory}:/own:ro")], "Memory": 33554432}),
    );
    let created = siege.attempt("POST", CREATE, &[&fair]).await.unwrap();
    assert!(created.starts_with("201 "), "{created}");
    assert!(siege.attempt("POST", "/containers/web.app.1/start", &[]).await.unwrap().starts_with("204"));
    let answer = siege.attempt("GET", "/containers/web.app.1/json", &[]).await.unwrap();
    let answer: Value = serde_json::from_str(answer.trim_start_matches("200 ")).unwrap();
    assert_eq!(answer["HostConfig"]["Binds"], json!([format!("{directory}:/own:ro")]));
    assert_eq!(answer["State"]["Running"], true);
    let listed = siege.attempt("GET", "/containers/json", &[]).await.unwrap();
    assert!(listed.contains("web.app.1") && !listed.contains("victim"), "{listed}");
    assert_eq!(siege.containers(), ["victim running", "web.app.1 running"]);
    assert!(siege.attempt("POST", "/containers/web.app.1/stop?t=0", &[]).await.unwrap().starts_with("204"));
    assert!(siege.attempt("DELETE", "/containers/web.app.1?force=true&v=true", &[]).await.unwrap().starts_with("204"));
    assert_eq!(siege.containers(), ["victim running"]);

    let records = siege.hostile.bench.audit.records();
    let judged: Vec<&str> = records.iter().filter_map(|record| record.judged.as_deref()).collect();
    assert_eq!(judged[0], "create a container of busybox, made of the resource's keywords");
    assert!(judged[1].starts_with("start its container ") && judged.len() == 4, "{judged:?}");
    assert!(!format!("{records:?}").contains("hunter2"));
}

#[tokio::test]
async fn in_another_namespace_a_container_sees_what_its_policy_allows() {
    let Some(mut siege) = Siege::lay(&[]) else { return };
    let directory = siege.hostile.bench.path("srv");
    std::fs::create_dir(&directory).unwrap();
    std::os::unix::fs::symlink("/etc", format!("{directory}/link")).unwrap();
    std::fs::create_dir(format!("{directory}/data")).unwrap();
    siege.hostile.set("command", &["/bin/sleep"]);
    let policy = format!("allow files.write = {directory}/**\nallow http.unix(guard=container) = * /** /**\n");
    std::fs::write(siege.hostile.bench.path("namespace.policy"), policy).unwrap();
    let inside = |siege: &Siege, words: &[&str]| -> DriverCall {
        DriverCall { object: "ns1/svc/web".parse().unwrap(), ..siege.hostile.attempt(words) }
    };
    let create = |siege: &Siege, mounts: &str| {
        let labels = json!({"hostler.object": "ns1/svc/web", "hostler.rid": "app#1", "hostler.node": "n1"});
        let more = json!({ "Labels": labels, "Cmd": ["/bin/sleep"] });
        let body = siege.body(&more, &json!({ "Binds": [mounts] }));
        let path = "/containers/create?name=ns1..web.app.1";
        inside(siege, &["engine", "POST", &siege.socket(), path, &body])
    };
    for (mounts, reason) in [
        ("/etc:/x:ro".to_owned(), "needs the line: allow files.read = /etc"),
        (format!("{directory}/link:/x"), "/link: "),
        (format!("{directory}/gone:/x"), "/gone: "),
        ("data:/x".to_owned(), "only objects of the namespace root may have that"),
    ] {
        siege.hostile.set("volume_mounts", &[&mounts]);
        let call = create(&siege, &mounts);
        let error =
            siege.hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.unwrap_err().to_string();
        assert!(error.contains(reason), "{mounts}: {error}");
    }
    let mounts = format!("{directory}/data:/x");
    siege.hostile.set("volume_mounts", &[&mounts]);
    let call = create(&siege, &mounts);
    let created = siege.hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.unwrap();
    assert!(created.starts_with("201 "), "{created}");
    siege.hostile.set("privileged", &["true"]);
    let labels = json!({"hostler.object": "ns1/svc/web", "hostler.rid": "app#1", "hostler.node": "n1"});
    let body = siege.body(&json!({ "Labels": labels }), &json!({"Privileged": true}));
    let call = inside(&siege, &["engine", "POST", &siege.socket(), "/containers/create?name=ns1..web.app.1", &body]);
    let error = siege.hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.unwrap_err().to_string();
    assert!(error.contains("HostConfig.Privileged is true: only objects of the namespace root"), "{error}");
}

/// Pipes in place of a terminal, with their output.
struct Pipes {
    terminal: OperatorTerminal,
    output: std::io::PipeReader,
    errors: std::io::PipeReader,
}

fn pipes(typed: &str) -> Pipes {
    let (input, mut keys) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut keys, typed.as_bytes()).unwrap();
    let ((output, output_writer), (errors, error_writer)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let terminal =
        OperatorTerminal { input: OwnedFd::from(input), output: output_writer.into(), errors: error_writer.into() };
    Pipes { terminal, output, errors }
}

impl Pipes {
    fn read(self) -> (String, String) {
        drop(self.terminal);
        let text = |mut pipe: std::io::PipeReader| {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        };
        (text(self.output), text(self.errors))
    }
}

#[tokio::test]
async fn a_console_is_the_operator_s_and_of_its_own_container() {
    let Some(mut siege) = Siege::lay(&[("run_args", &["--net=none", "--entrypoint", "/bin/sleep"])]) else { return };
    siege.hostile.set("command", &["3600"]);
    let body = siege.body(&json!({"Entrypoint": ["/bin/sleep"], "Cmd": ["3600"]}), &json!({}));
    siege.attempt("POST", CREATE, &[&body]).await.unwrap();
    siege.attempt("POST", "/containers/web.app.1/start", &[]).await.unwrap();
    let socket = siege.socket();
    let driver = siege.hostile.driver.clone();
    let console = async |words: &[&str], asked: &ConsoleRequest, typed: &str| {
        let pipes = pipes(typed);
        let call = siege.hostile.attempt(words);
        let ended = driver.console(asked, &pipes.terminal, &call, &bounds(), silent()).await;
        (ended, pipes.read())
    };
    let argv = |words: &[&str]| ConsoleRequest::Exec(words.iter().map(|word| (*word).to_owned()).collect());

    let honest = ["honest", &socket, "web.app.1"];
    let script = argv(&["/bin/sh", "-c", "read line; echo out $line; echo error >&2; exit 7"]);
    let (ended, shown) = console(&honest, &script, "typed\n").await;
    assert_eq!(ended, Ok(7));
    assert_eq!(shown, ("out typed\n".to_owned(), "error\n".to_owned()));

    let (ended, _) = console(&["honest", &socket, "victim"], &script, "").await;
    assert!(ended.unwrap_err().to_string().contains("does not carry the labels"));
    let (ended, _) = console(&["other-command", &socket, "web.app.1"], &argv(&["/bin/id"]), "").await;
    assert!(ended.unwrap_err().to_string().contains("a command that the operator did not ask for"));
    for (method, path, reason) in [
        ("POST", "/containers/victim/attach?stream=1&stdout=1", "does not carry the labels"),
        ("GET", "/containers/victim/logs?stdout=1&follow=1", "does not carry the labels"),
        ("POST", "/containers/web.app.1/update", "is not a request that a resource may send"),
        ("POST", "/containers/create?name=web.app.1", "the keyword image does not allow that"),
    ] {
        let (ended, _) = console(&["upgrade", &socket, method, path, ""], &ConsoleRequest::Enter, "").await;
        let error = ended.unwrap_err().to_string();
        assert!(error.contains(reason), "{path}: {error}");
    }
    let (ended, _) = console(&["process", "/bin/cat", "/etc/shadow"], &ConsoleRequest::Enter, "").await;
    assert!(ended.unwrap_err().to_string().contains("denied: needs the grant exec = /bin/cat /etc/shadow"));
    let (ended, shown) = console(&["process", "/bin/echo", "hello"], &ConsoleRequest::Enter, "").await;
    assert_eq!((ended, shown.0.as_str()), (Ok(0), "hello\n"));
    // Logs only read, so they must change nothing.
    let (ended, _) = console(&["process", "/bin/echo", "hello"], &ConsoleRequest::Logs { follow: false }, "").await;
    assert!(ended.unwrap_err().to_string().contains("may only look"));
}
