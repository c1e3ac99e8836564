//! A container engine that lies: about ids, processes, names, labels and mounts, and in how it answers at all. Its socket is root's, so
//! the host asks it; what it says of others must be believed about nobody, and whatever it sends must end in time.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::network::ip;
use crate::world::{World, until};

crate::trials!(an_engine_that_lies_is_believed_about_nobody, an_engine_takes_no_container_of_another_object);

/// What an engine has been asked.
struct Asked {
    method: String,
    path: String,
    body: Value,
}

impl Asked {
    fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    fn inspects(&self) -> bool {
        self.is("GET", "/containers/") && self.path.ends_with("/json") && !self.lists()
    }

    fn lists(&self) -> bool {
        self.is("GET", "/containers/json") || self.path.contains("/containers/json?")
    }
}

/// How an engine answers.
enum Reply {
    Json(u16, Value),
    Raw(Vec<u8>),
    /// Chunks, until the other side has enough.
    Endless,
}

/// What an engine knows.
#[derive(Default)]
struct EngineState {
    id: String,
    pid: Value,
    made: Option<Value>,
    name: String,
    running: bool,
    /// Every request, as `METHOD path`.
    asked: Vec<String>,
}

/// Answers in place of the honest answer. None where it has nothing to say.
type Lie = fn(&Asked, &Victim, &mut EngineState, Value) -> Option<Reply>;

/// An engine that listens until it is dropped.
struct FakeEngine {
    socket: PathBuf,
    state: Arc<Mutex<EngineState>>,
}

impl FakeEngine {
    fn start(socket: &Path, victim: &Victim, lie: Lie) -> FakeEngine {
        let _ = fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let state = Arc::new(Mutex::new(EngineState { id: "a".repeat(64), pid: json!(0), ..EngineState::default() }));
        let (known, victim) = (Arc::clone(&state), victim.facts());
        // It ends with the process: nothing connects to a socket that is not there any more.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, victim) = (Arc::clone(&known), victim.facts());
                std::thread::spawn(move || serve(&stream, &known, &victim, lie));
            }
        });
        FakeEngine { socket: socket.to_owned(), state }
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

