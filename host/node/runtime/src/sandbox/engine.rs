//! The engine: one a process. All processes configure it alike, so that the compiled components in the cache fit all of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How many guests may run at the same time. More calls wait, as the allocator would refuse them.
const SLOTS: u32 = 64;

/// How many of them are for calls that others wait for, and that wait for none themselves.
const RESERVE: u32 = 16;

/// Which slots a call may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotLane {
    /// Those of most calls.
    Usual,
    /// Those of calls for an object that the calls of other objects wait for, each in a slot of its own. If they waited for the same
    /// slots, all could wait for each other.
    Below,
}

/// The address space of one linear memory. The limit of a call is lower, and checked by the store.
const RESERVATION: u64 = grant::SandboxLimits::MOST_MEMORY;

/// How many bytes of each memory and table stay allocated between calls.
const RESIDENT: usize = 128 << 10;

/// The period of the epoch: how often a running guest yields and its processor time is counted.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The settings of the compiler, for the names of compiled forms: an engine that only runs code does not know them.
pub(super) const COMPILER_SETTINGS: &str = "opt-level=speed unwind-info=no";

/// How many calls of drivers a process is going to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallVolume {
    /// A handful at most.
    Few,
    /// Any number.
    Many,
}

/// The engine, its slots, and the thread that makes its epoch tick while a guest runs.
pub(crate) struct SandboxEngine {
    inner: wasmtime::Engine,
    slots: Semaphore,
    reserve: Semaphore,
    running: Arc<AtomicUsize>,
    /// Dropped last, see there.
    ticker: EpochTicker,
}

/// The one thread that ticks: two would make budgets run out early. It is started with the first guest, and parked while none
/// runs.
#[derive(Default)]
struct EpochTicker(OnceLock<Thread>);

impl Drop for EpochTicker {
    fn drop(&mut self) {
        // What the thread watches is gone by now. A parked one is woken to see that, and exits.
        self.0.get().iter().for_each(|thread| thread.unpark());
    }
}

/// The right to run a guest. The epoch ticks while there is one.
pub(crate) struct EngineSlot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    running: Arc<AtomicUsize>,
}

impl Drop for EngineSlot<'_> {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl SandboxEngine {
    /// An engine with a pool of slots; without one if the address space has no room for it, or for few calls: to make the
    /// pool takes as long as to map the memories of ten calls.
    pub(crate) fn new(volume: CallVolume) -> wasmtime::Result<SandboxEngine> {
        // The pool reserves gigabytes of address space, which a limit on the process may forbid. Without it each call maps memory
        // of its own: slower, and no less safe.
        let pooled = match volume {
            CallVolume::Few => None,
            CallVolume::Many => wasmtime::Engine::new(configuration().allocation_strategy(pool())).ok(),
        };
        let inner = match pooled {
            Some(engine) => engine,
            None => wasmtime::Engine::new(&configuration())?,
        };
        Ok(SandboxEngine {
            inner,
            slots: Semaphore::new((SLOTS - RESERVE) as usize),
            reserve: Semaphore::new(RESERVE as usize),
            running: Arc::default(),
            ticker: EpochTicker::default(),
        })
    }

    /// An engine that compiles, and runs nothing.
    pub(crate) fn compiler() -> wasmtime::Result<wasmtime::Engine> {
        let mut config = configuration();
        config
            .enable_compiler(true)
            .cranelift_opt_level(OptLevel::Speed)
            // No panic passes through a guest: the engine catches it at the host function. So nothing would read these tables,
            // which are a tenth of the compiled form, and which a process has to register.
            .native_unwind_info(false);
        // No pool: this process runs no guest, and its address space is limited.
        wasmtime::Engine::new(&config)
    }

    pub(crate) fn get(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Waits for a slot, and makes the epoch tick as long as the slot is held.
    pub(crate) async fn slot(&self, lane: SlotLane) -> EngineSlot<'_> {
        let slots = match lane {
            SlotLane::Usual => &self.slots,
            SlotLane::Below => &self.reserve,
        };
        // The semaphore is never closed, so this always has a permit.
        let permit = slots.acquire().await.ok();
        if self.running.fetch_add(1, Ordering::AcqRel) == 0 {
            // A thread that has not seen the count and is about to park does not: it remembers that it was unparked.
            self.ticker.0.get_or_init(|| self.start_ticker()).unpark();
        }
        EngineSlot { _permit: permit, running: self.running.clone() }
    }

    /// Ticks from a thread of its own, which no guest can starve.
    fn start_ticker(&self) -> Thread {
        // Weak references, so that the thread does not keep a dropped engine alive.
        let (engine, running) = (self.inner.weak(), Arc::downgrade(&self.running));
        let tick = move || {
            let (engine, running) = (engine.upgrade()?, running.upgrade()?);
            engine.increment_epoch();
            Some(running.load(Ordering::Acquire))
        };
        thread::spawn(move || tick_on(tick)).thread().clone()
    }
}

