//! The containers of the resource by the host's record: what was started, whatever the engine says or the keywords name by now.

use std::time::Duration;

use hostler_sdk::holdings::{self, Force, Holding};
use hostler_sdk::{Error, Result, State, Status, log};

use super::search::OwnContainers;
use super::stop::GRACE;
use crate::{ContainerLife, EngineError};

impl ContainerLife<'_> {
    /// The containers that this resource made, and that were not removed.
    pub(super) fn held(&self) -> Result<Vec<Holding>> {
        Ok(holdings::list()?.into_iter().filter(|held| held.kind == "container").collect())
    }

    /// The containers that run, as far as the host can tell, and that the search did not find running: in an engine that the keywords
    /// no longer name.
    pub(super) fn elsewhere(&self, own: &OwnContainers) -> Result<Vec<Holding>> {
        let is_found = |held: &Holding| {
            own.all().any(|found| found.phase().is_alive() && held.attribute("container") == Some(found.id.as_str()))
        };
        Ok(self.held()?.into_iter().filter(|held| held.present && !is_found(held)).collect())
    }

    /// Stops those.
    pub(super) fn stop_elsewhere(&self, own: &OwnContainers) -> Result<Vec<String>> {
        let grace = self.short_grace();
        let mut stopped = Vec::new();
        for held in self.elsewhere(own)? {
            let released = holdings::release(&held, Force::Grace(grace));
            let released = released.map_err(|error| {
                Error::from(error).while_doing(format!("cannot stop {} at {}", held.label, held.text("engine")))
            })?;
            if released {
                stopped.push(format!("stopped {} at {}", held.label, held.text("engine")));
            }
        }
        Ok(stopped)
    }

    /// Removes the containers that the search did not find: they are in an engine that the keywords no longer name. One that does not run
    /// is left, and named, if that engine does not answer.
    pub(super) fn remove_elsewhere(&self, own: &OwnContainers) -> Result<Vec<String>> {
        let is_found = |held: &Holding| own.all().any(|found| held.attribute("container") == Some(found.id.as_str()));
        let is_made = |held: &Holding| held.attribute("container").is_some();
        let mut removed = Vec::new();
        for held in self.held()?.iter().filter(|held| is_made(held) && !is_found(held)) {
            let place = format!("{} at {}", held.label, held.text("engine"));
            match holdings::release(held, Force::Remove(self.short_grace())) {
                Ok(true) => removed.push(format!("removed {place}")),
                // It was removed already.
                Ok(false) => {}
                Err(error) if held.present => {
                    return Err(Error::from(error).while_doing(format!("cannot remove {place}")));
                }
                Err(error) => log::warn(format!("{place} stays: {error}")),
            }
        }
        Ok(removed)
    }

    fn short_grace(&self) -> Duration {
        self.container.grace.unwrap_or(GRACE).min(self.context.deadline / 2)
    }

    /// Stops what the host has recorded, without the engine that the keywords name.
    pub(super) fn stop_by_record(&self, error: EngineError) -> Result<Option<String>> {
        // Where no engine is, and none ever made something for this resource, nothing runs.
        if self.is_nowhere(&error)? {
            log::warn(error);
            return Ok(None);
        }
        // Nothing was ever made here by the record, so nothing is known of what an engine that does not answer may run.
        if error.is_denied() || self.held()?.is_empty() {
            return Err(error.into());
        }
        log::warn(error);
        let stopped = self.stop_elsewhere(&OwnContainers::default())?;
        Ok((!stopped.is_empty()).then(|| stopped.join(", ")))
    }

    /// Whether the socket of the engine does not even exist, and nothing was ever made for this resource.
    fn is_nowhere(&self, error: &EngineError) -> Result<bool> {
        Ok(matches!(error, EngineError::Missing(_)) && self.held()?.is_empty())
    }

    /// The status while the engine does not answer: containers outlive it, and the host has recorded which one runs.
    pub(super) fn status_by_record(&self, error: &EngineError) -> Result<Status> {
        if self.is_nowhere(error)? {
            return Ok(Status::down().warning(error));
        }
        let held = self.held()?;
        Ok(match held.iter().find(|held| held.present) {
            Some(held) if held.attribute("unknown").is_some() => Status::undefined(error),
            Some(held) => {
                Status::of(State::Warn).warning(format!("{} runs, and its engine does not answer: {error}", held.label))
            }
            None if held.is_empty() => Status::undefined(error),
            None => Status::down().warning(format!("the container that was made does not run: {error}")),
        })
    }
}
