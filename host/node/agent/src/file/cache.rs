//! Values that are read from files, and read again when one of the files has changed.
//!
//! A file is recognised by its device, its inode, its size and its time of modification in nanoseconds. The kernel's clock for
//! that time ticks every few milliseconds, so a file that had just changed when it was read may change once more and look the
//! same: it is read again until it has been at rest for a while.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Much longer than a tick of the kernel's clock.
const AT_REST: Duration = Duration::from_millis(200);

/// The identities of some files at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStamps {
    files: Vec<(PathBuf, Option<FileIdentity>)>,
    /// Whether every later change makes another identity.
    at_rest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl FileStamps {
    /// Takes the identities of the files. An absent file has one too.
    pub(crate) fn of(files: impl IntoIterator<Item = PathBuf>) -> FileStamps {
        let mut at_rest = true;
        let stamped = files.into_iter().map(|file| {
            let metadata = std::fs::metadata(&file).ok();
            at_rest &= metadata.as_ref().is_none_or(is_at_rest);
            // The inode too: most programs write another file and rename it, which may keep size and time.
            let identity = metadata.map(|metadata| FileIdentity {
                device: metadata.dev(),
                inode: metadata.ino(),
                size: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
            });
            (file, identity)
        });
        let files = stamped.collect();
        FileStamps { files, at_rest }
    }

    /// Whether the files still hold what they held when these stamps were taken, given the stamps of now.
    pub(crate) fn still_holds(&self, now: &FileStamps) -> bool {
        self.at_rest && self.files == now.files
    }
}

/// A file from the future is never at rest: the clock was set back since.
fn is_at_rest(metadata: &std::fs::Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    age.is_some_and(|age| age >= AT_REST)
}

/// A value that is read from files, kept until one of them changes.
#[derive(Debug)]
pub(crate) struct FileCache<T> {
    kept: Mutex<Option<(FileStamps, Arc<T>)>>,
}

impl<T> Default for FileCache<T> {
    fn default() -> FileCache<T> {
        FileCache { kept: Mutex::new(None) }
    }
}

impl<T> FileCache<T> {
    /// The value, read if it has not been read since the files changed. Blocks.
    pub(crate) fn get<E>(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        // Stamped before they are read: a change in between is found the next time.
        let now = FileStamps::of(files);
        if let Some((stamps, value)) = &*self.kept()
            && stamps.still_holds(&now)
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(read()?);
        *self.kept() = Some((now, Arc::clone(&value)));
        Ok(value)
    }

    /// The value as it was last read.
    pub(crate) fn last(&self) -> Option<Arc<T>> {
        self.kept().as_ref().map(|(_, value)| Arc::clone(value))
    }

    fn kept(&self) -> MutexGuard<'_, Option<(FileStamps, Arc<T>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A directory and the files in it.
pub(crate) fn with_entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.collect();
    // The kernel returns the entries in no particular order.
    files.sort();
    files.push(directory.to_owned());
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs::{self, File};

    /// A cache of one file's text, and how many times the file was read.
    struct CachedText {
        file: PathBuf,
        cache: FileCache<String>,
        reads: Cell<u32>,
    }

    impl CachedText {
        fn get(&self) -> String {
            let read = || {
                self.reads.set(self.reads.get() + 1);
                Ok::<_, std::io::Error>(fs::read_to_string(&self.file).unwrap_or_default())
            };
            self.cache.get([self.file.clone()], read).unwrap().to_string()
        }

        fn write(&self, text: &str, age: Duration) {
            fs::write(&self.file, text).unwrap();
            File::options().append(true).open(&self.file).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
    }

    fn cached(directory: &tempfile::TempDir) -> CachedText {
        CachedText { file: directory.path().join("node.conf"), cache: FileCache::default(), reads: Cell::new(0) }
    }

    #[test]
    fn a_file_is_read_again_only_when_it_changed() {
        let directory = tempfile::tempdir().unwrap();
        let text = cached(&directory);
        assert_eq!((text.get(), text.get(), text.reads.get()), (String::new(), String::new(), 1));
        text.write("one", Duration::from_secs(60));
        assert_eq!((text.get(), text.get(), text.reads.get()), ("one".to_owned(), "one".to_owned(), 2));
        text.write("two", Duration::from_secs(30));
        assert_eq!((text.get(), text.get(), text.reads.get()), ("two".to_owned(), "two".to_owned(), 3));
        fs::remove_file(&text.file).unwrap();
        assert_eq!((text.get(), text.reads.get()), (String::new(), 4));
        assert_eq!(text.cache.last().as_deref().map(String::as_str), Some(""));
    }

    #[test]
    fn a_file_that_has_just_changed_is_not_trusted_to_stay_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let text = cached(&directory);
        text.write("one", Duration::ZERO);
        assert_eq!((text.get(), text.get(), text.reads.get()), ("one".to_owned(), "one".to_owned(), 2));
    }

    #[test]
    fn an_error_is_not_kept_and_takes_nothing_away() {
        let cache: FileCache<u32> = FileCache::default();
        assert_eq!(cache.get([], || Err("unreadable")), Err("unreadable"));
        assert_eq!(*cache.get([], || Ok::<_, &str>(1)).unwrap(), 1);
        assert_eq!(cache.last().as_deref(), Some(&1));
    }
}
