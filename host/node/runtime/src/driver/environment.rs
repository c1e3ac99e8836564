//! What all drivers of a process share, and what they need to know of the node.

use std::sync::Arc;
use std::time::Duration;

use driver::{ActionError, DriverCall, Verb};
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

    /// The file of that policy, for messages.
    fn namespace_policy_file(&self, namespace: &str) -> String {
        format!("etc/namespaces/{namespace}/policy")
    }

    /// A driver was called, for those who watch. It must not wait.
    fn called(&self, note: &DriverCallNote<'_>) {
        // Few watch: a node without a daemon has none.
        let _ = note;
    }
}

/// What a call of a driver came to.
#[derive(Debug)]
pub struct DriverCallNote<'a> {
    pub call: &'a DriverCall,
    pub verb: Verb,
    pub end: Result<(), &'a ActionError>,
    /// Whether the call changed anything: `yes`, `no` or `unknown`.
    pub changed: &'static str,
    pub took: Duration,
}

/// What all drivers of a process share.
pub(super) struct DriverEnvironment {
    pub(super) sandbox: Sandbox,
    pub(super) host: Arc<capability::HostServices>,
    pub(super) node: Arc<dyn NodeFacilities>,
}
