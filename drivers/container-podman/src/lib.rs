//! `container.podman`: a container of podman, by the Docker Engine API of its service.
//!
//! All verbs and states mean the same as for `container.docker`. Podman has no daemon: its service only answers requests. So
//! containers keep running when it stops, and systemd starts it on the first request (`systemctl enable --now podman.socket`).

use hostler_family_container::{ContainerResource, ContainerSpec, EngineLocation, grant, refuse_own_engine};
use hostler_sdk::prelude::*;

/// A container of podman.
///
/// Needs the service of podman, which answers the Docker Engine API on a socket: `systemctl enable --now podman.socket`. The
/// container is found by the labels `hostler.object`, `hostler.rid` and `hostler.node`, under any name. A container that has its name
/// without the labels belongs to something else and is left alone. If the configuration changes, the container is recreated at the
/// next start.
#[derive(Keywords)]
struct PodmanContainer {
    #[keyword(flatten)]
    container: ContainerSpec,
    /// The socket of podman's service.
    #[keyword(default = "/run/podman/podman.sock", example = "/run/user/1000/podman/podman.sock")]
    socket: PathBuf,
    /// Not supported here, because an object's own engine is a dockerd: see container.docker.
    #[keyword(inherit, example = "/srv/{name}/docker")]
    // Not supported, but declared: DEFAULT may set it for the other containers of the object.
    container_data_dir: Option<PathBuf>,
}

hostler_family_container::container_driver!(
    PodmanContainer,
    "container.podman",
    &["http.unix(guard=container) = GET,POST,DELETE {kw:socket} /**", grant::CREDENTIALS]
);

impl ContainerResource for PodmanContainer {
    fn container(&self) -> &ContainerSpec {
        &self.container
    }

    fn place(&self, _: &Context) -> Result<EngineLocation> {
        Ok(EngineLocation::Node(vec![self.socket.clone()]))
    }

    fn problems(&self) -> Vec<Problem> {
        let refused = refuse_own_engine(self.container_data_dir.as_ref());
        refused.into_iter().chain(self.container.problems()).collect()
    }
}

#[cfg(test)]
mod tests {
    use hostler_family_container::fake::FakeEngine;
    use hostler_sdk::fake::{Host, given_section, stop_undoes_any_failed_start};

    use super::*;

    const SOCKET: &str = "/run/podman/podman.sock";
    const SECTION: [(&str, &str); 6] = [
        ("image", "docker.io/library/mariadb"),
        ("image_pull_policy", "once"),
        ("pull_timeout", "120000"),
        ("settle", "200"),
        ("socket", SOCKET),
        ("netns", "none"),
    ];

    fn host(engine: &FakeEngine) -> Host {
        engine.on(Host::new(), SOCKET)
    }

    fn engine() -> FakeEngine {
        FakeEngine::new().in_registry("docker.io/library/mariadb", "sha256:1")
    }

    #[test]
    fn a_container_comes_and_goes() {
        let engine = engine();
        given_section::<PodmanContainer>(&SECTION)
            .on(&host(&engine))
            .status()
            .is(State::Down)
            .provision()
            .is_changed("pulled docker.io/library/mariadb")
            .start()
            .is_changed("000000000000 is running from docker.io/library/mariadb")
            .status()
            .is(State::Up)
            .labelled("000000000000@docker.io/library/mariadb")
            .stop()
            .is_changed("stopped 000000000000")
            .unprovision()
            .is_changed("removed 000000000000");
        assert_eq!(engine.containers(), [""; 0]);
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| given_section::<PodmanContainer>(&SECTION).on(&host(&engine())));
    }

    #[test]
    fn a_missing_service_is_reported() {
        given_section::<PodmanContainer>(&SECTION).on(&Host::new()).status().is(State::Down).mentions(SOCKET);
    }
}
