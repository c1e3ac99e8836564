//! The effective grants of a driver for one resource, as of now: the requests of its manifest, bound to the resource's keywords,
//! less what the policies of the site and of the namespace take away. To find out changes nothing.

use capability::Subject;
use driver::DriverCall;
use grant::EffectiveGrant;
use model::{DriverName, ObjectPath, Rid};
use runtime::GrantsError;

use super::AvailableDriver;
use crate::Directories;
use crate::agent::{Agent, source};
use crate::instance::{ActionSession, Instance};
use crate::node::paths::control_group;
use crate::object::{NoResource, NoUsableConfiguration, ObjectError};
use crate::snapshot::Snapshot;
use exec::blocking;

/// The effective grants of a driver for one resource.
#[derive(Debug)]
pub struct EffectiveGrants {
    /// The resource's driver.
    pub driver: DriverName,
    /// The grants, in the order of the manifest.
    pub lines: Vec<EffectiveGrant>,
    /// One sentence for each kind of request that the guard of a container engine forwards, or why it forwards none. None if no
    /// grant has a guard.
    pub guarded: Option<Result<Vec<String>, String>>,
    /// The keywords that the driver's requests name, with what they hold and whose word that is.
    pub keywords: Vec<String>,
    /// What must not be shown of all that.
    pub secrets: Vec<String>,
    /// What a keyword names and does not exist now. Grants that need the keyword are missing from the list.
    pub unresolved: Option<String>,
}

/// Why the effective grants are unknown.
#[derive(Debug, thiserror::Error)]
pub enum EffectiveGrantsError {
    /// The object does not exist, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no such resource.
    #[error(transparent)]
    NoResource(#[from] NoResource),
    /// The driver is not installed.
    #[error("{0} is not installed here")]
    NoDriver(DriverName),
    /// The sandbox does not start on this machine.
    #[error("{0}")]
    Runtime(String),
    /// The driver does not load, or its requests do not fit the resource.
    #[error("cannot determine what {driver} may do for {rid}")]
    Grants {
        driver: DriverName,
        /// The resource.
        rid: Rid,
        #[source]
        source: GrantsError,
    },
}

/// The mechanisms that hold drivers to their grants on this machine. Only those that were found to work are listed.
pub fn enforced_by(home: &Directories) -> Vec<String> {
    let always = ["wasm sandbox", "grants", "audit", "capability bounds and no new privileges for programs"];
    let files = match kernel::process::landlock_version() {
        Some(version) => format!("Landlock {version} for the files of confined programs"),
        None => "not here: Landlock, so only users and modes keep programs from files".to_owned(),
    };
    let groups = control_group(home).map(|_| "control groups".to_owned());
    always.into_iter().map(str::to_owned).chain(groups).chain([files]).collect()
}

/// `own = /srv/web (line 5 of the configuration)`, for each keyword that a request names.
fn named_keywords(requests: &[String], call: &DriverCall) -> Vec<String> {
    let requests = requests.iter().filter_map(|line| line.parse::<grant::GrantRequest>().ok());
    let named: std::collections::BTreeSet<String> = requests.flat_map(|request| request.keywords()).collect();
    let keywords = call.keywords.iter().filter(|keyword| named.contains(&keyword.name) || keyword.store.is_some());
    let shown = |keyword: &driver::KeywordValue| match keyword.secret {
        true => "***".to_owned(),
        false => crate::log::hide_secret_values(&keyword.values.join(" ")),
    };
    keywords.map(|keyword| format!("{} = {} ({})", keyword.name, shown(keyword), keyword.provenance)).collect()
}

impl Agent {
    /// The effective grants of a resource's driver.
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
        // The guard reads requests to container engines; its sentences would mean nothing for other grants.
        let guarded = lines.iter().any(|line| line.guard.is_some());
        let guarded = guarded.then(|| capability::guarded(&Subject::from(&call), &call.keywords, &grants));
        let keywords = named_keywords(&known.manifest.grants, &call);
        // A grant may name a secret keyword.
        let of_keywords = call.keywords.iter().filter(|keyword| keyword.secret).flat_map(|keyword| &keyword.values);
        let secrets = call.secrets.iter().chain(of_keywords).cloned().collect();
        Ok(EffectiveGrants { lines, guarded, driver, keywords, unresolved, secrets })
    }

    /// The grants of a driver for one call. The outer error says that this machine cannot run drivers.
    pub(crate) async fn grants(
        &self,
        known: &AvailableDriver,
        call: &DriverCall,
    ) -> Result<Result<grant::Grants, GrantsError>, String> {
        let (agent, source, call) = (self.clone(), source(known), call.clone());
        blocking(move || {
            let runtime = agent.runtime().map_err(str::to_owned)?;
            Ok(runtime.grants(source, &call))
        })
        .await
    }
}
