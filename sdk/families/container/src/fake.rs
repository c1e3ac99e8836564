//! A container engine in memory: what the drivers of containers ask of the Docker Engine API, and no more.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hostler_sdk::CapabilityError;
use hostler_sdk::errno::ECONNREFUSED;
use hostler_sdk::fake::{Host, ServerRequest, ServerResponse};
use hostler_sdk::process::Output;
use serde_json::{Value, json};

/// An engine. A clone is the same engine.
#[derive(Clone, Default)]
pub struct FakeEngine(Rc<RefCell<EngineState>>);

#[derive(Default)]
struct EngineState {
    /// Their ids, by their names.
    images: BTreeMap<String, String>,
    /// The same, of what can be pulled.
    registry: BTreeMap<String, String>,
    /// How containers end at once that are made from an image, and what they say.
    failing: BTreeMap<String, (i32, String)>,
    containers: BTreeMap<String, FakeContainer>,
    made: u32,
    /// Whether it runs only as long as a process of the resource does.
    is_a_process: bool,
    dead: bool,
    /// Containers that heed no signal in time.
    deaf: BTreeSet<String>,
}

#[derive(Clone)]
struct FakeContainer {
    id: String,
    image: String,
    body: Value,
    status: &'static str,
    exit_code: i32,
    log: String,
}

impl FakeEngine {
    /// Without images and containers.
    pub fn new() -> FakeEngine {
        FakeEngine::default()
    }

    /// With an image, and its id.
    pub fn image(self, name: &str, id: &str) -> FakeEngine {
        self.with(|state| state.images.insert(name.to_owned(), id.to_owned()))
    }

    /// With an image that can be pulled.
    pub fn in_registry(self, name: &str, id: &str) -> FakeEngine {
        self.with(|state| state.registry.insert(name.to_owned(), id.to_owned()))
    }

    /// Containers of an image say something and end as soon as they are started.
    pub fn failing(self, image: &str, exit_code: i32, says: &str) -> FakeEngine {
        self.with(|state| state.failing.insert(image.to_owned(), (exit_code, says.to_owned())))
    }

    /// A stop of this container never ends.
    pub fn deaf(self, name: &str) -> FakeEngine {
        self.with(|state| state.deaf.insert(name.to_owned()))
    }

    /// With a container that runs and carries these labels. Without them, it is somebody else's.
    pub fn container(self, name: &str, labels: &[(&str, &str)]) -> FakeEngine {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        let body = json!({ "Image": "other", "Labels": labels });
        self.with(|state| state.add(name, body, "sha256:0".to_owned(), "running"))
    }

    /// The engine dies, its containers go on.
    pub fn die(&self) {
        self.0.borrow_mut().dead = true;
    }

    /// A container ends by itself.
    pub fn end(&self, name: &str, exit_code: i32) {
        if let Some(container) = self.0.borrow_mut().containers.get_mut(name) {
            (container.status, container.exit_code) = ("exited", exit_code);
        }
    }

    /// An image is replaced by another.
    pub fn replace(&self, image: &str, id: &str) {
        self.0.borrow_mut().images.insert(image.to_owned(), id.to_owned());
    }

    /// `web.container.1 running`.
    pub fn containers(&self) -> Vec<String> {
        self.0.borrow().containers.iter().map(|(name, container)| format!("{name} {}", container.status)).collect()
    }

    /// What a container was made from.
    pub fn body(&self, name: &str) -> Value {
        self.0.borrow().containers.get(name).map_or(Value::Null, |container| container.body.clone())
    }

    fn with<T>(self, change: impl FnOnce(&mut EngineState) -> T) -> FakeEngine {
        change(&mut self.0.borrow_mut());
        self
    }

    /// A node on which this engine listens on a socket.
    pub fn on(&self, host: Host, socket: &str) -> Host {
        let (engine, base) = (self.clone(), format!("unix:{socket}"));
        host.server(&format!("{base}/"), move |asked| engine.answer(asked, asked.to.trim_start_matches(&base)))
    }

    /// A node on which the object runs this engine itself, as a process that `flock` keeps from running twice and `pkill` ends.
    pub fn own_on(&self, host: Host, socket: &str) -> Host {
        self.0.borrow_mut().is_a_process = true;
        let ended = |status| Output { status, stdout: Vec::new(), stderr: Vec::new(), truncated: false };
        self.on(host, socket)
            .program_with("/usr/bin/flock", move |run| ended(i32::from(!run.host.processes().is_empty())))
            .program_with("/usr/bin/pkill", move |run| {
                run.host.kill_processes();
                ended(0)
            })
    }

    fn answer(&self, asked: &ServerRequest<'_>, path: &str) -> Result<ServerResponse, CapabilityError> {
        let mut state = self.0.borrow_mut();
        let is_dockerd = |command: &String| command.split(' ').any(|word| word == "dockerd");
        if state.is_a_process && !asked.host.processes().iter().any(is_dockerd) {
            let missing = "/run/docker.sock".to_owned();
            return Err(if state.dead { refused() } else { CapabilityError::NotFound(missing) });
        }
        if state.is_a_process {
            state.dead = false;
        }
        if state.dead {
            return Err(refused());
        }
        let (status, answer) = state.request(asked.method, path, asked.body);
        let body = match answer {
            Value::String(text) => text.into_bytes(),
            answer => answer.to_string().into_bytes(),
        };
        Ok(ServerResponse { status, headers: vec![("Api-Version".to_owned(), "1.41".to_owned())], body })
    }
}

