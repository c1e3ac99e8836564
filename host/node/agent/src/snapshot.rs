//! Everything that one request needs from the disk, read together before the request first waits. So a request sees the same
//! configuration and the same policies from its beginning to its end, and does not read files between the calls of drivers.
//!
//! A request about many objects reads what is the node's once, as a [`NodeSnapshot`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::NodeData;
use driver::Driver;
use grant::Policy;
use model::object::Object;
use model::{DriverName, ObjectPath, Rid};

use crate::agent::Agent;
use crate::drivers::AvailableDrivers;
use crate::object::{NoUsableConfiguration, ObjectConfiguration, ObjectError};
use crate::state::{DeviceFooting, InstanceState};
use exec::blocking;

/// What the objects of one request have in common: the node, the drivers, the policies of their namespaces.
pub struct NodeSnapshot {
    node: Arc<NodeData>,
    available: Arc<AvailableDrivers>,
    read: Mutex<CommonFiles>,
}

/// What was read for the objects so far.
#[derive(Default)]
struct CommonFiles {
    drivers: BTreeMap<DriverName, Arc<dyn Driver>>,
    namespaces: BTreeMap<String, Result<Policy, String>>,
}

impl NodeSnapshot {
    /// Reads the files of the node. Blocks.
    pub(crate) fn take(agent: &Agent) -> NodeSnapshot {
        NodeSnapshot { node: agent.node(), available: agent.drivers(), read: Mutex::default() }
    }

    /// Held while a driver is loaded, as another object that needs the same one would have to wait anyway.
    fn read(&self) -> MutexGuard<'_, CommonFiles> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drivers(&self, agent: &Agent, object: &Object) -> BTreeMap<DriverName, Arc<dyn Driver>> {
        let mut read = self.read();
        if object.resources.iter().any(|resource| !read.drivers.contains_key(&resource.driver)) {
            read.drivers.extend(agent.load(object, &self.available));
        }
        let needed = object.resources.iter().filter_map(|resource| read.drivers.get_key_value(&resource.driver));
        needed.map(|(name, driver)| (name.clone(), Arc::clone(driver))).collect()
    }

    fn namespace(&self, agent: &Agent, namespace: &str) -> Result<Policy, String> {
        let mut read = self.read();
        if let Some(policy) = read.namespaces.get(namespace) {
            return policy.clone();
        }
        let policy = agent.paths().read_namespace_policy(namespace);
        read.namespaces.insert(namespace.to_owned(), policy.clone());
        policy
    }
}

/// The files that one request depends on, as they were at its beginning.
pub(crate) struct Snapshot {
    pub(crate) node: Arc<NodeData>,
    pub(crate) available: Arc<AvailableDrivers>,
    pub(crate) configuration: Arc<ObjectConfiguration>,
    /// The drivers of the object's resources, ready to be called.
    pub(crate) drivers: BTreeMap<DriverName, Arc<dyn Driver>>,
    /// The devices that each resource was started on.
    pub(crate) footing: BTreeMap<Rid, DeviceFooting>,
    /// The policy of the namespace: what its objects may make this node do.
    pub(crate) namespace: Result<Policy, String>,
}

impl Snapshot {
    /// Reads what a request about the object needs to know.
    pub(crate) async fn take(agent: &Agent, path: &ObjectPath) -> Result<Snapshot, ObjectError> {
        let (agent, path) = (agent.clone(), path.clone());
        blocking(move || Snapshot::read(&agent, &NodeSnapshot::take(&agent), &path)).await
    }

    /// The same for one of the objects that a request is about.
    pub(crate) async fn take_of(
        agent: &Agent,
        common: &Arc<NodeSnapshot>,
        path: &ObjectPath,
    ) -> Result<Snapshot, ObjectError> {
        let (agent, common, path) = (agent.clone(), Arc::clone(common), path.clone());
        blocking(move || Snapshot::read(&agent, &common, &path)).await
    }

    fn read(agent: &Agent, common: &NodeSnapshot, path: &ObjectPath) -> Result<Snapshot, ObjectError> {
        let configuration = agent.configuration_with(path, &common.node, &common.available)?;
        Ok(Snapshot::with(agent, common, path, configuration))
    }

    /// Reads the same for an object that had this text for its configuration.
    pub(crate) async fn of_text(agent: &Agent, path: &ObjectPath, text: &str) -> Snapshot {
        let (agent, path, text) = (agent.clone(), path.clone(), text.to_owned());
        blocking(move || {
            let common = NodeSnapshot::take(&agent);
            let configuration = ObjectConfiguration::of_text(&path, &text, &common.node, &*common.available);
            Snapshot::with(&agent, &common, &path, Arc::new(configuration))
        })
        .await
    }

    fn with(
        agent: &Agent,
        common: &NodeSnapshot,
        path: &ObjectPath,
        configuration: Arc<ObjectConfiguration>,
    ) -> Snapshot {
        let object = configuration.active.object();
        Snapshot {
            drivers: object.map(|object| common.drivers(agent, object)).unwrap_or_default(),
            footing: InstanceState::of(agent.home(), path).stood_on(),
            namespace: common.namespace(agent, path.namespace()),
            node: Arc::clone(&common.node),
            available: Arc::clone(&common.available),
            configuration,
        }
    }

    /// The object in use.
    pub(crate) fn object(&self) -> Result<&Object, NoUsableConfiguration> {
        self.configuration.object()
    }
}
