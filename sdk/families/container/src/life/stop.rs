//! Stop and unprovision, and the end of what runs have left: the container ends, and counts as down only when its process is gone.

use std::time::Duration;

use hostler_sdk::{Error, Outcome, Result, clock, log};

use super::search::OwnContainers;
use crate::{ContainerInfo, ContainerLife, EngineClient, EngineError, label};

/// How long a program may take to exit if neither the keywords nor the container say it.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// The part of the action's time that is kept for killing a program that ignores its signal.
const MARGIN: Duration = Duration::from_secs(15);

/// How long a process may take to be gone after the engine has stopped or killed it, and how often to look.
const GONE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(100);

impl ContainerLife<'_> {
    /// Stops the container, and removes it if `rm` is set.
    pub fn stop(&self) -> Result<Outcome> {
        let stopped = match self.place.connect() {
            Err(error) if self.place.is_at_rest(&error)? => None,
            Err(error) if error.is_passing() && self.is_own() => self.stop_all(&self.place.enter()?.0)?,
            Err(error) => self.stop_by_record(error)?,
            Ok(engine) => self.stop_all(&engine).or_else(|error| self.at_rest(error))?,
        };
        Ok(self.leave(stopped)?.unwrap_or_else(|| Outcome::unchanged("already down")))
    }

    /// Removes the container. If the engine's data are on a file system that is not mounted any more, there is nothing to remove.
    pub fn unprovision(&self) -> Result<Outcome> {
        if self.place.is_void()? {
            return Ok(Outcome::unchanged(
                "the container does not exist: the object's container engine has no data here",
            ));
        }
        let (engine, _) = self.place.enter()?;
        let own = self.search(&engine)?;
        own.stranger.iter().for_each(|stranger| log::warn(self.foreign(stranger)));
        let mut removed = Vec::new();
        for found in own.all() {
            if found.phase().is_alive() {
                self.end(&engine, found)?;
            }
            self.discard(&engine, found)?;
            removed.push(found.short_id());
        }
        let removed = (!removed.is_empty()).then(|| format!("removed {}", removed.join(" and ")));
        let removed: Vec<String> = removed.into_iter().chain(self.remove_elsewhere(&own)?).collect();
        let removed = (!removed.is_empty()).then(|| removed.join(", "));
        Ok(self.leave(removed)?.unwrap_or_else(|| Outcome::unchanged("the container does not exist")))
    }

    /// Ends the containers that runs of a task have left, and removes them. Where none was ever made by the record, no engine is asked.
    pub fn end_runs(&self) -> Result<Outcome> {
        let ended = match self.held()?.is_empty() {
            true => None,
            false => self.end_left()?,
        };
        Ok(self.leave(ended)?.unwrap_or_else(|| Outcome::unchanged("no run has left a container")))
    }

    fn end_left(&self) -> Result<Option<String>> {
        let engine = match self.place.connect() {
            // The engine is gone, and its containers outlive it.
            Err(error) if error.is_passing() && self.is_own() => Ok(self.place.enter()?.0),
            answer => answer,
        };
        let (own, mut done) = match engine {
            Ok(engine) => {
                let own = self.search(&engine)?;
                let mut done = Vec::new();
                for found in own.all() {
                    if found.phase().is_alive() {
                        self.end(&engine, found)?;
                    }
                    self.discard(&engine, found)?;
                    done.push(format!("ended and removed {}, which a run had left", found.short_id()));
                }
                (own, done)
            }
            Err(error) => {
                log::warn(error);
                (OwnContainers::default(), Vec::new())
            }
        };
        done.extend(self.remove_elsewhere(&own)?);
        Ok((!done.is_empty()).then(|| done.join(", ")))
    }

    /// Stops all containers of the resource. None if there was nothing to do.
    fn stop_all(&self, engine: &EngineClient) -> Result<Option<String>> {
        let own = self.search(engine)?;
        // It keeps the resource from having a container of this name, but it is not the resource's: nothing runs.
        own.stranger.iter().for_each(|stranger| log::warn(self.foreign(stranger)));
        let (mut done, mut failed) = (Vec::new(), None);
        for found in own.all() {
            match self.stop_one(engine, found) {
                Ok(text) => done.extend(text),
                // A failure must not leave the others running.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match self.stop_elsewhere(&own) {
            Ok(texts) => done.extend(texts),
            Err(error) => failed = failed.or(Some(error)),
        }
        match failed {
            Some(error) => Err(error),
            None => Ok((!done.is_empty()).then(|| done.join(", "))),
        }
    }

    fn stop_one(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<Option<String>> {
        let id = found.short_id();
        let restarts = found.restart_policy().is_some();
        if restarts {
            // Before it is stopped: the engine would start it again, now or when it is itself started.
            engine.reset_policy(&found.id)?;
        }
        let was_alive = found.phase().is_alive();
        if was_alive {
            self.end(engine, found)?;
        }
        if self.container.is_fleeting() {
            self.discard(engine, found)?;
            return Ok(Some(format!("removed {id}")));
        }
        Ok(match (was_alive, restarts) {
            (true, _) => Some(format!("stopped {id}")),
            (false, true) => Some(format!("the engine does not start {id} by itself any longer")),
            (false, false) => None,
        })
    }

    /// Ignores the error if the engine is the object's own and another resource, which is being stopped in parallel, has stopped it
    /// in the meantime: no container runs in it then.
    fn at_rest(&self, error: Error) -> Result<Option<String>> {
        match self.place.connect() {
            Err(gone) if self.place.is_at_rest(&gone)? => Ok(None),
            _ => Err(error),
        }
    }

    /// Ends the program of the container. The engine kills it if it ignores the signal; if the engine does not answer in time, it is
    /// asked to kill it at once. The container counts as ended only when its process is gone.
    pub(super) fn end(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<()> {
        // A program that is paused gets no signal, and podman refuses to stop it.
        if found.state.paused
            && let Err(error) = engine.unpause(&found.id)
        {
            log::warn(error);
        }
        match engine.stop(&found.id, self.grace(found)) {
            Ok(()) if self.is_over_soon(engine, found)? => return Ok(()),
            Ok(()) => {
                log::warn(format!("the engine has stopped {}, but its program runs: killing it", found.short_id()))
            }
            Err(error) if is_final(&error) => return Err(error.into()),
            // The engine may hang in a stop for a container that ignores its signal, but still obey a kill.
            Err(error) => log::warn(format!("{error}: killing it")),
        }
        match engine.kill(&found.id, "KILL") {
            Err(error) if is_final(&error) => return Err(error.into()),
            // Engines refuse to kill what does not run, which the look below finds out.
            Err(error) => log::warn(error),
            Ok(()) => {}
        }
        match self.is_over_soon(engine, found)? {
            true => Ok(()),
            false => Err(Error::failed(format!(
                "the program of {} runs on: kill its process {}",
                found.short_id(),
                found.state.pid
            ))),
        }
    }

    fn is_over_soon(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<bool> {
        clock::wait_until(GONE, LOOK, || {
            Ok(!engine.container(&found.id)?.is_some_and(|found| found.phase().is_alive()))
        })
    }

    /// How long the program may take to exit: as the keyword says, else as the container itself says, like docker does.
    fn grace(&self, found: &ContainerInfo) -> Duration {
        let seconds = match found.config.stop_timeout {
            // Podman writes 0 where none was given.
            Some(0) if !self.container.kills_at_once() => None,
            Some(seconds) => Some(u64::try_from(seconds).map_or(Duration::MAX, Duration::from_secs)),
            None => None,
        };
        let asked = self.container.grace.or(seconds).unwrap_or(GRACE);
        let deadline = self.context.deadline;
        let limit = deadline.saturating_sub(MARGIN).max(deadline / 2);
        // The default is no promise, so nobody misses what is left out of it.
        if asked > limit && asked != GRACE {
            log::warn(format!("the program has {}s to exit: stop_timeout leaves no more", limit.as_secs()));
        }
        asked.min(limit)
    }

    /// Removes a container that does not run. Podman removes none whose namespaces others share: those are made anew with it.
    pub(crate) fn discard(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<()> {
        let Err(refused) = engine.remove(&found.id) else { return Ok(()) };
        let dependents = if is_final(&refused) { Vec::new() } else { self.dependents(engine, found)? };
        if dependents.is_empty() {
            return Err(refused.into());
        }
        for dependent in &dependents {
            let rid = dependent.label(label::RID).unwrap_or_default();
            log::info(format!(
                "removing {} of {rid}, which shares a namespace of {}",
                dependent.short_id(),
                found.short_id()
            ));
            if dependent.phase().is_alive() {
                engine.stop(&dependent.id, GRACE)?;
            }
            engine.remove_dependent(&dependent.id)?;
        }
        Ok(engine.remove(&found.id)?)
    }
}

/// Whether no further request is worth trying: a missing grant would also refuse it, an engine that does not listen cannot execute it,
/// and an operator who interrupted the action wants none.
fn is_final(error: &EngineError) -> bool {
    error.is_denied() || error.is_absent() || error.is_cancelled()
}
