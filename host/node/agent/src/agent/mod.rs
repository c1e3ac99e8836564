//! The agent of one node, as the command line and later a daemon hold it: many requests at once, for as long as the process
//! lives. What takes time to make is made when it is first needed; what comes from files is read again when they change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use capability::holdings::{Ledger, Ledgers};
use capability::process::StartedPrograms;
use capability::{DeviceOwners, FileAudit, HostServices, ResourceQueues};
use config::NodeData;
use model::{NodeName, ObjectPath};
use runtime::{CallVolume, ComponentCode, DriverCallNote, DriverSource, Runtime};

use crate::drivers::{AvailableDriver, AvailableDrivers, DriverOrigin, LoadedDrivers};
use crate::file::cache::{FileCache, with_entries};
use crate::file::durable::FileError;
use crate::node::paths::NodePaths;
use crate::node::{ClusterData, ClusterDataError, EngineAway};
use crate::object::{LatestConfiguration, ObjectConfiguration, ObjectError};
use crate::volume::VolumeKeeper;
use crate::{Directories, node};

/// A look at so many resources does not pay for a pool of memories.
const FEW_RESOURCES: usize = 8;

/// The agent of one node. A clone is the same agent.
#[derive(Clone)]
pub struct Agent {
    parts: Arc<AgentParts>,
}

/// An agent that may have ended.
pub(crate) struct WeakAgent(Weak<AgentParts>);

impl WeakAgent {
    /// The agent, if it has not ended.
    pub(crate) fn upgrade(&self) -> Option<Agent> {
        self.0.upgrade().map(|parts| Agent { parts })
    }
}

struct AgentParts {
    home: Directories,
    name: NodeName,
    node: FileCache<NodeData>,
    drivers: FileCache<AvailableDrivers>,
    loaded: LoadedDrivers,
    latest: LatestConfiguration,
    paths: Arc<NodePaths>,
    /// Whether drivers' mere reads are audited too, as the node's configuration says now.
    audit_reads: Arc<AtomicBool>,
    /// The programs that drivers have started.
    started: Arc<StartedPrograms>,
    /// Whether this process makes no other request than one look at an instance.
    one_look: AtomicBool,
    /// What instances hold, shared with what drivers call: a ledger is read once, and again when another process has changed it.
    ledgers: Ledgers,
    services: OnceLock<Arc<HostServices>>,
    runtime: OnceLock<Result<Runtime, String>>,
}

impl Agent {
    /// The agent with these directories, on the node of that name.
    pub fn open(home: Directories, name: &NodeName) -> Result<Agent, FileError> {
        home.check()?;
        let parts = AgentParts {
            paths: Arc::new(NodePaths::new(home.clone())),
            home,
            name: name.clone(),
            node: FileCache::default(),
            drivers: FileCache::default(),
            loaded: LoadedDrivers::default(),
            latest: LatestConfiguration::default(),
            audit_reads: Arc::default(),
            started: Arc::default(),
            one_look: AtomicBool::new(false),
            ledgers: Ledgers::default(),
            services: OnceLock::new(),
            runtime: OnceLock::new(),
        };
        parts.read_node()?;
        Ok(Agent { parts: Arc::new(parts) })
    }

    /// The same agent, for what the agent itself owns.
    pub(crate) fn weak(&self) -> WeakAgent {
        WeakAgent(Arc::downgrade(&self.parts))
    }

    /// The agent's directories.
    pub fn home(&self) -> &Directories {
        &self.parts.home
    }

    /// What the node's own configuration and the cluster's say of this node. Reads files that changed, so it may block.
    pub fn node(&self) -> Arc<NodeData> {
        // A file that cannot be read any more must not stop a service: what it last said still holds.
        let last = |_| self.parts.node.last().unwrap_or_else(|| Arc::new(NodeData::alone(self.parts.name.clone())));
        self.parts.read_node().unwrap_or_else(last)
    }

    /// What `cluster.conf` says of the cluster. Blocks.
    pub fn cluster(&self) -> Result<ClusterData, ClusterDataError> {
        node::cluster_data(self.home(), &self.parts.name)
    }

