//! The drivers that were loaded so far. A driver is loaded once for all requests, and again when its component, its policy or
//! the limits that the node sets have changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use driver::{Driver, DriverFault};
use model::DriverName;
use model::object::Object;

use super::unavailable::{Unavailable, UnavailableDriver};
use super::{AvailableDriver, AvailableDrivers, DriverOrigin};
use crate::agent::{Agent, source};
use crate::file::cache::FileStamps;
use crate::node::paths::policy_of;

/// How long a failed load is not repeated, as a thousand objects may need the same driver in one command.
const FAILURE_KEPT: Duration = Duration::from_secs(10);

/// The drivers that were loaded so far.
#[derive(Default)]
pub(crate) struct LoadedDrivers {
    drivers: Mutex<BTreeMap<DriverName, LoadedDriver>>,
}

struct LoadedDriver {
    digest: String,
    /// The files that decide what it may do.
    stamps: FileStamps,
    driver: Arc<dyn Driver>,
    /// When the load failed, if it did.
    failed: Option<Instant>,
}

impl LoadedDrivers {
    fn drivers(&self) -> MutexGuard<'_, BTreeMap<DriverName, LoadedDriver>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &DriverName, known: &AvailableDriver, now: &FileStamps) -> Option<Arc<dyn Driver>> {
        let drivers = self.drivers();
        let loaded = drivers.get(name)?;
        let is_current = loaded.digest == known.digest && loaded.stamps.still_holds(now);
        let is_to_be_tried_again = loaded.failed.is_some_and(|at| at.elapsed() >= FAILURE_KEPT);
        (is_current && !is_to_be_tried_again).then(|| Arc::clone(&loaded.driver))
    }

    /// Puts a driver in place of the one that would be loaded.
    #[cfg(test)]
    pub(crate) fn replace(&self, agent: &Agent, driver: Arc<dyn Driver>) {
        let name = driver.manifest().name.clone();
        let digest = agent.drivers().get(&name).unwrap().digest.clone();
        let stamps = agent.stamps_of(agent.drivers().get(&name).unwrap());
        self.drivers().insert(name, LoadedDriver { digest, stamps, driver, failed: None });
    }
}

impl Agent {
    /// The drivers of an object's resources, those that must be loaded side by side. In place of one that cannot be loaded
    /// stands one that says so: its resources are `undef`, the others go on. Blocks.
    pub(crate) fn load(&self, object: &Object, available: &AvailableDrivers) -> BTreeMap<DriverName, Arc<dyn Driver>> {
        let mut needed: Vec<&DriverName> = object.resources.iter().map(|resource| &resource.driver).collect();
        // Each driver once, however many resources need it.
        needed.sort();
        needed.dedup();
        let (mut drivers, mut missing) = (BTreeMap::new(), Vec::new());
        for name in needed {
            match available.get(name) {
                None => {
                    drivers.insert(name.clone(), unavailable(name, "it is not installed here".to_owned()));
                }
                Some(known) => {
                    // Taken before the load: a policy that is saved meanwhile makes the next
                    // request load the driver again.
                    let stamps = self.stamps_of(known);
                    match self.loaded().get(name, known, &stamps) {
                        Some(driver) => {
                            drivers.insert(name.clone(), driver);
                        }
                        // Loaded below, all at once: compiling one takes a fraction of a second.
                        None => missing.push((name, known, stamps)),
                    }
                }
            }
        }
        // A thread for a single driver would only cost time.
        if missing.len() == 1 {
            let loads =
                missing.into_iter().map(|(name, known, stamps)| (name, self.load_one(object, name, known, stamps)));
            drivers.extend(loads.map(|(name, driver)| (name.clone(), driver)));
            return drivers;
        }
        std::thread::scope(|scope| {
            let start = |(name, known, stamps)| (name, scope.spawn(move || self.load_one(object, name, known, stamps)));
            let loads: Vec<(&DriverName, _)> = missing.into_iter().map(start).collect();
            for (name, load) in loads {
                // A panic costs this driver alone, whose resources are undef then, and not the command.
                let driver = load.join().unwrap_or_else(|_| unavailable(name, "loading it crashed".to_owned()));
                drivers.insert(name.clone(), driver);
            }
        });
        drivers
    }

    fn load_one(
        &self,
        object: &Object,
        name: &DriverName,
        known: &AvailableDriver,
        stamps: FileStamps,
    ) -> Arc<dyn Driver> {
        let loaded = self.runtime_for_resources(object.resources.len()).map_err(str::to_owned);
        let loaded = loaded.and_then(|runtime| runtime.load(source(known)).map_err(|error| crate::chain(&error)));
        let failed = loaded.is_err().then(Instant::now);
        let driver = loaded.unwrap_or_else(|reason| unavailable(name, reason));
        let loaded = LoadedDriver { digest: known.digest.clone(), stamps, driver: Arc::clone(&driver), failed };
        // Two requests may load the same driver at once. Both work, and the last one stays.
        self.loaded().drivers().insert(name.clone(), loaded);
        driver
    }

    /// The files that a loaded driver depends on: its policy, the limits in the node's configuration, its component.
    fn stamps_of(&self, known: &AvailableDriver) -> FileStamps {
        let component: Option<PathBuf> = match &known.origin {
            DriverOrigin::Builtin(_) => None,
            DriverOrigin::Installed(path) => Some(path.clone()),
        };
        let policy = policy_of(self.home(), &known.manifest.name);
        FileStamps::of([policy, self.home().node_config()].into_iter().chain(component))
    }
}

fn unavailable(name: &DriverName, reason: String) -> Arc<dyn Driver> {
    let fault = DriverFault::Missing { driver: name.to_string(), reason };
    Arc::new(UnavailableDriver::new(name.clone(), Unavailable::Missing(fault)))
}
