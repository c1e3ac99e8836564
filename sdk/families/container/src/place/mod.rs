//! The location of a resource's engine: the node's engine, or the object's own.

mod keywords;
mod own;

use std::path::PathBuf;

use hostler_sdk::Result;

use crate::{EngineClient, EngineError};
pub use keywords::EnginePlace;
pub use own::{EngineDeparture, OwnEngine};

/// The location of a resource's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineLocation {
    /// The node's engine, at the first of these sockets that exists.
    Node(Vec<PathBuf>),
    /// The object's own engine, which runs while a resource needs it.
    Own(OwnEngine),
}

impl EngineLocation {
    /// Connects to the engine, without starting it.
    pub fn connect(&self) -> std::result::Result<EngineClient, EngineError> {
        match self {
            EngineLocation::Own(own) => EngineClient::connect(own.socket()),
            EngineLocation::Node(sockets) => {
                let mut answers = sockets.iter().map(|socket| EngineClient::connect(socket));
                // Only a missing socket passes to the next one. One that exists but does not answer is the engine of the node, and is down.
                let first = answers.find(|answer| !matches!(answer, Err(EngineError::Missing(_))));
                first.unwrap_or_else(|| Err(EngineError::Missing(sockets.first().cloned().unwrap_or_default())))
            }
        }
    }

    /// Connects to the engine for a resource that needs it. The object's own engine is started unless it runs. True if that changed
    /// something.
    pub fn enter(&self) -> Result<(EngineClient, bool)> {
        let EngineLocation::Own(own) = self else { return Ok((self.connect()?, false)) };
        let is_new = own.enter()?;
        match self.connect() {
            Err(error) if error.is_passing() => {
                let started = own.start();
                // A resource that is new to the engine has no container in it. If the engine starts late after all, no other resource
                // would stop it, so leave it now.
                if is_new && started.is_err() {
                    own.leave()?;
                }
                Ok((started?, true))
            }
            answer => Ok((answer?, is_new)),
        }
    }

    /// Declares that the resource does not need the engine any more.
    pub fn leave(&self) -> Result<EngineDeparture> {
        match self {
            EngineLocation::Node(_) => Ok(EngineDeparture::AsItWas),
            EngineLocation::Own(own) => own.leave(),
        }
    }

    /// Whether the engine does not run and has no data here. It has no containers then, and need not be started to check that.
    pub fn is_void(&self) -> Result<bool> {
        let EngineLocation::Own(own) = self else { return Ok(false) };
        Ok(matches!(self.connect(), Err(EngineError::Missing(_))) && !own.has_data()?)
    }

    /// Whether the engine does not answer because no resource needs it any more and it was, or is being, stopped: no container runs
    /// then. If it is gone although this resource needs it, the container may still run.
    pub fn is_at_rest(&self, error: &EngineError) -> Result<bool> {
        match self {
            EngineLocation::Own(own) if error.is_passing() => Ok(!own.is_entered()?),
            EngineLocation::Own(_) | EngineLocation::Node(_) => Ok(false),
        }
    }
}
