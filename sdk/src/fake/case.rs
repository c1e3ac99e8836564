//! `given(driver).on(&host)`: a driver's life cycle, one call at a time, each followed by assertions about its result.
//!
//! Assertions panic at the caller's line. In addition, each call is checked against the contract: see [`super`].

use std::fmt::Debug;

use super::Host;
use crate::schema::Section;
use crate::{
    Attachment, Console, Context, Driver, Error, Migrate, Outcome, Problem, Result, RunReport, State, Status, Sync,
    TargetReport, Task,
};

/// A driver with its keywords.
pub fn given<D: Driver>(driver: D) -> DriverSetup<D> {
    DriverSetup { driver, context: Context::fake(&rid::<D>()) }
}

/// A driver whose keywords are read from a section of names and canonical values.
#[track_caller]
pub fn given_section<D: Driver>(pairs: &[(&str, &str)]) -> DriverSetup<D> {
    match D::read(&Section::from_pairs(pairs)) {
        Ok(driver) => given(driver),
        Err(error) => panic!("the section does not read: {error}"),
    }
}

/// `disk#1` for `disk.loop`.
fn rid<D: Driver>() -> String {
    format!("{}#1", D::NAME.split('.').next().unwrap_or_default())
}

/// A driver without a host.
#[must_use]
pub struct DriverSetup<D> {
    driver: D,
    context: Context,
}

impl<D: Driver> DriverSetup<D> {
    /// Replaces the context: another resource, another node, or more variables.
    pub fn with(mut self, context: Context) -> DriverSetup<D> {
        self.context = context;
        self
    }

    /// Puts the driver on a host.
    pub fn on(self, host: &Host) -> Case<D> {
        Case { driver: self.driver, context: self.context, host: host.clone(), last: LastAnswer::Nothing }
    }
}

/// The result of the last call.
enum LastAnswer {
    Nothing,
    Action(&'static str, Result<Outcome>),
    Status(Result<Status>),
    Problems(Result<Vec<Problem>>),
    Run(Result<RunReport>),
    Sync(Result<Vec<TargetReport>>),
    Console(Result<Attachment>),
}

/// A driver on a host.
pub struct Case<D> {
    driver: D,
    context: Context,
    host: Host,
    last: LastAnswer,
}

impl<D: Driver> Case<D> {
    /// Calls `status`. It panics if that changes anything.
    #[track_caller]
    pub fn status(mut self) -> Case<D> {
        let answer = self.host.run(D::GRANTS, Some("status"), || self.driver.status(&self.context));
        self.last = LastAnswer::Status(answer);
        self
    }

    /// Calls `validate`. It panics if that changes anything.
    #[track_caller]
    pub fn validate(mut self) -> Case<D> {
        let answer = self.host.run(D::GRANTS, Some("validate"), || self.driver.validate(&self.context));
        self.last = LastAnswer::Problems(answer);
        self
    }

    /// Calls `start`.
    #[track_caller]
    pub fn start(self) -> Case<D> {
        self.act("start", D::start)
    }

    /// Calls `stop`.
    #[track_caller]
    pub fn stop(self) -> Case<D> {
        self.act("stop", D::stop)
    }

    /// Calls `provision`.
    #[track_caller]
    pub fn provision(self) -> Case<D> {
        self.act("provision", D::provision)
    }

    /// Calls `unprovision`.
    #[track_caller]
    pub fn unprovision(self) -> Case<D> {
        self.act("unprovision", D::unprovision)
    }

    #[track_caller]
    fn act(mut self, verb: &'static str, action: impl FnOnce(&D, &Context) -> Result<Outcome>) -> Case<D> {
        let before = self.host.changes();
        let answer = self.host.run(D::GRANTS, None, || action(&self.driver, &self.context));
        let changes = self.host.changes() - before;
        if let Ok(outcome) = &answer {
            let calls = self.host.calls();
            match (outcome.changed, changes) {
                // The host believes `unchanged` only if its own count agrees, so a driver that is wrong must fail its tests.
                (false, 1..) => panic!("{verb} says that nothing was changed, after {changes} changes: {calls:#?}"),
                (true, 0) => panic!("{verb} says that something was changed, but nothing was: {outcome:?} {calls:#?}"),
                _ => {}
            }
        }
        self.last = LastAnswer::Action(verb, answer);
        self
    }

