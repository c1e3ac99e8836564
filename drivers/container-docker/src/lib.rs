//! `container.docker`: a container of docker, by its API over a unix socket.
//!
//! Up: the container of this resource runs. Down: it does not run or does not exist. Start pulls the image if the policy
//! requires it, creates the container if there is none with the current configuration, and watches it for a moment. Stop
//! stops it, and removes it if `rm` is set. Provision pulls the image, unprovision removes the container; images stay. An
//! object with a `container_data_dir` has an engine of its own, started before its first container and stopped after its last.

use hostler_family_container::grant;
use hostler_family_container::{ContainerResource, ContainerSpec, EngineLocation, EnginePlace};
use hostler_sdk::prelude::*;

/// A container of docker.
///
/// The container is found by the labels `hostler.object`, `hostler.rid` and `hostler.node`, under any name. A container that has its
/// name without the labels belongs to something else and is left alone. If the configuration changes, the container is recreated
/// at the next start. One that shares a namespace of another container stops and restarts along with it.
#[derive(Keywords)]
struct DockerContainer {
    #[keyword(flatten)]
    container: ContainerSpec,
    /// The engine that runs the container.
    #[keyword(flatten)]
    engine: EnginePlace,
}

hostler_family_container::container_driver!(
    DockerContainer,
    "container.docker",
    &[
        "http.unix(guard=container) = GET,POST,DELETE {rundir}/engine/docker.sock /**",
        "http.unix(guard=container) = GET,POST,DELETE {kw:socket} /**",
        grant::CREDENTIALS,
        grant::RUN,
        grant::SEE,
        grant::CLEAR,
        grant::END,
        grant::KEEP,
        grant::REGISTRIES,
        grant::DATA,
        grant::UNBIND,
    ]
);

impl ContainerResource for DockerContainer {
    fn container(&self) -> &ContainerSpec {
        &self.container
    }

    fn place(&self, context: &Context) -> Result<EngineLocation> {
        self.engine.place(context)
    }
}

#[cfg(test)]
mod tests;
