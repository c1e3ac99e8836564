//! The engine: one a process, one configuration for all, so that the compiled drivers in the cache fit every one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How many calls of drivers may run at the same time. More wait: the allocator would refuse them.
const SLOTS: u32 = 64;

/// Address space of one linear memory. The limit of a call is lower and its own.
const RESERVATION: u64 = 64 << 20;

/// Bytes of each memory and each table that stay the process's own between calls.
const RESIDENT: usize = 128 << 10;

/// How often a running guest is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The engine, and what keeps order in front of it.
pub(crate) struct Engine {
    inner: wasmtime::Engine,
    slots: Semaphore,
    running: Arc<AtomicUsize>,
    ticking: Arc<AtomicBool>,
}

/// A call that runs. While there is one, the epoch ticks.
pub(crate) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    running: Arc<AtomicUsize>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Engine {
    /// With a pool of slots where the address space has room for it, without one where it has not.
    pub(crate) fn new() -> wasmtime::Result<Engine> {
        let inner = match wasmtime::Engine::new(configuration().allocation_strategy(pool())) {
            Ok(engine) => engine,
            Err(_) => wasmtime::Engine::new(&configuration())?,
        };
        Ok(Engine { inner, slots: Semaphore::new(SLOTS as usize), running: Arc::default(), ticking: Arc::default() })
    }

    /// An engine that compiles and runs nothing.
    pub(crate) fn compiler() -> wasmtime::Result<wasmtime::Engine> {
        wasmtime::Engine::new(&configuration())
    }

    pub(crate) fn get(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Waits for a slot, and makes the epoch tick as long as the slot is held.
    pub(crate) async fn slot(&self) -> Slot<'_> {
        let permit = self.slots.acquire().await.ok();
        self.running.fetch_add(1, Ordering::AcqRel);
        if !self.ticking.swap(true, Ordering::AcqRel) {
            self.tick();
        }
        Slot { _permit: permit, running: self.running.clone() }
    }

    /// Ticks from a thread of its own, which no guest can starve, until nothing runs. Never from two: budgets would run out
    /// early.
    fn tick(&self) {
        let (engine, running, ticking) = (self.inner.weak(), self.running.clone(), self.ticking.clone());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                if running.load(Ordering::Acquire) > 0 {
                    continue;
                }
                ticking.store(false, Ordering::Release);
                // A call that began just now has seen a ticker that was about to leave.
                if running.load(Ordering::Acquire) == 0 || ticking.swap(true, Ordering::AcqRel) {
                    return;
                }
            }
        });
    }
}

fn configuration() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .memory_reservation(RESERVATION)
        .memory_guard_size(64 << 10)
        .memory_reservation_for_growth(0)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// A slot keeps its pages between calls, emptied: to get fresh ones takes longer. Not so where Linux, before 6.7, cannot tell
/// which pages a call has written: there all of them would have to be emptied.
fn pool() -> InstanceAllocationStrategy {
    let sees_pages = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        // A component in Rust is one module and a few shims of the toolchain's. None may take what belongs to the others.
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