    /// Asserts that the action succeeded and changed something.
    #[track_caller]
    pub fn is_changed(self, text: &str) -> Case<D> {
        self.has_outcome(true, text)
    }

    /// Asserts that the action succeeded and found everything as wanted.
    #[track_caller]
    pub fn is_unchanged(self, text: &str) -> Case<D> {
        self.has_outcome(false, text)
    }

    #[track_caller]
    fn has_outcome(self, changed: bool, text: &str) -> Case<D> {
        match &self.last {
            LastAnswer::Action(verb, Ok(outcome)) => {
                assert_eq!((outcome.changed, outcome.text.as_str()), (changed, text), "(changed, text) of {verb}");
            }
            other => other.unexpected("an action that succeeds"),
        }
        self
    }

    /// Asserts that the call failed with this error.
    #[track_caller]
    pub fn fails(self, error: &Error) -> Case<D> {
        match self.last.error() {
            Some(found) => assert_eq!(found, error),
            None => self.last.unexpected("a failure"),
        }
        self
    }

    /// Asserts that the call failed with an error that contains this text.
    #[track_caller]
    pub fn fails_with(self, text: &str) -> Case<D> {
        match self.last.error() {
            Some(found) => assert!(found.to_string().contains(text), "expected {text:?} in {found:?}"),
            None => self.last.unexpected("a failure"),
        }
        self
    }

    /// Asserts the state of the status.
    #[track_caller]
    pub fn is(self, state: State) -> Case<D> {
        assert_eq!(shown(self.reported().state()), shown(state), "{:#?}", self.reported().report());
        self
    }

    /// Asserts the label of the status.
    #[track_caller]
    pub fn labelled(self, label: &str) -> Case<D> {
        assert_eq!(self.reported().report().label, label);
        self
    }

    /// Asserts that the status reports the resource as provisioned, or not.
    #[track_caller]
    pub fn is_provisioned(self, expected: bool) -> Case<D> {
        self.is_provisioned_as(if expected { crate::Provisioned::Yes } else { crate::Provisioned::No })
    }

    /// The same, for states between yes and no.
    #[track_caller]
    pub fn is_provisioned_as(self, expected: crate::Provisioned) -> Case<D> {
        assert_eq!(self.reported().report().provisioned, expected);
        self
    }

    /// Asserts that the status exposes this value.
    #[track_caller]
    pub fn exposes(self, name: &str, value: &str) -> Case<D> {
        let exposed = &self.reported().report().exposes;
        assert!(exposed.iter().any(|kv| kv.key == name && kv.value == value), "{name}={value} not in {exposed:?}");
        self
    }

    /// Asserts that a message of the status contains this text.
    #[track_caller]
    pub fn mentions(self, text: &str) -> Case<D> {
        let messages = &self.reported().report().messages;
        assert!(messages.iter().any(|message| message.text.contains(text)), "{text:?} not in {messages:#?}");
        self
    }

    /// Asserts that the status has no messages.
    #[track_caller]
    pub fn is_silent(self) -> Case<D> {
        assert_eq!(self.reported().report().messages, []);
        self
    }

    /// Asserts that `validate` found exactly these problems: keyword and text.
    #[track_caller]
    pub fn finds(self, expected: &[(&str, &str)]) -> Case<D> {
        match &self.last {
            LastAnswer::Problems(Ok(problems)) => {
                let found: Vec<_> = problems.iter().map(|p| (p.keyword.as_str(), p.text.as_str())).collect();
                assert_eq!(found, expected);
            }
            other => other.unexpected("an answer of validate"),
        }
        self
    }

    /// Changes the host before the next call: heals it, reboots it.
    pub fn then(self, change: impl FnOnce(&Host)) -> Case<D> {
        change(&self.host);
        self
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Whether the last call succeeded.
    pub(super) fn succeeded(&self) -> bool {
        self.last.error().is_none()
    }

    /// Whether the last call was a status of this state.
    pub(super) fn has_state(&self, state: State) -> bool {
        matches!(&self.last, LastAnswer::Status(Ok(status)) if status.state() == state)
    }

    #[track_caller]
    fn reported(&self) -> &Status {
        match &self.last {
            LastAnswer::Status(Ok(status)) => status,
            other => other.unexpected("an answer of status"),
        }
    }
}

impl<D: Task> Case<D> {
    /// Calls `run`.
    #[track_caller]
    pub fn run(mut self) -> Case<D> {
        self.last = LastAnswer::Run(self.host.run(D::GRANTS, None, || self.driver.run(&self.context)));
        self
    }

