//! The mount table, see proc_pid_mountinfo(5).

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::KernelError;
use crate::path::{LastLink, resolve};

/// A mount, as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountInfo {
    /// The kernel's number of the mount.
    pub id: u64,
    /// The mount that it is mounted on.
    pub parent: u64,
    /// The device number of the file system: the `st_dev` of its files, except for btrfs.
    pub device: (u32, u32),
    /// The directory of the source that is mounted: `/`, except for bind mounts and subvolumes.
    pub root: PathBuf,
    /// The directory that it is mounted on.
    pub target: PathBuf,
    /// The options of the mount, then those of the file system; `ro` if either has it.
    pub options: Vec<String>,
    /// As in /proc/filesystems.
    pub fstype: String,
    /// The device, or the word that was given as the source.
    pub source: String,
    /// The number of the group of mounts that each other's mounts and unmounts reach, if it is in one.
    pub peers: Option<u64>,
    /// The number of the group whose mounts and unmounts reach it, and not the other way round.
    pub master: Option<u64>,
}

/// Reads every mount of this mount namespace that can be reached from our root.
pub fn read() -> Result<Vec<MountInfo>, KernelError> {
    // `thread-self`, not `self`: a thread can be in another mount namespace than the first thread of its process.
    const FILE: &str = "/proc/thread-self/mountinfo";
    let text = std::fs::read(FILE).map_err(|source| crate::files::io_error(format!("read {FILE}"), &source))?;
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(parse_line).collect()
}

