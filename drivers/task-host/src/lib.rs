//! `task.host`: a command that is run on demand or by schedule.
//!
//! A task is neither up nor down. `retcodes` maps the exit status of a run: `up` is success. After a run that fails or times
//! out, `on_error` runs. The commands run with all the rights of their user.

use hostler_family_application::{CommandSettings, TaskKeywords};
use hostler_sdk::prelude::*;

/// A command that is run on demand or by schedule.
#[derive(Keywords)]
struct CommandTask {
    /// The command to run.
    #[keyword(example = "/usr/local/bin/backup --all")]
    command: Command,
    /// The command to run after a run that failed.
    #[keyword(example = "/usr/local/bin/page-oncall")]
    on_error: Option<Command>,
    #[keyword(flatten)]
    run: TaskKeywords,
    #[keyword(flatten)]
    surroundings: CommandSettings,
}

#[driver(task)]
impl Driver for CommandTask {
    const NAME: &str = "task.host";
    const GRANTS: &[&str] = &[
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {command:command}",
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {command:on_error}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for (keyword, command) in [("command", Some(&self.command)), ("on_error", self.on_error.as_ref())] {
            if let Some(command) = command.filter(|command| !command.program().starts_with('/')) {
                let text = format!("{:?} is not a program: expected an absolute path", command.program());
                problems.push(Problem::new(keyword, text));
            }
        }
        problems.extend(self.run.problems());
        problems.extend(self.surroundings.problems());
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable().label(self.command.program()))
    }
}

impl hostler_sdk::Task for CommandTask {
    fn run(&self, context: &Context) -> Result<RunReport> {
        self.run.must_be_confirmed(context)?;
        let mut command = self.surroundings.apply(self.command.clone())?;
        // Behind those of the section: the last variable of a name counts, so that -e wins.
        for (name, value) in context.asked_environment() {
            command = command.env(name, value);
        }
        if let Some(timeout) = self.run.timeout {
            command = command.timeout(timeout);
        }
        let report = match command.run() {
            Ok(output) => self.meaning(output.status),
            // A timeout is a failed run, not a failed action: it has an exit status, and on_error runs.
            Err(CapabilityError::TimedOut) => {
                Ok(RunReport { exit_status: TIMED_OUT, text: "took too long".to_owned() })
            }
            Err(error) => Err(error.into()),
        };
        if !matches!(&report, Ok(report) if report.exit_status == 0) {
            self.after_error();
        }
        report
    }
}

/// The exit status of a run that timed out, as in timeout(1).
const TIMED_OUT: i32 = 124;

impl CommandTask {
    fn meaning(&self, exit_status: i32) -> Result<RunReport> {
        let report = RunReport { exit_status, text: format!("exited with {exit_status}") };
        Ok(self.run.retcodes()?.judge(report))
    }

    /// Runs `on_error`. Its own failure is logged, and does not change the report of the run.
    fn after_error(&self) {
        let Some(command) = &self.on_error else { return };
        let result = self.surroundings.apply(command.clone()).and_then(|command| command.check());
        if let Err(error) = result {
            log::error(format!("on_error: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};

    use super::*;

    fn task() -> CommandTask {
        CommandTask {
            command: Command::new("/srv/backup").arg("--all"),
            on_error: Some(Command::new("/srv/page")),
            run: TaskKeywords {
                timeout: Some(Duration::from_secs(60)),
                retcodes: vec!["0:up".to_owned(), "1:down".to_owned(), "4:up".to_owned()],
                confirmation: false,
            },
            surroundings: CommandSettings::default(),
        }
    }

    fn run(task: CommandTask, host: &Host) -> Case<CommandTask> {
        given(task).on(host).run()
    }

    fn host(exit_status: i32) -> Host {
        Host::new().program("/srv/backup", exit_status, "").program("/srv/page", 0, "")
    }

    #[test]
    fn a_run_ends_as_retcodes_says_and_failures_are_followed_up() {
        for (exit, reported, follows) in [(0, 0, false), (4, 0, false), (1, 1, true), (7, 7, true), (137, 137, true)] {
            let host = host(exit);
            run(task(), &host).exits_with(reported);
            assert_eq!(host.calls().contains(&"process.run /srv/page".to_owned()), follows, "{exit}");
        }
        let run_keywords = TaskKeywords { retcodes: vec!["3:up".to_owned()], ..task().run };
        run(CommandTask { run: run_keywords, ..task() }, &host(0)).exits_with(1);
    }

    #[test]
    fn a_run_that_takes_too_long_is_a_failure() {
        run(task(), &host(0).failing("process.run", CapabilityError::TimedOut)).exits_with(124);
    }

    #[test]
    fn a_run_that_must_be_confirmed_is_refused_without_confirmation() {
        let careful = || CommandTask { run: TaskKeywords { confirmation: true, ..task().run }, ..task() };
        let host = host(0);
        run(careful(), &host).fails_with("this task must be confirmed: use --confirm");
        assert_eq!(host.calls(), [""; 0]);
    }

    #[test]
    fn a_task_is_neither_up_nor_down() {
        given(task()).on(&host(1)).status().is(State::NotApplicable).labelled("/srv/backup");
    }
}