fn serve(stream: &UnixStream, state: &Mutex<EngineState>, victim: &Victim, lie: Lie) -> Option<()> {
    let _ = stream.set_write_timeout(Some(Duration::from_secs(20)));
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.and_then(|(_, text)| text.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let asked = Asked { method, path, body: serde_json::from_slice(&body).unwrap_or_default() };
    let reply = {
        let mut state = state.lock().unwrap();
        state.asked.push(format!("{} {}", asked.method, asked.path));
        let honest = honest(&asked, &mut state);
        let document = match &honest {
            Reply::Json(_, document) => document.clone(),
            _ => Value::Null,
        };
        lie(&asked, victim, &mut state, document).unwrap_or(honest)
    };
    let mut stream = stream;
    match reply {
        Reply::Json(status, document) => {
            let body = if document.is_null() { String::new() } else { document.to_string() };
            let version = "api-version: 1.41\r\ncontent-type: application/json";
            write!(
                stream,
                "HTTP/1.1 {status} x\r\n{version}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .ok()
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).ok(),
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 x\r\napi-version: 1.41\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
            let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
            while stream.write_all(&chunk).is_ok() {}
            None
        }
    }
}

/// What an engine would answer that has one container, whose process is the one that the state says.
fn honest(asked: &Asked, state: &mut EngineState) -> Reply {
    let missing = || Reply::Json(404, json!({ "message": "No such container" }));
    let described = |state: &EngineState| {
        let made = state.made.clone().unwrap_or_default();
        let status = if state.running { "running" } else { "exited" };
        json!({
            "Id": state.id, "Name": format!("/{}", state.name), "Image": format!("sha256:{}", "c".repeat(64)),
            "Config": { "Labels": made["Labels"], "Tty": false, "Image": made["Image"] },
            "HostConfig": made["HostConfig"], "Mounts": [],
            "State": { "Status": status, "Running": state.running, "Pid": if state.running { state.pid.clone() } else { json!(0) } },
        })
    };
    if asked.is("GET", "/_ping") {
        return Reply::Raw(
            b"HTTP/1.1 200 OK\r\napi-version: 1.41\r\ncontent-length: 2\r\nconnection: close\r\n\r\nOK".to_vec(),
        );
    }
    if asked.is("GET", "/images/") {
        return Reply::Json(200, json!({ "Id": format!("sha256:{}", "c".repeat(64)) }));
    }
    if asked.is("GET", "/info") || asked.is("GET", "/version") {
        return Reply::Json(200, json!({ "CgroupDriver": "cgroupfs", "ApiVersion": "1.41" }));
    }
    if asked.is("POST", "/containers/create") {
        state.name = asked.path.split("name=").nth(1).unwrap_or_default().to_owned();
        state.made = Some(asked.body.clone());
        return Reply::Json(201, json!({ "Id": state.id, "Warnings": [] }));
    }
    if asked.lists() {
        let one = json!({ "Id": state.id, "Names": [format!("/{}", state.name)], "Mounts": [], "Labels": {} });
        return Reply::Json(200, if state.made.is_some() { json!([one]) } else { json!([]) });
    }
    let is_own = state.made.is_some() && (asked.path.contains(&state.id) || asked.path.contains(&state.name));
    match (asked.method.as_str(), is_own) {
        (_, false) => missing(),
        ("GET", _) if asked.path.ends_with("/json") => Reply::Json(200, described(state)),
        ("POST", _) if asked.path.ends_with("/start") => {
            state.running = true;
            Reply::Json(204, Value::Null)
        }
        ("POST", _) if asked.path.contains("/stop") || asked.path.contains("/kill") => {
            state.running = false;
            Reply::Json(204, Value::Null)
        }
        ("DELETE", _) => {
            state.made = None;
            state.running = false;
            Reply::Json(204, Value::Null)
        }
        _ => Reply::Json(200, json!({})),
    }
}

/// A process of another tenant, in a network namespace of its own and a control group that is named after its container.
struct Victim {
    pid: u32,
    id: String,
    group: Option<PathBuf>,
    process: Option<Child>,
}

impl Victim {
    fn new(world: &World) -> Victim {
        let process = Command::new("unshare").args(["-n", "sleep", "1000"]).stdin(Stdio::null()).spawn().unwrap();
        let (pid, id) = (process.id(), format!("{:064x}", 0xdead_0000_u64 + u64::from(world.number())));
        let group = Path::new("/sys/fs/cgroup/pids").join(format!("hostler-e2e-{}", process.id())).join(&id);
        let joined = fs::create_dir_all(&group).and_then(|()| fs::write(group.join("cgroup.procs"), pid.to_string()));
        let group = joined.is_ok().then_some(group);
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        until("the victim is in a network of its own", || namespace(&pid.to_string()) != namespace("self"));
        Victim { pid, id, group, process: Some(process) }
    }

    /// What a liar knows of it.
    fn facts(&self) -> Victim {
        Victim { pid: self.pid, id: self.id.clone(), group: None, process: None }
    }

    /// Asserts that it runs and that nothing is in its network but the loopback.
    fn is_untouched(&self, what: &str) {
        let alive = fs::read_to_string(format!("/proc/{}/stat", self.pid)).is_ok_and(|stat| !stat.contains(") Z "));
        assert!(alive, "{what}: the victim was killed");
        let output =
            Command::new("nsenter").args(["-t", &self.pid.to_string(), "-n", "ip", "-br", "addr"]).output().unwrap();
        let inside = String::from_utf8(output.stdout).unwrap();
        assert!(inside.lines().all(|line| line.starts_with("lo ")) && !inside.contains("10.20."), "{what}: {inside}");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some(group) = &self.group {
            let _ = fs::remove_dir(group);
            let _ = group.parent().map(fs::remove_dir);
        }
    }
}

fn with(mut document: Value, pointer: &str, value: Value) -> Option<Reply> {
    *document.pointer_mut(pointer)? = value;
    Some(Reply::Json(200, document))
}

fn raw(head: &str, body: &str) -> Option<Reply> {
    Some(Reply::Raw(format!("{head}\r\napi-version: 1.41\r\n\r\n{body}").into_bytes()))
}

/// The lies: what each is about, and the answer that it puts in place of the honest one.
const LIES: &[(&str, Lie)] = &[
    ("the id of what it made is a path", |asked, _, _, _| {
        asked.is("POST", "/create").then(|| Reply::Json(201, json!({ "Id": "../../images" })))
    }),
    ("the id of what it made is short", |asked, _, _, _| {
        asked.is("POST", "/create").then(|| Reply::Json(201, json!({ "Id": "a" })))
    }),
    ("the id of what it made is empty", |asked, _, _, _| {
        asked.is("POST", "/create").then(|| Reply::Json(201, json!({ "Id": "" })))
    }),
    ("the id of what it made is a number", |asked, _, _, _| {
        asked.is("POST", "/create").then(|| Reply::Json(201, json!({ "Id": 7 })))
    }),
    ("the id of an inspection is empty", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/Id", json!("")))?
    }),
    ("the id of an inspection is a slash", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/Id", json!("/")))?
    }),
    ("the id of an inspection is the victim's", |asked, victim, _, honest| {
        asked.inspects().then(|| with(honest, "/Id", json!(victim.id)))?
    }),
    ("the process is the victim's", |asked, victim, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(victim.pid)))?
    }),
    ("the process is the victim's, and the headers of the host say so", |asked, victim, _, honest| {
        let mut document = honest;
        *document.pointer_mut("/State/Pid").filter(|_| asked.inspects())? = json!(victim.pid);
        let namespace = fs::read_link(format!("/proc/{}/ns/net", victim.pid)).ok()?;
        let headers = format!("HTTP/1.1 200 x\r\nhostler-process: runs\r\nHostler-Namespaces: {}", namespace.display());
        raw(&headers, &document.to_string())
    }),
    ("the process is the first of the node", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(1)))?
    }),
    ("the process is the agent's parent", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(std::process::id())))?
    }),
    ("the process is negative", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(-1)))?
    }),
    ("the process is the victim's beyond 32 bits", |asked, victim, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!((1_u64 << 32) + u64::from(victim.pid))))?
    }),
    ("the process is a huge number", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(1e300)))?
    }),
    ("the process is a text", |asked, victim, _, honest| {
        asked.inspects().then(|| with(honest, "/State/Pid", json!(victim.pid.to_string())))?
    }),
    ("the exit code is a huge number", |asked, _, _, mut honest| {
        honest.pointer_mut("/State").filter(|_| asked.inspects())?["ExitCode"] = json!(1_u64 << 63);
        Some(Reply::Json(200, honest))
    }),
    ("the labels are another object's", |asked, _, _, honest| {
        let labels = json!({ "hostler.object": "db", "hostler.rid": "container#1", "hostler.node": "n1" });
        asked.inspects().then(|| with(honest, "/Config/Labels", labels))?
    }),
    ("there are no labels", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/Config/Labels", json!({})))?
    }),
    ("the labels are a list", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/Config/Labels", json!([1])))?
    }),
    ("the name is a service's of root", |asked, _, _, honest| {
        asked.inspects().then(|| with(honest, "/Name", json!("/db.container.1")))?
    }),
    ("the container has more than was asked for", |asked, _, _, mut honest| {
        asked.inspects().then_some(())?;
        *honest.pointer_mut("/Mounts")? =
            json!([{ "Type": "bind", "Source": "/etc", "Destination": "/x", "RW": true }]);
        let host = honest.pointer_mut("/HostConfig").filter(|host| host.is_object())?;
        host["Privileged"] = json!(true);
        Some(Reply::Json(200, honest))
    }),
    ("it says that it shares the victim's network", |asked, victim, _, mut honest| {
        let host = honest.pointer_mut("/HostConfig").filter(|host| asked.inspects() && host.is_object())?;
        host["NetworkMode"] = json!(format!("container:{}", victim.id));
        Some(Reply::Json(200, honest))
    }),
    ("the list is a document", |asked, _, _, _| asked.lists().then(|| Reply::Json(200, json!({ "Id": "x" })))),
    ("the list has the victim", |asked, victim, _, _| {
        asked.lists().then(|| Reply::Json(200, json!([{ "Id": victim.id, "Mounts": [] }])))
    }),
    ("the list has a hundred thousand containers", |asked, _, _, _| {
        let one = |number: u64| json!({ "Id": format!("{number:064x}"), "Mounts": [] });
        asked.lists().then(|| Reply::Json(200, (0..100_000).map(one).collect()))
    }),
    ("the list has mounts everywhere", |asked, _, _, _| {
        let mount = |source: &str| json!({ "Type": "bind", "Source": source, "RW": true });
        let mounts: Vec<Value> = ["/", "/etc", "/proc/1/root", "relative", ""].into_iter().map(mount).collect();
        asked.lists().then(|| Reply::Json(200, json!([{ "Id": "b".repeat(64), "Mounts": mounts }])))
    }),
    ("an answer of 20 MB", |asked, _, _, _| {
        asked.inspects().then(|| Reply::Json(200, json!({ "Id": "x".repeat(20 << 20) })))
    }),
    ("chunks without an end", |asked, _, _, _| asked.inspects().then_some(Reply::Endless)),
    ("a length without the bytes", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 200 x\r\ncontent-length: 999999999999", "{}"))?
    }),
    ("a negative length", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 200 x\r\ncontent-length: -1", "{}"))?
    }),
    ("two lengths", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 200 x\r\ncontent-length: 2\r\ncontent-length: 20", "{}"))?
    }),
    ("a redirect", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 301 x\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0", ""))?
    }),
    ("an upgrade that was not asked for", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: tcp", "anything"))?
    }),
    ("interim answers without an end", |asked, _, _, _| {
        asked.inspects().then(|| raw(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000), "{}"))?
    }),
    ("a header of 1 MB", |asked, _, _, _| {
        asked.inspects().then(|| raw(&format!("HTTP/1.1 200 x\r\nx: {}", "y".repeat(1 << 20)), "{}"))?
    }),
    ("ten thousand headers", |asked, _, _, _| {
        let headers: String = (0..10_000).map(|number| format!("\r\nx-{number}: y")).collect();
        asked.inspects().then(|| raw(&format!("HTTP/1.1 200 x{headers}"), "{}"))?
    }),
    ("another protocol", |asked, _, _, _| {
        asked.inspects().then(|| Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n\x00\xff\xfe garbage".to_vec()))
    }),
    ("nothing at all", |asked, _, _, _| asked.inspects().then(|| Reply::Raw(Vec::new()))),
    ("documents within documents", |asked, _, _, _| {
        asked.inspects().then(|| raw("HTTP/1.1 200 x", &"[{\"a\":".repeat(100_000)))?
    }),
    ("two ids", |asked, victim, state, _| {
        let text = format!(r#"{{"Id":"{}","Config":{{"Labels":{{}}}},"Id":"{}"}}"#, state.id, victim.id);
        asked.inspects().then(|| raw("HTTP/1.1 200 x", &text))?
    }),
    ("text that steers a terminal", |asked, _, _, _| {
        let message = "no\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}such";
        asked.is("POST", "/start").then(|| Reply::Json(500, json!({ "message": message })))
    }),
    ("it says that it runs, and runs nothing", |asked, _, state, honest| {
        state.pid = json!(0);
        asked.inspects().then_some(Reply::Json(200, honest)).filter(|_| state.made.is_some())
    }),
    ("it says that it stopped, and goes on", |asked, victim, state, _| {
        state.pid = json!(victim.pid);
        asked.is("POST", "/stop").then_some(Reply::Json(204, Value::Null)).inspect(|_| state.running = true)
    }),
    ("it says that it removed, and keeps", |asked, _, _, _| {
        (asked.method == "DELETE").then(|| Reply::Json(404, json!({ "message": "gone" })))
    }),
    ("the digest of the image is a text of escape sequences", |asked, _, _, _| {
        asked.is("GET", "/images/").then(|| Reply::Json(200, json!({ "Id": "sha256:\u{1b}[2J" })))
    }),
    ("a version of the future", |asked, _, _, _| {
        let head = "HTTP/1.1 200 OK\r\napi-version: 999999999999.1\x1b[2J\r\ncontent-length: 0\r\n\r\n";
        asked.is("GET", "/_ping").then(|| Reply::Raw(head.into()))
    }),
];

/// The longest that a command may take about an engine that lies.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command, which must end by itself with a code of its own.
fn bounded(world: &World, lie: &str, line: &str) -> String {
    let since = Instant::now();
    let ran = world.om(line);
    let text = ran.to_string();
    let code = text.rsplit("exit code ").next().unwrap_or_default().trim().to_owned();
    assert!(since.elapsed() < PATIENCE, "{lie}: {line} took {:?}", since.elapsed());
    assert!(!text.contains("panicked") && !text.contains("Some(101)") && code != "None", "{lie}: {text}");
    assert!(!text.contains("crashed"), "{lie}: {text}");
    text
}

/// An object of the namespace, whose policy opens the engines, a bridge and a network to it.
fn create(world: &World, name: &str, bridge: &str, socket: &Path) {
    let policy = format!(
        "allow files.write = {{rundir}}/**\nallow http.unix(guard=container) = * {}/** /**\n\
         allow netns.link = bridge {bridge} in container#*\nallow netns.addr = 10.20.0.0/16 in container#*\n\
         allow net.link(read) = *\nallow net.addr(read) = * on *\n",
        world.directory().display()
    );
    world.write("root/etc/namespaces/ns1/policy", &policy);
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[container#1]\nimage = busybox:test\nnetns = none\ncommand = sleep 1000\nsocket = {}\n\
         start_timeout = 20s\nstop_timeout = 20s\n\
         [ip#1]\ntype = docker\nipname = 10.20.0.5\nipdev = {bridge}\nnetmask = 24\nnetns = container#1\noptional = true\n",
        socket.display()
    );
    world.create(name, &config);
}

struct Bridge(String);

impl Bridge {
    fn new(world: &World) -> Bridge {
        let name = format!("lie{}", world.number());
        ip(&format!("link add {name} type bridge"));
        ip(&format!("link set {name} up"));
        Bridge(name)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &self.0]).output();
    }
}

