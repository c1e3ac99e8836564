//! `task.docker`: a container that runs to completion, on demand or by schedule.
//!
//! A task is neither up nor down. A run creates the container, starts it, waits until it exits, logs its output and removes it.
//! `retcodes` maps its exit status to success or failure. Stop ends and removes the container of a run that was interrupted,
//! and leaves the engine. Provision pulls the image, unprovision removes the container of an interrupted run. With a `container_data_dir` the engine is the object's own, as with `container.docker`.

use hostler_family_application::TaskKeywords;
use hostler_family_container::grant;
use hostler_family_container::{ContainerLife, ContainerSpec, EnginePlace};
use hostler_sdk::prelude::*;

/// A container that runs to completion, on demand or by schedule.
///
/// Each run has a container of its own, which is removed afterwards. The next run cannot start before the previous one is over.
#[derive(Keywords)]
struct ContainerTask {
    #[keyword(flatten)]
    container: ContainerSpec,
    /// The engine that runs the container.
    #[keyword(flatten)]
    engine: EnginePlace,
    #[keyword(flatten)]
    run: TaskKeywords,
}

#[driver(task)]
impl Driver for ContainerTask {
    const NAME: &str = "task.docker";
    const GRANTS: &[&str] = &[
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
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = self.container.problems();
        problems.extend(self.run.problems());
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable().label(&self.container.image))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        self.service(context)?.end_runs()
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        self.service(context)?.provision()
    }

    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        self.service(context)?.unprovision()
    }
}

impl hostler_sdk::Task for ContainerTask {
    fn run(&self, context: &Context) -> Result<RunReport> {
        self.run.must_be_confirmed(context)?;
        // Retcodes that do not parse fail the run before the container is made.
        let retcodes = self.run.retcodes()?;
        Ok(retcodes.judge(self.service(context)?.run(self.run.timeout)?))
    }
}

impl ContainerTask {
    fn service<'a>(&'a self, context: &'a Context) -> Result<ContainerLife<'a>> {
        Ok(ContainerLife::new(&self.container, context, self.engine.place(context)?))
    }
}

#[cfg(test)]
mod tests {
    use hostler_family_container::fake::FakeEngine;
    use hostler_sdk::fake::{Case, Host, given_section};

    use super::*;

    const SOCKET: &str = "/run/docker.sock";

    fn task(host: &Host, more: &[(&str, &str)]) -> Case<ContainerTask> {
        let section = [
            ("image", "backup"),
            ("image_pull_policy", "once"),
            ("pull_timeout", "120000"),
            ("settle", "200"),
            ("socket", SOCKET),
            ("retcodes", "0:up"),
            ("retcodes", "4:up"),
        ];
        given_section(&[&section, more].concat()).with(Context::fake("task#1")).on(host)
    }

    fn on(engine: &FakeEngine) -> Host {
        engine.on(Host::new(), SOCKET)
    }

    fn ends_with(exit_code: i32) -> FakeEngine {
        FakeEngine::new().image("backup", "sha256:1").failing("backup", exit_code, "one\ntwo\n")
    }

    #[test]
    fn a_run_returns_the_status_of_its_container_and_leaves_nothing() {
        for (exit_code, expected) in [(0, 0), (4, 0), (3, 3)] {
            let engine = ends_with(exit_code);
            task(&on(&engine), &[]).status().is(State::NotApplicable).labelled("backup").run().exits_with(expected);
            assert_eq!(engine.containers(), [""; 0]);
        }
    }

    #[test]
    fn its_output_is_logged() {
        let host = on(&ends_with(0));
        task(&host, &[]).run();
        let lines: Vec<String> = host.log().into_iter().map(|line| line.text).collect();
        assert_eq!(lines, ["| one", "| two"]);
    }

    #[test]
    fn one_that_takes_too_long_is_removed() {
        let engine = FakeEngine::new().image("backup", "sha256:1");
        task(&on(&engine), &[("timeout", "30000")]).run().exits_with(124);
        assert_eq!(engine.containers(), [""; 0]);
    }

    #[test]
    fn a_run_that_is_not_over_keeps_the_next_from_starting() {
        let labels = [("hostler.object", "web"), ("hostler.rid", "task#1"), ("hostler.node", "n1")];
        let engine = FakeEngine::new().image("backup", "sha256:1").container("web.task.1", &labels);
        task(&on(&engine), &[]).run().fails_with("an earlier run is not over").unprovision();
        assert_eq!(engine.containers(), [""; 0], "unprovision removes what a run left");
    }

    #[test]
    fn a_stop_asks_no_engine_where_no_run_has_left_anything() {
        let host = Host::new();
        task(&host, &[]).stop().is_unchanged("no run has left a container");
        assert!(!host.calls().iter().any(|call| call.starts_with("http")), "{:?}", host.calls());
    }

    #[test]
    fn a_run_that_must_be_confirmed_is_refused_without_confirmation() {
        let engine = ends_with(0);
        task(&on(&engine), &[("confirmation", "true")]).run().fails_with("use --confirm");
        assert_eq!(engine.containers(), [""; 0]);
    }
}
