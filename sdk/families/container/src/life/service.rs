//! The container of a resource, and what its verbs share.

use hostler_sdk::{Context, Error, Outcome, Result, log};

use crate::{ContainerSpec, EngineClient, EngineDeparture, EngineError, EngineLocation};

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

    pub(super) fn is_own(&self) -> bool {
        matches!(self.place, EngineLocation::Own(_))
    }

    pub(crate) fn create(&self, engine: &EngineClient) -> Result<String> {
        let (id, warnings) = engine.create(&self.name, &self.describe(engine)?)?;
        warnings.iter().for_each(log::warn);
        Ok(id)
    }

    /// The body of the request that creates it.
    pub(super) fn describe(&self, engine: &EngineClient) -> Result<serde_json::Value> {
        self.container.describe(self.context, &|rid| {
            let absent = || Error::failed(format!("{rid} has no container on this node: start it first"));
            Ok(self.peer(engine, rid)?.ok_or_else(absent)?.id)
        })
    }

    pub(crate) fn not_started(&self, error: EngineError) -> Error {
        Error::from(error).while_doing(format!("the container {}", self.name))
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
