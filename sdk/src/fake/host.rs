//! The in-memory host: made by a test, changed by a driver, looked at by a test.

use std::cell::RefCell;
use std::rc::Rc;

use super::world::{Call, Failure, World};
use crate::CapabilityError;
use crate::bindings::hostler::driver::types::CapabilityError as Refusal;

/// So many bytes.
pub const MIB: u64 = 1 << 20;

thread_local! {
    /// The host that the capabilities of this thread talk to.
    static CURRENT: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// An in-memory host. A clone is the same host.
#[derive(Clone)]
pub struct Host(Rc<RefCell<World>>);

impl Default for Host {
    fn default() -> Host {
        Host::new()
    }
}

impl Host {
    /// With the loopback interface and nothing else.
    pub fn new() -> Host {
        let host = Host(Rc::new(RefCell::new(World { boot_ms: 1_000_000, ..World::default() })));
        host.link("lo").address("lo", "127.0.0.1/8")
    }

    /// Changes it in a chain of calls.
    pub(super) fn with<T>(self, change: impl FnOnce(&mut World) -> T) -> Host {
        self.change(change);
        self
    }

    /// Changes the host under the driver's feet.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    /// With a capability that fails: `failing("block.attach-loop", …)`. Names are those of `wit/`.
    pub fn failing(self, call: &str, error: CapabilityError) -> Host {
        self.with(|world| world.failures.push(Failure { call: call.to_owned(), error }))
    }

    /// From now on, all calls that change something fail but for the next so many.
    pub(super) fn fail_after(&self, changes: u32, error: CapabilityError) {
        self.change(|world| world.cut = Some((changes, error)));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.change(|world| {
            world.failures.clear();
            world.cut = None;
        });
    }

    /// Somebody interrupts the action.
    pub fn cancel(&self) {
        self.change(|world| world.cancelled = true);
    }

    /// The node reboots: mounts, loop devices, processes, addresses and the boot scope of the state are gone.
    pub fn reboot(&self) {
        self.change(|world| {
            world.mounts.clear();
            for device in std::mem::take(&mut world.loops).into_keys() {
                world.devices.remove(&device);
            }
            world.processes.clear();
            world.routes.clear();
            world.links.values_mut().for_each(|interface| interface.addresses.clear());
            world.state.retain(|(scope, _), _| scope != "boot");
            world.boot_ms = 0;
        });
    }

    /// All processes of the resource die.
    pub fn kill_processes(&self) {
        self.change(|world| world.processes.clear());
    }

    /// Calls capabilities on this host without a driver, to test what drivers share.
    pub fn enter<T>(&self, call: impl FnOnce() -> T) -> T {
        self.run(&[], None, call)
    }

    /// How many calls changed something so far.
    pub(super) fn changes(&self) -> u32 {
        self.change(|world| world.changes)
    }

    /// Calls a driver on this host. `reading` is the verb if it may only read.
    pub(super) fn run<T>(
        &self,
        grants: &'static [&'static str],
        reading: Option<&'static str>,
        call: impl FnOnce() -> T,
    ) -> T {
        self.change(|world| (world.grants, world.reading) = (grants, reading));
        let before = CURRENT.replace(Some(self.clone()));
        let answer = call();
        CURRENT.set(before);
        self.change(|world| world.reading = None);
        answer
    }

    /// A capability that only looks.
    pub(crate) fn read<T>(
        name: &'static str,
        subject: &str,
        work: impl FnOnce(&mut World) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let host = Host::current(name);
        host.record(name, subject)?;
        host.change(work)
    }

    /// A capability that changes something, if it succeeds and if `work` says so by counting up `changes`.
    pub(crate) fn mutate<T>(
        name: &'static str,
        subject: &str,
        work: impl FnOnce(&mut World) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let host = Host::current(name);
        if let Some(verb) = host.change(|world| world.reading) {
            panic!("{verb} called {name} {subject}: it must not change anything");
        }
        host.record(name, subject)?;
        host.change(|world| match &mut world.cut {
            Some((0, error)) => Err(error.clone().into()),
            Some((left, _)) => {
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

    /// Remembers a call, and fails it if told to.
    pub(crate) fn record(&self, name: &'static str, subject: &str) -> Result<(), Refusal> {
        self.change(|world| {
            world.calls.push(Call { name, subject: subject.to_owned() });
            match world.failures.iter().find(|failure| failure.call == name) {
                Some(failure) => Err(failure.error.clone().into()),
                None => Ok(()),
            }
        })
    }
}
