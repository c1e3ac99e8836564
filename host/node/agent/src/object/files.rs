//! The objects on disk: the texts of their configurations, made, changed and deleted with all that belongs to an object.

use std::path::PathBuf;
use std::time::Duration;

use model::{Group, ObjectPath};

use super::scan::{ObjectScan, entries};
use crate::Directories;
use crate::file::durable::{self, FileError};
use crate::file::lock::{FileLock, LockError};
use crate::file::text::NotText;
use crate::history::{ChangeAuthor, HistoryFile};

/// How long a change of a configuration waits for another change.
const EDIT_WAIT: Duration = Duration::from_secs(10);

/// The objects below the directories of one agent.
#[derive(Debug, Clone, Copy)]
pub struct ObjectFiles<'a> {
    home: &'a Directories,
    /// Who changes them. None: this process, by no command.
    by: Option<&'a ChangeAuthor>,
}

/// Why an operation on an object's files failed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object has no configuration here.
    #[error("{0} does not exist")]
    Missing(ObjectPath),
    /// The object has a configuration already.
    #[error("{0} exists already")]
    Exists(ObjectPath),
    /// The configuration is not UTF-8.
    #[error("the configuration of {object} is not UTF-8: {}:{} holds {}", file.display(), at.position(), at.held())]
    Encoding { object: ObjectPath, file: PathBuf, at: NotText },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another process is changing the configuration.
    #[error("cannot change the configuration of {0}")]
    Lock(ObjectPath, #[source] LockError),
}

impl<'a> ObjectFiles<'a> {
    /// The objects below these directories.
    pub fn of(home: &'a Directories) -> ObjectFiles<'a> {
        ObjectFiles { home, by: None }
    }

    /// The same, for changes by this author.
    pub fn by(self, author: &'a ChangeAuthor) -> ObjectFiles<'a> {
        ObjectFiles { by: Some(author), ..self }
    }

    /// Every object that has a configuration here, in order. Files of other names are ignored.
    pub fn list(self) -> Result<Vec<ObjectPath>, FileError> {
        Ok(self.scan()?.objects)
    }

    /// The same, and the files that look like configurations but are not. Reads each directory once.
    pub fn scan(self) -> Result<ObjectScan, FileError> {
        ObjectScan::of(self.home)
    }

    /// Whether the object has a configuration here.
    pub fn exists(self, object: &ObjectPath) -> bool {
        self.home.config(object).is_file()
    }

    /// The text of the object's configuration.
    pub fn text(self, object: &ObjectPath) -> Result<String, ObjectError> {
        let file = self.home.config(object);
        let content = durable::read(&file)?.ok_or_else(|| ObjectError::Missing(object.clone()))?;
        NotText::check(content).map_err(|at| ObjectError::Encoding { object: object.clone(), file, at })
    }

    /// Creates an object. The state that an earlier object of that name left behind is removed.
    pub fn create(self, object: &ObjectPath, text: &str) -> Result<(), ObjectError> {
        // Under the lock, so that of two creations at once one is refused.
        let _lock = self.lock(object, "create")?;
        if self.exists(object) {
            return Err(ObjectError::Exists(object.clone()));
        }
        // The state of an earlier object of that name would make this one frozen, provisioned or failed from birth.
        durable::probe(&self.home.var)?;
        durable::remove_directory(&self.home.state(object))?;
        durable::remove(&self.home.volatile_journal(object))?;
        durable::remove(&self.home.last_action(object))?;
        Ok(self.replace(object, (None, text))?)
    }

    /// Replaces an object's configuration by what `change` makes of it. No other process can change it in between.
    pub fn edit<E: From<ObjectError>>(
        self,
        object: &ObjectPath,
        change: impl FnOnce(&str) -> Result<String, E>,
    ) -> Result<(), E> {
        let _lock = self.lock(object, "edit")?;
        let old = self.text(object)?;
        let new = change(&old)?;
        if new != old {
            // If the disk has no room for the object's state, its configuration must not change either.
            durable::probe(&self.home.var).map_err(ObjectError::from)?;
            self.replace(object, (Some(&old), &new)).map_err(ObjectError::from)?;
        }
        Ok(())
    }

    fn replace(self, object: &ObjectPath, texts: (Option<&str>, &str)) -> Result<(), FileError> {
        let by = self.by.cloned().unwrap_or_else(|| ChangeAuthor::of_process(""));
        HistoryFile::of_object(self.home, object).replace(&self.home.config(object), texts, &by)
    }

    /// Deletes an object: its configuration first, so that files which a crash leaves behind belong to no object.
    pub fn delete(self, object: &ObjectPath) -> Result<(), ObjectError> {
        let lock = self.lock(object, "delete")?;
        if !durable::remove(&self.home.config(object))? {
            return Err(ObjectError::Missing(object.clone()));
        }
        durable::remove_directory(&self.home.state(object))?;
        // Its ledger stays: what is still held must be found as an orphan, also by an object of the same name.
        durable::remove_tree(&self.home.volatile(object))?;
        durable::remove_tree(&self.home.volume_users(object))?;
        durable::remove(&self.home.volatile_journal(object))?;
        durable::remove(&self.home.last_action(object))?;
        durable::remove(&self.home.footing(object))?;
        crate::log::remove(&self.home.object_log(object))?;
        self.remove_outputs(object)?;
        lock.remove(&self.home.config_lock(object));
        Ok(())
    }

    /// Removes the output of the object's programs: `web.app.1.out`, but not `web.app.app.1.out`, which belongs to `web.app`.
    fn remove_outputs(self, object: &ObjectPath) -> Result<(), FileError> {
        let log = self.home.object_log(object);
        let directory = log.parent().unwrap_or(&self.home.log);
        let prefix = capability::output_prefix(object);
        for entry in entries(directory)?.into_iter().filter(|entry| entry.is_file) {
            let name = entry.name.to_string_lossy();
            let rid = name.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".out"));
            let resource = rid.and_then(|rid| rid.split_once('.')).filter(|(_, index)| !index.contains('.'));
            if resource.is_some_and(|(group, _)| group.parse::<Group>().is_ok()) {
                durable::remove(&directory.join(&entry.name))?;
            }
        }
        Ok(())
    }

