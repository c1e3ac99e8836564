//! The in-memory host: a test creates it, a driver changes it, and the test inspects it.

use std::cell::RefCell;
use std::rc::Rc;

use super::grants::DriverGrants;
use super::ledger::FakeHolding;
use super::world::{CapabilityCall, FileNode, HostState, InjectedFailure};
use crate::bindings::hostler::driver::types::CapabilityError as Refusal;
use crate::files::FileKind;
use crate::{CapabilityError, Context};

/// The number of bytes of one MiB.
pub const MIB: u64 = 1 << 20;

thread_local! {
    /// The host that the capabilities of this thread use.
    static CURRENT: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// An in-memory host. A clone is the same host.
#[derive(Clone)]
pub struct Host(Rc<RefCell<HostState>>);

impl Default for Host {
    fn default() -> Host {
        Host::new()
    }
}

impl Host {
    /// A host with the loopback interface and nothing else.
    pub fn new() -> Host {
        let host = Host(Rc::new(RefCell::new(HostState { boot_ms: 1_000_000, ..HostState::default() })));
        host.link("lo").address("lo", "127.0.0.1/8")
    }

    /// Changes the host, for chains of calls.
    pub(super) fn with<T>(self, change: impl FnOnce(&mut HostState) -> T) -> Host {
        self.change(change);
        self
    }

    /// Changes the host, or reads from it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut HostState) -> T) -> T {
        // The borrow ends with each call of `change`, because programs and servers change the host while they run.
        change(&mut self.0.borrow_mut())
    }

    /// Adds a capability that fails: `failing("block.attach-loop", …)`. The names are those of `wit/`.
    pub fn failing(self, call: &str, error: CapabilityError) -> Host {
        self.with(|world| world.failures.push(InjectedFailure { call: call.to_owned(), error }))
    }

    /// From now on, only the next `changes` calls that change something succeed.
    pub(super) fn fail_after(&self, changes: u32, error: CapabilityError) {
        self.change(|world| world.cut = Some((changes, error)));
    }

    /// Ends all injected failures.
    pub fn heal(&self) {
        self.change(|world| {
            world.failures.clear();
            world.cut = None;
        });
    }

    /// The operator interrupts the action.
    pub fn cancel(&self) {
        self.change(|world| world.cancelled = true);
    }

    /// The node reboots: mounts, loop devices, processes, addresses and the boot scope of the state are gone.
    pub fn reboot(&self) {
        self.change(|world| {
            world.mounts.clear();
            // Loop devices are only in the kernel's memory. Their files, and what these contain, are on disk and stay.
            for device in std::mem::take(&mut world.loops).into_keys() {
                world.devices.remove(&device);
            }
            world.processes.clear();
            world.routes.clear();
            world.links.values_mut().for_each(|interface| interface.addresses.clear());
            world.state.retain(|(scope, _), _| scope != "boot");
            // The ledger of a boot is void in the next one: what it names was in the kernel's memory alone.
            world.holdings.retain(FakeHolding::outlives_a_reboot);
            world.boot_ms = 0;
        });
    }

    /// Kills all processes of the resource.
    pub fn kill_processes(&self) {
        self.change(|world| world.processes.clear());
    }

    /// Calls capabilities on this host without a driver, to test code that drivers share.
    pub fn enter<T>(&self, call: impl FnOnce() -> T) -> T {
        self.run((None, &Context::fake("app#1")), None, call)
    }

    /// The number of calls that have changed something so far.
    pub(super) fn changes(&self) -> u32 {
        self.change(|world| world.changes)
    }

    /// Calls a driver on this host. `reading` is the verb if it may only read.
    pub(super) fn run<T>(
        &self,
        (grants, context): (Option<&'static [&'static str]>, &Context),
        reading: Option<&'static str>,
        call: impl FnOnce() -> T,
    ) -> T {
        self.change(|world| {
            (world.grants, world.reading) = (grants.unwrap_or_default(), reading);
            world.held = grants.map(|grants| DriverGrants::of(grants, context));
            (world.rid, world.adopting) = (context.rid.clone(), context.adopt());
            // As on a node: both are there before the first call.
            for directory in [context.rundir(), context.statedir()].into_iter().flatten() {
                let path = directory.to_string_lossy().into_owned();
                world.make_parents(&path);
                world.files.entry(path).or_insert_with(|| FileNode::of(FileKind::Directory, 4096, 0o755));
            }
        });
        // Calls may be nested: a faked program can call capabilities on another host.
        let before = CURRENT.replace(Some(self.clone()));
        let answer = call();
        CURRENT.set(before);
        // Between two calls of a driver, a test may do anything with the host.
        self.change(|world| (world.reading, world.held) = (None, None));
        answer
    }

    /// A call of a capability that only reads.
    pub(crate) fn read<T>(
        name: &'static str,
        subject: &str,
        work: impl FnOnce(&mut HostState) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let host = Host::current(name);
        host.hold_call(name, subject);
        host.record(name, subject)?;
        host.change(work)
    }

    /// A call of a capability that may change something. If it does, `work` increments `changes`.
    pub(crate) fn mutate<T>(
        name: &'static str,
        subject: &str,
        work: impl FnOnce(&mut HostState) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let host = Host::current(name);
        // A panic and not an error: a driver could handle an error, and the test would not notice the mistake.
        if let Some(verb) = host.change(|world| world.reading) {
            panic!("{verb} called {name} {subject}: it must not change anything");
        }
        host.hold_call(name, subject);
        host.record(name, subject)?;
        host.change(|world| match &mut world.cut {
            Some((0, error)) => Err(error.clone().into()),
            Some((left, _)) => {
                // Counted even if the call then finds nothing to change: whether it does is known only afterwards.
                *left -= 1;
                work(world)
            }
            None => work(world),
        })
    }

    /// The host of this thread.
    pub(crate) fn current(name: &str) -> Host {
        let host = CURRENT.with_borrow(Clone::clone);
        host.unwrap_or_else(|| panic!("{name} was called outside of a test case: use `given(driver).on(&host)`"))
    }

    /// Records a call, and fails it if a failure was injected.
    pub(crate) fn record(&self, name: &'static str, subject: &str) -> Result<(), Refusal> {
        self.change(|world| {
            // Recorded even if it fails, so that tests see what a driver tried.
            world.calls.push(CapabilityCall { name, subject: subject.to_owned() });
            match world.failures.iter().find(|failure| failure.call == name) {
                Some(failure) => Err(failure.error.clone().into()),
                None => Ok(()),
            }
        })
    }
}
