//! `app.forking`: an application that its own commands start, stop and check.
//!
//! `retcodes` maps the exit status of `check` to up, down or warn. Without a check the state is unknown, and the status is
//! n/a. Start and stop run their command, unless the check reports that there is nothing to do, and then ask the check again until it
//! says what they should have led to: many a command returns before its application is ready, or gone. `true` in place of a command
//! means `<script> start`, `<script> stop` or `<script> status`, and so does a number, which once was the place in an order. The
//! commands run with all the rights of their user.

use hostler_family_application::{CommandSettings, RetcodeTable};
use hostler_sdk::prelude::*;
use hostler_sdk::{holdings, process};

/// How long an application may take to be ready or gone after its command has returned, where no timeout is set.
const SETTLE: Duration = Duration::from_secs(10);

/// The pause between two checks.
const PAUSE: Duration = Duration::from_millis(200);

/// An application that its own commands start, stop and check.
///
/// All processes that the start command leaves running belong to the resource, however they fork. Their output goes to a file in the
/// object's log directory, and until the start command exits it is in the log of the action too.
#[derive(Keywords)]
struct ForkingApplication {
    /// The command that starts the application, or `true` for the script with `start`.
    #[keyword(kind = "launcher", example = "/usr/sbin/nginx -c /srv/web/nginx.conf")]
    start: Option<Command>,
    /// The command that stops the application, or `true` for the script with `stop`.
    #[keyword(kind = "launcher", example = "/usr/sbin/nginx -s stop")]
    stop: Option<Command>,
    /// The command that reports the state of the application, or `true` for the script with `status`. It must not change anything.
    #[keyword(kind = "launcher", example = "/usr/bin/pgrep -u www-data nginx")]
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
    /// How long the start command may take, and then the application until the check says up: 10s where nothing is set. The default
    /// is `timeout`.
    #[keyword(example = "3m")]
    start_timeout: Option<Duration>,
    /// How long the stop command may take, and then the application until the check says down and its processes are gone: 10s where
    /// nothing is set. The default is `timeout`.
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
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {command:start}",
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {command:stop}",
        "exec(read, caps=all, group={kw:group}, cwd={kw:cwd}) = {command:check}",
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {kw:script} start",
        "exec(caps=all, group={kw:group}, cwd={kw:cwd}) = {kw:script} stop",
        "exec(read, caps=all, group={kw:group}, cwd={kw:cwd}) = {kw:script} status",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::from_iter(self.surroundings.problems());
        let mut problem = |keyword: &str, error: Error| {
            problems.push(Problem::new(keyword, error));
        };
        let launchers =
            [("start", &self.start, "start"), ("stop", &self.stop, "stop"), ("check", &self.check, "status")];
        for (keyword, value, word) in launchers {
            if let Err(error) = self.launcher(keyword, value, word) {
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

    fn start(&self, context: &Context) -> Result<Outcome> {
        let Some(start) = self.start_step()? else {
            return Ok(Outcome::unchanged("there is no start command"));
        };
        let began = clock::since_boot();
        let state = self.state()?;
        if state == Some(State::Up) {
            return Ok(Outcome::unchanged("already up"));
        }
        // A start beside what runs makes a second application, which works on the same data.
        match (state, RunningProcesses::now()?) {
            (Some(State::Down), Some(running)) => {
                Err(Error::failed(format!("the check says down, but {running} still runs: stop the resource first")))
            }
            (None, Some(running)) => {
                Ok(Outcome::unchanged(format!("no check says whether it is up, and {running} runs")))
            }
            _ => self.run_start(&start, context, began),
        }
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let Some(stop) = self.stop_step()? else {
            return stop_program(context);
        };
        let began = clock::since_boot();
        let is_down = self.quick_state(context)? == Some(State::Down);
        // What a start left behind that failed halfway is not what the check looks for.
        let left = process::running()?;
        match (is_down, left.is_empty()) {
            (true, true) => return Ok(Outcome::unchanged("already down")),
            // It may say that there is nothing to stop. The processes are looked for below.
            (true, false) => drop(stop.run()?),
            (false, _) => drop(stop.check()?),
        }
        let is_over =
            || Ok(process::running()?.is_empty() && matches!(self.quick_state(context)?, Some(State::Down) | None));
        let patience = self.patience(self.stop_timeout, context, began);
        // Not an error if it is not over by then: the host looks itself, and says what is left.
        clock::wait_until(patience, PAUSE, is_over)?;
        Ok(Outcome::changed("stopped"))
    }
}

/// Ends a program that the host has started and keeps, which no command of this driver did: the resource had another type then, whose stop
/// ends its processes.
fn stop_program(context: &Context) -> Result<Outcome> {
    let is_program = |held: &holdings::Holding| held.attribute("first").is_some();
    if !holdings::present("process-group")?.iter().any(is_program) {
        return Ok(Outcome::unchanged("the configuration has no stop command"));
    }
    let count = process::terminate("TERM", SETTLE.min(context.deadline / 2))?;
    let what = if count == 1 { "process" } else { "processes" };
    Ok(Outcome::changed(format!(
        "stopped {count} {what} that were started when the type was another, as app.simple does"
    )))
}

impl ForkingApplication {
    fn run_start(&self, start: &Command, context: &Context, began: Duration) -> Result<Outcome> {
        let started = start.check();
        // What runs now is the application, also if the command failed halfway: a stop is over when it is gone.
        process::running()?;
        started?;
        let patience = self.patience(self.start_timeout, context, began);
        // A check that does not answer does not undo the start: the host looks next, and reports it.
        clock::wait_until(patience, PAUSE, || Ok(matches!(self.state(), Ok(None | Some(State::Up | State::Warn)))))?;
        Ok(Outcome::changed("started"))
    }

    fn start_step(&self) -> Result<Option<Command>> {
        let start = self.step("start", &self.start, "start", self.start_timeout)?;
        // What it leaves running goes on writing: a pipe would end with this call.
        Ok(start.map(|start| start.setting("output", "file")))
    }

    fn stop_step(&self) -> Result<Option<Command>> {
        self.step("stop", &self.stop, "stop", self.stop_timeout)
    }

    fn check_step(&self) -> Result<Option<Command>> {
        self.step("check", &self.check, "status", self.check_timeout)
    }

    /// The command of a keyword, if it has one. The host passes a boolean on as true or false, and a number as true.
    fn step(
        &self,
        keyword: &str,
        value: &Option<Command>,
        word: &str,
        timeout: Option<Duration>,
    ) -> Result<Option<Command>> {
        let Some(command) = self.launcher(keyword, value, word)? else { return Ok(None) };
        let command = self.surroundings.apply(command)?;
        Ok(Some(match timeout.or(self.timeout) {
            Some(timeout) => command.timeout(timeout),
            None => command,
        }))
    }

    /// The command alone, without what surrounds it.
    fn launcher(&self, keyword: &str, value: &Option<Command>, word: &str) -> Result<Option<Command>> {
        let Some(command) = value else { return Ok(None) };
        match command.program() {
            "true" => {
                let missing = || Error::invalid_config(format!("{keyword} is true, but script is not set"));
                Ok(Some(Command::new(self.script.as_ref().ok_or_else(missing)?).arg(word)))
            }
            "false" => Ok(None),
            // The grant names the program by its path, and no PATH is searched.
            program if program.starts_with('/') => Ok(Some(command.clone())),
            program => Err(Error::invalid_config(format!("{keyword} runs {program:?}: expected an absolute path"))),
        }
    }

    fn meaning(&self, exit_status: i32) -> Result<Status> {
        Ok(match RetcodeTable::parse(&self.retcodes)?.state(exit_status) {
            Some(state) => Status::of(state),
            None => Status::up().degraded(format!("the check exited with {exit_status}, which is not in retcodes")),
        })
    }

    /// The state that the check reports. None without a check.
    fn state(&self) -> Result<Option<State>> {
        match self.check_step()? {
            Some(check) => Ok(Some(self.meaning(check.run()?.status)?.state())),
            None => Ok(None),
        }
    }

    /// The same in a stop: a check that does not answer says nothing, and must not use up the time to stop the application.
    fn quick_state(&self, context: &Context) -> Result<Option<State>> {
        let Some(check) = self.check_step()? else { return Ok(None) };
        let limit = context.deadline / 4;
        let limit = self.check_timeout.or(self.timeout).map_or(limit, |timeout| timeout.min(limit));
        match check.timeout(limit).run() {
            Ok(output) => Ok(Some(self.meaning(output.status)?.state())),
            Err(_) => Ok(Some(State::Undefined)),
        }
    }

    /// How long to wait for what a command should have led to, in a call that began then.
    fn patience(&self, timeout: Option<Duration>, context: &Context, began: Duration) -> Duration {
        // What is left of the deadline is for the last check.
        let left = (began + context.deadline * 4 / 5).saturating_sub(clock::since_boot());
        timeout.or(self.timeout).unwrap_or(SETTLE).min(left)
    }

    fn label(&self) -> String {
        let script = self.script.as_ref().map(|script| script.display().to_string());
        let start = self.start.as_ref().map(|start| start.program().to_owned()).filter(|start| start.starts_with('/'));
        start.or(script).unwrap_or_default()
    }
}

/// The processes of the resource that run now, in words.
struct RunningProcesses {
    first: process::ProcessInfo,
    others: usize,
}

impl RunningProcesses {
    fn now() -> Result<Option<RunningProcesses>> {
        let mut running = process::running()?.into_iter();
        Ok(running.next().map(|first| RunningProcesses { first, others: running.count() }))
    }
}

impl std::fmt::Display for RunningProcesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.first.argv.join(" "), self.first.pid)?;
        match self.others {
            0 => Ok(()),
            others => write!(f, " and {others} more"),
        }
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
    fn an_application_is_waited_for_until_the_check_says_that_it_is_ready_or_gone() {
        let asked = std::cell::Cell::new(0);
        let slow = Host::new().looking("/srv/check").program("/srv/app", 0, "").program_with("/srv/check", move |_| {
            asked.set(asked.get() + 1);
            // Down before the start, and for two more looks: up then, and down again after another two.
            output(i32::from(!(4..=6).contains(&asked.get())))
        });
        given(app()).on(&slow).start().is_changed("started").stop().is_changed("stopped").status().is(State::Down);
        let never = Host::new().looking("/srv/check").program("/srv/app", 0, "").program("/srv/check", 1, "");
        given(app()).on(&never).start().is_changed("started").status().is(State::Down);
    }