/// Rows at a time: most of the time goes by in waiting.
const AT_ONCE: usize = 4;

fn an_engine_that_lies_is_believed_about_nobody(world: &World) {
    let (victim, bridge) = (Victim::new(world), Bridge::new(world));
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((what, lie)) = LIES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    lied_to(world, &victim, &bridge.0, (what, *lie));
                }
            });
        }
    });
    assert!(LIES.len() >= 40, "{}", LIES.len());
}

fn lied_to(world: &World, victim: &Victim, bridge: &str, (what, lie): (&str, Lie)) {
    let word: String = what.chars().filter(char::is_ascii_alphanumeric).collect();
    let (name, socket) = (format!("ns1/svc/{}", word.to_lowercase()), world.path(&format!("{word}.sock")));
    let engine = FakeEngine::start(&socket, victim, lie);
    engine.state.lock().unwrap().pid = json!(victim.pid);
    create(world, &name, bridge, &socket);
    let mut said = String::new();
    for line in ["provision", "print status --refresh", "stop --force", "unprovision --confirm"] {
        said += &bounded(world, what, &format!("{name} {line}"));
        victim.is_untouched(what);
    }
    assert!(!engine.asked().is_empty(), "{what}: nothing was asked");
    // Whatever it says, the host goes on to ask about the resource's own container and no other.
    let of_victim = engine.asked().into_iter().find(|asked| !asked.starts_with("GET") && asked.contains(&victim.id));
    assert_eq!(of_victim, None, "{what}: {said}");
    drop(engine);
    // Without an engine to ask, what is left is only a record.
    world.om(&format!("{name} stop --force --i-know"));
    world.om(&format!("{name} delete --local --force --confirm"));
}

