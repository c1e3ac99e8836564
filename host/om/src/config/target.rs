//! A configuration that commands read, check and change: an object's, or the node's own.
//!
//! A change is checked before it is written: what it breaks refuses it, what was broken before does not.

use std::path::PathBuf;
use std::time::Duration;

use agent::file::lock::FileLock;
use agent::file::text::NotText;
use agent::{ObjectFiles, file::durable};
use anyhow::{Context, anyhow};
use config::diagnostic::Diagnostic;
use config::{Document, Key, Reader};
use model::object::KeywordValue;
use model::{NodeName, ObjectPath};

use crate::exit::{self, Failure};
use crate::object::life::block_on;
use crate::render::diagnostic;
use crate::session::{Session, print_error, warn};

/// How long a change of node.conf waits for another one to end.
const EDIT_WAIT: Duration = Duration::from_secs(10);

/// A configuration, and who it is about.
pub(crate) struct ConfigFile<'s> {
    session: &'s Session,
    about: About,
}

enum About {
    Object(ObjectPath),
    Node,
}

impl<'s> ConfigFile<'s> {
    /// The configuration of an object.
    pub(crate) fn of_object(session: &'s Session, path: ObjectPath) -> ConfigFile<'s> {
        ConfigFile { session, about: About::Object(path) }
    }

    /// `node.conf`.
    pub(crate) fn of_node(session: &'s Session) -> ConfigFile<'s> {
        ConfigFile { session, about: About::Node }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        match &self.about {
            About::Object(path) => path.to_string(),
            About::Node => "node".to_owned(),
        }
    }

    /// Where it stands.
    pub(crate) fn file(&self) -> PathBuf {
        let home = self.session.agent.home();
        match &self.about {
            About::Object(path) => home.config(path),
            About::Node => home.node_config(),
        }
    }

    /// Where changes are kept that an editor made and that have errors.
    pub(crate) fn draft(&self) -> PathBuf {
        let home = self.session.agent.home();
        match &self.about {
            About::Object(path) => home.state(path).join("draft.conf"),
            About::Node => home.node_state().join("draft.conf"),
        }
    }

    /// As it stands. A node needs none.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        match &self.about {
            About::Object(path) => Ok(ObjectFiles::of(self.session.agent.home()).text(path)?),
            About::Node => {
                let content = durable::read(&self.file()).map_err(anyhow::Error::from)?.unwrap_or_default();
                let located = |at: NotText| anyhow!(at.sentence(self.file().display()));
                Ok(NotText::check(content).map_err(located)?)
            }
        }
    }

    /// What is wrong with a text, if it were this configuration.
    pub(crate) fn diagnose(&self, text: &str) -> Vec<Diagnostic> {
        let agent = &self.session.agent;
        match &self.about {
            About::Object(path) => block_on(agent.diagnose(path, text)).unwrap_or_else(|_| {
                // Without threads for drivers, what needs none is told all the same.
                config::validate(path, text, &agent.node(), &*agent.drivers())
            }),
            About::Node => config::validate_node(text),
        }
    }

    /// A keyword as it is meant, on this node or on another.
    pub(crate) fn eval(&self, document: &Document, key: &Key, node: Option<&NodeName>) -> anyhow::Result<KeywordValue> {
        let agent = &self.session.agent;
        match &self.about {
            About::Node => Ok(config::eval_node(document, key)?),
            About::Object(path) => {
                let (own, drivers) = (agent.node(), agent.drivers());
                let other = node.map(|name| own.impersonating(name.clone()));
                Ok(Reader::new(path, document, other.as_ref().unwrap_or(&own), &*drivers).eval(key, &())?)
            }
        }
    }

    /// A key as the document calls its section: `disk#1` may be written `[vg#1]` there.
    pub(crate) fn as_written(&self, document: &Document, key: &Key) -> Key {
        let agent = &self.session.agent;
        match &self.about {
            About::Node => key.clone(),
            About::Object(path) => {
                let (node, drivers) = (agent.node(), agent.drivers());
                let reader = Reader::new(path, document, &node, &*drivers);
                Key { section: reader.section(key).to_owned(), ..key.clone() }
            }
        }
    }

