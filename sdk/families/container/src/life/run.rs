//! A container that runs to completion: it is created, started, waited for, and removed.

use std::time::Duration;

use hostler_sdk::{Error, Result, RunReport, clock, log};

use crate::engine::ContainerPhase;
use crate::{ContainerInfo, ContainerLife, EngineClient};

/// The time between two checks of the container: short at first, then longer.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The number of lines of its output that are logged.
const OUTPUT: u32 = 1000;

/// The exit status of a run that timed out, as in timeout(1).
const TIMED_OUT: i32 = 124;

/// The part of the action's time that is kept for the work after the run.
const MARGIN: Duration = Duration::from_secs(5);

impl ContainerLife<'_> {
    /// Runs the container to completion, for `timeout` at most. Its exit status is that of the report.
    pub fn run(&self, timeout: Option<Duration>) -> Result<RunReport> {
        self.container.check()?;
        let (engine, _) = self.place.enter()?;
        let report = self.run_on(&engine, timeout);
        // A failure to stop the engine does not change the result of the run.
        if let Err(error) = self.place.leave() {
            log::warn(error);
        }
        report
    }

    fn run_on(&self, engine: &EngineClient, timeout: Option<Duration>) -> Result<RunReport> {
        let own = self.search(engine)?;
        if let Some(stranger) = &own.stranger {
            return Err(Error::failed(self.foreign(stranger)));
        }
        for earlier in own.all() {
            // Two runs at the same time could corrupt the task's data.
            if earlier.phase().is_alive() {
                let text = format!("an earlier run is not over: the container {} still runs", earlier.short_id());
                return Err(Error::retryable(text));
            }
            // The container of a run that was interrupted. Its exit status was never reported, so the task runs again.
            self.discard(engine, earlier)?;
        }
        self.pull(engine)?;
        let id = self.create(engine)?;
        let report = engine.start(&id).map_err(|error| self.not_started(error)).and_then(|()| {
            // The limit is shorter than the action, so that the output is logged and the container is removed in time.
            let limit = timeout.unwrap_or(self.context.deadline).min(self.context.deadline.saturating_sub(MARGIN));
            self.wait(engine, &id, limit)
        });
        // The container is removed whatever the run did, so that the next run can use its name.
        match engine.remove(&id) {
            // An operator who interrupts the run wants no further request: the host has recorded that the container is there.
            Err(error) if error.is_cancelled() => {
                log::warn(format!("the container {} is left running: a stop of the instance ends it", self.name));
                report
            }
            removed => removed.map_err(Into::into).and(report),
        }
    }

    fn wait(&self, engine: &EngineClient, id: &str, limit: Duration) -> Result<RunReport> {
        let began = clock::since_boot();
        let mut pause = FIRST_LOOK;
        loop {
            let gone = || Error::failed(format!("the container {} was removed while it ran", self.name));
            let found = engine.container(id)?.ok_or_else(gone)?;
            let phase = found.phase();
            // It has no exit status, so it may have failed.
            if phase == ContainerPhase::Lost {
                return Err(Error::failed(format!("the engine has lost track of the container {}", self.name)));
            }
            let is_over = !phase.is_alive();
            if is_over || clock::since_boot().saturating_sub(began) >= limit {
                log_output(engine, &found);
                return Ok(match is_over {
                    true => RunReport { exit_status: found.state.exit_code, text: found.state.exit_text() },
                    false => RunReport { exit_status: TIMED_OUT, text: "took too long".to_owned() },
                });
            }
            // A stop during the wait is seen here as an interrupted sleep, and the container is removed by the caller.
            clock::sleep(pause)?;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

fn log_output(engine: &EngineClient, found: &ContainerInfo) {
    match engine.last_lines(found, OUTPUT) {
        Ok(lines) => lines.iter().for_each(|line| log::info(format!("| {line}"))),
        Err(error) => log::warn(error),
    }
}
