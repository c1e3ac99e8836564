//! What all components of a process share: one engine, one cache of compiled components.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wasmtime::component::{Component, InstancePre};

use super::cache::{ComponentCache, LoadError};
use super::engine::{CallVolume, SandboxEngine};
use super::interfaces;
use super::stopwatch::Stopwatch;
use super::store::GuestState;

/// Compiles, links and calls components.
pub(crate) struct Sandbox {
    pub(super) engine: SandboxEngine,
    pub(super) stopwatch: Stopwatch,
    cache: ComponentCache,
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
        })
    }

    /// A component, ready to be instantiated, under the digest that it was checked to have. Compiles it unless the cache has
    /// it; blocks meanwhile.
    pub(crate) fn link(&self, hex: &str, bytes: &[u8]) -> Result<InstancePre<GuestState>, LoadError> {
        linked(&self.cache.load(self.engine.get(), hex, bytes)?)
    }

    /// The same of an installed file, which must have this digest.
    pub(crate) fn link_file(
        &self,
        hex: &str,
        path: &Path,
        expected: &str,
    ) -> Result<InstancePre<GuestState>, LoadError> {
        linked(&self.cache.load_file(self.engine.get(), hex, path, expected)?)
    }

    /// Keeps the compiled forms of these digests alone.
    pub(crate) fn prune(&self, kept: &dyn Fn(&str) -> bool) {
        self.cache.prune(kept);
    }

    /// How long at least one component was running so far.
    pub(crate) fn time_in_guests(&self) -> Duration {
        self.stopwatch.elapsed()
    }
}

fn linked(component: &Component) -> Result<InstancePre<GuestState>, LoadError> {
    let linker = interfaces::linker(component).map_err(LoadError::contract)?;
    linker.instantiate_pre(component).map_err(LoadError::contract)
}
