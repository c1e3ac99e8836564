//! The requests about containers.

use std::time::Duration;

use hostler_sdk::clock;
use serde_json::{Value, json};

use super::client::{EngineClient, EngineResult, escaped, read, short, some};
use super::info::{ContainerInfo, ContainerPhase, ContainerProcess};
use super::wire::{ContainerEntry, EngineObject, EngineSettings, unframed};

/// How long the answer to a stop may take after the grace period.
const AFTER_GRACE: Duration = Duration::from_secs(10);

/// How often, and how often at most, a container is looked at again whose process is gone by the host's look and not by the engine's
/// word.
const NOTICE_STEP: Duration = Duration::from_millis(50);
const NOTICE: u32 = 4;

/// The headers in which the host says what it saw of a container's first process, and which container of another resource it is.
const PROCESS: &str = "hostler-process";
const NAMESPACES: &str = "hostler-namespaces";
const STRANGER: &str = "hostler-stranger";

impl EngineClient {
    /// A container, by its name or id. A name is not taken for the beginning of an id, as engines do with one that is free.
    pub fn container(&self, name: &str) -> EngineResult<Option<ContainerInfo>> {
        let mut found = self.inspect(name)?;
        // The engine may notice a moment later than the host that a process has exited.
        for _ in 0..NOTICE {
            if found.as_ref().map(ContainerInfo::phase) != Some(ContainerPhase::Lost) {
                return Ok(found);
            }
            // Interrupted: what was seen last counts.
            let _ = clock::sleep(NOTICE_STEP);
            found = self.inspect(name)?;
        }
        match &mut found {
            // Without control groups nothing tells the container's process from another one with its number.
            Some(lost) if lost.process == ContainerProcess::Foreign && self.settings()?.cgroup_driver == "none" => {
                lost.process = ContainerProcess::Unknown;
            }
            _ => {}
        }
        Ok(found)
    }

    fn inspect(&self, name: &str) -> EngineResult<Option<ContainerInfo>> {
        let doing = format!("cannot look at the container {name}");
        let Some(response) = some(self.ask(&doing, &format!("/containers/{name}/json")))? else { return Ok(None) };
        let mut found: ContainerInfo = read(&doing, &response)?;
        let namespaces = || response.header(NAMESPACES).unwrap_or_default().split(' ').map(str::to_owned).collect();
        found.process = match response.header(PROCESS) {
            Some("runs") => ContainerProcess::Runs(namespaces()),
            Some("gone") => ContainerProcess::Gone,
            Some("foreign") => ContainerProcess::Foreign,
            _ => ContainerProcess::Unknown,
        };
        if let Some(id) = response.header(STRANGER) {
            id.clone_into(&mut found.id);
        }
        let is_asked_for = found.name().is_empty() || found.name() == name || found.id == name;
        Ok(Some(found).filter(|_| is_asked_for))
    }

    fn settings(&self) -> EngineResult<EngineSettings> {
        const DOING: &str = "cannot ask the container engine for its settings";
        read(DOING, &self.ask(DOING, "/info")?)
    }

    /// The ids of the containers with all of these labels: only those that run, or all.
    pub fn containers(&self, labels: &[(&str, &str)], all: bool) -> EngineResult<Vec<String>> {
        const DOING: &str = "cannot list the containers";
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // Filters are JSON in the query, so quotes and braces must be escaped.
        let filters = escaped(&json!({ "label": labels }).to_string());
        let path = format!("/containers/json?all={all}&filters={filters}");
        let listed: Vec<ContainerEntry> = read(DOING, &self.ask(DOING, &path)?)?;
        Ok(listed.into_iter().map(|container| container.id).collect())
    }

    /// Creates a container, and returns its id and the engine's warnings.
    pub fn create(&self, name: &str, body: &Value) -> EngineResult<(String, Vec<String>)> {
        let doing = format!("cannot create the container {name}");
        let request = self.request("POST", &format!("/containers/create?name={}", escaped(name))).json(body);
        let created: EngineObject = read(&doing, &self.send(&doing, &request)?)?;
        Ok((created.id, created.warnings))
    }

