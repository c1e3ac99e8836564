//! The file of a history: a line for each version, with a checksum in front of it, so that a torn or damaged line is known and
//! costs no other one.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ChangeAuthor;
use crate::file::durable::{self, FileError};

/// Older versions go before the file holds so much text, but for the newest two.
const MAX_TEXT: usize = 8 << 20;

/// A version of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    /// The first version of an object is 1.
    pub revision: u64,
    pub at: Timestamp,
    /// Of the text: SHA-256, in hexadecimal.
    pub digest: String,
    /// None: it was found changed.
    pub by: Option<ChangeAuthor>,
    pub text: String,
}

/// What a history holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionList {
    /// The oldest first.
    pub versions: Vec<ConfigVersion>,
    /// How many lines of the file cannot be read.
    pub damaged: usize,
    /// Whether the last line has no end.
    is_torn: bool,
    /// How many versions and bytes the file holds, those that are not kept any more included.
    stored: (usize, usize),
}

/// The file of a history.
#[derive(Debug, Clone)]
pub(crate) struct HistoryFile {
    pub(super) path: PathBuf,
    /// So many versions are kept.
    pub(super) keep: usize,
}

impl ConfigVersion {
    pub(super) fn new(revision: u64, at: Timestamp, by: Option<ChangeAuthor>, text: &str) -> ConfigVersion {
        ConfigVersion { revision, at, digest: digest(text), by, text: text.to_owned() }
    }

    fn line(&self) -> String {
        // The type has no key that JSON cannot write.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
    }

    fn parse(line: &str) -> Option<ConfigVersion> {
        let (sum, json) = line.split_once(' ')?;
        let same = u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json.as_bytes());
        if same { serde_json::from_str(json).ok() } else { None }
    }
}

/// SHA-256 of a text, in hexadecimal, as the daemon shows it.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl VersionList {
    fn parse(content: &[u8]) -> VersionList {
        let mut list = VersionList { is_torn: !content.is_empty() && !content.ends_with(b"\n"), ..Default::default() };
        for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match std::str::from_utf8(line).ok().and_then(ConfigVersion::parse) {
                Some(version) => list.versions.push(version),
                None => list.damaged += 1,
            }
        }
        list.stored = (list.versions.len(), content.len());
        list
    }

    /// The newest version.
    pub fn last(&self) -> Option<&ConfigVersion> {
        self.versions.last()
    }

    /// The number of the next version.
    pub(super) fn next(&self) -> u64 {
        self.last().map_or(1, |last| last.revision + 1)
    }

    /// How many of the oldest versions are too many.
    fn surplus(&self, keep: usize) -> usize {
        let mut text = 0;
        let fits = self.versions.iter().rev().enumerate().take_while(|(count, version)| {
            text += version.text.len();
            *count < keep.max(1) && (*count < 2 || text <= MAX_TEXT)
        });
        self.versions.len() - fits.count()
    }
}

impl HistoryFile {
    /// What the file holds. None of it if there is no file.
    pub(crate) fn read(&self) -> Result<VersionList, FileError> {
        let mut list = VersionList::parse(&durable::read(&self.path)?.unwrap_or_default());
        // A few more may be there than are kept, as the file is not written anew each time.
        list.versions.drain(..list.surplus(self.keep));
        Ok(list)
    }

    /// Adds versions behind those that [`HistoryFile::read`] has just returned. Only the caller may write the file meanwhile.
    pub(super) fn append(&self, known: &VersionList, new: &[ConfigVersion], flush: bool) -> Result<(), FileError> {
        // A line that a crash left without an end is ended first. Otherwise it would swallow the next version too.
        let mut text = if known.is_torn { "\n".to_owned() } else { String::new() };
        text.extend(new.iter().map(ConfigVersion::line));
        let (count, bytes) = (known.stored.0 + new.len(), known.stored.1 + text.len());
        // An append costs as much as the new version, writing anew as much as all of them. So a quarter
        // more than is kept gathers in the file first. The first version is written anew too, because that
        // makes the directory and flushes it.
        if known.stored.0 == 0 || count > self.keep + self.keep / 4 + 1 || bytes > 2 * MAX_TEXT {
            let mut list =
                VersionList { versions: known.versions.iter().chain(new).cloned().collect(), ..known.clone() };
            list.versions.drain(..list.surplus(self.keep));
            return self.rewrite(&list.versions);
        }
        let write = || {
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
            file.write_all(text.as_bytes())?;
            if flush { file.sync_all() } else { Ok(()) }
        };
        write().map_err(FileError::new("write", &self.path))
    }

