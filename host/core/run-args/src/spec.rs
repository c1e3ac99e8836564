//! The description of a container that options give: each field is named after the option that sets it.
//!
//! The field of an absent option is empty, `None` or false. Names, modes and paths are as they were written; sizes are bytes,
//! durations nanoseconds, processors billionths, as the engine's interface counts them.

use crate::{PortMapping, VolumeMount};

/// A container, as far as options describe it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunArgs {
    /// `-v`, `--volume`, and `--mount` of the types bind and volume.
    pub volumes: Vec<VolumeMount>,
    /// `--volumes-from`: containers whose volumes to take.
    pub volumes_from: Vec<String>,
    /// `--tmpfs`, and `--mount` of the type tmpfs.
    pub tmpfs: Vec<TmpfsMount>,
    /// `-e`, `--env`.
    pub env: Vec<NamedValue>,
    /// `-l`, `--label`.
    pub labels: Vec<NamedValue>,
    /// `--device`.
    pub devices: Vec<DeviceMapping>,
    /// `--device-cgroup-rule`: `c 42:* rmw`.
    pub device_cgroup_rules: Vec<String>,
    /// `--cap-add`, in upper case, without `CAP_`; or `ALL`.
    pub cap_add: Vec<String>,
    /// `--cap-drop`, in the same form.
    pub cap_drop: Vec<String>,
    /// `--privileged`.
    pub privileged: bool,
    /// `--security-opt`: `no-new-privileges`, `seccomp=unconfined`.
    pub security_opt: Vec<String>,
    /// `--network`, `--net`: `none`, `host`, `bridge`, `container:NAME`, the name of a network.
    pub network: Option<String>,
    /// `--network-alias`.
    pub network_aliases: Vec<String>,
    /// `--ip`.
    pub ip: Option<String>,
    /// `--ip6`.
    pub ip6: Option<String>,
    /// `--mac-address`.
    pub mac_address: Option<String>,
    /// `--link`.
    pub links: Vec<String>,
    /// `--pid`: `host`, `container:NAME`.
    pub pid: Option<String>,
    /// `--ipc`: `host`, `private`, `shareable`, `none`, `container:NAME`.
    pub ipc: Option<String>,
    /// `--uts`: `host`.
    pub uts: Option<String>,
    /// `--userns`: `host`.
    pub userns: Option<String>,
    /// `--cgroupns`: `host`, `private`.
    pub cgroupns: Option<String>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
    /// `-u`, `--user`: a name or number, perhaps `:` and a group.
    pub user: Option<String>,
    /// `--group-add`.
    pub group_add: Vec<String>,
    /// `-h`, `--hostname`.
    pub hostname: Option<String>,
    /// `--domainname`.
    pub domainname: Option<String>,
    /// `--entrypoint`: one word; empty: no entrypoint, not even the image's.
    pub entrypoint: Option<String>,
    /// `-w`, `--workdir`.
    pub workdir: Option<String>,
    /// `-p`, `--publish`, its ranges written out.
    pub publish: Vec<PortMapping>,
    /// `-P`, `--publish-all`.
    pub publish_all: bool,
    /// `--expose`: `80/tcp`.
    pub expose: Vec<String>,
    /// `--dns`.
    pub dns: Vec<String>,
    /// `--dns-search`.
    pub dns_search: Vec<String>,
    /// `--dns-option`.
    pub dns_options: Vec<String>,
    /// `--add-host`: `name:address`.
    pub extra_hosts: Vec<String>,
    /// `--sysctl`.
    pub sysctls: Vec<NamedValue>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    pub limits: ContainerLimits,
    /// `--read-only`.
    pub read_only: bool,
    /// `--init`.
    pub init: Option<bool>,
    /// `--shm-size`.
    pub shm_size: Option<i64>,
    /// `--runtime`.
    pub runtime: Option<String>,
    /// `--storage-opt`.
    pub storage_opts: Vec<NamedValue>,
    /// `--log-driver`.
    pub log_driver: Option<String>,
    /// `--log-opt`.
    pub log_opts: Vec<NamedValue>,
    /// `--stop-signal`.
    pub stop_signal: Option<String>,
    /// How its health is checked.
    pub health: HealthCheck,
    /// `--stop-timeout`, in seconds.
    pub stop_timeout: Option<i64>,
    /// `--restart`.
    pub restart: Option<RestartPolicy>,
    /// `--pull`: `always`, `missing`, `never`.
    pub pull: Option<String>,
    /// `--name`.
    pub name: Option<String>,
    /// `-i`, `--interactive`.
    pub interactive: Option<bool>,
    /// `-t`, `--tty`.
    pub tty: Option<bool>,
    /// `-d`, `--detach`.
    pub detach: Option<bool>,
    /// `--rm`.
    pub rm: Option<bool>,
}