/// Ticks until there is nothing to tick for. `tick` returns how many guests run.
fn tick_on(tick: impl Fn() -> Option<usize>) {
    loop {
        thread::sleep(TICK);
        match tick() {
            None => return,
            // Rather than to exit: calls follow each other, and to start a thread takes as long as one of them.
            Some(0) => thread::park(),
            Some(_) => {}
        }
    }
}

/// What engines that compile and engines that run have in common.
fn configuration() -> Config {
    let mut config = Config::new();
    config
        // Only the child process compiles. To set a compiler up takes as long as to load a driver.
        .enable_compiler(false)
        .wasm_component_model(true)
        // Cheaper than fuel, which counts instructions: a guest compares one number at each loop and call.
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        // A fiber's stack is shared by the guest and the host functions that it calls: what exceeds `max_wasm_stack` is theirs.
        .async_stack_size(1 << 20)
        .memory_reservation(RESERVATION)
        .memory_guard_size(64 << 10)
        // Nothing is set aside to move a memory to: none may outgrow its reservation.
        .memory_reservation_for_growth(0);
    config
}

/// A slot keeps its pages between calls, and zeroes those that were written: that is faster than to map new ones. Linux before 6.7
/// cannot tell which pages were written (PAGEMAP_SCAN), and zeroing all of them would be slower: there none are kept.
fn pool() -> InstanceAllocationStrategy {
    let sees_pages = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        // A component in Rust is one module and a few shims of the toolchain. The limits keep one from taking the pool of all.
        .total_core_instances(16 * SLOTS)
        .max_core_instances_per_component(16)
        .total_memories(2 * SLOTS)
        .max_memories_per_component(2)
        .total_tables(8 * SLOTS)
        .max_tables_per_component(8)
        .total_stacks(SLOTS)
        .max_memory_size(RESERVATION as usize)
        .table_keep_resident(RESIDENT)
        .linear_memory_keep_resident(if sees_pages { RESIDENT } else { 0 })
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_ticker_that_was_idle_ticks_again_and_exits_with_its_engine() {
        let running = Arc::new(AtomicUsize::new(0));
        let (watched, (seen, ticks)) = (Arc::downgrade(&running), mpsc::channel());
        let ticker = thread::spawn(move || {
            tick_on(|| {
                let count = watched.upgrade()?.load(Ordering::Acquire);
                seen.send(count).ok()?;
                Some(count)
            });
        });
        for _ in 0..3 {
            assert_eq!(ticks.recv().unwrap(), 0);
            running.store(1, Ordering::Release);
            ticker.thread().unpark();
            // A tick that was under way may still come with the old count, before the thread parks.
            assert!(ticks.iter().any(|count| count == 1));
            running.store(0, Ordering::Release);
            assert!(ticks.iter().any(|count| count == 0));
            ticker.thread().unpark();
        }
        drop(running);
        ticker.thread().unpark();
        ticker.join().unwrap();
    }
}
