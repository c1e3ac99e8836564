//! The directory of a store:
//!
//! ```text
//!   store.redb       the store
//!   store.redb.new   one that is being made; whatever opens the directory next removes it
//!   made             when the store was made: with this and without a store.redb, the store is lost
//!   lock             locked by the process that has the directory open, with its pid
//!   aside/           files that were damaged or replaced, named after when and why
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

/// The files that were moved aside and are kept. The oldest ones go.
const ASIDE: usize = 5;

/// The paths of a store's directory.
#[derive(Debug, Clone)]
pub(crate) struct StoreDirectory {
    root: PathBuf,
}

impl StoreDirectory {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("store.redb")
    }

    pub(crate) fn new_store(&self) -> PathBuf {
        self.root.join("store.redb.new")
    }

    pub(crate) fn made(&self) -> PathBuf {
        self.root.join("made")
    }

    pub(crate) fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root)
    }

    /// Makes the file of a new store, in place of one that was never finished.
    pub(crate) fn create_new_store(&self) -> io::Result<()> {
        self.remove_new_store()?;
        private().create_new(true).open(self.new_store()).map(drop)
    }

    pub(crate) fn remove_new_store(&self) -> io::Result<()> {
        match fs::remove_file(self.new_store()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Puts the new store, which is durable, in the place of the store. The one that was there is moved aside.
    pub(crate) fn install(&self) -> io::Result<()> {
        if self.store().try_exists()? {
            // rename(2) would replace the old store, which may be the better one.
            self.move_aside("replaced")?;
        }
        fs::rename(self.new_store(), self.store())?;
        self.note_made()
    }

    /// Notes that there is a store from now on.
    pub(crate) fn note_made(&self) -> io::Result<()> {
        if !self.made().try_exists()? {
            let mut file = private().create(true).truncate(true).open(self.made())?;
            writeln!(file, "{:.0}", Timestamp::now())?;
            file.sync_all()?;
        }
        sync_directory(&self.root)
    }

    /// Moves the store out of the way, to a name that says when and why.
    pub(crate) fn move_aside(&self, reason: &str) -> io::Result<PathBuf> {
        let aside = self.root.join("aside");
        DirBuilder::new().recursive(true).mode(0o700).create(&aside)?;
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ");
        let target = aside.join(format!("{time}-{reason}.redb"));
        fs::rename(self.store(), &target)?;
        sync_directory(&aside)?;
        sync_directory(&self.root)?;
        // Old files are only a waste of space.
        let _ = prune(&aside);
        Ok(target)
    }

    /// Takes the directory for this process. None if another process has it, or another store of this one.
    pub(crate) fn lock(&self) -> io::Result<Option<DirectoryLock>> {
        let file = private().read(true).create(true).truncate(false).open(self.lock_path())?;
        // flock(2) and not fcntl(2): the lock belongs to the open file, so it also keeps out another store of this
        // process.
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                // The lock holds without the pid, too, for which a full disk may have no space.
                let _ = file.set_len(0);
                let _ = file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0);
                Ok(Some(DirectoryLock(file)))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The process that has the directory, if it could leave its pid.
    pub(crate) fn holder(&self) -> Option<u32> {
        fs::read_to_string(self.lock_path()).ok()?.trim().parse().ok()
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }
}

/// Keeps other processes out of a directory until it is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock(File);

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // A pid that stays would name a process that is gone.
        let _ = self.0.set_len(0);
        // Not left to the close: a child that another thread has just forked holds the file open until it becomes another program.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn prune(aside: &Path) -> io::Result<()> {
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(aside)?.map(|entry| Ok(entry?.path())).collect();
    let mut files = entries?;
    files.sort();
    let surplus = files.len().saturating_sub(ASIDE);
    files.into_iter().take(surplus).try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_ends_with_its_holder_though_a_child_has_inherited_the_file() {
        let root = tempfile::TempDir::new().unwrap();
        let directory = StoreDirectory::new(root.path());
        let lock = directory.lock().unwrap().unwrap();
        // What a fork leaves in the child until it becomes another program.
        let _inherited = lock.0.try_clone().unwrap();
        assert!(directory.lock().unwrap().is_none());
        drop(lock);
        assert!(directory.lock().unwrap().is_some());
    }
}
