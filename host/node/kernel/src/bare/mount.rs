//! A mount, found in the mount table by its number, and detached where it is now.

use std::ffi::CStr;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};
use rustix::mount::{UnmountFlags, unmount};

/// PATH_MAX. The kernel escapes some characters of a path by four.
const LONGEST: usize = 4096;
const BUFFER: usize = 4 * LONGEST;

/// A mount that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct BareMount<'a> {
    /// The number in mountinfo.
    pub id: u64,
    /// The device of its file system. With 0:0 it is not known, and the target is compared instead.
    pub device: (u32, u32),
    pub target: &'a CStr,
}

/// A line of mountinfo.
struct MountLine<'a> {
    id: u64,
    parent: u64,
    device: (u32, u32),
    /// As the kernel writes it.
    target: &'a [u8],
}

/// A mount that was found.
struct FoundMount {
    id: u64,
    target: [u8; LONGEST],
}

/// Takes the mount out of the tree of this mount namespace, with what is mounted below it, whoever uses it. False if it was not
/// there. A mount that another one covers fails with EBUSY.
pub fn detach_mount(mount: BareMount<'_>) -> Result<bool, Errno> {
    let Some(found) = find(mount)? else { return Ok(false) };
    let target = CStr::from_bytes_until_nul(&found.target).map_err(|_| Errno::NAMETOOLONG)?;
    let mut covered = false;
    each_line(&mut |line| {
        covered |= line.parent == found.id && unescaped(line.target).is_some_and(|over| over == found.target);
    })?;
    if covered {
        return Err(Errno::BUSY);
    }
    match unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        // It was unmounted meanwhile.
        Err(Errno::INVAL | Errno::NOENT) if find(mount)?.is_none() => Ok(false),
        detached => detached.map(|()| true),
    }
}

/// Whether the mount is in the tree of this mount namespace.
pub fn is_mounted(mount: BareMount<'_>) -> Result<bool, Errno> {
    find(mount).map(|found| found.is_some())
}

fn find(mount: BareMount<'_>) -> Result<Option<FoundMount>, Errno> {
    let mut found = None;
    each_line(&mut |line| {
        let is_on_target = || unescaped(line.target).is_some_and(|target| is_same(&target, mount.target));
        let is_on_device = line.device == mount.device || mount.device == (0, 0) && is_on_target();
        if line.id == mount.id
            && is_on_device
            && let Some(target) = unescaped(line.target)
        {
            found = Some(FoundMount { id: line.id, target });
        }
    })?;
    Ok(found)
}

fn is_same(target: &[u8; LONGEST], other: &CStr) -> bool {
    CStr::from_bytes_until_nul(target).is_ok_and(|target| target == other)
}

/// Reads the table, a line at a time.
fn each_line(visit: &mut dyn FnMut(MountLine<'_>)) -> Result<(), Errno> {
    let table = open(c"/proc/self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut buffer = [0_u8; BUFFER];
    let mut used = 0;
    loop {
        let count = match read(&table, &mut buffer[used..]) {
            Err(Errno::INTR) => continue,
            read => read?,
        };
        if count == 0 {
            return if used == 0 { Ok(()) } else { Err(Errno::OVERFLOW) };
        }
        used += count;
        let mut start = 0;
        while let Some(length) = buffer[start..used].iter().position(|byte| *byte == b'\n') {
            parse(&buffer[start..start + length]).into_iter().for_each(&mut *visit);
            start += length + 1;
        }
        buffer.copy_within(start..used, 0);
        used -= start;
        if used == BUFFER {
            return Err(Errno::OVERFLOW);
        }
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime …`, see proc_pid_mountinfo(5).
fn parse(line: &[u8]) -> Option<MountLine<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    let (id, parent) = (number(words.next()?)?, number(words.next()?)?);
    let (major, minor) = std::str::from_utf8(words.next()?).ok()?.split_once(':')?;
    let target = words.nth(1)?;
    Some(MountLine { id, parent, device: (major.parse().ok()?, minor.parse().ok()?), target })
}

/// The path that the kernel has escaped: `\040` is a blank. None if it is longer than any path.
fn unescaped(text: &[u8]) -> Option<[u8; LONGEST]> {
    let mut path = [0; LONGEST];
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let digits = text[from..].strip_prefix(b"\\").and_then(|rest| rest.get(..3));
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        *path[..LONGEST - 1].get_mut(to)? = code.unwrap_or(text[from]);
        from += if code.is_some() { 4 } else { 1 };
        to += 1;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let line = parse(br"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw").unwrap();
        assert_eq!((line.id, line.parent, line.device), (36, 35, (98, 0)));
        assert!(is_same(&unescaped(line.target).unwrap(), c"/mnt 2"));
        assert!(parse(b"36 35 98").is_none());
        assert!(is_same(&unescaped(br"/a\9").unwrap(), c"/a\\9"));
        assert!(unescaped(&[b'a'; LONGEST]).is_none());
    }

    #[test]
    fn the_root_is_mounted_and_a_mount_that_never_was_is_not() {
        let mount = |id, target| BareMount { id, device: (0, 0), target };
        let mut proc = 0;
        each_line(&mut |line| {
            if line.target == b"/proc" {
                proc = line.id;
            }
        })
        .unwrap();
        assert_eq!(is_mounted(mount(proc, c"/proc")), Ok(true));
        assert_eq!(is_mounted(mount(proc, c"/sys")), Ok(false));
        assert_eq!(is_mounted(mount(0, c"/proc")), Ok(false));
        assert_eq!(is_mounted(mount(u64::MAX, c"/proc")), Ok(false));
        assert_eq!(detach_mount(mount(u64::MAX, c"/proc")), Ok(false));
    }
}