    #[test]
    fn a_stop_runs_its_command_if_the_check_does_not_answer_or_processes_are_left() {
        let deaf = Host::new().looking("/srv/check").program("/srv/app", 0, "").program("/srv/check", 126, "");
        given(app()).on(&deaf).stop().is_changed("stopped");
        let half = Host::new().looking("/srv/check").program("/srv/check", 1, "").program_with("/srv/app", |run| {
            run.host.kill_processes();
            output(1)
        });
        given(app())
            .on(&half.process(&["/srv/app", "child"]))
            .stop()
            .is_changed("stopped")
            .stop()
            .is_unchanged("already down");
    }

    #[test]
    fn what_still_runs_stands_in_the_way_of_a_start() {
        let text = "the check says down, but /srv/old child (process 1000) still runs: stop the resource first";
        given(app()).on(&host().process(&["/srv/old", "child"])).start().fails_with(text);
        let blind = || ForkingApplication { check: None, ..app() };
        let text = "no check says whether it is up, and /srv/old (process 1000) and 1 more runs";
        given(blind()).on(&host().process(&["/srv/old"]).process(&["child"])).start().is_unchanged(text);
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
            stop: word("true"),
            check: word("true"),
            script: Some("/etc/init.d/app".into()),
            ..app()
        };
        let host = Host::new().looking("/etc/init.d/app status").program_with("/etc/init.d/app", |run| {
            if run.args == ["start"] {
                run.host.clone().text_file("/run/app", "running");
            }
            output(i32::from(!run.host.has_file("/run/app")))
        });
        given(scripted).on(&host).start().is_changed("started");
        let (status, start) = ("process.run /etc/init.d/app status", "process.run /etc/init.d/app start");
        assert_eq!(
            host.calls().iter().map(|call| call.trim()).collect::<Vec<_>>(),
            [status, "process.running", start, "process.running", status]
        );
        let off = ForkingApplication { start: word("false"), ..app() };
        given(off).on(&host).start().is_unchanged("there is no start command");
        let lost = ForkingApplication { start: word("true"), ..app() };
        given(lost).on(&host).start().fails_with("start is true, but script is not set");
        let bare = ForkingApplication { start: word("nginx"), ..app() };
        given(bare).on(&host).start().fails_with("start runs \"nginx\": expected an absolute path");
    }
}
