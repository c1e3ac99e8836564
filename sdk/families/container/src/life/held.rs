//! The containers of the resource by the host's record: what was started, whatever the engine says or the keywords name by now.

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
        let grace = self.container.grace.unwrap_or(GRACE).min(self.context.deadline / 2);
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

    /// Stops what the host has recorded, without the engine that the keywords name.
    pub(super) fn stop_by_record(&self, error: EngineError) -> Result<Option<String>> {
        // Nothing was ever made here, so nothing is known of what the engine may run.
        if error.is_denied() || self.held()?.is_empty() {
            return Err(error.into());
        }
        log::warn(error);
        let stopped = self.stop_elsewhere(&OwnContainers::default())?;
        Ok((!stopped.is_empty()).then(|| stopped.join(", ")))
    }

    /// The status while the engine does not answer: containers outlive it, and the host has recorded which one runs.
    pub(super) fn status_by_record(&self, error: &EngineError) -> Result<Status> {
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