    /// Whether the engine of the cluster answers the daemon of this node: without it no configuration is changed. Reads a file.
    pub fn engine_answers(&self) -> Result<(), EngineAway> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        node::engine_away(self.home(), now)
    }

    /// The drivers that come with the agent and those that are installed. Reads files that changed, so it may block.
    pub fn drivers(&self) -> Arc<AvailableDrivers> {
        let directory = self.parts.home.installed_drivers();
        let find = || Ok::<_, std::convert::Infallible>(AvailableDrivers::find(&directory));
        // The error type has no value: finding drivers never fails, a broken one is listed as broken.
        match self.parts.drivers.get(with_entries(&directory), find) {
            Ok(drivers) => drivers,
            Err(never) => match never {},
        }
    }

    /// Hands each call of a driver that this agent makes to `watcher`, when it has ended. The first watcher is the only one.
    pub fn watch_calls(&self, watcher: impl Fn(&DriverCallNote<'_>) + Send + Sync + 'static) {
        self.parts.paths.watch_calls(watcher);
    }

    /// How long at least one driver has been at work so far.
    pub fn time_in_drivers(&self) -> Duration {
        self.parts
            .runtime
            .get()
            .and_then(|runtime| runtime.as_ref().ok())
            .map_or(Duration::ZERO, Runtime::time_in_drivers)
    }

    /// The sandbox that drivers run in. It is started when it is first needed, or the error says why it cannot be.
    pub fn runtime(&self) -> Result<&Runtime, &str> {
        self.runtime_for(CallVolume::Many)
    }

    /// Says that this process asks the agent for the status or the plan of one instance, and then exits.
    pub fn serve_one_look(&self) {
        self.parts.one_look.store(true, Ordering::Relaxed);
    }

    /// The sandbox for the drivers of an instance with so many resources.
    pub(crate) fn runtime_for_resources(&self, count: usize) -> Result<&Runtime, &str> {
        let is_small = count <= FEW_RESOURCES && self.parts.one_look.load(Ordering::Relaxed);
        self.runtime_for(if is_small { CallVolume::Few } else { CallVolume::Many })
    }

    /// The volume is that of the first who needs the sandbox.
    fn runtime_for(&self, volume: CallVolume) -> Result<&Runtime, &str> {
        let start = || {
            let paths = Arc::clone(&self.parts.paths);
            // Drivers are compiled by a limited child process: this very program, called with a hidden verb.
            Runtime::new(self.home().cache.clone(), "/proc/self/exe".into(), volume, self.services(), paths)
                .map_err(|error| crate::chain(&error))
        };
        self.parts.runtime.get_or_init(start).as_ref().map_err(String::as_str)
    }

    /// The parts of the host that the calls of all drivers share, and triggers with them.
    pub(crate) fn services(&self) -> Arc<HostServices> {
        let make = || {
            Arc::new(HostServices {
                audit: Arc::new(FileAudit::new(self.home().audit())),
                audit_reads: Arc::clone(&self.parts.audit_reads),
                owners: Arc::new(DeviceOwners::default()),
                ledgers: self.parts.ledgers.clone(),
                started: Arc::clone(&self.parts.started),
                volumes: Arc::new(VolumeKeeper::of(self)),
                queues: ResourceQueues::default(),
            })
        };
        Arc::clone(self.parts.services.get_or_init(make))
    }

    /// An object's configuration, and the object that it describes on this node. Blocks.
    pub fn configuration(&self, path: &ObjectPath) -> Result<Arc<ObjectConfiguration>, ObjectError> {
        self.configuration_with(path, &self.node(), &self.drivers())
    }

    /// The same, as the node and its drivers were when a request began.
    pub(crate) fn configuration_with(
        &self,
        path: &ObjectPath,
        node: &Arc<NodeData>,
        drivers: &Arc<AvailableDrivers>,
    ) -> Result<Arc<ObjectConfiguration>, ObjectError> {
        self.parts.latest.read(self.home(), path, node, drivers)
    }

    /// The drivers that were loaded so far.
    pub(crate) fn loaded(&self) -> &LoadedDrivers {
        &self.parts.loaded
    }

    /// What an instance holds.
    pub(crate) fn ledger(&self, path: &ObjectPath) -> Arc<Ledger> {
        self.parts.ledgers.at(&self.home().holdings(path))
    }

    /// The programs that drivers have started.
    pub(crate) fn started(&self) -> &StartedPrograms {
        &self.parts.started
    }

    /// Where the runtime finds directories and policies.
    pub(crate) fn paths(&self) -> &NodePaths {
        &self.parts.paths
    }
}

impl AgentParts {
    fn read_node(&self) -> Result<Arc<NodeData>, FileError> {
        let files = [self.home.node_config(), self.home.config(&ObjectPath::cluster())];
        let node = self.node.get(files, || node::node_data(&self.home, &self.name))?;
        // Shared with the drivers that are loaded already: a change of node.conf applies to their next call.
        self.audit_reads.store(node.keywords.get("audit").is_some_and(|audit| audit == "all"), Ordering::Relaxed);
        Ok(node)
    }
}

/// The component of a driver, for the runtime to load.
pub fn source(known: &AvailableDriver) -> DriverSource {
    let code = match &known.origin {
        DriverOrigin::Builtin(bytes) => ComponentCode::Builtin(bytes),
        DriverOrigin::Installed(path) => ComponentCode::File(path.clone()),
    };
    DriverSource { manifest: known.manifest.clone(), digest: known.digest.clone(), code }
}

#[cfg(test)]
mod tests;
