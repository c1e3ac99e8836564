//! What all drivers of a process share, and what they need to know of the node.

use std::sync::Arc;

use driver::DriverCall;
use grant::SitePolicy;
use model::DriverName;

use crate::sandbox::Sandbox;

/// What the runtime needs to know of the node: its directories, and the policies of its site.
pub trait NodeFacilities: Send + Sync {
    /// The directories and the control group of the resource that a call is about.
    fn paths(&self, call: &DriverCall) -> capability::ResourcePaths;

    /// The site's policy for a driver, if there is one. The error says what is wrong with it.
    fn driver_policy(&self, driver: &DriverName) -> Result<Option<SitePolicy>, String>;

    /// What the namespace of an object allows.
    fn namespace_policy(&self, namespace: &str) -> Result<grant::Policy, String>;
}

/// What all drivers of a process share.
pub(super) struct DriverEnvironment {
    pub(super) sandbox: Sandbox,
    pub(super) host: Arc<capability::HostServices>,
    pub(super) node: Arc<dyn NodeFacilities>,
}
