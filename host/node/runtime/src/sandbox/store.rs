//! A fresh store for every call: the driver's memory, its limits, and what it is allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bindings::driver::hostler::driver as wit;
use capability::{CallContext, OUTPUT_BUDGET};
use driver::Fault;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::engine::TICK;
use super::output::Output;

/// What a call may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// Time on a processor.
    pub cpu: Duration,
    /// Time on the wall, whatever the action allows.
    pub wall: Duration,
    /// Bytes of log lines, and as many on standard output and standard error.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: 32 << 20, cpu: Duration::from_secs(5), wall: Duration::MAX, output: OUTPUT_BUDGET }
    }
}

/// What a guest can make the host hold: bytes in the arguments of one call, where the longest legal one is a file of 16 MiB.
const ARGUMENTS: usize = 32 << 20;

/// And things of WASI, such as timers, at the same time.
const HANDLES: usize = 1000;

/// And random bytes at once.
const RANDOM: u64 = 64 << 10;

/// The data of a store.
pub(crate) struct State {
    pub(crate) scope: Arc<CallContext>,
    wasi: WasiCtx,
    table: ResourceTable,
    memory: MemoryLimit,
    ticks_left: u64,
}

/// A store, and what outlives it.
pub(crate) struct Fresh {
    pub(crate) store: Store<State>,
    pub(crate) output: Output,
    pub(crate) meter: Meter,
}

/// What is known of a call that was cut short.
#[derive(Clone)]
pub(crate) struct Meter {
    limits: Limits,
    memory_wanted: Arc<AtomicU64>,
}

/// Raised in the guest when its processor time is used up.
#[derive(Debug, thiserror::Error)]
#[error("out of processor time")]
struct CpuSpent;

/// Raised in the guest when it asks for more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("out of memory")]
struct MemorySpent;

/// A store for one call.
pub(crate) fn fresh(engine: &wasmtime::Engine, scope: Arc<CallContext>, limits: Limits) -> Fresh {
    // Nothing of the host: no files, no sockets, no environment, no arguments. What std cannot do without is there.
    let output = Output::new(limits.output);
    let wasi = WasiCtxBuilder::new().stdout(output.clone()).stderr(output.clone()).max_random_size(RANDOM).build();
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let memory_wanted = Arc::new(AtomicU64::new(0));
    let state = State {
        scope,
        wasi,
        table,
        memory: MemoryLimit { limit: limits.memory, used: 0, wanted: memory_wanted.clone() },
        ticks_left: (limits.cpu.as_millis() / TICK.as_millis()).try_into().unwrap_or(u64::MAX),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(ARGUMENTS);
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        state.ticks_left = state.ticks_left.checked_sub(1).ok_or(CpuSpent)?;
        // A plain yield goes to the front of tokio's queue and starves its timers.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    Fresh { store, output, meter: Meter { limits, memory_wanted } }
}

impl Meter {
    /// What put an end to the call.
    pub(crate) fn fault(&self, error: &wasmtime::Error) -> Fault {
        if error.downcast_ref::<CpuSpent>().is_some() {
            return Fault::Cpu(self.limits.cpu);
        }
        if error.downcast_ref::<MemorySpent>().is_some() || self.memory_wanted.load(Ordering::Acquire) > 0 {
            return Fault::Memory(self.limits.memory);
        }
        match error.downcast_ref::<Trap>() {
            // A shadow stack that is overrun leaves the memory at its lower end.
            Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => Fault::Stack,
            Some(Trap::Interrupt) => Fault::Cpu(self.limits.cpu),
            Some(trap) => Fault::Trap(trap.to_string()),
            None => Fault::Trap(error.root_cause().to_string()),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wit::types::Host for State {}

struct MemoryLimit {
    limit: u64,
    /// By all memories of the component together.
    used: u64,
    wanted: Arc<AtomicU64>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limit {
            self.wanted.store(wanted, Ordering::Release);
            return Err(MemorySpent.into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 20_000)
    }
}
