//! The agent as the command line needs it, whether the agent is in this process or behind an API.
//!
//! Every family of commands speaks to a [`Backend`] and to nothing else of the agent. Requests and answers are the documents of
//! [`protocol`], so that each method is also possible as one HTTP request; logs, and the log of a running action, are streams.
//! Methods wait until the answer is there: the command line does one thing after the other.
//!
//! Some calls are local by nature. Over HTTP, `console` becomes the description of a console that the command line then
//! connects its terminal to, `draft` a file of the operator's own, and `join_process_group` is not possible.
//!
//! What only the daemon knows or does (orders, events, the state of the cluster) is asked of [`RemoteDaemon`].
//!
//! ```text
//! object, config, driver, node … ──▶ Backend ──▶ local: the agent, in process
//! daemon, mon, orders            ──▶ RemoteDaemon ──▶ client: the daemon, over its socket, or by TLS elsewhere
//! ```
//!
//! Where `--server` or a context names the daemon of another node, [`ElsewhereBackend`] stands in place of the agent.

mod context;
mod elsewhere;
mod local;
mod remote;
mod wait;

use elsewhere::ElsewhereBackend;
pub(crate) use local::{
    COMPILE_VERB, DaemonRun, InitOrder, JoinOrder, JoinStep, LeaveProgress, LocalCluster, READY, SeatOrder,
    compile_child, run_daemon,
};
pub(crate) use remote::RemoteDaemon;
pub(crate) use wait::block_on;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::{DriverName, NodeName, ObjectPath, Rid};
use protocol::daemon::{AccessEntry, AccessQuery};
use protocol::{
    ActionOrder, ActionPlan, ActionResult, AuditEntry, AuditQuery, ConfigChange, ConfigCheck, ConfigDiff,
    ConfigHistory, ConfigOutcome, ConfigProblem, ConfigTarget, ConfigText, ConsoleOrder, DeleteOrder, DriverConsent,
    DriverDoc, DriverGrants, DriverInspection, DriverList, EngineAccess, EvaluatedKeyword, HoldingList,
    InstalledDriver, InstanceDocument, KeyChange, LogLevel, LogQuery, NameKind, ObjectList, PolicyChange, PoolList,
    ResourceSelection, ScheduleDocument,
};

use crate::exit::Failure;
use crate::words::ObjectQuery;

/// The answer to a request.
pub(crate) type Reply<T> = Result<T, Failure>;

/// Takes the lines of a running action's log.
pub(crate) trait LogLines: Send + Sync {
    fn line(&self, level: LogLevel, line: &str);
}

/// A flag of an instance that an operator sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstanceFlag {
    Freeze,
    Thaw,
    Clear,
}

/// Where the daemon of a node is found.
#[derive(Debug, Clone)]
pub(crate) struct DaemonPlaces {
    pub(crate) socket: PathBuf,
    /// The file that it writes its own messages to.
    pub(crate) log: PathBuf,
}

/// The agent, as the command line needs it.
pub(crate) trait Backend {
    /// The time that drivers were at work for this command. Unknown to a client of an API.
    fn time_in_drivers(&self) -> Duration;

    /// The daemon that is asked: that of this node, whether it runs or not, or one elsewhere.
    fn daemon(&self) -> RemoteDaemon;

    /// Where the daemon of this node is found. An error if another node's is asked.
    fn daemon_places(&self) -> Reply<DaemonPlaces>;

    /// What was asked of the daemon of this node, and by whom, whether it runs or not.
    fn access_trail(&self, query: &AccessQuery) -> Reply<Vec<AccessEntry>>;

    // Objects.

