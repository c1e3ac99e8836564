//! Files and directories that only root and the agent's own user can change, as sshd's StrictModes demands it of keys: what the agent
//! believes must be what an administrator wrote.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::trust::is_ours;
use crate::KernelError;

/// In a sticky directory such as `/tmp` only owners can rename or remove files.
const STICKY: u32 = 0o1000;

/// Without waiting for the writer of a FIFO, and without becoming the owner of a terminal.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// As many links as are followed one after the other.
const LINKS: usize = 8;

/// Opens a file to be read, if nobody but root and the agent's own user can change it or put another one in its place. None if it
/// does not exist.
pub fn open_ours(path: &Path) -> Result<Option<File>, KernelError> {
    open_within(path, LINKS)
}

fn open_within(path: &Path, links: usize) -> Result<Option<File>, KernelError> {
    let file = match rustix::fs::openat2(CWD, path, READ, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) if links > 0 => return open_linked(path, links - 1),
        Err(errno) => return Err(KernelError::os(format!("open {}", path.display()))(errno)),
    };
    let stat = look(&file, path)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(KernelError::Invalid(format!("{} is not a file", path.display())));
    }
    check_ours(path, &stat)?;
    check_above(path)?;
    Ok(Some(File::from(file)))
}

/// The same through a link, where no other user could have put it.
fn open_linked(path: &Path, links: usize) -> Result<Option<File>, KernelError> {
    let Some((above, name)) = path.parent().zip(path.file_name()) else { return Ok(None) };
    // Before the check, which cannot look at a directory that does not exist.
    let Some(real_above) = absent_is_none(above, std::fs::canonicalize(above))? else { return Ok(None) };
    check_above(path)?;
    let real = real_above.join(name);
    let Ok(stat) = rustix::fs::lstat(&real) else { return Ok(None) };
    if !is_link(&stat) {
        return open_within(&real, links);
    }
    check_owner(&real, &stat)?;
    let target = absent_is_none(&real, std::fs::read_link(&real))?;
    target.map_or(Ok(None), |target| open_within(&real_above.join(target), links))
}

fn absent_is_none<T>(path: &Path, result: std::io::Result<T>) -> Result<Option<T>, KernelError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Err(KernelError::os(format!("follow {}", path.display()))(errno))
        }
    }
}

/// Checks that every directory above an absolute path belongs to root or to the agent's own user, and that no other user can exchange
/// what is in it.
pub fn check_above(path: &Path) -> Result<(), KernelError> {
    path.ancestors().skip(1).try_for_each(check_directory)
}

/// Checks that no other user can exchange what is at a path, whosever it is, once all directories above are known to be ours: in a sticky
/// directory such as `/tmp`, the owner of a file can.
pub fn check_entry(path: &Path) -> Result<(), KernelError> {
    let look = |path: &Path| rustix::fs::lstat(path).map_err(KernelError::os(format!("look at {}", path.display())));
    let Some(above) = path.parent() else { return Ok(()) };
    if look(above)?.st_mode & 0o022 == 0 { Ok(()) } else { check_owner(path, &look(path)?) }
}

/// The same of a directory itself. A link to one is checked where it leads.
pub fn check_directory(path: &Path) -> Result<(), KernelError> {
    check_directory_within(path, LINKS)
}

