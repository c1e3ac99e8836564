//! `app.forking`: an application that its own commands start, stop and check.
//!
//! `retcodes` maps the exit status of `check` to up, down or warn. Without a check the state is unknown, and the status is
//! n/a. Start and stop run their command, unless the check reports that there is nothing to do. The word `true` in place of a
//! command means `<script> start`, `<script> stop` or `<script> status`. The commands run with all the rights of their user.

use hostler_family_application::{CommandSettings, RetcodeTable};
use hostler_sdk::prelude::*;

/// An application that its own commands start, stop and check.
///
/// All processes that the start command leaves running belong to the resource, however they fork. Their output is recorded
/// only until the start command exits: a program that keeps running should write to a file of its own.
#[derive(Keywords)]
struct ForkingApplication {
    /// The command that starts the application, or `true` for the script with `start`.
    #[keyword(example = "/usr/sbin/nginx -c /srv/web/nginx.conf")]
    start: Option<Command>,
    /// The command that stops the application, or `true` for the script with `stop`.
    #[keyword(example = "/usr/sbin/nginx -s stop")]
    stop: Option<Command>,
    /// The command that reports the state of the application, or `true` for the script with `status`. It must not change anything.
    #[keyword(example = "/usr/bin/pgrep -u www-data nginx")]
    check: Option<Command>,
    /// A program that takes `start`, `stop` and `status`.
    #[keyword(example = "/etc/init.d/nginx")]
    script: Option<PathBuf>,
    /// The states that the exit statuses of the check mean.
    #[keyword(default = "0:up 1:down")]
    retcodes: Vec<String>,
    /// How long each command may take.
    #[keyword(example = "1m")]
    timeout: Option<Duration>,
    /// How long the start command may take. The default is `timeout`.
    #[keyword(example = "3m")]
    start_timeout: Option<Duration>,
    /// How long the stop command may take. The default is `timeout`.
    #[keyword(example = "3m")]
    stop_timeout: Option<Duration>,
    /// How long the check may take. The default is `timeout`.
    #[keyword(example = "10s")]
    check_timeout: Option<Duration>,
    #[keyword(flatten)]
    surroundings: CommandSettings,
}

#[driver]
impl Driver for ForkingApplication {
    const NAME: &str = "app.forking";
    const GRANTS: &[&str] = &[
        "exec(caps=all) = {command:start}",
        "exec(caps=all) = {command:stop}",
        "exec(read, caps=all) = {command:check}",
        "exec(caps=all) = {kw:script} start",
        "exec(caps=all) = {kw:script} stop",
        "exec(read, caps=all) = {kw:script} status",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, error: Error| {
            problems.push(Problem::new(keyword, error));
        };
        for (keyword, step) in [("start", self.start_step()), ("stop", self.stop_step()), ("check", self.check_step())]
        {
            if let Err(error) = step {
                problem(keyword, error);
            }
        }
        if let Err(error) = RetcodeTable::parse(&self.retcodes) {
            problem("retcodes", error);
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let Some(check) = self.check_step()? else {
            return Ok(Status::not_applicable().label(self.label()));
        };
        let status = match check.run() {
            Ok(output) => self.meaning(output.status)?,
            // A check that hangs or cannot run says nothing about the application, so it must not be reported as down.
            Err(CapabilityError::TimedOut) => Status::undefined("the check took too long"),
            Err(error) => Status::undefined(error),
        };
        Ok(status.label(self.label()))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let Some(start) = self.start_step()? else {
            return Ok(Outcome::unchanged("there is no start command"));
        };
        if self.is(State::Up)? {
            return Ok(Outcome::unchanged("already up"));
        }
        start.check()?;
        Ok(Outcome::changed("started"))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let Some(stop) = self.stop_step()? else {
            return Ok(Outcome::unchanged("there is no stop command"));
        };
        if self.is(State::Down)? {
            return Ok(Outcome::unchanged("already down"));
        }
        stop.check()?;
        Ok(Outcome::changed("stopped"))
    }
}

impl ForkingApplication {
    fn start_step(&self) -> Result<Option<Command>> {
        self.step("start", &self.start, "start", self.start_timeout)
    }

    fn stop_step(&self) -> Result<Option<Command>> {
        self.step("stop", &self.stop, "stop", self.stop_timeout)
    }

    fn check_step(&self) -> Result<Option<Command>> {
        self.step("check", &self.check, "status", self.check_timeout)
    }

    /// The command of a keyword, if it has one. The host passes a boolean on as the word that was written.
    fn step(
        &self,
        keyword: &str,
        value: &Option<Command>,
        word: &str,
        timeout: Option<Duration>,
    ) -> Result<Option<Command>> {
        let Some(command) = value else { return Ok(None) };
        let command = match command.program().to_ascii_lowercase().as_str() {
            // The words are those that a boolean may have in a section, because the keyword may be one.
            "true" | "yes" | "on" | "1" => {
                let missing = || Error::invalid_config(format!("{keyword} is true, and there is no script"));
                Command::new(self.script.as_ref().ok_or_else(missing)?).arg(word)
            }
            "false" | "no" | "off" | "0" => return Ok(None),
            // The grant names the program by its path, and no PATH is searched.
            program if program.starts_with('/') => command.clone(),
            _ => {
                let program = command.program();
                return Err(Error::invalid_config(format!("{keyword} runs {program:?}: expected an absolute path")));
            }
        };
        let command = self.surroundings.apply(command)?;
        Ok(Some(match timeout.or(self.timeout) {
            Some(timeout) => command.timeout(timeout),
            None => command,
        }))
    }

