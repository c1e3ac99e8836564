//! The file that is executed, and the users who could have changed it.
//!
//! The agent runs a program as root, so no other user may control it: the file and every directory above it must belong
//! to root, to the agent's own user or to the user that the program runs as, and no other user may write there (as sshd's
//! StrictModes demands). A sticky directory such as `/tmp` is accepted, because there only owners can rename or remove
//! files.
//!
//! A checked program is executed by its name: only those owners could make the name lead elsewhere. To execute it by
//! descriptor, see execveat(2), would be no safer, scripts would not run, and a kernel before 6.14 would name the process
//! `3`.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::process::Uid;

use crate::KernelError;
use crate::path::{LastLink, is_ours, resolve};

const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// A program that passed the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedProgram {
    path: PathBuf,
    real: PathBuf,
}

impl CheckedProgram {
    /// Checks the program at `path`, which will run as `user` or as the agent's own user.
    pub fn open(path: &Path, user: Option<Uid>) -> Result<CheckedProgram, KernelError> {
        let place = resolve(path, LastLink::Follow).map_err(|error| match error {
            // The program is named, and not the directory in which it should be.
            KernelError::NotFound(_) => KernelError::NotFound(path.to_owned()),
            error => error,
        })?;
        let stat = look(place.existing()?, place.path())?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(KernelError::Invalid(format!("{} is not a program", path.display())));
        }
        if stat.st_mode & 0o111 == 0 {
            return Err(KernelError::Invalid(format!("{} is not executable", path.display())));
        }
        let owners = ProgramOwners { user };
        owners.check(place.path(), &stat)?;
        for directory in place.path().ancestors().skip(1) {
            owners.check_directory(directory)?;
        }
        Ok(CheckedProgram { path: path.to_owned(), real: place.path().to_owned() })
    }

    /// The path to which the links in the given one lead.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn look(file: impl AsFd, path: &Path) -> Result<Stat, KernelError> {
    rustix::fs::fstat(file).map_err(KernelError::os(format!("look at {}", path.display())))
}

struct ProgramOwners {
    user: Option<Uid>,
}

impl ProgramOwners {
    fn check_directory(&self, path: &Path) -> Result<(), KernelError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(KernelError::os(format!("open {}", path.display())))?;
        let stat = look(&fd, path)?;
        if stat.st_mode & STICKY != 0 {
            return self.check_owner(path, &stat);
        }
        self.check(path, &stat)
    }

    fn check(&self, path: &Path, stat: &Stat) -> Result<(), KernelError> {
        if stat.st_mode & WRITABLE_BY_OTHERS != 0 {
            return Err(KernelError::Invalid(format!(
                "{} can be written by others (mode {:o}): what it holds is not executed",
                path.display(),
                stat.st_mode & 0o7777
            )));
        }
        self.check_owner(path, stat)
    }

    fn check_owner(&self, path: &Path, stat: &Stat) -> Result<(), KernelError> {
        let owner = Uid::from_raw(stat.st_uid);
        if is_ours(stat.st_uid) || Some(owner) == self.user {
            return Ok(());
        }
        Err(KernelError::Invalid(format!(
            "{} belongs to user {}: what it holds is not executed",
            path.display(),
            owner.as_raw()
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(dir: &Path, file_mode: u32, dir_mode: u32) -> PathBuf {
        let path = dir.join("p");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(dir, Permissions::from_mode(dir_mode)).unwrap();
        path
    }

    #[test]
    fn a_program_that_others_can_write_is_not_executed() {
        for (file, dir, reason) in [
            (0o755, 0o755, None),
            (0o755, 0o1777, None),
            (0o775, 0o755, Some("can be written by others")),
            (0o757, 0o755, Some("can be written by others")),
            (0o755, 0o775, Some("can be written by others")),
            (0o755, 0o777, Some("can be written by others")),
            (0o644, 0o755, Some("is not executable")),
        ] {
            let temp = tempfile::tempdir().unwrap();
            let result = CheckedProgram::open(&script(temp.path(), file, dir), None);
            match (result, reason) {
                (Ok(_), None) => {}
                (Err(error), Some(reason)) => assert!(error.to_string().contains(reason), "{file:o} {dir:o}: {error}"),
                (result, _) => panic!("{file:o} in {dir:o}: {result:?}"),
            }
        }
    }

    /// Passes without a test if the agent may not change owners.
    #[test]
    fn a_program_of_a_user_is_executed_as_that_user_only() {
        let temp = tempfile::tempdir().unwrap();
        let path = script(temp.path(), 0o755, 0o755);
        for file in [&path, temp.path()] {
            if std::os::unix::fs::chown(file, Some(12345), None).is_err() {
                return;
            }
        }
        let open = |user: Option<u32>| CheckedProgram::open(&path, user.map(Uid::from_raw)).is_ok();
        assert_eq!([open(Some(12345)), open(Some(12346)), open(None)], [true, false, false]);
    }

    #[test]
    fn programs_behind_links_of_root_are_found_and_directories_are_refused() {
        assert!(CheckedProgram::open(Path::new("/bin/true"), None).is_ok());
        assert!(CheckedProgram::open(Path::new("/usr/bin"), None).is_err());
        assert!(matches!(CheckedProgram::open(Path::new("/usr/bin/no-such"), None), Err(KernelError::NotFound(_))));
    }
}