fn refused() -> CapabilityError {
    CapabilityError::Os { errno: ECONNREFUSED, doing: "connect".to_owned() }
}

fn not_found(what: &str) -> (u16, Value) {
    (404, json!({ "message": format!("No such {what}") }))
}

impl EngineState {
    fn add(&mut self, name: &str, body: Value, image: String, status: &'static str) -> String {
        self.made += 1;
        let id = format!("{:064x}", self.made);
        let container = FakeContainer { id: id.clone(), image, body, status, exit_code: 0, log: String::new() };
        self.containers.insert(name.to_owned(), container);
        id
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.trim_start_matches("/v1.41").trim_start_matches('/');
        let segments: Vec<&str> = path.split('/').collect();
        match (method, &segments[..]) {
            ("GET", ["_ping"]) => (200, json!("OK")),
            ("GET", ["containers", "json"]) => (200, self.list(&unescaped(query))),
            ("POST", ["containers", "create"]) => self.create(query.trim_start_matches("name="), body),
            ("GET", ["images", name @ .., "json"]) => match self.images.get(&name.join("/")) {
                Some(id) => (200, json!({ "Id": id })),
                None => not_found("image"),
            },
            ("POST", ["images", "create"]) => (200, self.pull(&unescaped(query))),
            (_, ["containers", name, rest @ ..]) => self.on_container(method, name, rest),
            _ => not_found("page"),
        }
    }

    fn list(&self, query: &str) -> Value {
        let all = query.contains("all=true");
        let holds = |container: &&FakeContainer| {
            let labels = container.body["Labels"].as_object();
            let mut filters = query.split('"').filter_map(|word| word.split_once('='));
            filters.all(|(name, value)| {
                name == "all" || labels.and_then(|labels| labels.get(name)).is_some_and(|label| label == value)
            })
        };
        let listed = self.containers.values().filter(|container| all || container.status == "running").filter(holds);
        listed.map(|container| json!({ "Id": container.id })).collect()
    }

    fn create(&mut self, name: &str, body: &[u8]) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(image) = body["Image"].as_str().and_then(|image| self.images.get(image)).cloned() else {
            return not_found("image");
        };
        if self.containers.contains_key(name) {
            return (409, json!({ "message": "the name is in use" }));
        }
        (201, json!({ "Id": self.add(name, body, image, "created"), "Warnings": null }))
    }

    fn pull(&mut self, query: &str) -> Value {
        let value =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default().to_owned();
        let (name, tag) = (value("fromImage="), value("tag="));
        let full = if tag == "latest" { name } else { format!("{name}:{tag}") };
        match self.registry.get(&full) {
            Some(id) => {
                self.images.insert(full, id.clone());
                json!("{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n")
            }
            None => json!(format!("{{\"status\":\"Pulling\"}}\r\n{{\"error\":\"{full} is not in the registry\"}}\r\n")),
        }
    }

    fn on_container(&mut self, method: &str, name: &str, rest: &[&str]) -> (u16, Value) {
        let found = self.containers.iter_mut().find(|(known, container)| *known == name || container.id == name);
        let Some((name, container)) = found else { return not_found("container") };
        let name = name.clone();
        match (method, rest) {
            ("GET", ["json"]) => (200, shown(container)),
            ("POST", ["exec"]) => (201, json!({ "Id": "e".repeat(64) })),
            ("GET", ["logs"]) => (200, framed(&container.log)),
            ("POST", ["start"]) => {
                match self.failing.get(container.body["Image"].as_str().unwrap_or_default()) {
                    Some((exit_code, says)) => {
                        (container.status, container.exit_code) = ("exited", *exit_code);
                        container.log.clone_from(says);
                    }
                    None => container.status = "running",
                }
                (204, json!(""))
            }
            ("POST", ["stop"]) if self.deaf.contains(&name) => (500, json!({ "message": "it heeds no signal" })),
            ("POST", ["stop" | "kill"]) => {
                (container.status, container.exit_code) = ("exited", 137);
                (204, json!(""))
            }
            ("DELETE", []) => {
                self.containers.remove(&name);
                (204, json!(""))
            }
            _ => not_found("page"),
        }
    }
}

fn shown(container: &FakeContainer) -> Value {
    let running = container.status == "running";
    json!({
        "Id": container.id,
        "Image": container.image,
        "State": {
            "Status": container.status,
            "Running": running,
            "Pid": if running { 4711 } else { 0 },
            "ExitCode": container.exit_code,
        },
        "Config": { "Labels": container.body["Labels"] },
    })
}

/// As the log of a container without a terminal.
fn framed(text: &str) -> Value {
    let length = u32::try_from(text.len()).unwrap_or_default().to_be_bytes();
    let head: String = [1, 0, 0, 0].into_iter().chain(length).map(char::from).collect();
    Value::String(format!("{head}{text}"))
}

fn unescaped(query: &str) -> String {
    let mut text = String::new();
    let mut rest = query;
    while let Some((front, after)) = rest.split_once('%') {
        text.push_str(front);
        let (code, after) = after.split_at_checked(2).unwrap_or((after, ""));
        text.push(u8::from_str_radix(code, 16).map_or('%', char::from));
        rest = after;
    }
    text + rest
}
