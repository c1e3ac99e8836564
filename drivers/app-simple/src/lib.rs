//! `app.simple`: an application that runs in the foreground, supervised.
//!
//! Up: the process that start made runs. Down: the resource has no process. If only others of its processes are left, such as a helper of
//! a daemon that has crashed, it is up with a warning, and start stops them first. Start runs `start` and leaves it running; its output goes to a file
//! in the object's log directory. Stop stops the process and all its descendants, however they forked. The agent finds the
//! processes again after its own restart.

use hostler_family_application::CommandSettings;
use hostler_sdk::prelude::*;
use hostler_sdk::process;

/// An application that runs in the foreground, supervised.
///
/// The application needs no pid file and no daemon mode: the host finds its processes by their control group or, without
/// control groups, by marks in their environment.
#[derive(Keywords)]
struct SimpleApplication {
    /// The command that runs the application. It must stay in the foreground.
    #[keyword(example = "/usr/bin/python3 -m http.server 8080")]
    start: Command,
    /// How long the processes may take to exit after SIGTERM before they are killed. At most half of `stop_timeout`.
    #[keyword(default = "10s", example = "1m")]
    grace: Duration,
    /// How long start waits to see whether the first process exits at once. The resources that follow start after that. At the end of
    /// a start that a user asked for, it must have run for a second.
    #[keyword(default = "100ms", example = "2s")]
    settle: Duration,
    #[keyword(flatten)]
    surroundings: CommandSettings,
}

#[driver]
impl Driver for SimpleApplication {
    const NAME: &str = "app.simple";
    const GRANTS: &[&str] = &["spawn(caps=all, group={kw:group}, cwd={kw:cwd}) = {command:start}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::from_iter(self.surroundings.problems());
        if !self.start.program().starts_with('/') {
            let text = format!("{:?} is not a program: expected an absolute path", self.start.program());
            problems.push(Problem::new("start", text));
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let processes = process::running()?;
        let status = Status::up_if(!processes.is_empty()).label(self.start.program());
        Ok(processes.iter().fold(status, |status, process| status.exposes("pid", process.pid)))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        // The processes are the only source of truth: there is no pid file that could be stale.
        match (process::running()?.first(), context.var("lost_process")) {
            (Some(_), Some(pid)) => {
                log::warn(format!("the first process {pid} has exited: stopping what it left"));
                // A part of the time only: the start comes behind it.
                process::terminate("TERM", self.grace.min(context.deadline / 4))?;
            }
            (Some(first), None) => return Ok(Outcome::unchanged(format!("already running with pid {}", first.pid))),
            (None, _) => {}
        }
        let pid = self.surroundings.apply(self.start.clone())?.spawn()?;
        let program = self.start.program();
        // spawn succeeds as soon as the program is executed. Many programs report a bad configuration by exiting right after that.
        match process::watch(pid, self.settle)? {
            None => Ok(Outcome::changed(format!("{program} is running with pid {pid}"))),
            Some(exited) if process::running()?.is_empty() => {
                exited.last_lines.iter().for_each(|line| log::error(format!("| {line}")));
                let last = exited.last_lines.last().map(|line| format!(": {line}")).unwrap_or_default();
                Err(Error::failed(format!("{program} exited with {} right after its start{last}", exited.status)))
            }
            Some(exited) => {
                Ok(Outcome::changed(format!("{program} exited with {} and left others running", exited.status)))
            }
        }
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        // Half of the time is kept for SIGKILL, in case the processes ignore SIGTERM.
        match process::terminate("TERM", self.grace.min(context.deadline / 2))? {
            0 => Ok(Outcome::unchanged("no process is running")),
            1 => Ok(Outcome::changed("stopped 1 process")),
            count => Ok(Outcome::changed(format!("stopped {count} processes"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};

    use super::*;

    fn on(host: &Host) -> Case<SimpleApplication> {
        given(SimpleApplication {
            start: Command::new("/srv/app").arg("--port=80"),
            grace: Duration::from_secs(10),
            settle: Duration::from_millis(100),
            surroundings: CommandSettings::default(),
        })
        .on(host)
    }

    #[test]
    fn the_application_runs_once_and_all_its_processes_are_stopped() {
        let host = Host::new();
        on(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("/srv/app is running with pid 1000")
            .start()
            .is_unchanged("already running with pid 1000")
            .status()
            .is(State::Up)
            .labelled("/srv/app")
            .exposes("pid", "1000")
            .stop()
            .is_changed("stopped 1 process")
            .stop()
            .is_unchanged("no process is running")
            .status()
            .is(State::Down);
    }

    #[test]
    fn processes_of_an_earlier_agent_are_found_again() {
        let host = Host::new().process(&["/srv/app", "--port=80"]).process(&["worker"]);
        on(&host)
            .status()
            .is(State::Up)
            .start()
            .is_unchanged("already running with pid 1000")
            .stop()
            .is_changed("stopped 2 processes");
    }

    #[test]
    fn a_program_that_exits_at_once_says_why() {
        let host = Host::new().exits_at_once("/srv/app", 98, &["Traceback", "Address already in use"]);
        on(&host)
            .start()
            .fails_with("/srv/app exited with 98 right after its start: Address already in use")
            .status()
            .is(State::Down);
    }

    #[test]
    fn a_crash_is_down_and_can_be_started_again() {
        let host = Host::new();
        on(&host)
            .start()
            .then(Host::kill_processes)
            .status()
            .is(State::Down)
            .start()
            .is_changed("/srv/app is running with pid 1000");
    }
}
