//! The runtime: what all drivers of a process share, and how a driver is loaded.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bindings::driver::{Driver as World, DriverIndices};
use driver::{Call, Driver, Manifest};
use grant::{Digest, Request, SitePolicy, Trust};
use model::DriverName;
use wasmtime::component::{HasSelf, InstancePre, Linker};

use crate::cache::{self, Cache, LoadError};
use crate::engine::Engine;
use crate::sandboxed::Sandboxed;
use crate::stopwatch::Stopwatch;
use crate::store::{Limits, State};

/// What the runtime needs to know of the node: its directories, and the policies of its site.
pub trait NodeFacilities: Send + Sync {
    /// The folders and the control group of the resource that a call is about.
    fn paths(&self, call: &Call) -> capability::Paths;

    /// What the site says of a driver. None where it says nothing. The error says what is wrong with it.
    fn driver_policy(&self, driver: &DriverName) -> Result<Option<SitePolicy>, String>;

    /// What the namespace of an object allows.
    fn namespace_policy(&self, namespace: &str) -> Result<grant::Policy, String>;
}

/// Where a driver's component is.
#[derive(Debug, Clone)]
pub enum Code {
    /// In the agent itself.
    Builtin(&'static [u8]),
    /// In a file that the site installed.
    File(PathBuf),
}

/// A driver to load.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it says of itself.
    pub manifest: Manifest,
    /// `sha256:` and the digest of its component.
    pub digest: String,
    /// Its component.
    pub code: Code,
}

/// Runs drivers.
pub struct Runtime {
    shared: Arc<Shared>,
    cache: Cache,
    linker: OnceLock<Result<Linker<State>, String>>,
}

/// What all drivers share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) host: Arc<capability::Host>,
    pub(crate) node: Arc<dyn NodeFacilities>,
    pub(crate) stopwatch: Stopwatch,
}

/// The engine does not start on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine does not start")]
pub struct NoEngine(#[source] wasmtime::Error);

/// Why it cannot be told what a driver may do.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// The driver does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its requests do not fit the resource.
    #[error(transparent)]
    Bind(#[from] driver::ActionError),
}

impl Runtime {
    /// A runtime that keeps compiled drivers in `cache`. `compiler` is the program that compiles them when it is called with
    /// [`crate::COMPILE_VERB`], mostly this very one.
    pub fn new(
        cache: PathBuf,
        compiler: PathBuf,
        host: Arc<capability::Host>,
        node: Arc<dyn NodeFacilities>,
    ) -> Result<Runtime, NoEngine> {
        let engine = Engine::new().map_err(NoEngine)?;
        Ok(Runtime {
            shared: Arc::new(Shared { engine, host, node, stopwatch: Stopwatch::default() }),
            cache: Cache::new(cache, compiler),
            linker: OnceLock::new(),
        })
    }

    /// Loads a driver: compiles it if nobody has yet, links it, reads its policy. Takes milliseconds, or on a cold cache a
    /// fraction of a second; blocks.
    pub fn load(&self, source: Source) -> Result<Arc<dyn Driver>, LoadError> {
        Ok(Arc::new(self.sandboxed(source)?))
    }

    fn sandboxed(&self, source: Source) -> Result<Sandboxed, LoadError> {
        let trust = match source.code {
            Code::Builtin(_) => Trust::BuiltIn,
            Code::File(_) => Trust::ThirdParty,
        };
        let (policy, limits) = self.policy(&source, trust)?;
        let requests = requests(&source.manifest)?;
        let (pre, exports) = self.link_source(&source)?;
        Ok(Sandboxed {
            trust,
            manifest: source.manifest,
            digest: source.digest,
            requests,
            policy,
            limits,
            pre,
            exports,
            shared: self.shared.clone(),
        })
    }

    /// What a driver may do in a call, bound to its resource: for people who want to know beforehand.
    pub fn grants(&self, source: Source, call: &Call) -> Result<grant::Grants, GrantsError> {
        let sandboxed = self.sandboxed(source)?;
        Ok(sandboxed.grants(call, &self.shared.node.paths(call))?)
    }

    /// Compiles a driver into the cache, so that nobody waits for it later.
    pub fn warm(&self, source: &Source) -> Result<(), LoadError> {
        self.link_source(source).map(|_| ())
    }

    fn link_source(&self, source: &Source) -> Result<(InstancePre<State>, DriverIndices), LoadError> {
        let hex = source.digest.strip_prefix("sha256:").unwrap_or(&source.digest);
        match &source.code {
            Code::Builtin(bytes) => self.link(hex, bytes),
            Code::File(path) => self.link(hex, &cache::read(path, &source.digest)?),
        }
    }

    /// A component, ready to be instantiated, under the digest that it was checked to have.
    pub(crate) fn link(&self, hex: &str, bytes: &[u8]) -> Result<(InstancePre<State>, DriverIndices), LoadError> {
        let engine = self.shared.engine.get();
        let component = self.cache.load(engine, hex, bytes)?;
        let linker = self.linker.get_or_init(|| linker(engine).map_err(|error| error.to_string()));
        let linker = linker.as_ref().map_err(|error| LoadError::Contract(error.clone()))?;
        let contract = |error: wasmtime::Error| LoadError::Contract(format!("{error:#}"));
        let pre = linker.instantiate_pre(&component).map_err(contract)?;
        let exports = DriverIndices::new(&pre).map_err(contract)?;
        Ok((pre, exports))
    }

    /// How long at least one driver was at work so far.
    pub fn time_in_drivers(&self) -> Duration {
        self.shared.stopwatch.elapsed()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn policy(&self, source: &Source, trust: Trust) -> Result<(grant::Policy, Limits), LoadError> {
        let name = &source.manifest.name;
        let file = self.shared.node.driver_policy(name).map_err(LoadError::Refused)?;
        let digest: Digest = source.digest.parse().map_err(|error| LoadError::Refused(format!("{error}")))?;
        let limits = file.as_ref().map(|file| file.limits).unwrap_or_default();
        let default = Limits::default();
        let limits = Limits {
            memory: limits.memory.unwrap_or(default.memory),
            cpu: limits.cpu.unwrap_or(default.cpu),
            wall: limits.wall.unwrap_or(default.wall),
            output: limits.output.unwrap_or(default.output),
        };
        Ok((SitePolicy::resolve(file, trust, &digest), limits))
    }
}

/// What the driver asks for.
fn requests(manifest: &Manifest) -> Result<Vec<Request>, LoadError> {
    let mut requests = Vec::with_capacity(manifest.grants.len());
    for line in &manifest.grants {
        let request = Request::parse(line).map_err(LoadError::Grant)?;
        let known = |name: &String| manifest.keywords.iter().any(|keyword| keyword.name == *name);
        if let Some(keyword) = request.keywords().into_iter().find(|name| !known(name)) {
            return Err(LoadError::Keyword { line: line.clone(), keyword });
        }
        requests.push(request);
    }
    Ok(requests)
}

/// Everything that a driver may import. What it has no grant for is there too, and denies.
fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}
