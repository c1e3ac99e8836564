//! What a path leads to when a program opens it: the kernel follows every link for a program, also those of other users.
//!
//! Nothing is opened here and nothing stays pinned. It tells which file a name stands for now, to hold the name against what is denied.

use std::fs;
use std::path::{Path, PathBuf};

use super::real_place;
use crate::block::{DeviceNumber, names_of_node};

/// As many links as the kernel follows, see path_resolution(7).
const LINKS: usize = 40;

/// The file to which a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// With all links followed, and in its one spelling.
    pub real: PathBuf,
    pub is_directory: bool,
    /// The number, if it is a device.
    pub device: Option<DeviceNumber>,
}

impl NamedFile {
    /// None if nothing is there.
    pub fn at(path: &Path) -> Option<NamedFile> {
        let real = fs::canonicalize(path).ok()?;
        let found = fs::metadata(&real).ok()?;
        Some(NamedFile { device: DeviceNumber::of(&found), is_directory: found.is_dir(), real })
    }

    /// The file that a program would make at a path where nothing is, in a directory that is there.
    pub fn to_be_made(path: &Path) -> Option<NamedFile> {
        let real = place_of_user(path).filter(|real| fs::symlink_metadata(real).is_err())?;
        Some(NamedFile { real, is_directory: false, device: None })
    }

    /// All names by which it is known: for a device, also those below `/dev` and the kernel's own.
    pub fn names(&self) -> Vec<PathBuf> {
        let mut names = vec![self.real.clone()];
        if let Some(device) = self.device {
            let more = device.node().into_iter().chain(names_of_node(device));
            let more: Vec<PathBuf> = more.filter(|name| *name != self.real).collect();
            names.extend(more);
        }
        names
    }
}

/// The place to which a path leads for a program that opens it by its name, whosever the links are: also that of a file which is not there
/// yet. None if nothing can be opened there.
pub fn place_of_user(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return Some(real);
        }
        let above = fs::canonicalize(path.parent()?).ok()?;
        match fs::read_link(&path) {
            Ok(target) => path = above.join(target),
            Err(_) => return Some(above.join(path.file_name()?)),
        }
    }
    None
}

/// The place that a `deny` line about a path is also about: links followed, and a device by the kernel's own name, as any number of
/// nodes may lead to it.
pub fn denied_place(path: &Path) -> Option<PathBuf> {
    let real = real_place(path)?;
    let device = fs::symlink_metadata(&real).ok().and_then(|found| DeviceNumber::of(&found));
    Some(device.and_then(DeviceNumber::node).unwrap_or(real))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_to_a_file_that_is_not_there_leads_to_where_it_would_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(real.join("d")).unwrap();
        symlink("d/new", real.join("first")).unwrap();
        symlink("first", real.join("second")).unwrap();
        symlink("d", real.join("directory")).unwrap();
        for name in ["first", "second", "directory/new", "d/new"] {
            assert_eq!(place_of_user(&real.join(name)), Some(real.join("d/new")), "{name}");
        }
        symlink("circle", real.join("circle")).unwrap();
        assert_eq!(place_of_user(&real.join("circle")), None);
        assert_eq!(place_of_user(&real.join("none/new")), None);
    }

    #[test]
    fn a_name_leads_to_a_file_and_a_device_has_all_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let real = fs::canonicalize(&file).unwrap();
        assert_eq!(NamedFile::at(&link).unwrap().names(), std::slice::from_ref(&real));
        assert_eq!(NamedFile::at(&dir.path().join("x/../file")), None, "a directory that is not there leads nowhere");
        assert!(NamedFile::at(dir.path()).unwrap().is_directory);
        assert_eq!(NamedFile::at(&dir.path().join("none")), None);
        fs::remove_file(&link).unwrap();
        symlink("/dev/null", &link).unwrap();
        assert!(NamedFile::at(&link).unwrap().names().contains(&"/dev/null".into()));
        assert_eq!(denied_place(Path::new("/dev/null")), Some("/dev/null".into()));
    }
}
