//! The verbs of a container's resource, on any engine.
//!
//! A container is identified by its name, and must have the labels of its resource: a container without them belongs to
//! something else and is left alone. If the configuration changes, the container is recreated at the next start; until then,
//! status warns about it.

use std::time::Duration;

use hostler_sdk::{Context, Error, Outcome, Result, Status, clock, log};

use super::keywords::PullPolicy;
use crate::engine::RegistryCredentials;
use crate::{ContainerInfo, ContainerSpec, EngineClient, EngineDeparture, EngineError, EngineLocation, label};

/// The time between two checks of a container that was just started.
const LOOK: Duration = Duration::from_millis(50);

/// The number of log lines that are reported for a container that exited at once.
const LAST_WORDS: u32 = 5;

/// The container of a resource, and the location of its engine.
#[derive(Debug)]
pub struct ContainerLife<'a> {
    pub(crate) container: &'a ContainerSpec,
    pub(crate) context: &'a Context,
    pub(crate) place: EngineLocation,
    pub(crate) name: String,
}

impl<'a> ContainerLife<'a> {
    /// The container of the resource of this call.
    pub fn new(container: &'a ContainerSpec, context: &'a Context, place: EngineLocation) -> ContainerLife<'a> {
        ContainerLife { container, context, place, name: container.name(context) }
    }

    /// The status. Up means that the container runs; it exposes `id`, `pid` and `netns` then.
    pub fn status(&self) -> Result<Status> {
        let looked = self.place.connect().and_then(|engine| Ok((engine.container(&self.name)?, engine)));
        let image = &self.container.image;
        match looked {
            Ok((Some(found), engine)) => self.status_of(&engine, &found),
            Ok((None, _)) => Ok(Status::down().label(image)),
            // Without an answer of the engine there is nothing to compare, so a missing grant must not look like down.
            Err(error) if error.is_denied() => Err(error.into()),
            Err(error) if self.place.is_at_rest(&error)? => {
                Ok(Status::down().label(image).info("the object's container engine does not run"))
            }
            // The engine died although this resource needs it: containers survive it (--live-restore), so down would be a guess.
            Err(_) if self.is_own() => {
                let text = "the object's container engine is gone, and may have left the container running: start or stop the resource to find out";
                Ok(Status::undefined(text).label(image))
            }
            Err(error) => Ok(Status::undefined(error).label(image)),
        }
    }

    fn status_of(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<Status> {
        if let Some(stranger) = self.stranger(found) {
            return Ok(Status::down().label(&self.container.image).warning(stranger));
        }
        let label = format!("{}@{}", found.short_id(), self.container.image);
        let state = &found.state;
        if !state.running {
            let status = Status::down().label(label);
            // A container that was created and never started has no exit status worth showing.
            return Ok(if state.status == "created" { status } else { status.info(state.exit_text()) });
        }
        let status = Status::up()
            .label(label)
            .exposes("id", &found.id)
            .exposes("pid", state.pid)
            .exposes("netns", format!("/proc/{}/ns/net", state.pid));
        if state.status != "running" {
            return Ok(status.degraded(format!("the container is {}", state.status)));
        }
        match self.change(engine, found) {
            Ok(None) => Ok(status),
            Ok(Some(change)) => Ok(status.warning(format!("{change}: restart to have it as configured"))),
            // The container runs, so an image that cannot be inspected is only a warning.
            Err(error) => Ok(status.warning(error)),
        }
    }

    /// Starts the container: pulls the image if the policy requires it, and creates the container if there is none with the current
    /// configuration.
    pub fn start(&self) -> Result<Outcome> {
        self.container.check()?;
        if let Some(found) = self.running()? {
            return Ok(Outcome::unchanged(format!("{} is already running", found.short_id())));
        }
        let (engine, _) = self.place.enter()?;
        // Starting the engine brings back containers that survived its death, so check again.
        if let Some(found) = self.running()? {
            return Ok(Outcome::changed(format!("the engine is back, {} is running", found.short_id())));
        }
        self.pull(&engine)?;
        let id = match self.own(&engine)? {
            Some(found) => self.as_configured(&engine, &found)?,
            None => self.create(&engine)?,
        };
        engine.start(&id).map_err(|error| self.not_started(error))?;
        let found = self.settled(&engine, &id)?;
        Ok(Outcome::changed(format!("{} is running from {}", found.short_id(), self.container.image)))
    }

    /// Stops the container, and removes it if `rm` is set.
    pub fn stop(&self) -> Result<Outcome> {
        let stopped = match self.place.connect() {
            Err(error) if self.place.is_at_rest(&error)? => None,
            Err(error) if error.is_passing() && self.is_own() => self.stop_container(&self.place.enter()?.0)?,
            answer => self.stop_container(&answer?).or_else(|error| self.at_rest(error))?,
        };
        Ok(self.leave(stopped)?.unwrap_or_else(|| Outcome::unchanged("already down")))
    }

    /// Makes sure that the engine has the image.
    pub fn provision(&self) -> Result<Outcome> {
        self.container.check()?;
        let (engine, is_ready_now) = self.place.enter()?;
        let image = &self.container.image;
        Ok(match (self.pull(&engine)?, is_ready_now) {
            (true, _) => Outcome::changed(format!("pulled {image}")),
            (false, true) => Outcome::changed(format!("the object's container engine is ready, and has {image}")),
            (false, false) => Outcome::unchanged(format!("{image} is there already")),
        })
    }

    /// Removes the container. If the engine's data are on a file system that is not mounted any more, there is nothing to remove.
    pub fn unprovision(&self) -> Result<Outcome> {
        if self.place.is_void()? {
            return Ok(Outcome::unchanged("there is no container, as the object's container engine has no data here"));
        }
        let (engine, _) = self.place.enter()?;
        let removed = match self.own(&engine)? {
            Some(found) => {
                engine.remove(&found.id)?;
                Some(format!("removed {}", found.short_id()))
            }
            None => None,
        };
        Ok(self.leave(removed)?.unwrap_or_else(|| Outcome::unchanged("there is no container")))
    }

    /// The resource's container, if it runs. If the object's own engine does not answer, no container is known to run.
    fn running(&self) -> Result<Option<ContainerInfo>> {
        let engine = match self.place.connect() {
            Err(error) if error.is_passing() && self.is_own() => return Ok(None),
            answer => answer?,
        };
        match self.own(&engine)? {
            // The operator paused it on purpose; an implicit unpause would surprise.
            Some(found) if found.state.paused => {
                let text = format!("{} is paused: unpause it, or stop the resource first", found.short_id());
                Err(Error::failed(text))
            }
            found => Ok(found.filter(|found| found.state.running)),
        }
    }

    fn is_own(&self) -> bool {
        matches!(self.place, EngineLocation::Own(_))
    }

    /// The container with the resource's name. A container that is not the resource's own is an error.
    pub(crate) fn own(&self, engine: &EngineClient) -> Result<Option<ContainerInfo>> {
        let found = engine.container(&self.name)?;
        match found.as_ref().and_then(|found| self.stranger(found)) {
            Some(stranger) => Err(Error::failed(stranger)),
            None => Ok(found),
        }
    }

    /// A message, if the container is not this resource's own.
    fn stranger(&self, found: &ContainerInfo) -> Option<String> {
        let wanted =
            [(label::OBJECT, &self.context.object), (label::RID, &self.context.rid), (label::NODE, &self.context.node)];
        let is_own = wanted.iter().all(|(name, value)| found.label(name) == Some(value.as_str()));
        (!is_own).then(|| {
            let text = "is not this resource's: remove it, or give this one another name with the keyword name";
            format!("the container {} ({}) {text}", self.name, found.short_id())
        })
    }

    /// The difference between the container and the configuration, if there is one.
    fn change(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<Option<String>> {
        let body = self.describe(engine)?;
        if body["Labels"][label::CONFIG].as_str() != found.label(label::CONFIG) {
            return Ok(Some("the configuration has changed since the container was made".to_owned()));
        }
        // The image is inspected after the digest, because the digest needs no request.
        let image = engine.image(&self.container.image)?;
        let is_older = image.is_some_and(|image| image != found.image);
        Ok(is_older.then(|| format!("the container runs an older image than {} is now", self.container.image)))
    }

    /// The id of a container with the current configuration: this one, or a new one that replaces it.
    fn as_configured(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<String> {
        let Some(change) = self.change(engine, found)? else { return Ok(found.id.clone()) };
        log::info(format!("{change}: recreating {}", found.short_id()));
        engine.remove(&found.id)?;
        self.create(engine)
    }

    pub(crate) fn create(&self, engine: &EngineClient) -> Result<String> {
        let (id, warnings) = engine.create(&self.name, &self.describe(engine)?)?;
        warnings.iter().for_each(log::warn);
        Ok(id)
    }

    fn describe(&self, engine: &EngineClient) -> Result<serde_json::Value> {
        self.container.describe(self.context, &|rid| self.peer(engine, rid))
    }

    /// The container of another resource of the object.
    fn peer(&self, engine: &EngineClient, rid: &str) -> Result<String> {
        let labels = [
            (label::OBJECT, self.context.object.as_str()),
            (label::RID, rid),
            (label::NODE, self.context.node.as_str()),
        ];
        let found = engine.containers(&labels, true)?.into_iter().next();
        found.ok_or_else(|| Error::failed(format!("{rid} has no container on this node: start it first")))
    }

    /// Pulls the image if the policy requires it. True if it was pulled.
    pub(crate) fn pull(&self, engine: &EngineClient) -> Result<bool> {
        let image = &self.container.image;
        let policy = self.container.pull();
        let is_there = engine.image(image)?.is_some();
        // With the policy `never` an image must be loaded by the operator; a pull would break an air gap.
        if policy == PullPolicy::Never && !is_there {
            let text = format!("the engine has no image {image}, and image_pull_policy is never: load it, or pull it");
            return Err(Error::failed(text));
        }
        if policy == PullPolicy::Never || (policy == PullPolicy::Once && is_there) {
            return Ok(false);
        }
        log::info(format!("pulling {image}"));
        let timeout = self.container.pull_timeout.min(self.context.deadline);
        let file = self.container.registry_creds.as_deref();
        let credentials = file.map(|file| RegistryCredentials::read(file, image)).transpose()?;
        // The advice depends on whether credentials are configured: wrong ones, or none.
        match (engine.pull(image, credentials.as_ref(), timeout), file) {
            (Ok(()), _) => Ok(true),
            (Err(error), _) if error.is_denied() => Err(error.into()),
            (Err(error), Some(file)) if error.is_unauthorized() => {
                Err(Error::failed(format!("{error} (check the credentials in {})", file.display())))
            }
            (Err(error), None) if error.is_unauthorized() => Err(Error::failed(format!(
                "{error} (its registry requires a login: name a file with credentials in registry_creds)"
            ))),
            (Err(error), _) => Err(Error::failed(format!("{error} (load it into the engine, or check its registry)"))),
        }
    }

    /// Watches a container that was just started, and fails if it exits.
    fn settled(&self, engine: &EngineClient, id: &str) -> Result<ContainerInfo> {
        let mut watched = Duration::ZERO;
        loop {
            let gone = || Error::failed(format!("the container {} is gone", self.name));
            let found = engine.container(id)?.ok_or_else(gone)?;
            if !found.state.running {
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

    pub(crate) fn not_started(&self, error: EngineError) -> Error {
        Error::from(error).while_doing(format!("the container {}", self.name))
    }

    /// Stops the container, and removes it if `rm` is set. None if there was nothing to do.
    fn stop_container(&self, engine: &EngineClient) -> Result<Option<String>> {
        let Some(found) = self.own(engine)? else { return Ok(None) };
        let was_running = found.state.running;
        if was_running {
            self.stop_or_kill(engine, &found)?;
        }
        if self.container.is_fleeting() {
            engine.remove(&found.id)?;
            return Ok(Some(format!("removed {}", found.short_id())));
        }
        Ok(was_running.then(|| format!("stopped {}", found.short_id())))
    }

    /// Ignores the error if the engine is the object's own and another resource, which is being stopped in parallel, has stopped it
    /// in the meantime: no container runs in it then.
    fn at_rest(&self, error: Error) -> Result<Option<String>> {
        match self.place.connect() {
            Err(gone) if self.place.is_at_rest(&gone)? => Ok(None),
            _ => Err(error),
        }
    }

    /// Stops the container. The engine kills it if it ignores the signal; if the engine does not answer in time, it is asked to kill
    /// it at once.
    fn stop_or_kill(&self, engine: &EngineClient, found: &ContainerInfo) -> Result<()> {
        let grace = self.container.grace.min(self.context.deadline / 2);
        if let Err(error) = engine.stop(&found.id, grace) {
            // A missing grant would also refuse the kill, and an engine that does not listen cannot execute it.
            if error.is_denied() || error.is_absent() {
                return Err(error.into());
            }
            log::warn(format!("{error}: killing it"));
            // The engine may hang in a stop for a container that ignores its signal, but still obey a kill.
            engine.kill(&found.id, "KILL")?;
        }
        Ok(())
    }

    /// Leaves the engine, and returns the outcome. None if nothing was done.
    pub(crate) fn leave(&self, done: Option<String>) -> Result<Option<Outcome>> {
        let left = self.place.leave()?;
        let text = match (done, left) {
            (None, EngineDeparture::AsItWas) => return Ok(None),
            (None, EngineDeparture::Running) => "the engine is not needed any longer".to_owned(),
            (None, EngineDeparture::Stopped) => "stopped the engine".to_owned(),
            (Some(done), EngineDeparture::Stopped) => format!("{done}, and stopped the engine"),
            (Some(done), _) => done,
        };
        Ok(Some(Outcome::changed(text)))
    }
}
