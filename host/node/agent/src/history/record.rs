//! Writing down versions: those that the agent writes, and those that it finds.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use model::ObjectPath;
use protocol::ConfigTarget;

use super::file::digest;
use super::{ChangeAuthor, ConfigVersion, HistoryFile, VersionList};
use crate::Directories;
use crate::file::durable::{self, FileError};
use crate::file::lock::FileLock;

/// How many versions are kept, unless node.conf says otherwise.
const KEPT: usize = 50;

/// What an editor writes within such a time is one version.
const BURST: SignedDuration = SignedDuration::from_secs(1);

impl HistoryFile {
    /// The history of an object's configuration.
    pub(crate) fn of_object(home: &Directories, object: &ObjectPath) -> HistoryFile {
        HistoryFile { path: home.state(object).join("history"), keep: kept(home) }
    }

    /// The history of a configuration.
    pub(crate) fn of(home: &Directories, target: &ConfigTarget) -> HistoryFile {
        match target {
            ConfigTarget::Object(path) => HistoryFile::of_object(home, path),
            ConfigTarget::Node => HistoryFile { path: home.node_state().join("history"), keep: kept(home) },
        }
    }

    /// Replaces a configuration, or makes it if there was none. The caller holds its lock.
    pub(crate) fn replace(
        &self,
        config: &Path,
        (old, new): (Option<&str>, &str),
        by: &ChangeAuthor,
    ) -> Result<(), FileError> {
        let known = self.read()?;
        let found = old.and_then(|old| found(&known, config, old));
        let revision = found.as_ref().map_or(known.next(), |found| found.revision + 1);
        let new_version = ConfigVersion::new(revision, Timestamp::now(), Some(by.clone()), new);
        // Written down first: a change that was made must not be without an author.
        self.add(&known, found.as_ref().into_iter().chain([&new_version]).cloned().collect(), true)?;
        durable::write(config, new.as_bytes()).inspect_err(|_| {
            let before: Vec<ConfigVersion> = known.versions.iter().cloned().chain(found).collect();
            // If this fails too, the next command finds the old text again, and writes that down.
            let _ = self.rewrite(&before);
        })
    }

    /// Notes a text that no command of ours wrote. The caller holds the lock of the configuration.
    fn note(&self, config: &Path, text: &str) -> Result<(), FileError> {
        let known = self.read()?;
        match found(&known, config, text) {
            // Not flushed: a version that is lost is found again.
            Some(version) => self.add(&known, vec![version], false),
            None => Ok(()),
        }
    }

    /// Adds versions. The first of them may take the place of the newest one that is known.
    fn add(&self, known: &VersionList, new: Vec<ConfigVersion>, flush: bool) -> Result<(), FileError> {
        let replaces = new.first().is_some_and(|new| known.last().is_some_and(|last| last.revision == new.revision));
        match known.versions.split_last() {
            Some((_, earlier)) if replaces => self.rewrite(&earlier.iter().cloned().chain(new).collect::<Vec<_>>()),
            _ => self.append(known, &new, flush),
        }
    }
}

/// The version that this text is, if it is not the newest one of the history. It takes the place of one that was found a moment
/// before: an editor truncates a file and then writes it, perhaps in parts.
fn found(known: &VersionList, config: &Path, text: &str) -> Option<ConfigVersion> {
    // An empty file is what there was before the first version, too.
    let is_known = known.last().map_or(text.is_empty(), |last| last.digest == digest(text));
    if is_known {
        return None;
    }
    let changed = std::fs::metadata(config).and_then(|file| file.modified()).unwrap_or_else(|_| SystemTime::now());
    let changed = Timestamp::try_from(changed).unwrap_or_else(|_| Timestamp::now());
    let is_burst = |last: &&ConfigVersion| last.by.is_none() && changed.duration_since(last.at).abs() < BURST;
    let revision = known.last().filter(is_burst).map_or(known.next(), |last| last.revision);
    Some(ConfigVersion::new(revision, changed, None, text))
}