/// The mounts of `target`, the topmost last. Empty if it is not a mount point, or does not exist.
///
/// A path that the mount table lists is not touched, so this returns even if a network file system's server does not answer.
pub fn mounts_at(target: &Path) -> Result<Vec<MountInfo>, KernelError> {
    let mounts = read()?;
    let listed = stacked(&mounts, target);
    if !listed.is_empty() {
        return Ok(listed);
    }
    match resolve(target, LastLink::Follow) {
        Ok(place) => Ok(stacked(&mounts, place.path())),
        Err(KernelError::NotFound(_)) => Ok(Vec::new()),
        Err(KernelError::Os { errno: Errno::NOTDIR, .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The mount with the kernel's number `id`.
pub(crate) fn by_id(id: u64) -> Result<Option<MountInfo>, KernelError> {
    Ok(read()?.into_iter().find(|mount| mount.id == id))
}

/// What is mounted below a mount, each after the one that it is mounted on.
pub fn below(id: u64) -> Result<Vec<MountInfo>, KernelError> {
    let mounts = read()?;
    let mut found: Vec<MountInfo> = Vec::new();
    let mut parents = vec![id];
    while let Some(parent) = parents.pop() {
        for mount in mounts.iter().filter(|mount| mount.parent == parent && mount.id != parent) {
            parents.push(mount.id);
            found.push(mount.clone());
        }
    }
    found.sort_by_key(|mount| mount.target.components().count());
    Ok(found)
}

/// What is mounted below a mount, the deepest first, if all of it are copies that the kernel has made there of mounts elsewhere: see
/// "Shared subtrees" in mount_namespaces(7). None if something else is among it, or nothing is there.
pub(super) fn copies_below(id: u64) -> Result<Option<Vec<MountInfo>>, KernelError> {
    let mut below = below(id)?;
    let ids: BTreeSet<u64> = below.iter().map(|mount| mount.id).collect();
    let mounts = read()?;
    let is_copy = |copy: &MountInfo| {
        let is_original =
            |seen: &&MountInfo| seen.peers == copy.master && (seen.device, &seen.root) == (copy.device, &copy.root);
        copy.master.is_some() && mounts.iter().filter(|seen| !ids.contains(&seen.id)).any(|seen| is_original(&seen))
    };
    below.reverse();
    Ok(Some(below).filter(|below| !below.is_empty() && below.iter().all(is_copy)))
}

/// The mounts of one target, each after the one that it hides. The order of the table does not say that: a mount can be made
/// early and moved into place late.
pub(super) fn stacked(mounts: &[MountInfo], target: &Path) -> Vec<MountInfo> {
    let here: HashMap<u64, &MountInfo> =
        mounts.iter().filter(|mount| mount.target == target).map(|mount| (mount.id, mount)).collect();
    let height = |mount: &MountInfo| {
        let below = |mount: &&MountInfo| here.get(&mount.parent).copied().filter(|below| below.id != mount.id);
        std::iter::successors(Some(mount), below).take(here.len()).count()
    };
    let mut stack: Vec<MountInfo> = here.values().map(|&mount| mount.clone()).collect();
    stack.sort_by_cached_key(|mount| (height(mount), mount.id));
    stack
}

/// The number and the device number of a line, without a look at the rest of it.
pub(super) fn numbers_of(line: &[u8]) -> Option<(u64, (u32, u32))> {
    let mut fields = line.split(|&byte| byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let (id, _parent, device) = (text()?, text()?, text()?);
    Some((id.parse().ok()?, device_number(device)?))
}

pub(super) fn parse_line(line: &[u8]) -> Result<MountInfo, KernelError> {
    let none = || KernelError::Invalid(format!("not a line of mountinfo: {}", String::from_utf8_lossy(line)));
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    // A variable number of optional fields, such as `shared:2`, stands between the sixth field and a single dash.
    let dash = fields.iter().skip(6).position(|&field| field == b"-").ok_or_else(none)? + 6;
    let [id, parent, device, root, target, options] = fields[..6] else { return Err(none()) };
    let [fstype, source, super_options] = fields[dash + 1..] else { return Err(none()) };
    let text = |field: &[u8]| String::from_utf8_lossy(&unescape(field)).into_owned();
    let group = |tag: &[u8]| fields[6..dash].iter().find_map(|field| text(field.strip_prefix(tag)?).parse().ok());
    Ok(MountInfo {
        id: text(id).parse().map_err(|_| none())?,
        parent: text(parent).parse().map_err(|_| none())?,
        device: device_number(&text(device)).ok_or_else(none)?,
        root: PathBuf::from(OsString::from_vec(unescape(root))),
        target: PathBuf::from(OsString::from_vec(unescape(target))),
        options: merge_options(&text(options), &text(super_options)),
        fstype: text(fstype),
        source: text(source),
        peers: group(b"shared:"),
        master: group(b"master:"),
    })
}

fn device_number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The text that the kernel wrote with escapes, as in /proc/swaps.
pub(crate) fn unescape_text(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text.as_bytes())).into_owned()
}

/// The kernel writes spaces, tabs, newlines, backslashes and `#` as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| byte == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match digits {
            Some(&[high, middle, low]) if high <= b'3' => {
                plain.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                rest = &after[3..];
            }
            _ => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}

/// The options as findmnt(8) shows them: a tree is writable only if both the mount and the file system are.
fn merge_options(mount: &str, file_system: &str) -> Vec<String> {
    let words = |text: &str| -> Vec<String> { split_options(text).filter(|word| !word.is_empty()).collect() };
    let (mount, file_system) = (words(mount), words(file_system));
    // A file system that turned read-only after an error shows that only among its own options.
    let read_only = mount.iter().chain(&file_system).any(|word| word == "ro");
    let mut merged = vec![if read_only { "ro" } else { "rw" }.to_owned()];
    for word in mount.into_iter().chain(file_system) {
        if word != "ro" && word != "rw" && !merged.contains(&word) {
            merged.push(word);
        }
    }
    merged
}

/// Splits a list of options at its commas, except inside double quotes: SELinux contexts hold commas.
pub fn split_options(text: &str) -> impl Iterator<Item = String> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
    .map(str::to_owned)
    .collect::<Vec<_>>()
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> MountInfo {
        parse_line(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_line_is_read_with_any_number_of_optional_fields() {
        for optional in ["", "shared:1 ", "shared:1 master:2 propagate_from:3 "] {
            let entry = entry(&format!(
                "36 35 98:4096 /sub /mnt/data rw,noatime {optional}- ext4 /dev/sda1 rw,errors=remount-ro"
            ));
            assert_eq!((entry.id, entry.parent, entry.device), (36, 35, (98, 4096)));
            assert_eq!((entry.root, entry.target), ("/sub".into(), "/mnt/data".into()));
            assert_eq!(entry.options, ["rw", "noatime", "errors=remount-ro"]);
            assert_eq!((entry.fstype.as_str(), entry.source.as_str()), ("ext4", "/dev/sda1"));
            let group = |tag| optional.contains(tag);
            assert_eq!((entry.peers, entry.master), (group("shared").then_some(1), group("master").then_some(2)));
        }
    }

    #[test]
    fn escapes_and_other_scripts_are_read_as_they_were_written() {
        let cases = [
            (r"/media/Mon\040Disque", "/media/Mon Disque"),
            ("/mnt/nas/Documents\\040partagés", "/mnt/nas/Documents partagés"),
            (r"/a\134b\011c\012d\043e", "/a\\b\tc\nd#e"),
            (r"/a\13", r"/a\13"),
            (r"/a\777", r"/a\777"),
            (r"/a\", r"/a\"),
        ];
        for (written, meant) in cases {
            let entry = entry(&format!("1 0 0:1 / {written} rw - tmpfs none rw"));
            assert_eq!(entry.target, Path::new(meant), "{written}");
        }
        let nfs = entry("9 1 0:44 / /mnt/nas rw,relatime - nfs nas.local:/volume1/documents rw,vers=4.1");
        assert_eq!(nfs.source, "nas.local:/volume1/documents");
    }

    #[test]
    fn a_tree_is_read_only_if_the_mount_or_the_file_system_is() {
        for (mount, file_system, merged) in [
            ("ro,relatime", "rw,discard", vec!["ro", "relatime", "discard"]),
            ("rw", "ro", vec!["ro"]),
            ("rw,noatime", "rw,noatime", vec!["rw", "noatime"]),
            ("rw", r#"rw,context="a:b,c",x"#, vec!["rw", r#"context="a:b,c""#, "x"]),
        ] {
            assert_eq!(merge_options(mount, file_system), merged);
        }
    }

    #[test]
    fn the_topmost_mount_is_last_whatever_the_order_of_the_table() {
        let mounts: Vec<MountInfo> = [
            "50 70 0:3 / /mnt rw - tmpfs top rw",
            "20 1 8:1 / /other rw - ext4 /dev/sda1 rw",
            "70 60 0:2 / /mnt rw - tmpfs middle rw",
            "60 1 0:1 / /mnt rw - tmpfs bottom rw",
        ]
        .map(entry)
        .into();
        let sources: Vec<String> = stacked(&mounts, Path::new("/mnt")).into_iter().map(|mount| mount.source).collect();
        assert_eq!(sources, ["bottom", "middle", "top"]);
    }

    #[test]
    fn a_malformed_line_is_an_error_and_not_a_panic() {
        for line in [
            "",
            "1",
            "1 2 3 4 5 6",
            "1 0 0:1 / /a rw - tmpfs",
            "x 0 0:1 / /a rw - tmpfs none rw",
            "1 0 0 / /a rw - t n rw",
        ] {
            assert!(parse_line(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn this_machine_can_be_read() {
        assert!(read().unwrap().iter().any(|mount| mount.target == Path::new("/proc") && mount.fstype == "proc"));
        assert_eq!(mounts_at(Path::new("/proc")).unwrap().last().unwrap().fstype, "proc");
        assert_eq!(mounts_at(Path::new("/no/such/place")).unwrap(), []);
    }
}
