//! What a driver may do for one resource, as of now: the requests of its manifest, bound to the resource's keywords, and what
//! the policies of the site and of the namespace leave of them. Nothing is touched to find out.

use capability::Subject;
use driver::Call;
use grant::EffectiveGrant;
use model::{DriverName, ObjectPath, Rid};
use runtime::GrantsError;

use super::AvailableDriver;
use crate::Directories;
use crate::agent::{Agent, source};
use crate::file::blocking::blocking;
use crate::instance::{ActionSession, Instance};
use crate::node::paths::control_group;
use crate::object::{NoResource, NoUsableConfiguration, ObjectError};
use crate::snapshot::Snapshot;

/// What a driver may do for one resource.
#[derive(Debug)]
pub struct EffectiveGrants {
    /// The resource's driver.
    pub driver: DriverName,
    /// In the order of the manifest.
    pub lines: Vec<EffectiveGrant>,
    /// What the guard of a container engine's socket lets through, a sentence each, or why it lets nothing through. None where
    /// no line has a guard.
    pub guarded: Option<Result<Vec<String>, String>>,
    /// What a keyword speaks of that does not exist now: requests that hold it are missing above.
    pub unresolved: Option<String>,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum EffectiveGrantsError {
    /// There is no such object, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no such resource.
    #[error(transparent)]
    NoResource(#[from] NoResource),
    /// The driver is not at hand.
    #[error("{0} is not installed here")]
    NoDriver(DriverName),
    /// Nothing can be run on this machine.
    #[error("{0}")]
    Runtime(String),
    /// The driver does not load, or its requests do not fit the resource.
    #[error("cannot tell what {driver} may do for {rid}")]
    Grants {
        /// The driver.
        driver: DriverName,
        /// The resource.
        rid: Rid,
        /// Why.
        #[source]
        source: GrantsError,
    },
}

/// What holds drivers to their grants on this machine. Only what was found to work is listed.
pub fn enforced_by(home: &Directories) -> Vec<&'static str> {
    let always = ["wasm sandbox", "grants", "audit", "capability bounds and no new privileges for programs"];
    let groups = control_group(home).map(|_| "control groups");
    always.into_iter().chain(groups).collect()
}

impl Agent {
    /// What the driver of a resource may do for it.
    pub async fn effective(&self, path: &ObjectPath, rid: &Rid) -> Result<EffectiveGrants, EffectiveGrantsError> {
        let snapshot = Snapshot::take(self, path).await?;
        let object = snapshot.object()?;
        let resource = object.resource(rid).ok_or_else(|| NoResource(path.clone(), rid.clone()))?;
        let driver = resource.driver.clone();
        let known = snapshot.available.get(&driver).ok_or_else(|| EffectiveGrantsError::NoDriver(driver.clone()))?;
        let instance = Instance::new(self, object, &snapshot);
        let (call, unresolved) = instance.call_now(&ActionSession::default(), resource).await;
        let grants = self.grants(known, &call).await.map_err(EffectiveGrantsError::Runtime)?;
        let failed = |source| EffectiveGrantsError::Grants { driver: driver.clone(), rid: rid.clone(), source };
        let grants = grants.map_err(failed)?;
        let lines = grants.lines();
        let guarded = lines.iter().any(|line| line.guard.is_some());
        let guarded = guarded.then(|| capability::guarded(&Subject::from(&call), &call.keywords, &grants));
        Ok(EffectiveGrants { lines, guarded, driver, unresolved })
    }

    /// What a driver may do in a call. The outer error says that this machine cannot run drivers.
    pub(crate) async fn grants(
        &self,
        known: &AvailableDriver,
        call: &Call,
    ) -> Result<Result<grant::Grants, GrantsError>, String> {
        let (agent, source, call) = (self.clone(), source(known), call.clone());
        blocking(move || {
            let runtime = agent.runtime().map_err(str::to_owned)?;
            Ok(runtime.grants(source, &call))
        })
        .await
    }
}
