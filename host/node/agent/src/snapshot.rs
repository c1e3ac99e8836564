//! Everything that one request needs from the disk, read together before the request first waits. So a request sees the same
//! configuration and the same policies from its beginning to its end, and does not read files between the calls of drivers.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::NodeData;
use driver::Driver;
use grant::Policy;
use model::object::Object;
use model::{DriverName, ObjectPath, Rid};

use crate::agent::Agent;
use crate::drivers::AvailableDrivers;
use crate::file::blocking::blocking;
use crate::object::{NoUsableConfiguration, ObjectConfiguration, ObjectError};
use crate::state::{DeviceFooting, InstanceState};

/// The files that one request depends on, as they were at its beginning.
pub(crate) struct Snapshot {
    pub(crate) node: Arc<NodeData>,
    pub(crate) available: Arc<AvailableDrivers>,
    pub(crate) configuration: ObjectConfiguration,
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
        blocking(move || {
            let (node, available) = (agent.node(), agent.drivers());
            let configuration = ObjectConfiguration::read(agent.home(), &path, &node, &*available)?;
            Ok(Snapshot::with(&agent, &path, node, available, configuration))
        })
        .await
    }

    /// Reads the same for an object that had this text for its configuration.
    pub(crate) async fn of_text(agent: &Agent, path: &ObjectPath, text: &str) -> Snapshot {
        let (agent, path, text) = (agent.clone(), path.clone(), text.to_owned());
        blocking(move || {
            let (node, available) = (agent.node(), agent.drivers());
            let configuration = ObjectConfiguration::of_text(&path, &text, &node, &*available);
            Snapshot::with(&agent, &path, node, available, configuration)
        })
        .await
    }

    fn with(
        agent: &Agent,
        path: &ObjectPath,
        node: Arc<NodeData>,
        available: Arc<AvailableDrivers>,
        configuration: ObjectConfiguration,
    ) -> Snapshot {
        let object = configuration.active.object();
        Snapshot {
            drivers: object.map(|object| agent.load(object, &available)).unwrap_or_default(),
            footing: InstanceState::of(agent.home(), path).stood_on(),
            namespace: agent.paths().read_namespace_policy(path.namespace()),
            node,
            available,
            configuration,
        }
    }

    /// The object in use.
    pub(crate) fn object(&self) -> Result<&Object, NoUsableConfiguration> {
        self.configuration.object()
    }
}