    fn meaning(&self, exit_status: i32) -> Result<Status> {
        Ok(match RetcodeTable::parse(&self.retcodes)?.state(exit_status) {
            Some(state) => Status::of(state),
            None => Status::up().degraded(format!("the check exited with {exit_status}, which is not in retcodes")),
        })
    }

    /// Whether the check reports this state. Without a check, the answer is false.
    fn is(&self, state: State) -> Result<bool> {
        match self.check_step()? {
            Some(check) => Ok(self.meaning(check.run()?.status)?.state() == state),
            None => Ok(false),
        }
    }

    fn label(&self) -> String {
        let script = self.script.as_ref().map(|script| script.display().to_string());
        let start = self.start.as_ref().map(|start| start.program().to_owned()).filter(|start| start.starts_with('/'));
        start.or(script).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Host, given};
    use hostler_sdk::process::Output;

    use super::*;

    fn app() -> ForkingApplication {
        ForkingApplication {
            start: Some(Command::new("/srv/app").arg("up")),
            stop: Some(Command::new("/srv/app").arg("down")),
            check: Some(Command::new("/srv/check")),
            script: None,
            retcodes: vec!["0:up".to_owned(), "1:down".to_owned(), "3:warn".to_owned()],
            timeout: None,
            start_timeout: None,
            stop_timeout: None,
            check_timeout: None,
            surroundings: CommandSettings::default(),
        }
    }

    fn output(status: i32) -> Output {
        Output { status, stdout: Vec::new(), stderr: b"no room\n".to_vec(), truncated: false }
    }

    /// A host whose application is up or down, as its commands left it.
    fn host() -> Host {
        Host::new()
            .looking("/srv/check")
            .program_with("/srv/app", |run| {
                let process = if run.args == ["up"] { "running" } else { "" };
                run.host.clone().text_file("/run/app", process);
                output(0)
            })
            .program_with("/srv/check", |run| {
                output(i32::from(run.host.content("/run/app").as_deref() != Some("running")))
            })
    }

    #[test]
    fn commands_run_only_if_the_check_says_that_they_must() {
        given(app())
            .on(&host())
            .status()
            .is(State::Down)
            .labelled("/srv/app")
            .start()
            .is_changed("started")
            .start()
            .is_unchanged("already up")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("stopped")
            .stop()
            .is_unchanged("already down");
    }

    #[test]
    fn exit_statuses_of_the_check_mean_what_retcodes_says() {
        for (exit, state) in [(0, State::Up), (1, State::Down), (3, State::Warn), (2, State::Warn), (143, State::Warn)]
        {
            given(app()).on(&Host::new().looking("/srv/check").program("/srv/check", exit, "")).status().is(state);
        }
    }

    #[test]
    fn without_a_check_the_commands_always_run_and_the_status_is_not_applicable() {
        let blind = || ForkingApplication { check: None, ..app() };
        given(blind())
            .on(&host())
            .status()
            .is(State::NotApplicable)
            .start()
            .is_changed("started")
            .start()
            .is_changed("started");
    }

    #[test]
    fn a_command_that_fails_is_named_with_its_last_words() {
        let host = host().program_with("/srv/app", |_| output(7));
        given(app()).on(&host).start().fails_with("/srv/app exited with 7: no room");
    }

    #[test]
    fn a_check_that_hangs_leaves_the_state_undefined() {
        let host = host().failing("process.run", CapabilityError::TimedOut);
        given(app()).on(&host).status().is(State::Undefined);
    }

    #[test]
    fn booleans_mean_the_script() {
        let word = |word: &str| Some(Command::new(word));
        let scripted = ForkingApplication {
            start: word("true"),
            stop: word("yes"),
            check: word("1"),
            script: Some("/etc/init.d/app".into()),
            ..app()
        };
        let host = Host::new()
            .looking("/etc/init.d/app status")
            .program_with("/etc/init.d/app", |run| output(i32::from(run.args == ["status"])));
        given(scripted).on(&host).start().is_changed("started");
        assert_eq!(host.calls(), ["process.run /etc/init.d/app status", "process.run /etc/init.d/app start"]);
        let off = ForkingApplication { start: word("false"), ..app() };
        given(off).on(&host).start().is_unchanged("there is no start command");
        let lost = ForkingApplication { start: word("true"), ..app() };
        given(lost).on(&host).start().fails_with("start is true, and there is no script");
        let bare = ForkingApplication { start: word("nginx"), ..app() };
        given(bare).on(&host).start().fails_with("start runs \"nginx\": expected an absolute path");
    }
}
