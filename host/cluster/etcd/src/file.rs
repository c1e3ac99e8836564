//! Files of this node: replaced whole, and for their owner only.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileFault {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl FileFault {
    pub(crate) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileFault {
        let path = path.to_owned();
        move |source| FileFault { doing, path, source }
    }
}

/// Makes a directory for its owner only.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileFault> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FileFault::new("make", path))
}

/// Reads a document. None if the file does not exist.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileFault> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(FileFault::new("read", path))?,
    };
    let parsed = serde_json::from_slice(&bytes);
    parsed.map(Some).map_err(|error| FileFault::new("read", path)(error.into()))
}

/// Replaces a document, durably.
pub(crate) fn write(path: &Path, document: &impl Serialize) -> Result<(), FileFault> {
    let text = serde_json::to_string_pretty(document).unwrap_or_default() + "\n";
    let replace = || {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        // Made with mode 0600.
        let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(directory)?;
        draft.write_all(text.as_bytes())?;
        // The content before the name, and the name itself by a sync of its directory, see fsync(2): otherwise a
        // crash leaves an empty file, or the former one.
        draft.as_file().sync_all()?;
        draft.persist(path).map_err(|error| error.error)?;
        std::fs::File::open(directory)?.sync_all()
    };
    replace().map_err(FileFault::new("write", path))
}

/// Removes a file, which need not be there.
pub(crate) fn remove(path: &Path) -> Result<(), FileFault> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileFault::new("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Copies a directory with all that is in it, for its owner only.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), FileFault> {
    make_directory(to)?;
    let entries = std::fs::read_dir(from).map_err(FileFault::new("read", from))?;
    for entry in entries {
        let path = entry.map_err(FileFault::new("read", from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(FileFault::new("copy", &path))?;
        }
    }
    Ok(())
}

/// Removes a directory with all that is in it, which need not be there.
pub(crate) fn remove_tree(path: &Path) -> Result<(), FileFault> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileFault::new("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Moves a file or a directory, which need not be there.
pub(crate) fn move_to(from: &Path, to: &Path) -> Result<(), FileFault> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileFault::new("move", from)(error)),
        _ => Ok(()),
    }
}
