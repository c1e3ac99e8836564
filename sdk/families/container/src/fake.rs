//! A container engine in memory. It implements the part of the Docker Engine API that the drivers of containers use.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use hostler_sdk::CapabilityError;
use hostler_sdk::errno::ECONNREFUSED;
use hostler_sdk::fake::{FakeContainers, Host, ServerRequest, ServerResponse};
use hostler_sdk::process::Output;
use serde_json::{Value, json};

/// An engine. A clone is the same engine.
#[derive(Clone, Default)]
pub struct FakeEngine(Rc<RefCell<EngineState>>);

#[derive(Default)]
struct EngineState {
    /// The ids of images by their names.
    images: BTreeMap<String, String>,
    /// The ids of images that can be pulled, by their names.
    registry: BTreeMap<String, String>,
    /// The exit status and the output of containers that exit at once, by their images.
    failing: BTreeMap<String, (i32, String)>,
    containers: BTreeMap<String, FakeContainer>,
    made: u32,
    /// Whether the engine runs only while a process `dockerd` of the resource runs.
    is_a_process: bool,
    dead: bool,
    /// Containers that ignore signals.
    deaf: BTreeSet<String>,
    graces: Vec<u64>,
}

#[derive(Clone)]
struct FakeContainer {
    id: String,
    image: String,
    body: Value,
    status: &'static str,
    exit_code: i32,
    log: String,
    /// The restart policy.
    policy: &'static str,
}

impl FakeEngine {
    /// An engine without images and containers.
    pub fn new() -> FakeEngine {
        FakeEngine::default()
    }

    /// Adds an image and its id.
    pub fn image(self, name: &str, id: &str) -> FakeEngine {
        self.with(|state| state.images.insert(name.to_owned(), id.to_owned()))
    }

    /// Adds an image that can be pulled.
    pub fn in_registry(self, name: &str, id: &str) -> FakeEngine {
        self.with(|state| state.registry.insert(name.to_owned(), id.to_owned()))
    }

    /// Makes containers of an image write `says` and exit as soon as they are started.
    pub fn failing(self, image: &str, exit_code: i32, says: &str) -> FakeEngine {
        self.with(|state| state.failing.insert(image.to_owned(), (exit_code, says.to_owned())))
    }

    /// Makes the stop of this container fail.
    pub fn deaf(self, name: &str) -> FakeEngine {
        self.with(|state| state.deaf.insert(name.to_owned()))
    }

    /// Adds a container that runs and has these labels. Without the labels of a resource, it belongs to something else.
    pub fn container(self, name: &str, labels: &[(&str, &str)]) -> FakeEngine {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        let body = json!({ "Image": "other", "Labels": labels });
        self.with(|state| state.add(name, body, "sha256:0".to_owned(), "running"))
    }

    /// Kills the engine. Its containers keep running.
    pub fn die(&self) {
        self.0.borrow_mut().dead = true;
    }

    /// Makes a container exit.
    pub fn end(&self, name: &str, exit_code: i32) {
        if let Some(container) = self.0.borrow_mut().containers.get_mut(name) {
            (container.status, container.exit_code) = ("exited", exit_code);
        }
    }

    /// Gives a container another name.
    pub fn rename(&self, name: &str, to: &str) {
        self.0.borrow_mut().rename(name, to);
    }

    /// Puts a container into a state of the engine: `stopping`, `restarting`.
    pub fn put(&self, name: &str, status: &'static str) {
        if let Some(container) = self.0.borrow_mut().containers.get_mut(name) {
            container.status = status;
        }
    }

    /// Gives a container a restart policy, as `docker update` does.
    pub fn restart_always(&self, name: &str) {
        if let Some(container) = self.0.borrow_mut().containers.get_mut(name) {
            container.policy = "always";
        }
    }

    /// The graces of the stops that were asked for, in seconds.
    pub fn graces(&self) -> Vec<u64> {
        self.0.borrow().graces.clone()
    }

    /// Replaces an image by another one of the same name.
    pub fn replace(&self, image: &str, id: &str) {
        self.0.borrow_mut().images.insert(image.to_owned(), id.to_owned());
    }

    /// The containers and their states: `web.container.1 running`.
    pub fn containers(&self) -> Vec<String> {
        self.0.borrow().containers.iter().map(|(name, container)| format!("{name} {}", container.status)).collect()
    }

    /// The body of the request that created a container.
    pub fn body(&self, name: &str) -> Value {
        self.0.borrow().containers.get(name).map_or(Value::Null, |container| container.body.clone())
    }

    fn with<T>(self, change: impl FnOnce(&mut EngineState) -> T) -> FakeEngine {
        change(&mut self.0.borrow_mut());
        self
    }

