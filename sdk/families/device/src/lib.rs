//! Devices that programs make of others: opened LUKS devices, arrays, volumes. The resource holds the device that its start made, by
//! the UUID that the kernel shows of it, so that a stop undoes that one, whatever name and keywords say by now.
//!
//! ```text
//!  MadeDevice::make ──declare──▶ program ──▶ the id that the kernel shows, declared if it differs
//!  HeldDevice::present ◀── what is declared and there
//!  stop ──program, or the host if the device has another name now──▶ the host looks whether it is gone
//! ```

use hostler_sdk::holdings::{self, DEVICE, Force, Holding};
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{Outcome, Result, Status, block};

/// A device that the kernel gives no UUID, as it does for arrays before Linux 5.18 or so: then its name is its id.
const NAMED: &str = "named-device";

/// The key under which the path is kept by which the device was made.
const PATH: &str = "device";

/// A device to make.
pub struct MadeDevice<'a> {
    /// The path at which it appears, such as `/dev/mapper/vault`.
    pub path: &'a str,
    /// The id that it will have, as far as that is known before it exists: see `holdings.declare`.
    pub id: &'a str,
    /// A few words for people.
    pub label: &'a str,
}

impl MadeDevice<'_> {
    /// Makes the device. It is recorded before, so that a stop after a kill in between finds it.
    pub fn make(&self, make: impl FnOnce() -> Result<()>) -> Result<()> {
        self.declare(DEVICE, self.id)?;
        if let Err(error) = make() {
            // A program may fail after it has made the device.
            if HeldDevice::present()?.is_none() {
                holdings::withdraw(DEVICE, self.id)?;
            }
            return Err(error);
        }
        self.recognise()
    }

    /// Records a device that exists already.
    pub fn take_on(&self) -> Result<()> {
        self.declare(DEVICE, self.id)?;
        self.recognise()
    }

    /// Records the device as what it is, if it is not what was expected.
    fn recognise(&self) -> Result<()> {
        let known = holdings::list()?.into_iter().find(|held| held.kind == DEVICE && held.id == self.id);
        if known.is_some_and(|held| held.present) {
            return Ok(());
        }
        // The new id before the expected one is withdrawn: a kill in between leaves two
        // records of one device, and not none.
        match block::identity_of(self.path)? {
            Some(id) => self.declare(DEVICE, &id)?,
            None => self.declare(NAMED, self.path)?,
        }
        holdings::withdraw(DEVICE, self.id)?;
        Ok(())
    }

    fn declare(&self, kind: &str, id: &str) -> Result<()> {
        Ok(holdings::declare(StateScope::Boot, kind, id, self.label, &[(PATH, self.path)])?)
    }
}

/// A device that the resource holds and that exists.
pub struct HeldDevice {
    holding: Holding,
    /// The path by which it was made.
    pub path: String,
}

impl HeldDevice {
    /// The device that is there, if the resource holds one.
    pub fn present() -> Result<Option<HeldDevice>> {
        for holding in holdings::list()? {
            let there = match holding.kind.as_str() {
                DEVICE => holding.present,
                NAMED => block::find(&holding.id)?.is_some(),
                _ => false,
            };
            if there {
                // By the name that it was made with: the grants of its programs are about that one.
                let path = state::get(StateScope::Boot, PATH)?.unwrap_or_else(|| holding.text("device").to_owned());
                return Ok(Some(HeldDevice { holding, path }));
            }
        }
        Ok(None)
    }

    /// The id by which it is held.
    pub fn id(&self) -> &str {
        &self.holding.id
    }

    /// The outcome of a stop. `undo` takes the device away by the name that it was made with. If another program has given it another
    /// name since, the host takes it down by its UUID. The record stays until the host has seen itself that it is gone.
    pub fn stop(self, undo: impl FnOnce(&str) -> Result<()>) -> Result<Outcome> {
        match self.other_name()? {
            None => {
                undo(&self.path)?;
                Ok(Outcome::changed(format!("{} is down", self.path)))
            }
            Some(now) => {
                holdings::release(&self.holding, Force::None)?;
                Ok(Outcome::changed(format!("{now} is down, which was called {}", self.path)))
            }
        }
    }

    /// The status of a device that is up. One that another program has renamed is up, and no other resource finds it.
    pub fn status(&self) -> Result<Status> {
        let status = Status::up().exposes("device", &self.path);
        Ok(match self.other_name()? {
            None => status,
            Some(now) => status.degraded(format!("{} is called {now} now", self.path)),
        })
    }

    /// The name that the device has now, if the one that it was made with does not lead to it any more.
    fn other_name(&self) -> Result<Option<&str>> {
        // Without an id that the kernel shows, the name is all that is known.
        if self.holding.kind != DEVICE {
            return Ok(None);
        }
        let led_to = block::find(&self.path)?.map(|device| device.path);
        let now: Vec<&str> = self.holding.every("device").collect();
        let leads_here = led_to.is_some_and(|path| now.contains(&path.as_str()));
        Ok(if leads_here { None } else { now.first().copied() })
    }
}

/// The words for a device that exists and that this resource did not make.
pub fn not_ours(what: &str) -> String {
    format!("{what}, but not by this resource")
}
