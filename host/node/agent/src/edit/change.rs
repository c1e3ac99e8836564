//! Reading, checking and saving a configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::diagnostic::Diagnostic;
use config::{self, ConfigKey, Document, InvalidKey, InvalidKeyOperation, KeyOperation, KeywordReader};
use model::ObjectPath;
use model::select::{EmptySelection, InvalidFilter, ResourceFilter};
use protocol::{ConfigChange, ConfigCheck, ConfigEdit, ConfigOutcome, ConfigProblem, ConfigTarget, ConfigText};

use crate::file::durable::{self, FileError};
use crate::file::lock::{FileLock, LockError};
use crate::file::text::NotText;
use crate::history::{ChangeAuthor, HistoryError, HistoryFile};
use crate::object::{NoUsableConfiguration, ObjectError};
use crate::{Agent, ObjectFiles};
use exec::blocking;

/// How long a change of node.conf waits for another one.
const EDIT_WAIT: Duration = Duration::from_secs(10);

/// How often a change is made again because another one was saved meanwhile.
const ATTEMPTS: u32 = 20;

/// Why a configuration cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such object, or its files cannot be used.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not text.
    #[error("{0}")]
    NotText(String),
    /// Another process changes node.conf.
    #[error("cannot change the node's configuration")]
    Lock(#[source] LockError),
    /// What is to be set cannot be read.
    #[error("cannot read --kw {text}")]
    Operation {
        text: String,
        #[source]
        source: InvalidKeyOperation,
    },
    /// The keyword cannot be read.
    #[error("cannot read the keyword {text:?}")]
    Keyword {
        text: String,
        #[source]
        source: InvalidKey,
    },
    /// The value cannot be written.
    #[error("{target}: cannot set {key}")]
    Value {
        target: String,
        key: String,
        #[source]
        source: config::EditError,
    },
    /// The section that is to be deleted is not there.
    #[error("{target} has no section {section}")]
    NoSection { target: String, section: String },
    /// The text is not the one that the change was made from.
    #[error("other processes kept changing the configuration meanwhile: try again")]
    ChangedMeanwhile,
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// A section is removed or renamed while its resource holds something.
    #[error(
        "{object}: the section {section} is needed to stop what is held: {held} (stop it first; --force leaves it as an orphan)"
    )]
    Held { object: ObjectPath, section: String, held: String },
    /// The options that select resources cannot be read.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// The options select nothing.
    #[error("{object}")]
    EmptySelection {
        object: ObjectPath,
        #[source]
        source: EmptySelection,
    },
    /// An earlier version cannot be had.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The value cannot be evaluated.
    #[error(transparent)]
    Read(#[from] config::ReadError),
    /// It is not written anywhere: a driver says it of its resource.
    #[error(
        "{0} is no keyword, but what {section} may expose while it is up: print status --format json shows it under exposes",
        section = .0.section
    )]
    Exposed(config::ConfigKey),
}

/// Makes the new text of the present one.
type MakeText = Arc<dyn Fn(&str) -> Result<String, ConfigError> + Send + Sync>;

impl Agent {
    /// The configuration as it is stored. Of a node, a file that does not exist is an empty one.
    pub fn config_text(&self, target: &ConfigTarget) -> Result<ConfigText, ConfigError> {
        let file = self.config_file(target);
        let text = match target {
            ConfigTarget::Object(path) => ObjectFiles::of(self.home()).text(path)?,
            ConfigTarget::Node => {
                let content = durable::read(&file)?.unwrap_or_default();
                NotText::check(content).map_err(|odd| ConfigError::NotText(odd.sentence(file.display())))?
            }
        };
        Ok(ConfigText { file: file.display().to_string(), text })
    }

    /// Where the configuration is stored.
    pub fn config_file(&self, target: &ConfigTarget) -> PathBuf {
        match target {
            ConfigTarget::Object(path) => self.home().config(path),
            ConfigTarget::Node => self.home().node_config(),
        }
    }

    /// Where the changes of an editor are kept until they are saved.
    pub fn config_draft(&self, target: &ConfigTarget) -> PathBuf {
        let state = match target {
            ConfigTarget::Object(path) => self.home().state(path),
            ConfigTarget::Node => self.home().node_state(),
        };
        state.join("draft.conf")
    }

    /// The problems that a text would have as this configuration.
    pub async fn check_config(&self, target: &ConfigTarget, text: &str) -> Vec<ConfigProblem> {
        self.diagnose_config(target, text).await.iter().map(ConfigProblem::from).collect()
    }

    async fn diagnose_config(&self, target: &ConfigTarget, text: &str) -> Vec<Diagnostic> {
        match target {
            ConfigTarget::Object(path) => self.diagnose_here(path, text).await,
            ConfigTarget::Node => self.covered_problems(target, text, config::validate_node(text)),
        }
    }

