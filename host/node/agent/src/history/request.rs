//! What operators ask of a history: its versions, what differs between two of them, and an earlier text.

use std::time::Duration;

use jiff::Timestamp;
use protocol::{ConfigDiff, ConfigHistory, ConfigRevision, ConfigTarget};

use super::mask::MaskedText;
use super::{ConfigVersion, HistoryFile, VersionList, diff, record};
use crate::Agent;
use crate::file::durable::FileError;

/// How long a look at a history waits for a change of the configuration.
const WAIT: Duration = Duration::from_secs(2);

/// Why a version cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The version was never there, or is not kept any more.
    #[error("{target} has no version {revision}: {}", kept(.range))]
    NoVersion { target: ConfigTarget, revision: u64, range: Option<(u64, u64)> },
    /// The file of the history cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn kept(range: &Option<(u64, u64)>) -> String {
    match range {
        Some((first, last)) if first == last => format!("only version {first} is kept"),
        Some((first, last)) => format!("versions {first} to {last} are kept"),
        None => "none is kept".to_owned(),
    }
}

impl Agent {
    /// The versions of a configuration, the oldest first. Blocks.
    pub fn config_history(&self, target: &ConfigTarget) -> Result<ConfigHistory, HistoryError> {
        let list = self.versions(target)?;
        let empty = self.masked(target, "");
        let mut before: Option<MaskedText> = None;
        let mut revisions = Vec::with_capacity(list.versions.len());
        for version in &list.versions {
            let text = self.masked(target, &version.text);
            // What the oldest version that is kept has changed is not known, unless it is the first one.
            let known = before.as_ref().or((version.revision == 1).then_some(&empty));
            let changed = known.map(|known| diff::keywords(known, &text)).unwrap_or_default();
            let changed = changed.into_iter().map(|change| change.keyword).collect();
            revisions.push(document(version, changed));
            before = Some(text);
        }
        let file = HistoryFile::of(self.home(), target).path.display().to_string();
        Ok(ConfigHistory { file, revisions, damaged: list.damaged })
    }

    /// What differs between two versions. Without the second one, the present text is meant; without both, what the last change
    /// changed. Blocks.
    pub fn config_diff(
        &self,
        target: &ConfigTarget,
        (from, to): (Option<u64>, Option<u64>),
    ) -> Result<ConfigDiff, HistoryError> {
        let list = self.versions(target)?;
        let last = list.last().map_or(0, |last| last.revision);
        let to = self.version(target, &list, to.unwrap_or(last))?;
        let before = list.versions.iter().rev().find(|version| version.revision < to.revision);
        let (from, text) = match (from, before) {
            (Some(from), _) => {
                let version = self.version(target, &list, from)?;
                (version.revision, version.text.as_str())
            }
            (None, Some(before)) => (before.revision, before.text.as_str()),
            // Before the first version there was nothing.
            (None, None) => (0, ""),
        };
        let (old, new) = (self.masked(target, text), self.masked(target, &to.text));
        let (unified, keywords) = (diff::unified(&old, &new), diff::keywords(&old, &new));
        Ok(ConfigDiff { from, to: to.revision, unified, keywords })
    }

    /// The text of a version, to be put back. Blocks.
    pub fn config_version(&self, target: &ConfigTarget, revision: u64) -> Result<String, HistoryError> {
        let list = self.versions(target)?;
        self.version(target, &list, revision).map(|version| version.text.clone())
    }

    /// Writes down the present text of a configuration, if no command has written it. Blocks.
    pub fn note_config(&self, target: &ConfigTarget) -> Result<(), FileError> {
        record::note_present(self.home(), target, WAIT)
    }

    fn versions(&self, target: &ConfigTarget) -> Result<VersionList, HistoryError> {
        // An operator who may read a history and not write it still sees it.
        let _ = self.note_config(target);
        Ok(HistoryFile::of(self.home(), target).read()?)
    }

    fn version<'l>(
        &self,
        target: &ConfigTarget,
        list: &'l VersionList,
        revision: u64,
    ) -> Result<&'l ConfigVersion, HistoryError> {
        let range = list.versions.first().zip(list.last()).map(|(first, last)| (first.revision, last.revision));
        let found = list.versions.iter().find(|version| version.revision == revision);
        found.ok_or_else(|| HistoryError::NoVersion { target: target.clone(), revision, range })
    }
}

fn document(version: &ConfigVersion, changed: Vec<String>) -> ConfigRevision {
    let by = version.by.clone();
    let (user, uid) = (by.as_ref().map(|by| by.user.clone()), by.as_ref().map(|by| by.uid));
    let (login, command) = by.map_or((None, None), |by| (by.login, Some(by.command)));
    let (at, digest) = (seconds(version.at), version.digest.clone());
    ConfigRevision { revision: version.revision, at, digest, user, uid, login, command, changed }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}
