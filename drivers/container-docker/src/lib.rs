//! `container.docker`: a container of docker, by its API over a unix socket.
//!
//! Up: the container of this resource runs. Down: it does not, or there is none. Start pulls the image as the policy says,
//! makes the container if there is none as configured, and watches it for a moment. Stop ends it, and removes it if `rm` says
//! so. Provision has the image at hand, unprovision removes the container; images stay. Where the object has a
//! `container_data_dir`, the engine is its own: started before its first container, ended after its last.

use hostler_family_container::grant;
use hostler_family_container::{ContainerResource, ContainerSpec, EngineLocation, EnginePlace};
use hostler_sdk::prelude::*;

/// A container of docker.
///
/// The container is known by its name and the labels `hostler.object`, `hostler.rid` and `hostler.node`; one of that name
/// without them is another's, and left alone. If the configuration changes, the container is made anew at the next start.
#[derive(Keywords)]
struct DockerContainer {
    #[keyword(flatten)]
    container: ContainerSpec,
    /// Where its engine is.
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
