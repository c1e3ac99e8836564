//! A container that exists: what the engine says of it, and what the host saw of its process. Every member may be missing or null.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::wire::or_default;

/// A container that exists, as the engine describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerInfo {
    /// The id: 64 hexadecimal digits.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The name, after a slash. Empty for a container of another resource, of which the host says no more than its id.
    #[serde(deserialize_with = "or_default")]
    name: String,
    /// The id of its image.
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    /// The state of the container.
    #[serde(deserialize_with = "or_default")]
    pub state: ContainerState,
    #[serde(deserialize_with = "or_default")]
    pub(crate) config: ContainerConfig,
    #[serde(deserialize_with = "or_default")]
    host_config: HostConfig,
    /// What the host saw of its first process.
    #[serde(skip)]
    pub(crate) process: ContainerProcess,
}

/// What the host saw of the first process of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ContainerProcess {
    /// The host did not look, or cannot tell: the engine's word counts.
    #[default]
    Unknown,
    /// It is there, in these namespaces: `net:[4026531840]`.
    Runs(Vec<String>),
    /// There is no such process.
    Gone,
    /// There is one with its number, and no control group of it names the container.
    Foreign,
}

/// What a container is doing, by the engine's word and the host's look together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContainerPhase {
    /// It was never started.
    Created,
    Running,
    Paused,
    /// The engine is about to start it again, because of a restart policy.
    Restarting,
    /// It is being stopped, or a stop of it was given up: its program still runs.
    Stopping,
    /// The engine says that it runs, but its process is gone: the engine missed its end.
    Lost,
    Exited,
}

impl ContainerPhase {
    /// Whether its program runs, or will by itself.
    pub(crate) fn is_alive(self) -> bool {
        matches!(
            self,
            ContainerPhase::Running | ContainerPhase::Paused | ContainerPhase::Restarting | ContainerPhase::Stopping
        )
    }
}

impl ContainerInfo {
    /// The first 12 digits of the id, as docker(1) shows it.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// The name. Empty if the host does not say it.
    pub fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// The value of a label, if the container has it.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.get(name).map(String::as_str)
    }

    /// What it is doing.
    pub(crate) fn phase(&self) -> ContainerPhase {
        let state = &self.state;
        let is_seen = !matches!(self.process, ContainerProcess::Gone | ContainerProcess::Foreign);
        match (state.running, state.pid) {
            (false, 0) if state.status == "created" => ContainerPhase::Created,
            (false, 0) => ContainerPhase::Exited,
            (_, 1..) if !is_seen => ContainerPhase::Lost,
            _ if state.paused => ContainerPhase::Paused,
            (true, 0) => ContainerPhase::Restarting,
            (true, _) if state.status == "restarting" => ContainerPhase::Restarting,
            (true, _) => ContainerPhase::Running,
            // Podman: a process, and yet "running" is false.
            (false, _) => ContainerPhase::Stopping,
        }
    }

    /// The restart policy, if the engine starts the container by itself.
    pub(crate) fn restart_policy(&self) -> Option<&str> {
        Some(self.host_config.restart_policy.name.as_str()).filter(|name| !matches!(*name, "" | "no"))
    }

    /// Whether it shares a namespace of the container with this id.
    pub(crate) fn joins(&self, id: &str) -> bool {
        let host = &self.host_config;
        let modes = [&host.network_mode, &host.pid_mode, &host.ipc_mode];
        modes.iter().any(|mode| mode.strip_prefix("container:") == Some(id))
    }

    /// Its namespace of this kind, such as `net`, as far as the host saw it.
    pub(crate) fn namespace(&self, kind: &str) -> Option<&str> {
        let ContainerProcess::Runs(namespaces) = &self.process else { return None };
        let is_kind = |namespace: &&String| namespace.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':'));
        namespaces.iter().find(is_kind).map(String::as_str)
    }
}

/// The state of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`; of podman also `stopping`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Whether it has processes. They may be paused.
    #[serde(deserialize_with = "or_default")]
    pub running: bool,
    /// Whether its processes are paused.
    #[serde(deserialize_with = "or_default")]
    pub paused: bool,
    /// Whether the kernel killed one of its processes for its memory.
    #[serde(rename = "OOMKilled", deserialize_with = "or_default")]
    pub oom_killed: bool,
    /// The pid of its first process, or 0.
    #[serde(deserialize_with = "or_default")]
    pub pid: u32,
    /// The exit status of its first process.
    #[serde(deserialize_with = "or_default")]
    pub exit_code: i32,
    /// The reason why it could not be started.
    #[serde(deserialize_with = "or_default")]
    pub error: String,
    #[serde(deserialize_with = "or_default")]
    health: HealthState,
}

/// The exit status of a process that SIGKILL ended.
const KILLED: i32 = 137;

impl ContainerState {
    /// A description of how its first process exited.
    pub fn exit_text(&self) -> String {
        // Docker says so of every container one of whose processes was killed, even if the first one went on and exited by itself.
        let is_killed = self.oom_killed && self.exit_code == KILLED;
        // The engine's own error is usually clearer than the exit status alone.
        let why = match (is_killed, self.error.as_str()) {
            (true, _) => ", killed for its memory".to_owned(),
            (false, "") => String::new(),
            (false, error) => format!(": {error}"),
        };
        format!("exited with {}{why}", self.exit_code)
    }