    fn lock(self, object: &ObjectPath, action: &str) -> Result<FileLock, ObjectError> {
        FileLock::take_blocking(&self.home.config_lock(object), action, EDIT_WAIT)
            .map_err(|error| ObjectError::Lock(object.clone(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn path(text: &str) -> ObjectPath {
        text.parse().unwrap()
    }

    #[test]
    fn every_object_is_listed_and_nothing_else() {
        let (_root, home) = Directories::temporary();
        let objects = ObjectFiles::of(&home);
        assert_eq!(objects.list().unwrap(), []);
        let mut all: Vec<ObjectPath> =
            ["web", "web2", "cfg/web", "ns1/svc/web", "ns1/vol/data", "ns1/", "cluster"].map(path).into();
        for object in &all {
            objects.create(object, "[DEFAULT]\n").unwrap();
        }
        for stray in ["node.conf", "web.conf~", ".web3.conf.swp", "Web4.conf", "svc/web5.conf", "foo/web6.conf"] {
            durable::write(&home.etc.join(stray), b"").unwrap();
        }
        fs::create_dir(home.etc.join("web7.conf")).unwrap();
        std::os::unix::fs::symlink("nowhere", home.etc.join("web8.conf")).unwrap();
        std::os::unix::fs::symlink("web.conf", home.etc.join("web9.conf")).unwrap();
        all.push(path("web9"));
        all.sort();
        assert_eq!(objects.list().unwrap(), all);
        assert_eq!(objects.scan().unwrap().strays, [Path::new("Web4.conf"), Path::new("svc/web5.conf")]);
    }

    #[test]
    fn an_unreadable_file_is_an_error_and_not_an_absent_one() {
        let (_root, home) = Directories::temporary();
        let objects = ObjectFiles::of(&home);
        assert!(matches!(objects.text(&path("web")), Err(ObjectError::Missing(_))));
        durable::write(&home.config(&path("web")), b"\xff\xfe").unwrap();
        assert!(matches!(objects.text(&path("web")), Err(ObjectError::Encoding { .. })));
    }

    #[test]
    fn an_object_is_created_once_and_inherits_nothing() {
        let (_root, home) = Directories::temporary();
        let (objects, web) = (ObjectFiles::of(&home), path("web"));
        durable::write(&home.state(&web).join("last-good.conf"), b"of another one").unwrap();
        objects.create(&web, "one").unwrap();
        assert!(!home.state(&web).join("last-good.conf").exists());
        assert!(matches!(objects.create(&web, "two"), Err(ObjectError::Exists(_))));
        assert_eq!(objects.text(&web).unwrap(), "one");
    }

    #[test]
    fn edits_at_the_same_time_are_all_kept() {
        let (_root, home) = Directories::temporary();
        let (objects, web) = (ObjectFiles::of(&home), path("web"));
        objects.create(&web, "").unwrap();
        let append = |word: &str| objects.edit(&web, |old| Ok::<_, ObjectError>(format!("{old}{word}\n")));
        std::thread::scope(|scope| {
            for word in ["one", "two", "three", "four"] {
                scope.spawn(move || append(word).unwrap());
            }
        });
        let text = objects.text(&web).unwrap();
        let mut words: Vec<&str> = text.lines().collect();
        words.sort_unstable();
        assert_eq!(words, ["four", "one", "three", "two"]);
    }

    #[test]
    fn an_edit_that_fails_changes_nothing() {
        let (_root, home) = Directories::temporary();
        let (objects, web) = (ObjectFiles::of(&home), path("web"));
        objects.create(&web, "old").unwrap();
        let refused = objects.edit(&web, |_| Err(ObjectError::Missing(path("other"))));
        assert!(refused.is_err());
        assert_eq!(objects.text(&web).unwrap(), "old");
    }

    #[test]
    fn a_deleted_object_leaves_nothing() {
        let (_root, home) = Directories::temporary();
        let (objects, web) = (ObjectFiles::of(&home), path("web"));
        objects.create(&web, "").unwrap();
        let [output, of_another] = ["web.app.1.out", "web.app.app.1.out"].map(|name| home.log.join(name));
        let written = [
            home.state(&web).join("frozen"),
            home.object_log(&web),
            home.volatile(&web).join("fs#1.flag"),
            home.volatile_journal(&web),
            home.last_action(&web),
            home.footing(&web),
            home.volume_users(&web).join("users/app@volume#1"),
        ];
        for file in written.iter().chain([&output, &of_another]) {
            durable::write(file, b"").unwrap();
        }
        objects.delete(&web).unwrap();
        for gone in [home.config(&web), home.state(&web), home.volatile(&web), output].iter().chain(&written) {
            assert!(!gone.exists(), "{}", gone.display());
        }
        assert!(matches!(objects.delete(&web), Err(ObjectError::Missing(_))));
    }

    #[test]
    fn a_thousand_services_are_listed_whatever_is_in_their_files() {
        let (_root, home) = Directories::temporary();
        fs::create_dir_all(&home.etc).unwrap();
        for number in 0..1000 {
            fs::write(home.etc.join(format!("svc{number}.conf")), b"\xff").unwrap();
        }
        assert_eq!(ObjectFiles::of(&home).list().unwrap().len(), 1000);
    }
}