/// Writes down the present text of a configuration, if nothing that the agent did wrote it. Does nothing while it is being
/// changed: that change writes it down.
pub(crate) fn note_present(home: &Directories, target: &ConfigTarget, wait: Duration) -> Result<(), FileError> {
    let config = match target {
        ConfigTarget::Object(path) => home.config(path),
        ConfigTarget::Node => home.node_config(),
    };
    let lock = home.lock_of_config(target);
    let Ok(_lock) = FileLock::take_blocking(&lock, "note", wait) else { return Ok(()) };
    // Read under the lock: what the caller has read may be older than the last change.
    match durable::read(&config)?.map(String::from_utf8) {
        Some(Ok(text)) => HistoryFile::of(home, target).note(&config, &text),
        // What is not text is no version that could be compared or restored.
        Some(Err(_)) | None => Ok(()),
    }
}

fn kept(home: &Directories) -> usize {
    let document = durable::read(&home.node_config()).ok().flatten().unwrap_or_default();
    let document = config::Document::parse(String::from_utf8_lossy(&document));
    document.get("node", "config_keep").and_then(|count| count.parse().ok()).unwrap_or(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectFiles;

    fn author(command: &str) -> ChangeAuthor {
        ChangeAuthor { user: "ann".to_owned(), uid: 7, login: Some("bob".to_owned()), command: command.to_owned() }
    }

    #[test]
    fn each_version_has_its_author_and_what_others_wrote_has_none() {
        let (_root, home) = Directories::temporary();
        let web: ObjectPath = "web".parse().unwrap();
        let (create, set) = (author("om web create"), author("om web set"));
        ObjectFiles::of(&home).by(&create).create(&web, "one").unwrap();
        std::fs::write(home.config(&web), "two").unwrap();
        ObjectFiles::of(&home)
            .by(&set)
            .edit(&web, |_| Ok::<_, crate::object::ObjectError>("three".to_owned()))
            .unwrap();
        std::fs::write(home.config(&web), "four").unwrap();
        let target = ConfigTarget::Object(web.clone());
        note_present(&home, &target, Duration::ZERO).unwrap();
        note_present(&home, &target, Duration::ZERO).unwrap();
        let list = HistoryFile::of(&home, &target).read().unwrap();
        let versions: Vec<_> = list
            .versions
            .iter()
            .map(|version| {
                let by = version.by.as_ref().map(|by| by.command.as_str());
                (version.revision, version.text.as_str(), by)
            })
            .collect();
        let expected =
            [(1, "one", Some("om web create")), (2, "two", None), (3, "three", Some("om web set")), (4, "four", None)];
        assert_eq!(versions, expected);
        // A new object of the same name has a history of its own.
        ObjectFiles::of(&home).delete(&web).unwrap();
        ObjectFiles::of(&home).by(&create).create(&web, "five").unwrap();
        assert_eq!(HistoryFile::of(&home, &target).read().unwrap().versions.len(), 1);
    }

    #[test]
    fn a_file_that_is_written_in_parts_is_one_version() {
        let (_root, home) = Directories::temporary();
        let web: ObjectPath = "web".parse().unwrap();
        ObjectFiles::of(&home).create(&web, "one").unwrap();
        let target = ConfigTarget::Object(web.clone());
        for part in ["", "t", "two"] {
            std::fs::write(home.config(&web), part).unwrap();
            note_present(&home, &target, Duration::ZERO).unwrap();
        }
        let texts = || {
            let list = HistoryFile::of(&home, &target).read().unwrap();
            list.versions.iter().map(|version| (version.revision, version.text.clone())).collect::<Vec<_>>()
        };
        let (one, two) = ((1, "one".to_owned()), (2, "two".to_owned()));
        assert_eq!(texts(), [one.clone(), two.clone()]);
        // Later, it is another version.
        let later = SystemTime::now() + Duration::from_secs(60);
        std::fs::write(home.config(&web), "three").unwrap();
        std::fs::File::options().append(true).open(home.config(&web)).unwrap().set_modified(later).unwrap();
        note_present(&home, &target, Duration::ZERO).unwrap();
        assert_eq!(texts(), [one, two, (3, "three".to_owned())]);
    }

    #[test]
    fn a_change_that_cannot_be_made_is_no_version() {
        let (_root, home) = Directories::temporary();
        let web: ObjectPath = "web".parse().unwrap();
        let history = HistoryFile::of_object(&home, &web);
        let taken = home.config(&web);
        std::fs::create_dir_all(taken.join("inside")).unwrap();
        let by = author("om web create");
        assert!(history.replace(&taken, (None, "text"), &by).is_err());
        assert_eq!(history.read().unwrap().versions, []);
    }
}
