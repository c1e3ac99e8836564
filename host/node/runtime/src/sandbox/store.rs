//! A fresh store for every call: the guest's memory, its limits, and the scope of what it may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bindings::driver::hostler::driver as wit;
use capability::{CallContext, OUTPUT_BUDGET};
use driver::DriverFault;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::engine::TICK;
use super::output::GuestOutput;

/// The limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Bytes of memory.
    pub memory: u64,
    /// Processor time.
    pub cpu: Duration,
    /// Wall-clock time, whatever the action allows.
    pub wall: Duration,
    /// Bytes of log lines, and as many on standard output and standard error.
    pub output: u64,
}

impl Default for CallLimits {
    fn default() -> CallLimits {
        CallLimits { memory: 32 << 20, cpu: Duration::from_secs(5), wall: Duration::MAX, output: OUTPUT_BUDGET }
    }
}

/// How many bytes the arguments of one host call may have. The longest legal argument is a file of 16 MiB.
const ARGUMENTS: usize = 32 << 20;

/// How many resources of WASI, such as timers, a guest may hold at the same time.
const HANDLES: usize = 1000;

/// How many random bytes a guest may ask for at once.
const RANDOM: u64 = 64 << 10;

/// The host's data of a store: what imports act on.
pub(crate) struct GuestState {
    pub(crate) scope: Arc<CallContext>,
    /// Made when the guest first asks for anything of it. Most guests never do, and to make it takes longer than their own work.
    wasi: Option<WasiCtx>,
    output: GuestOutput,
    table: ResourceTable,
    memory: MemoryLimit,
    ticks_left: u64,
}

/// A store, and what is still needed when the guest has been stopped.
pub(crate) struct CallStore {
    pub(crate) store: Store<GuestState>,
    pub(crate) output: GuestOutput,
    pub(crate) meter: UsageMeter,
}

impl GuestState {
    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

/// Tells why a guest was stopped.
#[derive(Clone)]
pub(crate) struct UsageMeter {
    limits: CallLimits,
    memory_wanted: Arc<AtomicU64>,
}

/// Raised in the guest when its processor time is used up.
#[derive(Debug, thiserror::Error)]
#[error("out of processor time")]
struct CpuExhaustion;

/// Raised in the guest when it asks for more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("out of memory")]
struct MemoryExhaustion;

/// A store for one call.
pub(crate) fn fresh(engine: &wasmtime::Engine, scope: Arc<CallContext>, limits: CallLimits) -> CallStore {
    let output = GuestOutput::new(limits.output);
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let memory_wanted = Arc::new(AtomicU64::new(0));
    let state = GuestState {
        scope,
        wasi: None,
        output: output.clone(),
        table,
        memory: MemoryLimit { limit: limits.memory, used: 0, wanted: memory_wanted.clone() },
        ticks_left: (limits.cpu.as_millis() / TICK.as_millis()).try_into().unwrap_or(u64::MAX),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(ARGUMENTS);
    store.set_max_component_handles(HANDLES);
    // One tick ahead each time, so that the guest yields at every tick that it runs through.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        // Once for each check that finds the deadline passed, not for each tick: a long wait in a host call costs one.
        state.ticks_left = state.ticks_left.checked_sub(1).ok_or(CpuExhaustion)?;
        // Not a plain `Yield`: that wakes the task at the front of tokio's queue, and starves its timers.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    CallStore { store, output, meter: UsageMeter { limits, memory_wanted } }
}

impl UsageMeter {
    /// The fault that stopped the guest, from the error that it raised.
    pub(crate) fn fault(&self, error: &wasmtime::Error) -> DriverFault {
        if error.downcast_ref::<CpuExhaustion>().is_some() {
            return DriverFault::Cpu(self.limits.cpu);
        }
        if error.downcast_ref::<MemoryExhaustion>().is_some() || self.memory_wanted.load(Ordering::Acquire) > 0 {
            return DriverFault::Memory(self.limits.memory);
        }
        match error.downcast_ref::<Trap>() {
            // Rust's shadow stack grows downwards from the start of memory: one that overruns accesses memory below zero.
            Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => DriverFault::Stack,
            Some(Trap::Interrupt) => DriverFault::Cpu(self.limits.cpu),
            Some(trap) => DriverFault::Trap(format!("{trap} (om --debug shows its stack)")),
            // Raised by the host, for example by an import. The outer errors say only where the guest was at the time.
            None => DriverFault::Trap(error.root_cause().to_string()),
        }
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let GuestState { wasi, output, table, .. } = self;
        WasiCtxView { ctx: wasi.get_or_insert_with(|| empty_wasi(output)), table }
    }
}

/// WASI is there because std needs it, but empty: no files, no sockets, no environment, no arguments.
fn empty_wasi(output: &GuestOutput) -> WasiCtx {
    WasiCtxBuilder::new().stdout(output.clone()).stderr(output.clone()).max_random_size(RANDOM).build()
}

impl wit::types::Host for GuestState {}

struct MemoryLimit {
    limit: u64,
    /// Used by all memories of the component together.
    used: u64,
    wanted: Arc<AtomicU64>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limit {
            self.wanted.store(wanted, Ordering::Release);
            // Not `Ok(false)`: Rust aborts when an allocation fails, and that would look like a crash of the driver.
            return Err(MemoryExhaustion.into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // As many entries as a slot of the pool has. Without the pool, this is the only bound.
        Ok(desired <= 20_000)
    }
}
