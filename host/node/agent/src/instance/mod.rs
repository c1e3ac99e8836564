//! An object's instance on this node: the object, its drivers, what its resources stand on. Everything that is done with an
//! instance is asked of it: to look at its resources ([`look`]), to make up the call of a driver ([`call`]), to find fault
//! with its keywords ([`validation`]). For the executor, an instance and the session of an action together are its
//! [`facilities`].

mod call;
mod exposures;
mod facilities;
mod footing;
mod holdings;
mod limits;
mod look;
mod obstacles;
mod pre_monitor;
mod recent;
mod rejection;
mod session;
mod survival;
pub(crate) mod trigger;
mod validation;

pub(crate) use facilities::InstanceFacilities;
pub(crate) use look::InstanceLook;
pub use rejection::RejectedKeyword;
pub(crate) use session::ActionSession;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use capability::{InstancePaths, ResourcePaths};
use config::NodeData;
use driver::{Driver, Verb};
use model::object::Object;
use model::{DriverName, Rid};
use plan::{Plan, StepWork};

use crate::agent::Agent;
use crate::drivers::unavailable::{Unavailable, UnavailableDriver};
use crate::snapshot::Snapshot;
use crate::state::{DeviceFooting, InstanceState};

/// An object's instance on this node, as of one snapshot.
pub(crate) struct Instance<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) object: &'a Object,
    snapshot: &'a Snapshot,
    paths: Arc<InstancePaths>,
    /// The devices that resources were started on.
    footing: Mutex<BTreeMap<Rid, DeviceFooting>>,
    /// Held while the file of the footing is changed.
    footing_turn: tokio::sync::Mutex<()>,
}

impl<'a> Instance<'a> {
    /// The instance of the snapshot's object.
    pub(crate) fn new(agent: &'a Agent, object: &'a Object, snapshot: &'a Snapshot) -> Instance<'a> {
        Instance {
            agent,
            object,
            snapshot,
            paths: agent.paths().instance(&object.path),
            footing: Mutex::new(snapshot.footing.clone()),
            footing_turn: Default::default(),
        }
    }

    /// The state of the instance on disk.
    pub(crate) fn state(&self) -> InstanceState {
        InstanceState::of(self.agent.home(), &self.object.path)
    }

    /// The directories of one of its resources.
    pub(crate) fn resource_paths(&self, rid: &Rid) -> ResourcePaths {
        let state = self.state();
        let (statedir, record) = (state.driver_state(rid), state.record(rid));
        ResourcePaths { instance: Arc::clone(&self.paths), statedir, record }
    }

    /// This node, as its configuration describes it.
    pub(crate) fn node(&self) -> &NodeData {
        &self.snapshot.node
    }

    /// Whether anything that the plan does survives a reboot. The executor's journal has the same rule for each step.
    pub(crate) fn outlives_a_reboot(&self, plan: &Plan) -> bool {
        let is_persistent = |rid: &Rid| {
            let resource = self.object.resource(rid);
            // In doubt the durable journal: one too durable costs a flush, one too
            // volatile the recovery after a reboot.
            resource.is_none_or(|resource| self.driver(&resource.driver).manifest().persistent)
        };
        plan.steps().filter(|step| !step.work.is_empty()).any(|step| {
            let is_volatile = |work: &StepWork| matches!(work.verb(), Verb::Start | Verb::Stop);
            !step.work.iter().all(is_volatile) || is_persistent(&step.rid)
        })
    }

    /// A driver of the object's resources.
    pub(crate) fn driver(&self, name: &DriverName) -> Arc<dyn Driver> {
        let absent =
            || driver::DriverFault::Missing { driver: name.to_string(), reason: "it was not loaded".to_owned() };
        match self.snapshot.drivers.get(name) {
            Some(driver) => driver.clone(),
            None => Arc::new(UnavailableDriver::new(name.clone(), Unavailable::Missing(absent()))),
        }
    }
}
