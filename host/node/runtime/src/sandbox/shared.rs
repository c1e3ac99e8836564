//! What all components of a process share: one engine, one cache of compiled components, one linker.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use bindings::driver::Driver as World;
use wasmtime::component::{HasSelf, InstancePre, Linker};

use super::cache::{ComponentCache, LoadError};
use super::engine::{CallVolume, SandboxEngine};
use super::stopwatch::Stopwatch;
use super::store::GuestState;

/// Compiles, links and calls components.
pub(crate) struct Sandbox {
    pub(super) engine: SandboxEngine,
    pub(super) stopwatch: Stopwatch,
    cache: ComponentCache,
    linker: OnceLock<Result<Linker<GuestState>, String>>,
}

/// The engine does not start on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine does not start")]
pub struct WasmEngineError(#[source] wasmtime::Error);

impl Sandbox {
    /// A sandbox that keeps compiled components in the directory `cache`. `compiler` is the program that compiles them.
    pub(crate) fn new(cache: PathBuf, compiler: PathBuf, volume: CallVolume) -> Result<Sandbox, WasmEngineError> {
        Ok(Sandbox {
            engine: SandboxEngine::new(volume).map_err(WasmEngineError)?,
            stopwatch: Stopwatch::default(),
            cache: ComponentCache::new(cache, compiler),
            linker: OnceLock::new(),
        })
    }

    /// A component, ready to be instantiated, under the digest that it was checked to have. Compiles it unless the cache has
    /// it; blocks meanwhile.
    pub(crate) fn link(&self, hex: &str, bytes: &[u8]) -> Result<InstancePre<GuestState>, LoadError> {
        let engine = self.engine.get();
        let component = self.cache.load(engine, hex, bytes)?;
        // At the first load: a command that loads no driver does not wait for it. An error is kept as text, because it is given
        // to every later load and cannot be cloned.
        let linker = self.linker.get_or_init(|| linker(engine).map_err(|error| error.to_string()));
        let linker = linker.as_ref().map_err(|error| LoadError::Contract(error.clone()))?;
        linker.instantiate_pre(&component).map_err(LoadError::contract)
    }

    /// How long at least one component was running so far.
    pub(crate) fn time_in_guests(&self) -> Duration {
        self.stopwatch.elapsed()
    }
}

/// Everything that a component may import. An import that it has no grant for is there too, and answers `denied`.
fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    World::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    Ok(linker)
}