    /// Adds this engine to a host, listening on a socket.
    pub fn on(&self, host: Host, socket: &str) -> Host {
        let (engine, base) = (self.clone(), format!("unix:{socket}"));
        let path = socket.to_owned();
        host.containers(socket, self.clone()).server(&format!("{base}/"), move |asked| {
            let request = asked.to.trim_start_matches(&base);
            let answer = engine.answer(asked, request)?;
            record(asked, &path, request, &answer);
            Ok(answer)
        })
    }

    /// Adds this engine to a host as the object's own: a process that `flock` runs and `pkill` stops.
    pub fn own_on(&self, host: Host, socket: &str) -> Host {
        self.0.borrow_mut().is_a_process = true;
        let ended = |status| Output { status, stdout: Vec::new(), stderr: Vec::new(), truncated: false };
        self.on(host, socket)
            .text_file(&socket.replace("docker.sock", "docker.pid"), "1000")
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

/// Records what a request has made or removed, as the host does.
fn record(asked: &ServerRequest<'_>, socket: &str, request: &str, answer: &ServerResponse) {
    let (path, query) = request.split_once('?').unwrap_or((request, ""));
    match (asked.method, answer.status, path.rsplit_once("/containers/")) {
        ("POST", 201, Some((_, "create"))) => {
            let made: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let name = query.trim_start_matches("name=");
            made["Id"].as_str().into_iter().for_each(|id| asked.host.hold_container(socket, id, name));
        }
        ("DELETE", 204 | 404, Some((_, id))) => asked.host.forget_container(id),
        _ => {}
    }
}

impl FakeContainers for FakeEngine {
    fn runs(&self, id: &str) -> bool {
        self.0.borrow().containers.values().any(|container| container.id == id && has_process(container))
    }

    fn stop(&self, id: &str, grace: Duration) -> Result<bool, CapabilityError> {
        let mut state = self.0.borrow_mut();
        if state.dead {
            return Err(refused());
        }
        state.graces.push(grace.as_secs());
        let deaf = state.deaf.clone();
        let found = state.containers.iter_mut().find(|(_, container)| container.id == id);
        match found {
            Some((name, _)) if deaf.contains(name) => Err(CapabilityError::Other("it heeds no signal".to_owned())),
            Some((_, container)) if has_process(container) => {
                (container.status, container.exit_code) = ("exited", 137);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn has_process(container: &FakeContainer) -> bool {
    matches!(container.status, "running" | "stopping" | "paused")
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
        let container =
            FakeContainer { id: id.clone(), image, body, status, exit_code: 0, log: String::new(), policy: "no" };
        self.containers.insert(name.to_owned(), container);
        id
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.trim_start_matches("/v1.41").trim_start_matches('/');
        let segments: Vec<&str> = path.split('/').collect();
        self.graces.extend(query.strip_prefix("t=").and_then(|seconds| seconds.parse::<u64>().ok()));
        match (method, &segments[..]) {
            ("GET", ["_ping"]) => (200, json!("OK")),
            ("GET", ["containers", "json"]) => (200, self.list(&unescaped(query))),
            ("POST", ["containers", "create"]) => self.create(query.trim_start_matches("name="), body),
            ("GET", ["images", name @ .., "json"]) => match self.images.get(&name.join("/")) {
                Some(id) => (200, json!({ "Id": id })),
                None => not_found("image"),
            },
            ("POST", ["images", "create"]) => (200, self.pull(&unescaped(query))),
            ("POST", ["containers", name, "rename"]) => {
                self.rename(name, query.trim_start_matches("name="));
                (204, json!(""))
            }
            (_, ["containers", name, rest @ ..]) => self.on_container(method, name, rest),
            _ => not_found("page"),
        }
    }

    /// By its name or its id.
    fn rename(&mut self, name: &str, to: &str) {
        let known = self.containers.iter().find(|(known, container)| *known == name || container.id == name);
        if let Some(container) = known.map(|(name, _)| name.clone()).and_then(|name| self.containers.remove(&name)) {
            self.containers.insert(to.to_owned(), container);
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
            ("GET", ["json"]) => (200, shown(&name, container)),
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
            ("POST", ["update"]) => {
                container.policy = "no";
                (200, json!({}))
            }
            ("POST", ["unpause"]) => (204, json!("")),
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

fn shown(name: &str, container: &FakeContainer) -> Value {
    let running = matches!(container.status, "running" | "restarting");
    json!({
        "Id": container.id,
        "Name": format!("/{name}"),
        "Image": container.image,
        "State": {
            "Status": container.status,
            "Running": running,
            "Pid": if has_process(container) { 4711 } else { 0 },
            "ExitCode": container.exit_code,
        },
        "Config": { "Labels": container.body["Labels"], "StopTimeout": container.body["StopTimeout"] },
        "HostConfig": { "RestartPolicy": { "Name": container.policy } },
    })
}

/// The format of the log of a container without a terminal.
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
