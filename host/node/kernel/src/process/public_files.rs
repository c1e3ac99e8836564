//! The files of the node that every program may touch, whatever it was granted: those that every user may read anyway. Landlock knows no
//! users, and a program of root without capabilities still owns root's files: so a directory counts as a whole only if nothing in it is
//! kept from other users.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::landlock::{FileAccess, FileRule};
use crate::clock;

/// What comes from the distribution and from the kernel, which holds no secret of the site but those that the kernel itself keeps.
const SYSTEM: [&str; 11] =
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc", "/sys", "/nix", "/gnu", "/run/systemd/resolve", "/run/nscd"];

/// Devices that hold nothing, and directories in which every user may make files.
const OPEN: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/tmp", "/var/tmp"];

/// So many entries of one directory are looked at, with all that is below it. What comes after them is left out.
const ENTRIES: usize = 20_000;

/// As deep as directories are looked into.
const DEPTH: usize = 32;

const READABLE: u32 = 0o004;
const SEARCHABLE: u32 = 0o001;

/// The rules for what every program may touch. Below `/opt`, only the directories of these files of the program's own are among it:
/// what was put there is for its own programs, and may be large.
///
/// `owns_files` says that the program may read what belongs to root. For any other the kernel asks for its user as ever.
pub fn public_files(owns_files: bool, own: &[PathBuf]) -> Vec<FileRule> {
    let rule = |access| move |path: &&str| FileRule { path: PathBuf::from(path), access };
    let mut rules: Vec<FileRule> = SYSTEM.iter().map(rule(FileAccess::Read)).collect();
    rules.extend(OPEN.iter().map(rule(FileAccess::Write)));
    let read = |path: PathBuf| FileRule { path, access: FileAccess::Read };
    rules.extend(recently(&LAST[usize::from(owns_files)], || public_of_site(owns_files)).iter().cloned().map(read));
    if owns_files {
        let own = own.iter().filter_map(|path| {
            let name = path.strip_prefix("/opt").ok()?.components().next()?;
            Some(Path::new("/opt").join(name))
        });
        let trees: BTreeSet<PathBuf> = own.collect();
        rules.extend(trees.iter().flat_map(|tree| public_below(tree)).map(read));
    }
    rules
}

/// What every program may read of the directories of the site.
fn public_of_site(owns_files: bool) -> Vec<PathBuf> {
    if !owns_files {
        let public = entries("/etc").into_iter().filter(|path| is_readable(path));
        return ["/usr".into(), "/opt".into()].into_iter().chain(public).collect();
    }
    let of_system = entries("/usr").into_iter().filter(|path| !path.ends_with("local"));
    let mut trees: Vec<PathBuf> = ["/etc", "/usr/local"].into_iter().flat_map(entries).collect();
    trees.sort();
    of_system.chain(trees.iter().flat_map(|tree| public_below(tree))).collect()
}

/// How long a look is good: it takes milliseconds, and a command may run many programs. A program that was started so much earlier reads
/// the same.
const FRESH: Duration = Duration::from_secs(1);

/// Where something that comes, goes or is replaced ends a look at once.
const TOPS: [&str; 3] = ["/etc", "/usr", "/usr/local"];

/// The last looks: for programs that do not own root's files, and for those that do.
static LAST: [Mutex<Option<PublicLook>>; 2] = [Mutex::new(None), Mutex::new(None)];

/// A look at the directories of the site.
struct PublicLook {
    at: Duration,
    tops: [Option<(u64, i64, i64)>; TOPS.len()],
    public: Arc<Vec<PathBuf>>,
}

/// The last look, if it is fresh, or a new one.
fn recently(last: &Mutex<Option<PublicLook>>, look: impl FnOnce() -> Vec<PathBuf>) -> Arc<Vec<PathBuf>> {
    let tops = TOPS.map(|top| {
        let found = fs::metadata(top).ok()?;
        Some((found.ino(), found.ctime(), found.ctime_nsec()))
    });
    // Kept while it is looked, so that programs that start side by side look once.
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let at = clock::boot();
    let fresh = last.as_ref().filter(|last| last.tops == tops && at.saturating_sub(last.at) < FRESH);
    if let Some(fresh) = fresh {
        return Arc::clone(&fresh.public);
    }
    let public = Arc::new(look());
    *last = Some(PublicLook { at, tops, public: Arc::clone(&public) });
    public
}

/// The terminal of a session of its own, by both of its names.
pub(super) fn own_terminal(terminal: impl AsFd) -> Vec<FileRule> {
    let named = fs::read_link(format!("/proc/self/fd/{}", terminal.as_fd().as_raw_fd())).ok();
    let names = named.into_iter().filter(|name| name.starts_with("/dev/")).chain([PathBuf::from("/dev/tty")]);
    names.map(|path| FileRule { path, access: FileAccess::Write }).collect()
}

fn entries(directory: &str) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether every user may read the file, or look into the directory.
fn is_readable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & READABLE != 0)
}

/// What every user may read of a file or directory: itself, or what is below it.
fn public_below(top: &Path) -> Vec<PathBuf> {
    let mut walk = PublicWalk { left: ENTRIES, linked: Vec::new() };
    let public = match fs::symlink_metadata(top) {
        Ok(found) => walk.look(top, &found, DEPTH),
        Err(_) => Public::Nothing,
    };
    let mut paths = public.paths(top);
    paths.append(&mut walk.linked);
    paths
}

