//! `given(driver).on(&host)`: a driver's life cycle, one call at a time, each followed by assertions about its result.
//!
//! Assertions panic at the caller's line. In addition, each call is checked against the contract: see [`super`].

mod answer;
mod optional;

use self::answer::{LastAnswer, state_word};
use super::Host;
use crate::schema::Section;
use crate::{Context, Driver, Error, Outcome, Result, State, Status};

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
        let answer =
            self.host.run((Some(D::GRANTS), &self.context), Some("status"), || self.driver.status(&self.context));
        self.last = LastAnswer::Status(answer);
        self
    }

    /// Calls `validate`. It panics if that changes anything.
    #[track_caller]
    pub fn validate(mut self) -> Case<D> {
        let answer =
            self.host.run((Some(D::GRANTS), &self.context), Some("validate"), || self.driver.validate(&self.context));
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
        // Counted over this call alone: earlier ones of the case have made changes of their own.
        let before = self.host.changes();
        let answer = self.host.run((Some(D::GRANTS), &self.context), None, || action(&self.driver, &self.context));
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
        // By their words, so that a failure reads as a status does.
        assert_eq!(state_word(self.reported().state()), state_word(state), "{:#?}", self.reported().report());
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

    /// The words of the error that the last call returned.
    pub(super) fn error_text(&self) -> String {
        self.last.error().map(ToString::to_string).unwrap_or_default()
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
