//! The keywords that say where the engine of a resource is, for drivers whose objects may run a dockerd of their own.

use std::path::PathBuf;

use hostler_sdk::{Context, Keywords, Result};

use super::{EngineLocation, OwnEngine};

/// Where the engine of a resource is.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct EnginePlace {
    /// The socket that the node's engine listens on.
    #[keyword(inherit, default = "/run/docker.sock")]
    pub socket: PathBuf,
    /// Where the object's own engine keeps its images and containers. It then runs an engine of its own, which needs
    /// dockerd(8), flock(1) and pkill(1), and makes no bridge: give containers `netns = none` and ip resources. Usually said
    /// in DEFAULT. Images come from the mirrors of the node's engine, if its /etc/docker/daemon.json names any. By default
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

    /// The place that they name.
    pub fn place(&self, context: &Context) -> Result<EngineLocation> {
        Ok(match &self.container_data_dir {
            Some(data_dir) => EngineLocation::Own(OwnEngine::of(context, data_dir)?),
            None => EngineLocation::Node(vec![self.socket.clone()]),
        })
    }
}