    /// Starts a container.
    pub fn start(&self, id: &str) -> EngineResult<()> {
        self.order(&format!("cannot start the container {}", short(id)), "POST", &format!("/containers/{id}/start"))
    }

    /// Stops a container: sends its stop signal, then KILL after `grace`.
    pub fn stop(&self, id: &str, grace: Duration) -> EngineResult<()> {
        let doing = format!("cannot stop the container {}", short(id));
        // Rounded up: 0 would kill at once.
        let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
        let path = format!("/containers/{id}/stop?t={seconds}");
        self.send(&doing, &self.request("POST", &path).timeout(grace + AFTER_GRACE)).map(drop)
    }

    /// Sends a signal to the first process of a container.
    pub fn kill(&self, id: &str, signal: &str) -> EngineResult<()> {
        let doing = format!("cannot send {signal} to the container {}", short(id));
        self.order(&doing, "POST", &format!("/containers/{id}/kill?signal={signal}"))
    }

    /// Removes a container and its anonymous volumes, whether it runs or not.
    pub fn remove(&self, id: &str) -> EngineResult<()> {
        let doing = format!("cannot remove the container {}", short(id));
        // v=true removes anonymous volumes, which nothing else refers to; named volumes stay.
        match self.order(&doing, "DELETE", &format!("/containers/{id}?force=true&v=true")) {
            // Another resource or the operator may have removed it in the meantime.
            Err(error) if error.is_not_found() => Ok(()),
            answer => answer,
        }
    }

    /// Removes the container of another resource, which shares a namespace of this one's and must not run.
    pub(crate) fn remove_dependent(&self, id: &str) -> EngineResult<()> {
        self.order(&format!("cannot remove the container {}", short(id)), "DELETE", &format!("/containers/{id}?v=true"))
    }

    /// Lets the processes of a paused container go on.
    pub(crate) fn unpause(&self, id: &str) -> EngineResult<()> {
        self.order(&format!("cannot unpause the container {}", short(id)), "POST", &format!("/containers/{id}/unpause"))
    }

    /// Gives a container another name.
    pub(crate) fn rename(&self, id: &str, name: &str) -> EngineResult<()> {
        let path = format!("/containers/{id}/rename?name={}", escaped(name));
        self.order(&format!("cannot rename the container {} to {name}", short(id)), "POST", &path)
    }

    /// Takes back a restart policy, so that the engine does not start the container by itself.
    pub(crate) fn reset_policy(&self, id: &str) -> EngineResult<()> {
        let doing = format!("cannot take back the restart policy of the container {}", short(id));
        let body = json!({ "RestartPolicy": { "Name": "no" } });
        self.send(&doing, &self.request("POST", &format!("/containers/{id}/update")).json(&body)).map(drop)
    }

    /// Prepares a command in a container, and returns its id. Nothing runs yet.
    pub fn prepare(&self, id: &str, body: &Value) -> EngineResult<String> {
        let doing = format!("cannot prepare a command in the container {}", short(id));
        let request = self.request("POST", &format!("/containers/{id}/exec")).json(body);
        let prepared: EngineObject = read(&doing, &self.send(&doing, &request)?)?;
        Ok(prepared.id)
    }

    /// The last lines of a container's log, `count` at most.
    pub fn last_lines(&self, container: &ContainerInfo, count: u32) -> EngineResult<Vec<String>> {
        let doing = format!("cannot read the log of the container {}", container.short_id());
        let path = format!("/containers/{}/logs?stdout=true&stderr=true&tail={count}", container.id);
        let body = self.ask(&doing, &path)?.body;
        // A container with a terminal has one stream, which the engine sends without frames.
        let text = if container.config.tty { body } else { unframed(&body) };
        Ok(String::from_utf8_lossy(&text).lines().map(|line| line.trim_end().to_owned()).collect())
    }
}
