//! The keywords for the location of the engine, for drivers whose objects may have a dockerd of their own.

use std::path::PathBuf;

use hostler_sdk::{Context, Keywords, Result};

use super::{EngineLocation, OwnEngine};

/// The keywords for the location of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct EnginePlace {
    /// The socket of the node's engine.
    #[keyword(inherit, default = "/run/docker.sock")]
    pub socket: PathBuf,
    /// The directory for the images and containers of an engine of the object's own. If it is set, the object runs its own dockerd.
    /// This needs dockerd(8), flock(1) and pkill(1). The engine has no bridge: give containers `netns = none` and ip resources.
    /// Usually set in DEFAULT. Images come from the mirrors of the node's engine, if /etc/docker/daemon.json names any. By default
    /// the node's engine is used.
    #[keyword(inherit, example = "/srv/{name}/docker")]
    pub container_data_dir: Option<PathBuf>,
}

impl EnginePlace {
    /// For tests: the node's engine, on this socket.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fake(socket: &str) -> EnginePlace {
        EnginePlace { socket: socket.into(), container_data_dir: None }
    }

    /// The location that the keywords describe.
    pub fn place(&self, context: &Context) -> Result<EngineLocation> {
        Ok(match &self.container_data_dir {
            Some(data_dir) => EngineLocation::Own(OwnEngine::of(context, data_dir)?),
            None => EngineLocation::Node(vec![self.socket.clone()]),
        })
    }
}