fn check_directory_within(path: &Path, links: usize) -> Result<(), KernelError> {
    let stat = rustix::fs::lstat(path).map_err(KernelError::os(format!("look at {}", path.display())))?;
    if !is_link(&stat) {
        return if stat.st_mode & STICKY != 0 { check_owner(path, &stat) } else { check_ours(path, &stat) };
    }
    check_owner(path, &stat)?;
    let target = std::fs::read_link(path).ok().zip(path.parent()).filter(|_| links > 0);
    let Some((target, above)) = target else {
        return Err(KernelError::os(format!("follow {}", path.display()))(Errno::LOOP));
    };
    let target = above.join(target);
    let all = target.ancestors().collect::<Vec<_>>();
    all.into_iter().try_for_each(|directory| check_directory_within(directory, links - 1))
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// Checks the owner and the mode of what was opened.
pub fn check_ours(path: &Path, stat: &Stat) -> Result<(), KernelError> {
    let own_group = || stat.st_gid == rustix::process::getegid().as_raw();
    // A user's own group has that user alone in it, and many distributions let it write. The group of root may have others.
    let by_group = stat.st_mode & 0o020 != 0 && (rustix::process::geteuid().is_root() || !own_group());
    if stat.st_mode & 0o002 != 0 || by_group {
        return Err(KernelError::Invalid(format!(
            "{0} can be written by others (mode {1:o}): check what it holds, then type chmod go-w {0}",
            path.display(),
            stat.st_mode & 0o7777
        )));
    }
    check_owner(path, stat)
}

fn check_owner(path: &Path, stat: &Stat) -> Result<(), KernelError> {
    if is_ours(stat.st_uid) {
        return Ok(());
    }
    Err(KernelError::Invalid(format!(
        "{0} belongs to user {1}, who can change it: check what it holds, then type chown {2} {0}",
        path.display(),
        stat.st_uid,
        rustix::process::geteuid().as_raw()
    )))
}

fn look(file: &OwnedFd, path: &Path) -> Result<Stat, KernelError> {
    rustix::fs::fstat(file.as_fd()).map_err(KernelError::os(format!("look at {}", path.display())))
}

/// The identities of the directories above a path: their file systems, and their numbers there. A directory has the same by whatever
/// name, as where it is mounted once more.
pub fn identities_above(path: &Path) -> Result<Vec<(u64, u64)>, KernelError> {
    path.ancestors().skip(1).map(identity).collect()
}

/// The identity of a file, a link at its end followed.
pub fn identity(path: &Path) -> Result<(u64, u64), KernelError> {
    let stat = rustix::fs::stat(path).map_err(KernelError::os(format!("look at {}", path.display())))?;
    Ok((stat.st_dev, stat.st_ino))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(path: &Path) -> String {
        open_ours(path).map(|found| found.is_some()).unwrap_err().to_string()
    }

    #[test]
    fn what_others_can_write_is_not_read_and_the_error_says_what_to_type() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.conf");
        assert!(open_ours(&file).unwrap().is_none());
        fs::write(&file, "text").unwrap();
        let mut text = String::new();
        open_ours(&file).unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        mode(&file, 0o666);
        assert!(
            refusal(&file)
                .ends_with(&format!("(mode 666): check what it holds, then type chmod go-w {}", file.display()))
        );
        mode(&file, 0o644);
        mode(directory.path(), 0o777);
        assert!(
            refusal(&file).contains(&format!("{} can be written by others (mode 777)", directory.path().display()))
        );
        mode(directory.path(), 0o1777);
        assert!(open_ours(&file).unwrap().is_some(), "a sticky directory keeps others from exchanging the file");
    }

    #[test]
    fn what_belongs_to_another_user_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.conf");
        fs::write(&file, "text").unwrap();
        if chown(&file, Some(12345), None).is_err() {
            return crate::tests::skipped("owners cannot be changed here");
        }
        assert!(refusal(&file).contains("belongs to user 12345, who can change it"));
        chown(&file, Some(0), None).unwrap();
        chown(directory.path(), Some(12345), None).unwrap();
        assert!(refusal(&file).contains(&format!("{} belongs to user 12345", directory.path().display())));
        chown(directory.path(), Some(0), None).unwrap();
    }

    #[test]
    fn links_are_followed_where_only_root_could_put_them_and_what_is_not_a_file_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("shared")).unwrap();
        fs::write(at("shared/web.conf"), "").unwrap();
        symlink(at("shared/web.conf"), at("link.conf")).unwrap();
        symlink("shared", at("other")).unwrap();
        for name in ["link.conf", "other/web.conf"] {
            assert!(open_ours(&at(name)).unwrap().is_some(), "{name}");
        }
        for name in ["other/absent.conf", "other/absent/web.conf"] {
            assert!(open_ours(&at(name)).unwrap().is_none(), "{name}");
        }
        mode(&at("shared"), 0o777);
        for name in ["link.conf", "other/web.conf"] {
            assert!(refusal(&at(name)).contains("shared can be written by others"), "{name}");
        }
        symlink("loop", at("loop")).unwrap();
        assert!(refusal(&at("loop")).contains("loop"));
        symlink("nowhere", at("dangling")).unwrap();
        assert!(open_ours(&at("dangling")).unwrap().is_none());
        rustix::fs::mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(refusal(&at("fifo")).contains("is not a file"));
        assert!(refusal(Path::new("/dev/zero")).contains("is not a file"));
        assert!(refusal(directory.path()).contains("is not a file"));
    }

    #[test]
    fn a_directory_is_known_by_whatever_name() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let above = identities_above(&inner).unwrap();
        assert!(above.contains(&identity(&directory.path().join("a")).unwrap()));
        assert!(!above.contains(&identity(&inner).unwrap()));
    }
}