    /// All objects.
    fn objects(&self) -> Reply<ObjectList>;
    /// The objects that a selector names.
    fn select(&self, query: &ObjectQuery) -> Reply<Vec<ObjectPath>>;
    /// The same, and the files that look like objects of whatever name.
    fn list(&self, query: &ObjectQuery) -> Reply<ObjectList>;
    fn exists(&self, path: &ObjectPath) -> Reply<bool>;
    fn create(&self, path: &ObjectPath, text: &str) -> Reply<()>;
    /// Deletes an object, or only these sections of its configuration.
    fn delete(&self, path: &ObjectPath, sections: &[String], order: DeleteOrder) -> Reply<ConfigOutcome>;
    /// The other nodes of an object. An error if it has no instance on this one.
    fn peers(&self, path: &ObjectPath) -> Reply<Vec<NodeName>>;
    fn names(&self, path: &ObjectPath, kind: NameKind) -> Reply<BTreeSet<String>>;

    // Instances.

    /// The last known status, or a new one if there is none or if `refresh` says so.
    fn status(&self, path: &ObjectPath, refresh: bool) -> Reply<InstanceDocument>;
    /// The status of several instances, in the order of the paths. One that fails stops no other.
    fn statuses(&self, paths: &[ObjectPath], refresh: bool) -> Vec<Reply<InstanceDocument>> {
        paths.iter().map(|path| self.status(path, refresh)).collect()
    }
    /// What the schedules of an instance start, and when.
    fn timetable(&self, path: &ObjectPath) -> Reply<ScheduleDocument>;
    /// The plan of an action.
    fn plan(&self, path: &ObjectPath, order: &ActionOrder) -> Reply<ActionPlan>;
    /// Carries out an action. A signal to this process cancels it.
    fn act(&self, path: &ObjectPath, order: &ActionOrder, lines: Arc<dyn LogLines>) -> Reply<ActionResult>;
    /// Whether a signal has reached this process since it began to act: nothing more may begin.
    fn is_interrupted(&self) -> bool {
        false
    }
    /// Sets a flag. False if there was nothing to change.
    fn flag(&self, path: &ObjectPath, flag: InstanceFlag) -> Reply<bool>;
    /// Puts what schedules start off until then, or no longer. False if there was nothing to change.
    fn snooze(&self, path: &ObjectPath, until: Option<Timestamp>) -> Reply<bool>;
    /// Hands log entries to `entry`, until there are no more or it breaks.
    fn logs(&self, query: &LogQuery, entry: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Reply<()>;
    /// Connects this process's terminal to the inside of a resource. Returns the exit status of what ran there.
    fn console(&self, path: &ObjectPath, rid: Option<&Rid>, order: &ConsoleOrder) -> Reply<i32>;
    /// The container engine of an object.
    fn engine(&self, path: &ObjectPath) -> Reply<EngineAccess>;
    /// What resources hold on this node: those of these objects, or all.
    fn holdings(&self, paths: Option<&[ObjectPath]>) -> Reply<HoldingList>;
    /// The pools of this node.
    fn pools(&self) -> Reply<PoolList>;
    /// Moves this process into the process group of a resource.
    fn join_process_group(&self, group: &str) -> Reply<()>;

    // Configurations.

    fn config(&self, target: &ConfigTarget) -> Reply<ConfigText>;
    /// The text of a configuration with `***` for its secrets.
    fn covered_config(&self, target: &ConfigTarget, text: &str) -> Reply<String>;
    /// A value of the configuration with this text, with `***` for what is secret in it.
    fn covered_value(&self, target: &ConfigTarget, text: &str, value: &str) -> Reply<String>;
    /// The place where the configuration is stored, for messages.
    fn config_file(&self, target: &ConfigTarget) -> String;
    /// Makes edits, all of them or none.
    fn change_config(&self, target: &ConfigTarget, change: &ConfigChange) -> Reply<ConfigOutcome>;
    /// Saves a text over the one that it was made from, or without one over any. Returns what to tell of what is up.
    fn save_config(&self, target: &ConfigTarget, made_from: Option<&str>, text: &str) -> Reply<Vec<String>>;
    /// The text with these edits made, without saving it.
    fn edited(&self, target: &ConfigTarget, text: &str, change: &ConfigChange) -> Reply<String>;
    /// The problems that a text would have as this configuration.
    fn check_config(&self, target: &ConfigTarget, text: &str) -> Reply<Vec<ConfigProblem>>;
    /// The problems of a file that is not a configuration yet. Without an object, its likeliest one is meant.
    fn check_file(&self, object: Option<&ObjectPath>, file: &Path, content: Vec<u8>) -> Reply<ConfigCheck>;
    /// The value of a keyword as it is written.
    fn written(&self, target: &ConfigTarget, keyword: &str) -> Reply<Option<String>>;
    /// The value of a keyword as this node means it, or another one.
    fn evaluated(&self, target: &ConfigTarget, keyword: &str, peer: Option<&NodeName>) -> Reply<EvaluatedKeyword>;
    /// The sections of the resources that are selected.
    fn sections(&self, path: &ObjectPath, resources: &ResourceSelection) -> Reply<Vec<String>>;
    /// The file that holds an editor's changes until they are saved.
    fn draft(&self, target: &ConfigTarget) -> PathBuf;

    /// The versions of a configuration that are kept.
    fn config_history(&self, target: &ConfigTarget) -> Reply<ConfigHistory>;
    /// What differs between two versions: by default, what the last change changed.
    fn config_diff(&self, target: &ConfigTarget, versions: (Option<u64>, Option<u64>)) -> Reply<ConfigDiff>;
    /// Puts an earlier version back.
    fn roll_config_back(&self, target: &ConfigTarget, revision: u64, force: bool) -> Reply<ConfigOutcome>;

    // Stores.

    fn keys(&self, store: &ObjectPath) -> Reply<Vec<String>>;
    fn key_value(&self, store: &ObjectPath, key: &str) -> Reply<Vec<u8>>;
    /// Changes keys, and installs them anew where a volume in use on this node holds them. Returns what was installed, or why it was
    /// not, a sentence each.
    fn change_key(&self, store: &ObjectPath, change: &KeyChange) -> Reply<Vec<Result<String, String>>>;

    // Drivers.

    fn drivers(&self) -> Reply<DriverList>;
    fn driver_manuals(&self) -> Reply<Vec<DriverDoc>>;
    /// The manual of a driver, by its name or an alias.
    fn driver_manual(&self, name: &DriverName) -> Reply<Option<DriverDoc>>;
    /// The description and the requests of a driver, or of the component in a file.
    fn inspect_driver(&self, driver: &str) -> Reply<DriverInspection>;
    /// The grants of the driver of a resource, as far as they apply to it.
    fn driver_grants(&self, path: &ObjectPath, rid: &Rid) -> Reply<DriverGrants>;
    fn install_driver(&self, file: &Path, force: bool) -> Reply<InstalledDriver>;
    fn remove_driver(&self, driver: &str, force: bool) -> Reply<DriverName>;
    /// The grants that `allow_driver` would allow.
    fn driver_consent(&self, driver: &str, add: &[String]) -> Reply<DriverConsent>;
    /// Allows a driver these grants, or all that it asks for, if it is the build with that digest.
    fn allow_driver(&self, driver: &str, add: &[String], digest: &str) -> Reply<PolicyChange>;
    fn deny_driver(&self, driver: &str, grants: &[String]) -> Reply<PolicyChange>;
    fn audit(&self, query: &AuditQuery) -> Reply<Vec<AuditEntry>>;
    /// Compiles all drivers, and reports each as a line. Returns how many failed, and of how many.
    fn warm_drivers(&self, report: &(dyn Fn(&str) + Sync)) -> Reply<(usize, usize)>;
}

/// The backend of this command, as it was typed but for secrets: the daemon of another node, if `server` or the environment names
/// one, or the agent whose directories are below `root`, or those of the system.
pub(crate) fn open(root: Option<&Path>, server: Option<&str>, typed: &str) -> Reply<Box<dyn Backend>> {
    match context::chosen_server(server)? {
        Some(client) => Ok(Box::new(ElsewhereBackend { daemon: RemoteDaemon { client } })),
        None => Ok(Box::new(local::LocalBackend::open(root, typed)?)),
    }
}