/// What every user may read of one entry.
enum Public {
    All,
    /// These of what is below.
    Some(Vec<PathBuf>),
    Nothing,
    /// It is a link or a socket, which says nothing about its directory.
    Other,
}

impl Public {
    fn paths(self, path: &Path) -> Vec<PathBuf> {
        match self {
            Public::All => vec![path.to_owned()],
            Public::Some(paths) => paths,
            Public::Nothing | Public::Other => Vec::new(),
        }
    }
}

struct PublicWalk {
    left: usize,
    /// Public files elsewhere, to which links lead.
    linked: Vec<PathBuf>,
}

impl PublicWalk {
    fn look(&mut self, path: &Path, found: &Metadata, depth: usize) -> Public {
        let mode = found.permissions().mode();
        let kind = found.file_type();
        if kind.is_symlink() {
            self.linked.extend(linked_file(path));
            return Public::Other;
        }
        if kind.is_file() {
            return if mode & READABLE != 0 { Public::All } else { Public::Nothing };
        }
        if !kind.is_dir() {
            return Public::Other;
        }
        if mode & READABLE == 0 || mode & SEARCHABLE == 0 || depth == 0 {
            return Public::Nothing;
        }
        self.look_into(path, depth - 1)
    }

    fn look_into(&mut self, directory: &Path, depth: usize) -> Public {
        let Ok(listed) = fs::read_dir(directory) else { return Public::Nothing };
        let (mut is_whole, mut some) = (true, Vec::new());
        for entry in listed {
            let Some(left) = self.left.checked_sub(1) else { return Public::Some(some) };
            self.left = left;
            let looked = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            let Ok((path, found)) = looked else {
                is_whole = false;
                continue;
            };
            let public = self.look(&path, &found, depth);
            is_whole &= matches!(public, Public::All | Public::Other);
            some.extend(public.paths(&path));
        }
        if is_whole { Public::All } else { Public::Some(some) }
    }
}

/// The file to which a link leads out of its own directory and of `/usr`, if every user may read it there.
fn linked_file(link: &Path) -> Option<PathBuf> {
    let text = fs::read_link(link).ok()?;
    // Most links of /etc are such: the entry itself is looked at, or it is the distribution's.
    if text.components().count() == 1 || (text.starts_with("/usr") && !text.starts_with("/usr/local")) {
        return None;
    }
    let real = fs::canonicalize(link).ok()?;
    let reached =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.permissions().mode() & SEARCHABLE != 0);
    let found = fs::symlink_metadata(&real).ok()?;
    let is_public = found.is_file() && found.permissions().mode() & READABLE != 0;
    (is_public && real.ancestors().skip(1).all(reached)).then_some(real)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_every_program_reads_holds_no_secrets_of_the_system() {
        for owns_files in [true, false] {
            let rules = public_files(owns_files, &[]);
            let has = |path: &str| rules.iter().any(|rule| rule.path == Path::new(path));
            assert!(
                has("/etc/passwd") && !has("/etc") && !has("/") && !has("/dev") && !has("/dev/pts") && !has("/dev/tty")
            );
            assert!(!has("/etc/shadow") && !has("/root") && !has("/var") && !has("/home"));
            assert!((has("/usr") && has("/opt")) != owns_files);
        }
    }

    #[test]
    fn a_look_is_made_once_in_a_while() {
        let (last, looks) = (Mutex::new(None), std::cell::Cell::new(0));
        let look = || {
            recently(&last, || {
                looks.set(looks.get() + 1);
                vec![PathBuf::from("/etc/hosts")]
            })
        };
        assert_eq!((look(), looks.get()), (look(), 1));
        // A second later, or when something has come into one of the directories or gone from it.
        let change = |change: &dyn Fn(&mut PublicLook)| change(last.lock().unwrap().as_mut().unwrap());
        change(&|look| look.at = Duration::ZERO);
        look();
        change(&|look| look.tops[0] = None);
        look();
        look();
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn of_a_directory_with_something_private_only_the_rest_is_public() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, mode) in [("top", 0o755), ("top/clean", 0o755), ("top/mixed", 0o755), ("top/closed", 0o700)] {
            fs::create_dir(at(name)).unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        for (name, mode) in [
            ("top/clean/a", 0o644),
            ("top/mixed/b", 0o644),
            ("top/mixed/key", 0o600),
            ("top/closed/c", 0o644),
            ("outside", 0o644),
        ] {
            fs::write(at(name), "").unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        symlink(at("top/closed/c"), at("top/clean/into")).unwrap();
        let mut found = public_below(&at("top"));
        found.sort();
        assert_eq!(found, [at("top/clean"), at("top/mixed/b")]);
        // A link leads to what every user may read there, and the directory with it is whole.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        symlink("../../outside", at("top/clean/out")).unwrap();
        let real = fs::canonicalize(at("outside")).unwrap();
        assert_eq!(public_below(&at("top/clean")).contains(&real), std::env::temp_dir().ancestors().all(is_open));
        fs::remove_file(at("top/mixed/key")).unwrap();
        fs::remove_dir_all(at("top/closed")).unwrap();
        assert!(public_below(&at("top")).contains(&at("top")));
    }

    fn is_open(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & SEARCHABLE != 0)
    }
}
