//! `om driver warm`: compiles the drivers now, side by side, so that nobody waits for it later.

use std::sync::atomic::{AtomicUsize, Ordering};

use agent::drivers::AvailableDriver;
use anyhow::anyhow;

use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session) -> Result<(), Failure> {
    let runtime = session.agent.runtime().map_err(|reason| anyhow!("{reason}"))?;
    let available = session.agent.drivers();
    let drivers: Vec<&AvailableDriver> = available.iter().collect();
    let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(known) = drivers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = &known.manifest.name;
            let outcome = match runtime.warm(&agent::source(known)) {
                Ok(()) => "ready".to_owned(),
                Err(error) => {
                    failed.fetch_add(1, Ordering::Relaxed);
                    agent::chain(&error)
                }
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            session.note(&format!("[{done}/{}] {name}: {outcome}", drivers.len()));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    match failed.into_inner() {
        0 => Ok(()),
        failed => Err(anyhow!("{failed} of {} drivers do not compile", drivers.len()).into()),
    }
}