    /// The problems of a file that is not a configuration yet. One that is not text has one more.
    pub async fn check_file(&self, object: &ObjectPath, name: &str, content: Vec<u8>) -> ConfigCheck {
        let (text, odd) = match NotText::check(content) {
            Ok(text) => (text, None),
            Err(odd) => (odd.lossy().to_owned(), Some(odd.diagnostic())),
        };
        let diagnostics = odd.into_iter().chain(self.diagnose(object, &text).await);
        let problems = diagnostics.map(|diagnostic| ConfigProblem::from(&diagnostic)).collect();
        ConfigCheck { name: name.to_owned(), text, problems }
    }

    /// The object that a file is most likely meant for: the object whose configuration it is, else the service with the name
    /// of the file.
    pub fn likely_object(&self, file: &std::path::Path) -> ObjectPath {
        if let Ok(within) = file.strip_prefix(&self.home().etc)
            && let Some(path) = crate::home::layout::object_of_config_file(within)
        {
            return path;
        }
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
        // The last case does not happen, as `service` is a name.
        ObjectPath::svc(&stem).or_else(|_| ObjectPath::svc("service")).unwrap_or_else(|_| ObjectPath::cluster())
    }

    /// Makes the edits, all of them or none. A change that causes errors is refused, unless it is forced.
    pub async fn change_config(
        &self,
        target: &ConfigTarget,
        change: &ConfigChange,
        by: &ChangeAuthor,
    ) -> Result<ConfigOutcome, ConfigError> {
        let (agent, edited, edits) = (self.clone(), target.clone(), change.edits.clone());
        let make = move |old: &str| agent.edited(&edited, old, &edits);
        self.replace_config(target, Arc::new(make), change.force, by).await
    }

    /// Puts an earlier version back, as a new one. A version with errors that the present one does not have is refused, unless it
    /// is forced.
    pub async fn roll_config_back(
        &self,
        target: &ConfigTarget,
        revision: u64,
        force: bool,
        by: &ChangeAuthor,
    ) -> Result<ConfigOutcome, ConfigError> {
        let (agent, edited) = (self.clone(), target.clone());
        // Looked up once: a version that is put back must not be pushed out of the history by the attempt to do so.
        let text = blocking(move || agent.config_version(&edited, revision)).await?;
        self.replace_config(target, Arc::new(move |_: &str| Ok(text.clone())), force, by).await
    }

    async fn replace_config(
        &self,
        target: &ConfigTarget,
        make: MakeText,
        force: bool,
        by: &ChangeAuthor,
    ) -> Result<ConfigOutcome, ConfigError> {
        for _ in 0..ATTEMPTS {
            let (agent, edited, make) = (self.clone(), target.clone(), Arc::clone(&make));
            let (old, new) = blocking(move || {
                let ConfigText { text: old, .. } = agent.config_text(&edited)?;
                let new = make(&old)?;
                Ok::<_, ConfigError>((old, new))
            })
            .await?;
            if new == old {
                return Ok(ConfigOutcome::Unchanged);
            }
            if !force && let Some(refused) = self.new_errors(target, &old, &new).await {
                return Ok(ConfigOutcome::Refused(refused));
            }
            let notes = self.notes_of_held(target, (&old, &new), force).await?;
            // Drivers were asked without a lock, so another change may have been saved meanwhile.
            let (agent, saved, by) = (self.clone(), target.clone(), by.clone());
            match blocking(move || agent.save_config(&saved, Some(&old), new, &by)).await {
                Err(ConfigError::ChangedMeanwhile) => {}
                saved => return saved.map(|()| ConfigOutcome::Saved { notes }),
            }
        }
        Err(ConfigError::ChangedMeanwhile)
    }

    /// Saves a text, if the configuration still is the one that it was made from. Without one, whatever it is.
    pub fn save_config(
        &self,
        target: &ConfigTarget,
        made_from: Option<&str>,
        new: String,
        by: &ChangeAuthor,
    ) -> Result<(), ConfigError> {
        let replace = |now: &str| match made_from.is_none_or(|made_from| made_from == now) {
            true => Ok(new),
            false => Err(ConfigError::ChangedMeanwhile),
        };
        match target {
            ConfigTarget::Object(path) => ObjectFiles::of(self.home()).by(by).edit(path, replace),
            ConfigTarget::Node => {
                let _lock = FileLock::take_blocking(&self.home().node_config_lock(), "edit", EDIT_WAIT)
                    .map_err(ConfigError::Lock)?;
                let ConfigText { text: old, .. } = self.config_text(target)?;
                let new = replace(&old)?;
                if new != old {
                    // A node whose state cannot be written must not change its configuration either.
                    durable::probe(&self.home().var)?;
                    let texts = (Some(old.as_str()), new.as_str());
                    HistoryFile::of(self.home(), target).replace(&self.home().node_config(), texts, by)?;
                }
                Ok(())
            }
        }
    }

