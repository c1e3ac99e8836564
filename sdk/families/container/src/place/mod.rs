//! Where the engine of a resource is: one of the node's, which runs or does not, or the object's own.

mod keywords;
mod own;

use std::path::PathBuf;

use hostler_sdk::Result;

use crate::{EngineClient, EngineError};
pub use keywords::EnginePlace;
pub use own::{EngineDeparture, OwnEngine};

/// Where the engine of a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineLocation {
    /// The node's: the first of these sockets that exists.
    Node(Vec<PathBuf>),
    /// The object's own, which runs while it is needed.
    Own(OwnEngine),
}

impl EngineLocation {
    /// The engine as it is.
    pub fn connect(&self) -> std::result::Result<EngineClient, EngineError> {
        match self {
            EngineLocation::Own(own) => EngineClient::connect(own.socket()),
            EngineLocation::Node(sockets) => {
                let mut answers = sockets.iter().map(|socket| EngineClient::connect(socket));
                let first = answers.find(|answer| !matches!(answer, Err(EngineError::Missing(_))));
                first.unwrap_or_else(|| Err(EngineError::Missing(sockets.first().cloned().unwrap_or_default())))
            }
        }
    }

    /// The engine for a resource that needs it: the object's own is started, unless it runs. True if that changed anything.
    pub fn enter(&self) -> Result<(EngineClient, bool)> {
        let EngineLocation::Own(own) = self else { return Ok((self.connect()?, false)) };
        let is_new = own.enter()?;
        match self.connect() {
            Err(error) if error.is_passing() => {
                let started = own.start();
                // Whoever has never had it has no container in it, and nobody would end one that comes late.
                if is_new && started.is_err() {
                    own.leave()?;
                }
                Ok((started?, true))
            }
            answer => Ok((answer?, is_new)),
        }
    }

    /// Says that the resource needs the engine no longer.
    pub fn leave(&self) -> Result<EngineDeparture> {
        match self {
            EngineLocation::Node(_) => Ok(EngineDeparture::AsItWas),
            EngineLocation::Own(own) => own.leave(),
        }
    }

    /// Whether the engine does not run and has no data here: it has no container, and must not be started to say so.
    pub fn is_void(&self) -> Result<bool> {
        let EngineLocation::Own(own) = self else { return Ok(false) };
        Ok(matches!(self.connect(), Err(EngineError::Missing(_))) && !own.has_data()?)
    }

    /// Whether the engine does not answer because it was ended, or is being ended, for want of anybody who needs it: then no
    /// container runs. Where it is gone while this resource needs it, the container may run on.
    pub fn is_at_rest(&self, error: &EngineError) -> Result<bool> {
        match self {
            EngineLocation::Own(own) if error.is_passing() => Ok(!own.is_entered()?),
            EngineLocation::Own(_) | EngineLocation::Node(_) => Ok(false),
        }
    }
}