/// A container that another object holds is that object's, whoever says that it made it.
fn an_engine_takes_no_container_of_another_object(world: &World) {
    let (victim, bridge) = (Victim::new(world), Bridge::new(world));
    if victim.group.is_none() {
        return println!("skipped: no control groups that could be named after a container");
    }
    let honest = FakeEngine::start(&world.path("honest.sock"), &victim, |_, _, _, _| None);
    {
        let mut state = honest.state.lock().unwrap();
        (state.id, state.pid) = (victim.id.clone(), json!(victim.pid));
    }
    world.create(
        "db",
        "[DEFAULT]\nnodes = n1\n[container#1]\nimage = busybox:test\nnetns = none\ncommand = sleep 1000\nsocket = {w}/honest.sock\n",
    );
    world.om("db provision").ok();
    world.is("db", "up");
    // The liar says the same id and the same process, with the labels of the object that asks.
    let liar = FakeEngine::start(&world.path("liar.sock"), &victim, |_, _, _, _| None);
    {
        let mut state = liar.state.lock().unwrap();
        (state.id, state.pid) = (victim.id.clone(), json!(victim.pid));
    }
    create(world, "ns1/svc/web", &bridge.0, &world.path("liar.sock"));
    let said = bounded(world, "the id of another object", "ns1/svc/web provision");
    assert!(said.contains("container#1 of db"), "{said}");
    for line in ["start", "print status --refresh", "stop --force", "unprovision --confirm"] {
        bounded(world, "the id of another object", &format!("ns1/svc/web {line}"));
        victim.is_untouched(line);
    }
    assert!(!liar.asked().iter().any(|asked| asked.contains("/start")), "{:?}", liar.asked());
    world.is("db", "up");
    // The stand-in says that it has ended the container, and the process is the test's.
    drop(victim);
    world.om("db stop").ok();
    world.om("db unprovision --confirm").ok();
    world.om("ns1/svc/web stop --force --i-know");
    world.om("ns1/svc/web delete --local --force --confirm").ok();
}
