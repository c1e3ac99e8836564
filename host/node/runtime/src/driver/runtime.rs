//! The runtime: loads a driver from its source, with the policy of its site.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bindings::driver::DriverIndices;
use driver::{Driver, DriverCall, Manifest};
use grant::{ComponentDigest, DriverTrust, GrantRequest, SitePolicy};
use wasmtime::component::InstancePre;

use super::environment::{DriverEnvironment, NodeFacilities};
use super::sandboxed::SandboxedDriver;
use crate::sandbox::{CallLimits, CallVolume, GuestState, LoadError, Sandbox, WasmEngineError};

/// Where a driver's component is.
#[derive(Debug, Clone)]
pub enum ComponentCode {
    /// In the agent itself.
    Builtin(&'static [u8]),
    /// In a file that was installed on this site.
    File(PathBuf),
}

/// A driver to load.
#[derive(Debug, Clone)]
pub struct DriverSource {
    /// The driver's manifest.
    pub manifest: Manifest,
    /// `sha256:` and the digest of its component.
    pub digest: String,
    /// Where its component is.
    pub code: ComponentCode,
}

/// Loads drivers, for one agent.
pub struct Runtime {
    environment: Arc<DriverEnvironment>,
}

/// Why the grants of a driver cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// The driver does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its requests cannot be bound to the resource.
    #[error(transparent)]
    Bind(#[from] driver::ActionError),
}

impl Runtime {
    /// A runtime that keeps compiled drivers in the directory `cache`. `compiler` is the program that compiles them when it is
    /// called with [`crate::COMPILE_VERB`]: usually the running program itself.
    pub fn new(
        cache: PathBuf,
        compiler: PathBuf,
        volume: CallVolume,
        host: Arc<capability::HostServices>,
        node: Arc<dyn NodeFacilities>,
    ) -> Result<Runtime, WasmEngineError> {
        let sandbox = Sandbox::new(cache, compiler, volume)?;
        Ok(Runtime { environment: Arc::new(DriverEnvironment { sandbox, host, node }) })
    }

    /// Loads a driver: compiles it unless the cache has it, links it, reads its policy. Blocks: milliseconds, or on a cold cache a
    /// fraction of a second.
    pub fn load(&self, source: DriverSource) -> Result<Arc<dyn Driver>, LoadError> {
        Ok(Arc::new(self.sandboxed(source)?))
    }

    fn sandboxed(&self, source: DriverSource) -> Result<SandboxedDriver, LoadError> {
        let trust = match source.code {
            ComponentCode::Builtin(_) => DriverTrust::BuiltIn,
            ComponentCode::File(_) => DriverTrust::ThirdParty,
        };
        // Before the component is linked: a driver that is refused need not be compiled.
        let (policy, limits) = self.policy(&source, trust)?;
        let requests = requests(&source.manifest)?;
        let (component, exports) = self.link(&source)?;
        Ok(SandboxedDriver {
            trust,
            // By the requests, as a driver that has none about the directory cannot use it: for
            // most of them it need not be made.
            keeps_files: source.manifest.grants.iter().any(|line| line.contains("{statedir}")),
            manifest: source.manifest,
            digest: source.digest.into(),
            requests: requests.into(),
            policy,
            limits,
            component,
            exports,
            environment: self.environment.clone(),
        })
    }

    /// What a driver may do in a call, bound to its resource, for an operator who inspects it.
    pub fn grants(&self, source: DriverSource, call: &DriverCall) -> Result<grant::Grants, GrantsError> {
        let sandboxed = self.sandboxed(source)?;
        Ok(sandboxed.grants(call, &self.environment.node.paths(call))?)
    }

    /// Compiles a driver into the cache, so that no action waits for that later.
    pub fn warm(&self, source: &DriverSource) -> Result<(), LoadError> {
        self.link(source).map(drop)
    }

    fn link(&self, source: &DriverSource) -> Result<(InstancePre<GuestState>, DriverIndices), LoadError> {
        let hex = source.digest.strip_prefix("sha256:").unwrap_or(&source.digest);
        let sandbox = &self.environment.sandbox;
        let component = match &source.code {
            ComponentCode::Builtin(bytes) => sandbox.link(hex, bytes),
            ComponentCode::File(path) => sandbox.link_file(hex, path, &source.digest),
        }?;
        let exports = DriverIndices::new(&component).map_err(LoadError::contract)?;
        Ok((component, exports))
    }

    /// Keeps compiled forms of the drivers with these digests, and no others.
    pub fn prune(&self, digests: &BTreeSet<String>) {
        self.environment.sandbox.prune(&|hex| digests.contains(&format!("sha256:{hex}")));
    }

    /// Asks a component for its manifest by `describe`. Compiles it first, and blocks meanwhile.
    pub async fn describe(&self, component: &[u8]) -> Result<String, LoadError> {
        self.environment.sandbox.describe(component, &self.environment.host).await
    }

    /// How long at least one driver was running so far.
    pub fn time_in_drivers(&self) -> Duration {
        self.environment.sandbox.time_in_guests()
    }

    fn policy(&self, source: &DriverSource, trust: DriverTrust) -> Result<(grant::Policy, CallLimits), LoadError> {
        let name = &source.manifest.name;
        let file = self.environment.node.driver_policy(name).map_err(LoadError::Refused)?;
        let digest: ComponentDigest = source.digest.parse().map_err(|error| LoadError::Refused(format!("{error}")))?;
        let limits = file.as_ref().map(|file| file.limits).unwrap_or_default();
        let default = CallLimits::default();
        let limits = CallLimits {
            memory: limits.memory.unwrap_or(default.memory),
            cpu: limits.cpu.unwrap_or(default.cpu),
            wall: limits.wall.unwrap_or(default.wall),
            output: limits.output.unwrap_or(default.output),
        };
        Ok((SitePolicy::resolve(file, trust, &digest), limits))
    }
}

/// The grants that the driver requests. A line with an unknown keyword is refused: it would never be granted.
fn requests(manifest: &Manifest) -> Result<Vec<GrantRequest>, LoadError> {
    let mut requests = Vec::with_capacity(manifest.grants.len());
    for line in &manifest.grants {
        let request = GrantRequest::parse(line).map_err(LoadError::Grant)?;
        let known = |name: &String| manifest.keywords.iter().any(|keyword| keyword.name == *name);
        if let Some(keyword) = request.keywords().into_iter().find(|name| !known(name)) {
            return Err(LoadError::Keyword { line: line.clone(), keyword });
        }
        requests.push(request);
    }
    Ok(requests)
}