    /// The text with the edits made, in their order.
    pub fn edited(&self, target: &ConfigTarget, old: &str, edits: &[ConfigEdit]) -> Result<String, ConfigError> {
        let mut document = Document::parse(old);
        for edit in edits {
            self.edit(target, &mut document, edit)?;
        }
        Ok(document.text().to_owned())
    }

    fn edit(&self, target: &ConfigTarget, document: &mut Document, edit: &ConfigEdit) -> Result<(), ConfigError> {
        let failed = |key: String| move |source| ConfigError::Value { target: target.to_string(), key, source };
        match edit {
            ConfigEdit::Apply(text) => {
                let operation: KeyOperation =
                    text.parse().map_err(|source| ConfigError::Operation { text: text.clone(), source })?;
                let operation = KeyOperation { key: self.as_written(target, document, &operation.key), ..operation };
                document.apply(&operation).map_err(failed(operation.key.to_string()))?;
            }
            ConfigEdit::Set { keyword, value } => {
                let key = self.as_written(target, document, &parse_key(keyword)?);
                let operation = KeyOperation { key, op: config::KeyOperator::Set, value: value.clone() };
                document.apply(&operation).map_err(failed(operation.key.to_string()))?;
            }
            ConfigEdit::SetIn { section, keyword, value } => {
                document.set(section, keyword, value).map_err(failed(format!("{section}.{keyword}")))?;
            }
            ConfigEdit::Unset { keyword } => {
                let key = self.as_written(target, document, &parse_key(keyword)?);
                document.remove(&key);
            }
            ConfigEdit::UnsetSection { section } => {
                let key = self.as_written(target, document, &ConfigKey::new(section.as_str(), ""));
                document.remove(&key);
            }
            ConfigEdit::UnsetIn { section, keyword } => {
                document.unset(section, keyword);
            }
            ConfigEdit::DeleteSection { section } => {
                let written = self.as_written(target, document, &ConfigKey::new(section.as_str(), "")).section;
                if !document.delete_section(&written) {
                    return Err(ConfigError::NoSection { target: target.to_string(), section: section.clone() });
                }
            }
        }
        Ok(())
    }

    /// The key with its section as the document names it: `disk#1` may be written `[vg#1]`.
    pub(super) fn as_written(&self, target: &ConfigTarget, document: &Document, key: &ConfigKey) -> ConfigKey {
        match target {
            ConfigTarget::Node => key.clone(),
            ConfigTarget::Object(path) => {
                let (node, drivers) = (self.node(), self.drivers());
                let reader = KeywordReader::new(path, document, &node, &*drivers);
                ConfigKey { section: reader.section(key).to_owned(), ..key.clone() }
            }
        }
    }

    /// The errors that the new text has and the old one had not.
    async fn new_errors(&self, target: &ConfigTarget, old: &str, new: &str) -> Option<ConfigCheck> {
        let before = self.diagnose_config(target, old).await;
        let errors = new_errors(&before, self.diagnose_config(target, new).await);
        let name = self.config_file(target).display().to_string();
        let problems: Vec<ConfigProblem> = errors.iter().map(ConfigProblem::from).collect();
        (!problems.is_empty()).then(|| ConfigCheck { name, text: new.to_owned(), problems })
    }

    /// The sections of the resources that the filter selects. Without a filter, the section of the object as a whole.
    pub fn selected_sections(&self, path: &ObjectPath, filter: &ResourceFilter) -> Result<Vec<String>, ConfigError> {
        if filter.is_empty() {
            return Ok(vec![config::DEFAULT.to_owned()]);
        }
        let configuration = self.configuration(path)?;
        let object = configuration.object()?;
        let selected = filter.select(&object.resources);
        let selected = selected.map_err(|source| ConfigError::EmptySelection { object: path.clone(), source })?;
        Ok(selected.into_iter().map(|resource| resource.section.clone()).collect())
    }
}

pub(super) fn parse_key(text: &str) -> Result<ConfigKey, ConfigError> {
    text.parse().map_err(|source| ConfigError::Keyword { text: text.to_owned(), source })
}

/// The errors that were not there before. Where in the text they are does not count: lines move.
fn new_errors(before: &[Diagnostic], after: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut known: Vec<&Diagnostic> = before.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    let mut errors: Vec<Diagnostic> = after.into_iter().filter(Diagnostic::is_error).collect();
    // One old error excuses one new one, so that a mistake which is made a second time is not passed over as known.
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