    /// Replaces all of it.
    pub(super) fn rewrite(&self, versions: &[ConfigVersion]) -> Result<(), FileError> {
        let text: String = versions.iter().map(ConfigVersion::line).collect();
        durable::write(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(revision: u64, text: &str) -> ConfigVersion {
        let by = ChangeAuthor { user: "ann".to_owned(), uid: 7, login: None, command: "om web edit".to_owned() };
        ConfigVersion::new(revision, Timestamp::constant(1_000, 0), Some(by), text)
    }

    fn file(directory: &tempfile::TempDir, keep: usize) -> HistoryFile {
        HistoryFile { path: directory.path().join("web/history"), keep }
    }

    fn add(file: &HistoryFile, text: &str) -> u64 {
        let known = file.read().unwrap();
        let new = version(known.next(), text);
        file.append(&known, std::slice::from_ref(&new), true).unwrap();
        new.revision
    }

    #[test]
    fn versions_are_numbered_and_only_the_newest_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory, 4);
        assert_eq!(file.read().unwrap(), VersionList::default());
        (1..=30).for_each(|number| assert_eq!(add(&file, &format!("text {number}")), number));
        let kept = file.read().unwrap();
        assert_eq!(kept.versions.iter().map(|version| version.revision).collect::<Vec<_>>(), [27, 28, 29, 30]);
        assert_eq!(kept.versions[0], version(27, "text 27"));
        let lines = std::fs::read_to_string(&file.path).unwrap().lines().count();
        assert!(lines <= 6, "{lines} lines are kept");
    }

    #[test]
    fn large_versions_go_before_they_are_many() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory, 50);
        let large = "x".repeat(MAX_TEXT / 2);
        (1..=5).for_each(|number| assert_eq!(add(&file, &large), number));
        let kept: Vec<u64> = file.read().unwrap().versions.iter().map(|version| version.revision).collect();
        assert_eq!(kept, [4, 5]);
        assert!(std::fs::metadata(&file.path).unwrap().len() <= 2 * MAX_TEXT as u64);
    }

    #[test]
    fn a_history_that_is_torn_anywhere_loses_its_last_version_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory, 50);
        ["one", "two"].iter().for_each(|text| assert!(add(&file, text) > 0));
        let whole = std::fs::read(&file.path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in first..whole.len() {
            std::fs::write(&file.path, &whole[..length]).unwrap();
            let torn = file.read().unwrap();
            // Without its line feed alone, the line is whole.
            let lost = usize::from(length > first && length + 1 < whole.len());
            assert_eq!(torn.damaged, lost, "{length} bytes");
            let left = if length + 1 == whole.len() { 2 } else { 1 };
            assert_eq!(torn.versions.len(), left, "{length} bytes");
            add(&file, "three");
            let after = file.read().unwrap();
            assert_eq!((after.versions.len(), after.damaged), (left + 1, lost), "{length} bytes");
            assert_eq!(after.last().unwrap().text, "three");
        }
    }

    #[test]
    fn a_changed_byte_costs_its_version_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory, 50);
        ["one", "two", "three"].iter().for_each(|text| assert!(add(&file, text) > 0));
        let whole = std::fs::read(&file.path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for at in 0..first {
            let mut changed = whole.clone();
            changed[at] ^= 0x02;
            std::fs::write(&file.path, &changed).unwrap();
            let list = file.read().unwrap();
            // A changed byte of the checksum may be another spelling of the same number.
            assert!(list.damaged >= 1 || list.versions.len() == 3, "byte {at}: {list:?}");
            assert_eq!(list.last().unwrap().text, "three");
        }
    }
}
