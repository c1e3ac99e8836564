//! `container.oci`: a container of the engine that the node has, docker or podman.
//!
//! All verbs and states mean the same as for `container.docker`. The engine may differ from node to node: it is the one whose
//! `socket` the configuration names, or the first of docker and podman whose socket exists.

use hostler_family_container::{ContainerResource, ContainerSpec, EngineLocation, grant, refuse_own_engine};
use hostler_sdk::prelude::*;

/// The sockets of engines, in the order in which they are tried.
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/run/podman/podman.sock"];

/// A container of the engine that the node has, docker or podman.
///
/// For objects whose nodes do not all have the same engine. The container is found by the labels `hostler.object`, `hostler.rid`
/// and `hostler.node`, under any name. A container that has its name without the labels belongs to something else and is left alone.
/// If the configuration changes, the container is recreated at the next start.
#[derive(Keywords)]
struct OciContainer {
    #[keyword(flatten)]
    container: ContainerSpec,
    /// The socket of the engine. The default is `/run/docker.sock`, or `/run/podman/podman.sock` if the first does not exist.
    #[keyword(example = "/run/podman/podman.sock")]
    socket: Option<PathBuf>,
    /// Not supported here, because an object's own engine is a dockerd: see container.docker.
    #[keyword(inherit, example = "/srv/{name}/docker")]
    container_data_dir: Option<PathBuf>,
}

hostler_family_container::container_driver!(
    OciContainer,
    "container.oci",
    &[
        "http.unix(guard=container) = GET,POST,DELETE {kw:socket} /**",
        "http.unix(guard=container) = GET,POST,DELETE /run/docker.sock /**",
        "http.unix(guard=container) = GET,POST,DELETE /run/podman/podman.sock /**",
        grant::CREDENTIALS,
    ]
);

impl ContainerResource for OciContainer {
    fn container(&self) -> &ContainerSpec {
        &self.container
    }

    fn place(&self, _: &Context) -> Result<EngineLocation> {
        Ok(EngineLocation::Node(match &self.socket {
            Some(socket) => vec![socket.clone()],
            // Both sockets: podman is used only if docker's does not exist, see EngineLocation::connect.
            None => SOCKETS.map(PathBuf::from).to_vec(),
        }))
    }

    fn problems(&self) -> Vec<Problem> {
        let refused = refuse_own_engine(self.container_data_dir.as_ref());
        refused.into_iter().chain(self.container.problems()).collect()
    }
}

#[cfg(test)]
mod tests {
    use hostler_family_container::fake::FakeEngine;
    use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

    use super::*;

    fn oci(socket: Option<&str>, host: &Host) -> Case<OciContainer> {
        let container = ContainerSpec { image: "mariadb".to_owned(), ..ContainerSpec::default() };
        given(OciContainer { container, socket: socket.map(PathBuf::from), container_data_dir: None }).on(host)
    }

    fn engine() -> FakeEngine {
        FakeEngine::new().image("mariadb", "sha256:1")
    }

    #[test]
    fn the_first_engine_that_is_there_runs_it() {
        for socket in SOCKETS {
            let engine = engine();
            let host = engine.on(Host::new(), socket);
            oci(None, &host).start().is_changed("000000000000 is running from mariadb").status().is(State::Up);
            assert_eq!(engine.containers(), ["web.container.1 running"], "{socket}");
        }
    }

    #[test]
    fn one_that_is_there_and_does_not_answer_is_not_passed_over() {
        let (docker, podman) = (engine(), engine());
        docker.die();
        let host = podman.on(docker.on(Host::new(), SOCKETS[0]), SOCKETS[1]);
        oci(None, &host)
            .status()
            .is(State::Undefined)
            .mentions("/run/docker.sock")
            .start()
            .fails_with("/run/docker.sock");
        assert_eq!(podman.containers(), [""; 0]);
    }

    #[test]
    fn the_socket_of_the_configuration_counts() {
        let (docker, other) = (engine(), engine());
        let host = other.on(docker.on(Host::new(), SOCKETS[0]), "/run/other.sock");
        oci(Some("/run/other.sock"), &host).start().stop().is_changed("stopped 000000000000");
        assert_eq!((docker.containers().len(), other.containers().len()), (0, 1));
    }

    #[test]
    fn an_own_engine_cannot_be_podman() {
        let container = ContainerSpec { image: "mariadb".to_owned(), ..ContainerSpec::default() };
        let own = OciContainer { container, socket: None, container_data_dir: Some("/srv/docker".into()) };
        let text = "an engine of the object's own is a dockerd: use type = docker, or set it in the sections that do, \
                    and not in DEFAULT";
        let host = engine().on(Host::new(), SOCKETS[0]);
        given(own)
            .on(&host)
            .validate()
            .finds(&[("container_data_dir", text)])
            .start()
            .fails_with("container_data_dir: an engine of the object's own")
            .stop()
            .is_unchanged("already down");
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| oci(None, &engine().on(Host::new(), SOCKETS[0])));
    }
}
