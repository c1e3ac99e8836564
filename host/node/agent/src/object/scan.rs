//! Which objects there are. To find them reads directories only: a thousand services are listed without opening one of their
//! files.

use std::fs;
use std::path::{Path, PathBuf};

use model::{ObjectKind, ObjectPath};

use crate::Directories;
use crate::file::durable::{FileError, absent_is_none};
use crate::home::layout;

/// The files in the directories of configurations, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectScan {
    pub objects: Vec<ObjectPath>,
    /// Files that look like configurations of objects, except for their name or directory, relative to `etc`.
    pub strays: Vec<PathBuf>,
}

impl ObjectScan {
    pub(super) fn of(home: &Directories) -> Result<ObjectScan, FileError> {
        let (mut scan, node) = (ObjectScan::default(), home.node_config());
        for directory in directories(home)? {
            for file in entries(&home.etc.join(&directory))?.into_iter().filter(|entry| entry.is_file) {
                let file = directory.join(file.name);
                match layout::object_of_config_file(&file) {
                    Some(object) => scan.objects.push(object),
                    None if looks_like_one(&file) && home.etc.join(&file) != node => scan.strays.push(file),
                    None => {}
                }
            }
        }
        scan.objects.sort_unstable();
        scan.strays.sort_unstable();
        Ok(scan)
    }
}

fn looks_like_one(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && file.extension().is_some_and(|extension| extension == "conf")
}

/// The directories of configurations, relative to `etc`.
fn directories(home: &Directories) -> Result<Vec<PathBuf>, FileError> {
    let kinds = || ObjectKind::ALL.into_iter().map(ObjectKind::as_str).map(PathBuf::from);
    let mut directories = vec![PathBuf::new()];
    directories.extend(kinds());
    for namespace in entries(&home.etc.join("namespaces"))?.into_iter().filter(|entry| !entry.is_file) {
        let directory = Path::new("namespaces").join(namespace.name);
        directories.extend(kinds().map(|kind| directory.join(kind)));
        directories.push(directory);
    }
    Ok(directories)
}

pub(super) struct DirectoryEntry {
    pub(super) name: PathBuf,
    /// Links are followed: one that leads nowhere is not a file.
    pub(super) is_file: bool,
}

/// The entries of a directory. A missing directory is empty.
pub(super) fn entries(directory: &Path) -> Result<Vec<DirectoryEntry>, FileError> {
    let failed = || FileError::new("list", directory);
    let Some(entries) = absent_is_none(fs::read_dir(directory)).map_err(failed())? else { return Ok(Vec::new()) };
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        let kind = entry.file_type()?;
        // readdir(3) says the kind of most entries without a call for each of them. Only a link must be followed.
        let is_file = if kind.is_symlink() { entry.path().is_file() } else { kind.is_file() };
        Ok(DirectoryEntry { name: entry.file_name().into(), is_file })
    };
    entries.map(read).collect::<std::io::Result<_>>().map_err(failed())
}
