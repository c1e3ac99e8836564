//! Start: a container with the current configuration, in the namespaces of those that it joins now.

use std::time::Duration;

use hostler_sdk::{Error, Outcome, Result, clock, log};

use super::search::OwnContainers;
use crate::engine::ContainerPhase;
use crate::{ContainerInfo, ContainerLife, EngineClient, label};

/// The time between two checks of a container that was just started.
const LOOK: Duration = Duration::from_millis(50);

/// The number of log lines that are reported for a container that exited at once.
const LAST_WORDS: u32 = 5;

impl ContainerLife<'_> {
    /// Starts the container: pulls the image if the policy requires it, and creates the container if there is none with the current
    /// configuration.
    pub fn start(&self) -> Result<Outcome> {
        self.container.check()?;
        let seen = self.seen()?;
        if let Some((engine, own)) = &seen
            && let Some(found) = self.running_on(engine, own)?
        {
            return Ok(Outcome::unchanged(format!("{} is already running", found.short_id())));
        }
        let (engine, is_new) = self.place.enter()?;
        let own = match seen {
            Some((_, own)) if !is_new => own,
            // Starting the engine brings back containers that survived its death, so check again.
            _ => {
                let own = self.search(&engine)?;
                if let Some(found) = self.running_on(&engine, &own)? {
                    return Ok(Outcome::changed(format!("the engine is back, {} is running", found.short_id())));
                }
                own
            }
        };
        // A pull may take minutes, in which others make and start containers.
        let own = if self.pull(&engine)? { self.search(&engine)? } else { own };
        let id = self.ready(&engine, own)?;
        engine.start(&id).map_err(|error| self.not_started(error))?;
        let found = self.settled(&engine, &id)?;
        Ok(Outcome::changed(format!("{} is running from {}", found.short_id(), self.container.image)))
    }

    /// The engine, and what it has of the resource. None if the object's own engine does not answer: no container is known to run then.
    fn seen(&self) -> Result<Option<(EngineClient, OwnContainers)>> {
        let engine = match self.place.connect() {
            Err(error) if error.is_passing() && self.is_own() => return Ok(None),
            answer => answer?,
        };
        let own = self.search(&engine)?;
        Ok(Some((engine, own)))
    }

    /// The resource's container, if it runs as it should.
    fn running_on<'o>(&self, engine: &EngineClient, own: &'o OwnContainers) -> Result<Option<&'o ContainerInfo>> {
        let Some(found) = &own.first else { return Ok(None) };
        match found.phase() {
            // The operator paused it on purpose; an implicit unpause would surprise.
            ContainerPhase::Paused => {
                let text = format!("{} is paused: unpause it, or stop the resource first", found.short_id());
                Err(Error::failed(text))
            }
            ContainerPhase::Running => match self.namespace_fault(engine, found)? {
                None => Ok(Some(found)),
                Some(fault) if fault.is_curable => {
                    log::info(format!("{fault}: restarting {}", found.short_id()));
                    Ok(None)
                }
                Some(fault) => Err(Error::failed(format!("{fault}: start that first"))),
            },
            _ => Ok(None),
        }
    }

    /// The id of a container that can be started: with the current configuration and name, and the only one of the resource that
    /// could run.
    fn ready(&self, engine: &EngineClient, own: OwnContainers) -> Result<String> {
        let mut is_changed = false;
        for found in own.all().filter(|found| found.phase().is_alive()) {
            // A stop of it was given up, or the engine is about to start it again by itself, or its namespaces are gone.
            log::info(format!("{} is {}: stopping it first", found.short_id(), found.state.status));
            self.end(engine, found)?;
            is_changed = true;
        }
        let own = if is_changed { self.search(engine)? } else { own };
        // A second one would work on the same data.
        if let Some(held) = self.elsewhere(&own)?.first() {
            let text = format!("{} still runs at {}: stop the resource first", held.label, held.text("engine"));
            return Err(Error::failed(text));
        }
        match (own.first, own.stranger) {
            (_, Some(stranger)) => Err(Error::failed(self.foreign(&stranger))),
            (Some(found), None) => self.as_configured(engine, &found),
            (None, None) => self.create(engine),
        }
    }

    /// The id of a container with the current configuration: this one, or a new one that replaces it.
    fn as_configured(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<String> {
        let change = match found.phase() {
            // An engine that missed the end of a container starts it no more.
            ContainerPhase::Lost => Some("the engine has lost track of the container".to_owned()),
            // One whose removal was cut short.
            _ if found.state.status == "dead" => Some("the container is dead".to_owned()),
            _ => self.change(engine, found)?,
        };
        if let Some(change) = change {
            log::info(format!("{change}: recreating {}", found.short_id()));
            self.discard(engine, found)?;
            return self.create(engine);
        }
        if found.name() != self.name {
            log::info(format!("renaming {} from {} to {}", found.short_id(), found.name(), self.name));
            engine.rename(&found.id, &self.name)?;
        }
        Ok(found.id.clone())
    }

    /// The difference between the container and the configuration, if there is one.
    pub(super) fn change(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<Option<String>> {
        let body = self.describe(engine)?;
        if body["Labels"][label::CONFIG].as_str() != found.label(label::CONFIG) {
            return Ok(Some("the configuration has changed since the container was made".to_owned()));
        }
        // The image is inspected after the digest, because the digest needs no request.
        let image = engine.image(&self.container.image)?;
        let is_older = image.is_some_and(|image| image != found.image);
        Ok(is_older.then(|| format!("the container runs an older image than {} is now", self.container.image)))
    }

    /// Watches a container that was just started, and fails if it exits.
    fn settled(&self, engine: &EngineClient, id: &str) -> Result<ContainerInfo> {
        let mut watched = Duration::ZERO;
        loop {
            let gone = || Error::failed(format!("the container {} is gone", self.name));
            let found = engine.container(id)?.ok_or_else(gone)?;
            if found.phase() != ContainerPhase::Running {
                return Err(self.exited_at_once(engine, &found));
            }
            if watched >= self.container.settle {
                return Ok(found);
            }
            clock::sleep(LOOK)?;
            watched += LOOK;
        }
    }

    /// The error for a container that exited at once, with the last line of its log.
    fn exited_at_once(&self, engine: &EngineClient, found: &ContainerInfo) -> Error {
        let lines = engine.last_lines(found, LAST_WORDS).unwrap_or_default();
        lines.iter().for_each(|line| log::error(format!("| {line}")));
        let last = lines.iter().rev().find(|line| !line.is_empty()).map(|line| format!(": {line}")).unwrap_or_default();
        Error::failed(format!("{} {} right after its start{last}", found.short_id(), found.state.exit_text()))
    }
}