    /// Asserts the exit status of the run.
    #[track_caller]
    pub fn exits_with(self, status: i32) -> Case<D> {
        match &self.last {
            LastAnswer::Run(Ok(report)) => assert_eq!(report.exit_status, status, "{report:?}"),
            other => other.unexpected("an answer of run"),
        }
        self
    }
}

impl<D: Sync> Case<D> {
    /// Calls `sync`.
    #[track_caller]
    pub fn sync(mut self, verb: &str, targets: &[&str]) -> Case<D> {
        let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
        self.last =
            LastAnswer::Sync(self.host.run(D::GRANTS, None, || self.driver.sync_all(&self.context, verb, &targets)));
        self
    }

    /// Asserts the reports of the targets.
    #[track_caller]
    pub fn reports(self, expected: &[TargetReport]) -> Case<D> {
        match &self.last {
            LastAnswer::Sync(Ok(reports)) => assert_eq!(reports, expected),
            other => other.unexpected("an answer of sync"),
        }
        self
    }
}

impl<D: Console> Case<D> {
    /// Calls `enter`.
    #[track_caller]
    pub fn enter(mut self) -> Case<D> {
        self.last = LastAnswer::Console(self.host.run(D::GRANTS, None, || self.driver.enter(&self.context)));
        self
    }

    /// Calls `exec`.
    #[track_caller]
    pub fn exec(mut self, argv: &[&str]) -> Case<D> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        self.last = LastAnswer::Console(self.host.run(D::GRANTS, None, || self.driver.exec(&self.context, &argv)));
        self
    }

    /// Calls `logs`. It panics if that changes anything.
    #[track_caller]
    pub fn logs(mut self, follow: bool) -> Case<D> {
        self.last =
            LastAnswer::Console(self.host.run(D::GRANTS, Some("logs"), || self.driver.logs(&self.context, follow)));
        self
    }

    /// Asserts what the terminal would be connected to.
    #[track_caller]
    pub fn attaches(self, expected: &Attachment) -> Case<D> {
        match &self.last {
            LastAnswer::Console(Ok(attachment)) => assert_eq!(attachment, expected),
            other => other.unexpected("an attachment"),
        }
        self
    }
}

impl<D: Migrate> Case<D> {
    /// Calls `migrate`.
    #[track_caller]
    pub fn migrate(self, to: &str) -> Case<D> {
        self.act("migrate", |driver, context| driver.migrate(context, to))
    }
}

impl LastAnswer {
    fn error(&self) -> Option<&Error> {
        match self {
            LastAnswer::Nothing => None,
            LastAnswer::Action(_, answer) => answer.as_ref().err(),
            LastAnswer::Status(answer) => answer.as_ref().err(),
            LastAnswer::Problems(answer) => answer.as_ref().err(),
            LastAnswer::Run(answer) => answer.as_ref().err(),
            LastAnswer::Sync(answer) => answer.as_ref().err(),
            LastAnswer::Console(answer) => answer.as_ref().err(),
        }
    }

    #[track_caller]
    fn unexpected(&self, expected: &str) -> ! {
        let found: &dyn Debug = match self {
            LastAnswer::Nothing => &"nothing yet",
            LastAnswer::Action(_, answer) => answer,
            LastAnswer::Status(answer) => answer,
            LastAnswer::Problems(answer) => answer,
            LastAnswer::Run(answer) => answer,
            LastAnswer::Sync(answer) => answer,
            LastAnswer::Console(answer) => answer,
        };
        panic!("expected {expected}, found {found:?}")
    }
}

/// The word that the host prints for a state.
fn shown(state: State) -> &'static str {
    match state {
        State::Up => "up",
        State::Down => "down",
        State::Warn => "warn",
        State::NotApplicable => "n/a",
        State::Undefined => "undef",
    }
}
