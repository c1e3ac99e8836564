//! Paths that mean another file in a program than here: those through `/proc/self`, see proc_pid_cwd(5).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows, see path_resolution(7).
const LINKS: usize = 40;
const PATH_MAX: usize = 4096;

/// The place to which a path leads in a program that works in `cwd`, if it passes through `/proc/self`. None for any other path, which
/// leads to the same place here.
pub fn place_in_program(path: &Path, cwd: &Path) -> Option<PathBuf> {
    // The kernel opens no longer one.
    if path.as_os_str().len() > PATH_MAX {
        return None;
    }
    let mut rest = Vec::new();
    push(&mut rest, path);
    let (mut at, mut is_own, mut links) = (PathBuf::from("/"), false, 0);
    while let Some(name) = rest.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let Ok(target) = fs::read_link(&next) else {
            at = next;
            continue;
        };
        links += 1;
        if links > LINKS {
            return None;
        }
        if is_this_process(&target) {
            let to = through_self(&mut rest, cwd)?;
            (at, is_own) = (PathBuf::from("/"), true);
            push(&mut rest, to);
            continue;
        }
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        push(&mut rest, &target);
    }
    is_own.then_some(at)
}

/// Whether it is the target of `/proc/self` or `/proc/thread-self`.
fn is_this_process(target: &Path) -> bool {
    let pid = std::process::id().to_string();
    target.iter().next() == Some(OsStr::new(&pid))
}

/// Where the link of the program itself leads that comes next, behind the directory of a thread or not. Other files of the directory are
/// the program's own, and nothing is denied about them.
fn through_self<'p>(rest: &mut Vec<OsString>, cwd: &'p Path) -> Option<&'p Path> {
    while rest.last()? == "task" {
        rest.pop();
        rest.pop()?;
    }
    match rest.pop()?.to_str()? {
        "cwd" => Some(cwd),
        "root" => Some(Path::new("/")),
        _ => None,
    }
}

/// Puts the parts of a path before those that are left.
fn push(rest: &mut Vec<OsString>, path: &Path) {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let at = rest.len();
    rest.extend(parts);
    rest[at..].reverse();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_leads_through_the_process_itself_leads_to_the_programs_own_place() {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        symlink("/proc/self/cwd", real.join("here")).unwrap();
        symlink("/proc/self/cwd/./sub/../file", real.join("file")).unwrap();
        let check = |path: &str, expected: Option<&str>| {
            let path = path.replace("{}", &real.display().to_string());
            let found = place_in_program(Path::new(&path), Path::new("/srv/web"));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{path}");
        };
        for path in [
            "/proc/self/cwd/file",
            "/proc/thread-self/cwd/file",
            "/proc/self/task/1/cwd/file",
            "/proc/../proc/self/cwd//file",
            "/proc/self/root/srv/web/file",
            "/proc/self/cwd/../../proc/self/root/srv/web/file",
            "{}/here/file",
            "{}/file",
        ] {
            check(path, Some("/srv/web/file"));
        }
        check("/proc/self/cwd/..", Some("/srv"));
        for path in ["/etc/passwd", "/proc/self/status", "/proc/1/cwd/file", "/proc/self", "{}/none", "/"] {
            check(path, None);
        }
    }
}
