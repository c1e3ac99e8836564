//! The agent of one node, as the command line and later a daemon hold it. What costs time is found when it is first asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use capability::{FileAudit, Host, Lanes, MemoryLedger};
use driver::{Driver, Fault};
use model::config::{NodeData, Object};
use model::{DriverName, NodeName, ObjectPath};
use runtime::{Code, Runtime, Source};

use crate::drivers::unavailable::{Unavailable, UnavailableDriver};
use crate::drivers::{AvailableDriver, AvailableDrivers, DriverOrigin};
use crate::file::durable::FileError;
use crate::node::paths::NodePaths;
use crate::object::ObjectConfiguration;
use crate::object::ObjectError;
use crate::{Directories, node};

/// The agent of one node.
pub struct Agent {
    home: Directories,
    node: NodeData,
    drivers: OnceLock<AvailableDrivers>,
    runtime: OnceLock<Result<Runtime, String>>,
    loaded: Mutex<BTreeMap<DriverName, Arc<dyn Driver>>>,
}

impl Agent {
    /// The agent whose files stand in `home`, on the node of that name.
    pub fn open(home: Directories, name: &NodeName) -> Result<Agent, FileError> {
        let node = node::node_data(&home, name)?;
        Ok(Agent { home, node, drivers: OnceLock::new(), runtime: OnceLock::new(), loaded: Mutex::default() })
    }

    /// Where its files stand.
    pub fn home(&self) -> &Directories {
        &self.home
    }

    /// What the node says of itself.
    pub fn node(&self) -> &NodeData {
        &self.node
    }

    /// The drivers at hand.
    pub fn drivers(&self) -> &AvailableDrivers {
        self.drivers.get_or_init(|| AvailableDrivers::find(&self.home.installed_drivers()))
    }

    /// How long at least one driver was at work so far.
    pub fn time_in_drivers(&self) -> Duration {
        self.runtime.get().and_then(|runtime| runtime.as_ref().ok()).map_or(Duration::ZERO, Runtime::time_in_drivers)
    }

    /// What runs them.
    pub fn runtime(&self) -> Result<&Runtime, &str> {
        let start = || {
            let host = Host {
                audit: Arc::new(FileAudit::new(self.home.audit())),
                audit_reads: self.node.keywords.get("audit").is_some_and(|audit| audit == "all"),
                ledger: Arc::new(MemoryLedger::default()),
                lanes: Lanes::default(),
            };
            let site = Arc::new(NodePaths::new(self.home.clone()));
            Runtime::new(self.home.cache.clone(), "/proc/self/exe".into(), Arc::new(host), site)
                .map_err(|error| crate::chain(&error))
        };
        self.runtime.get_or_init(start).as_ref().map_err(String::as_str)
    }

    /// An object's configuration, and what it makes on this node.
    pub fn configuration(&self, path: &ObjectPath) -> Result<ObjectConfiguration, ObjectError> {
        ObjectConfiguration::read(&self.home, path, &self.node, self.drivers())
    }

    /// The drivers of an object's resources, loaded side by side. One that is not to be had is stood in for: its resources are
    /// `undef`, the others go on.
    pub(crate) fn load(&self, object: &Object) -> BTreeMap<DriverName, Arc<dyn Driver>> {
        let mut needed: Vec<&DriverName> = object.resources.iter().map(|resource| &resource.driver).collect();
        needed.sort();
        needed.dedup();
        std::thread::scope(|scope| {
            let loads: Vec<_> =
                needed.into_iter().map(|name| (name.clone(), scope.spawn(move || self.driver(name)))).collect();
            loads
                .into_iter()
                .map(|(name, load)| {
                    let crashed = |_| missing(&name, "loading it crashed".to_owned());
                    let driver = load.join().unwrap_or_else(crashed);
                    (name, driver)
                })
                .collect()
        })
    }

    fn driver(&self, name: &DriverName) -> Arc<dyn Driver> {
        let loaded = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = loaded().get(name) {
            return driver.clone();
        }
        let driver = match self.drivers().get(name) {
            None => missing(name, "it is not installed here".to_owned()),
            Some(known) => self.load_known(known).unwrap_or_else(|reason| missing(name, reason)),
        };
        loaded().insert(name.clone(), driver.clone());
        driver
    }

    fn load_known(&self, known: &AvailableDriver) -> Result<Arc<dyn Driver>, String> {
        self.runtime()?.load(source(known)).map_err(|error| crate::chain(&error))
    }
}

/// A driver, as the runtime loads it.
pub fn source(known: &AvailableDriver) -> Source {
    let code = match &known.origin {
        DriverOrigin::Builtin(bytes) => Code::Builtin(bytes),
        DriverOrigin::Installed(path) => Code::File(path.clone()),
    };
    Source { manifest: known.manifest.clone(), digest: known.digest.clone(), code }
}

fn missing(name: &DriverName, reason: String) -> Arc<dyn Driver> {
    let fault = Fault::Missing { driver: name.to_string(), reason };
    Arc::new(UnavailableDriver::new(name.clone(), Unavailable::Missing(fault)))
}
