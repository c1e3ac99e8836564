//! A configuration that commands read, check and change: an object's, or the node's own.

use protocol::{ConfigChange, ConfigCheck, ConfigOutcome, ConfigTarget, EvaluatedKeyword};

use crate::exit::Failure;
use crate::render::diagnostic;
use crate::session::Session;
use crate::terminal::{print_error, warn};

/// A configuration in the agent's care.
pub(crate) struct ConfigFile<'s> {
    pub(super) session: &'s Session,
    pub(crate) target: ConfigTarget,
}

impl<'s> ConfigFile<'s> {
    pub(crate) fn of(session: &'s Session, target: ConfigTarget) -> ConfigFile<'s> {
        ConfigFile { session, target }
    }

    /// The name in messages.
    pub(crate) fn name(&self) -> String {
        self.target.to_string()
    }

    pub(crate) fn text(&self) -> Result<String, Failure> {
        Ok(self.session.backend.config(&self.target)?.text)
    }

    /// A text of this configuration, with `***` for its secrets.
    pub(crate) fn covered(&self, text: &str) -> Result<String, Failure> {
        self.session.backend.covered_config(&self.target, text)
    }

    /// A value of it, with `***` for what is secret in it.
    pub(crate) fn covered_value(&self, value: &str) -> Result<String, Failure> {
        self.session.backend.covered_value(&self.target, &self.text()?, value)
    }

    /// A text, with the problems that it would have as this configuration.
    pub(crate) fn check(&self, name: String, text: String) -> Result<ConfigCheck, Failure> {
        let problems = self.session.backend.check_config(&self.target, &text)?;
        Ok(ConfigCheck { name, text, problems })
    }

    pub(crate) fn written(&self, keyword: &str) -> Result<Option<String>, Failure> {
        self.session.backend.written(&self.target, keyword)
    }

    pub(crate) fn evaluated(&self, keyword: &str, peer: Option<&model::NodeName>) -> Result<EvaluatedKeyword, Failure> {
        self.session.backend.evaluated(&self.target, keyword, peer)
    }

    /// Makes the edits, unless they cause an error that was not there.
    pub(crate) fn change(&self, change: &ConfigChange) -> Result<(), Failure> {
        self.report(self.session.backend.change_config(&self.target, change)?)
    }

    /// Reports what came of a change.
    pub(crate) fn report(&self, outcome: ConfigOutcome) -> Result<(), Failure> {
        match outcome {
            ConfigOutcome::Unchanged => self.session.note(&format!("{}: nothing to change", self.target)),
            ConfigOutcome::Saved { notes } => notes.iter().for_each(|note| self.session.note(note)),
            ConfigOutcome::Refused(check) => {
                // The report is only about errors that the change would cause, not about those that were there before.
                print_error(&diagnostic::report(&check));
                let name = &self.target;
                return Err(Failure::failed(format!("{name}: not changed (--force saves it anyway)")));
            }
        }
        self.warn_of_errors()
    }

    /// Warns of the errors that the configuration has: a change that was saved may be without effect.
    pub(crate) fn warn_of_errors(&self) -> Result<(), Failure> {
        // After a change that was saved as well: --force, or an error that was there before, leaves errors.
        let file = self.session.backend.config_file(&self.target);
        let count = self.check(file, self.text()?)?;
        if count.errors() > 0 {
            let errors = if count.errors() == 1 { "an error".to_owned() } else { format!("{} errors", count.errors()) };
            let (effect, validate) = match &self.target {
                ConfigTarget::Object(path) => ("the last good one stays active", format!("om {path} config validate")),
                ConfigTarget::Node => ("what cannot be read has no effect", "om node validate".to_owned()),
            };
            warn(&format!("{} has {errors}: {effect}: see {validate}", count.name));
        }
        Ok(())
    }
}
