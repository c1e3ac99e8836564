//! Compiling all drivers in advance, several at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::PolicyChangeError;
use crate::Agent;
use crate::agent::source;

/// Takes how many drivers are done, of how many, the driver's name, and why it failed if it did.
type WarmReport<'r> = dyn Fn(usize, usize, &str, Option<String>) + Sync + 'r;

impl Agent {
    /// Compiles the drivers, one per processor at a time, and reports each: how many are done, of how many, its name, and
    /// what is wrong with it. Returns how many failed, and of how many.
    pub fn warm_drivers(&self, report: &WarmReport<'_>) -> Result<(usize, usize), PolicyChangeError> {
        let runtime = self.runtime().map_err(|reason| PolicyChangeError::Runtime(reason.to_owned()))?;
        let drivers = self.drivers();
        let drivers: Vec<_> = drivers.iter().collect();
        let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            while let Some(known) = drivers.get(next.fetch_add(1, Ordering::Relaxed)) {
                let error = runtime.warm(&source(known)).err().map(|error| crate::chain(&error));
                if error.is_some() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                report(done, drivers.len(), &known.manifest.name.to_string(), error);
            }
        };
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
        Ok((failed.into_inner(), drivers.len()))
    }
}