    /// Why its health check fails: what the last one printed. None unless the container is unhealthy.
    pub(crate) fn illness(&self) -> Option<String> {
        // Docker says that a paused container is unhealthy, and goes on to say so until the next check: no check has failed.
        if self.health.status != "unhealthy" || !self.running || self.health.failing_streak == 0 {
            return None;
        }
        let last = self.health.log.last().map(|check| check.output.trim()).unwrap_or_default();
        let last = last.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
        Some(format!("its health check fails{last}"))
    }
}

/// The results of the health checks of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HealthState {
    /// `starting`, `healthy` or `unhealthy`.
    #[serde(deserialize_with = "or_default")]
    status: String,
    /// How many checks have failed since the last that did not.
    #[serde(deserialize_with = "or_default")]
    failing_streak: u32,
    /// The last checks, the newest at the end.
    #[serde(deserialize_with = "or_default")]
    log: Vec<HealthCheck>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HealthCheck {
    #[serde(deserialize_with = "or_default")]
    output: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ContainerConfig {
    #[serde(deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tty: bool,
    /// How many seconds a stop waits before it kills: -1 means for ever. Podman writes 0 where none was given.
    #[serde(deserialize_with = "or_default")]
    pub(crate) stop_timeout: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    #[serde(deserialize_with = "or_default")]
    network_mode: String,
    #[serde(deserialize_with = "or_default")]
    pid_mode: String,
    #[serde(deserialize_with = "or_default")]
    ipc_mode: String,
    #[serde(deserialize_with = "or_default")]
    restart_policy: AppliedPolicy,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AppliedPolicy {
    #[serde(deserialize_with = "or_default")]
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ContainerInfo {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn null_and_nothing_are_read_alike() {
        let nulls =
            r#"{"Id":null,"Image":null,"State":{"Status":"exited","ExitCode":3,"Pid":null},"Config":{"Labels":null}}"#;
        let found: ContainerInfo = serde_json::from_str(nulls).unwrap();
        let less: ContainerInfo = serde_json::from_str(r#"{"State":{"Status":"exited","ExitCode":3}}"#).unwrap();
        assert_eq!(found, less);
        assert_eq!(found.state.exit_text(), "exited with 3");
        assert_eq!(
            serde_json::from_str::<ContainerInfo>(r#"{"Config":null,"State":null}"#).unwrap(),
            ContainerInfo::default()
        );
    }

    #[test]
    fn a_container_runs_if_both_the_engine_and_the_kernel_say_so() {
        let stopping = r#"{"State":{"Status":"stopping","Running":false,"Pid":7}}"#;
        let running = r#"{"State":{"Status":"running","Running":true,"Pid":7}}"#;
        let runs = || ContainerProcess::Runs(Vec::new());
        for (text, process, expected) in [
            (running, runs(), ContainerPhase::Running),
            (running, ContainerProcess::Unknown, ContainerPhase::Running),
            (running, ContainerProcess::Gone, ContainerPhase::Lost),
            (running, ContainerProcess::Foreign, ContainerPhase::Lost),
            (stopping, runs(), ContainerPhase::Stopping),
            (stopping, ContainerProcess::Unknown, ContainerPhase::Stopping),
            (stopping, ContainerProcess::Gone, ContainerPhase::Lost),
            (r#"{"State":{"Status":"restarting","Running":true,"Pid":0}}"#, runs(), ContainerPhase::Restarting),
            (r#"{"State":{"Status":"paused","Running":true,"Paused":true,"Pid":7}}"#, runs(), ContainerPhase::Paused),
            (r#"{"State":{"Status":"created"}}"#, ContainerProcess::Unknown, ContainerPhase::Created),
            (r#"{"State":{"Status":"exited","ExitCode":1}}"#, ContainerProcess::Unknown, ContainerPhase::Exited),
            ("{}", ContainerProcess::Unknown, ContainerPhase::Exited),
        ] {
            let found = ContainerInfo { process, ..read(text) };
            assert_eq!(found.phase(), expected, "{found:?}");
        }
    }

    #[test]
    fn a_death_by_memory_is_one_of_the_first_process() {
        for (code, expected) in [(137, "exited with 137, killed for its memory"), (0, "exited with 0")] {
            let found = read(&format!(r#"{{"State":{{"OOMKilled":true,"ExitCode":{code}}}}}"#));
            assert_eq!(found.state.exit_text(), expected);
        }
    }

    #[test]
    fn a_container_that_is_paused_is_not_ill() {
        let found = |more: &str| {
            let log = r#""Log":[{"Output":"ok"},{"Output":"tried\nno answer\n"}]"#;
            let text = format!(r#"{{"State":{{"Health":{{"Status":"unhealthy",{log},{more}}}}}}}"#);
            read(&text.replace("}}}", r#"},"Running":true}}"#)).state.illness()
        };
        assert_eq!(found(r#""FailingStreak":3"#).as_deref(), Some("its health check fails: no answer"));
        assert_eq!(found(r#""FailingStreak":0"#), None);
    }

    #[test]
    fn namespaces_are_found_by_their_kind() {
        let process = ContainerProcess::Runs(["net:[1]", "pid:[2]"].map(str::to_owned).to_vec());
        let found = ContainerInfo { process, ..ContainerInfo::default() };
        assert_eq!(
            (found.namespace("pid"), found.namespace("ne"), found.namespace("ipc")),
            (Some("pid:[2]"), None, None)
        );
    }
}