    /// Changes it, unless that makes an error that was not there. `force` writes it all the same.
    pub(crate) fn change(
        &self,
        force: bool,
        change: impl FnOnce(&mut Document) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.replace(|old| {
            let mut document = Document::parse(old);
            change(&mut document)?;
            if document.text() == old {
                self.session.note(&format!("{}: nothing to change", self.name()));
            } else if !force {
                self.refuse_new_errors(old, document.text())?;
            }
            Ok(document.text().to_owned())
        })?;
        self.warn_of_errors()
    }

    /// Says that errors are left: a change that was accepted may be without effect.
    pub(crate) fn warn_of_errors(&self) -> Result<(), Failure> {
        let count = self.diagnose(&self.text()?).iter().filter(|diagnostic| diagnostic.is_error()).count();
        if count > 0 {
            let errors = if count == 1 { "an error".to_owned() } else { format!("{count} errors") };
            let (effect, validate) = match &self.about {
                About::Object(path) => ("the last good one stays active", format!("om {path} config validate")),
                About::Node => ("what cannot be read has no effect", "om node validate".to_owned()),
            };
            warn(&format!("{} has {errors}: {effect}: see {validate}", self.file().display()));
        }
        Ok(())
    }

    /// Replaces the text by what `make` makes of it, with nobody in between.
    pub(crate) fn replace(&self, make: impl FnOnce(&str) -> Result<String, Failure>) -> Result<(), Failure> {
        let home = self.session.agent.home();
        match &self.about {
            About::Object(path) => ObjectFiles::of(home).edit(path, make),
            About::Node => {
                let lock = home.run.join("lock").join("node.config");
                let _lock = FileLock::take_blocking(&lock, "edit", EDIT_WAIT)
                    .context("cannot change the node's configuration")?;
                let old = self.text()?;
                let new = make(&old)?;
                if new != old {
                    durable::probe(&home.var).map_err(anyhow::Error::from)?;
                    durable::write(&self.file(), new.as_bytes()).map_err(anyhow::Error::from)?;
                }
                Ok(())
            }
        }
    }

    fn refuse_new_errors(&self, old: &str, new: &str) -> Result<(), Failure> {
        let errors = new_errors(&self.diagnose(old), self.diagnose(new));
        if errors.is_empty() {
            return Ok(());
        }
        print_error(&diagnostic::report(&self.file().display().to_string(), new, &errors));
        Err(Failure::new(exit::FAILED, format!("{}: not changed (--force saves it anyway)", self.name())))
    }
}

/// The errors that were not there before. Where in the text they are does not count: lines move.
fn new_errors(before: &[Diagnostic], after: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut known: Vec<&Diagnostic> = before.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    let mut errors: Vec<Diagnostic> = after.into_iter().filter(Diagnostic::is_error).collect();
    errors.retain(|error| {
        let same = known.iter().position(|old| old.message == error.message && old.label == error.label);
        same.map(|at| known.swap_remove(at)).is_none()
    });
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::diagnostic::Span;

    #[test]
    fn an_error_is_new_unless_it_was_there_as_often() {
        let error = |at: usize, message: &str| Diagnostic::error(Span::new(at, at + 1), message, "");
        let check = |before: &[Diagnostic], after: &[Diagnostic], expected: &[Diagnostic]| {
            assert_eq!(new_errors(before, after.to_vec()), expected);
        };
        check(&[], &[error(1, "a")], &[error(1, "a")]);
        check(&[error(1, "a")], &[error(9, "a")], &[]);
        check(&[error(1, "a")], &[error(1, "a"), error(9, "a")], &[error(9, "a")]);
        check(&[error(1, "a")], &[], &[]);
        check(&[], &[Diagnostic::warning(Span::new(0, 1), "w", "")], &[]);
    }
}