/// The limits of a container. `None`: no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerLimits {
    /// `-m`, `--memory`, bytes.
    pub memory: Option<i64>,
    /// `--memory-reservation`, bytes.
    pub memory_reservation: Option<i64>,
    /// `--memory-swap`, bytes of memory and swap; -1: no limit.
    pub memory_swap: Option<i64>,
    /// `--memory-swappiness`, 0 to 100.
    pub memory_swappiness: Option<i64>,
    /// `--kernel-memory`, bytes.
    pub kernel_memory: Option<i64>,
    /// `--oom-kill-disable`.
    pub oom_kill_disable: bool,
    /// `--oom-score-adj`, -1000 to 1000.
    pub oom_score_adj: Option<i64>,
    /// `--cpus`, in billionths of a processor.
    pub nano_cpus: Option<i64>,
    /// `-c`, `--cpu-shares`.
    pub cpu_shares: Option<i64>,
    /// `--cpu-period`, microseconds.
    pub cpu_period: Option<i64>,
    /// `--cpu-quota`, microseconds.
    pub cpu_quota: Option<i64>,
    /// `--cpuset-cpus`: `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// `--cpuset-mems`.
    pub cpuset_mems: Option<String>,
    /// `--pids-limit`; -1: no limit.
    pub pids: Option<i64>,
    /// `--blkio-weight`, 10 to 1000.
    pub blkio_weight: Option<i64>,
}

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedValue {
    pub name: String,
    pub value: String,
}

/// A device of the node, in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMapping {
    /// Its path on the node.
    pub host: String,
    /// Its path in the container.
    pub container: String,
    /// Of `r`, `w`, `m`.
    pub permissions: String,
}

/// A file system in memory, in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmpfsMount {
    pub target: String,
    /// The mount options, as one text.
    pub options: String,
}

/// A limit of setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// Such as `nofile`.
    pub name: String,
    /// The limit that is enforced; -1: none.
    pub soft: i64,
    /// The limit up to which the soft one may be raised; -1: any.
    pub hard: i64,
}

/// What the engine does when the container exits by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Nothing.
    No,
    /// Starts it again.
    Always,
    /// Starts it again, unless it was stopped by a command.
    UnlessStopped,
    /// Starts it again if it failed, at most this many times; 0: without limit.
    OnFailure(u32),
}

/// `--health-cmd` and the options beside it. Empty: the image says how the container is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// `--health-cmd`: a line for the shell of the container.
    pub command: Option<String>,
    /// `--no-healthcheck`: not even the check of the image.
    pub none: bool,
    /// `--health-interval`, in nanoseconds, as are the next two.
    pub interval: Option<i64>,
    /// `--health-timeout`.
    pub timeout: Option<i64>,
    /// `--health-start-period`.
    pub start_period: Option<i64>,
    /// `--health-retries`.
    pub retries: Option<i64>,
}

impl HealthCheck {
    /// The words that an engine takes for the check. None where the image's own counts.
    pub fn test(&self) -> Option<Vec<String>> {
        match (&self.command, self.none) {
            (_, true) => Some(vec!["NONE".to_owned()]),
            (Some(command), false) => Some(vec!["CMD-SHELL".to_owned(), command.clone()]),
            (None, false) => None,
        }
    }

    /// The numbers by the names that an engine has for them.
    pub fn numbers(&self) -> [(&'static str, Option<i64>); 4] {
        [
            ("Interval", self.interval),
            ("Timeout", self.timeout),
            ("StartPeriod", self.start_period),
            ("Retries", self.retries),
        ]
    }
}
