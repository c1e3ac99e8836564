//! What keeps a mount or a device busy although no process has a file of it open: the files behind loop devices, swap, sockets that
//! are bound to a path, and the devices of a btrfs. Each of them the kernel itself holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use super::holders::{is_below, pids};
use crate::mount::mountinfo::unescape_text;

/// Describes what of the three lies below the mount point.
pub(super) fn below(target: &Path) -> Vec<String> {
    let mut found = loops(target);
    found.extend(swaps(target));
    found.extend(sockets(target));
    found
}

/// Describes what of the kernel itself uses the device of this number, apart from mounts.
pub(super) fn on_device(number: (u32, u32)) -> Vec<String> {
    let is_it = |path: &str| {
        let found = fs::metadata(path).ok().filter(|found| found.file_type().is_block_device());
        found.is_some_and(|found| (major(found.rdev()), minor(found.rdev())) == number)
    };
    let swaps = swap_files().into_iter().filter(|file| is_it(file));
    let mut found: Vec<String> = swaps.map(|file| format!("it is swap in use (swapoff {file})")).collect();
    let loops = backing_files().into_iter().filter(|(file, _)| is_it(file));
    found.extend(loops.map(|(_, device)| format!("{device} stands on it (losetup -d {device})")));
    found.extend(btrfs(number));
    found
}

/// The mount table names one device of a btrfs, which may be another one.
fn btrfs((major, minor): (u32, u32)) -> Option<String> {
    let number = format!("{major}:{minor}");
    let mut volumes = fs::read_dir("/sys/fs/btrfs").into_iter().flatten().flatten();
    let has_it = |volume: &fs::DirEntry| {
        let devices = fs::read_dir(volume.path().join("devices")).into_iter().flatten().flatten();
        devices
            .into_iter()
            .any(|device| fs::read_to_string(device.path().join("dev")).is_ok_and(|text| text.trim_end() == number))
    };
    let volume = volumes.find(has_it)?;
    Some(format!("it is a device of the btrfs {}, which is mounted", volume.file_name().to_string_lossy()))
}

fn loops(target: &Path) -> Vec<String> {
    let here = backing_files().into_iter().filter(|(file, _)| is_below(Path::new(file), target));
    here.map(|(file, device)| format!("{file} is behind {device}")).collect()
}

/// The files behind all loop devices, each with its device.
fn backing_files() -> Vec<(String, String)> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let backed = devices.filter_map(|device| {
        let file = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
        Some((file.trim_end_matches('\n').to_owned(), format!("/dev/{}", device.file_name().to_string_lossy())))
    });
    backed.collect()
}

fn swaps(target: &Path) -> Vec<String> {
    let here = swap_files().into_iter().filter(|file| is_below(Path::new(file), target));
    here.map(|file| format!("{file} is a swap file in use (swapoff {file})")).collect()
}

/// The files and devices that are swapped to.
fn swap_files() -> Vec<String> {
    let table = fs::read_to_string("/proc/swaps").unwrap_or_default();
    // Below a line of headings: the file, its type, and numbers.
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(unescape_text).collect()
}

fn sockets(target: &Path) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut described = Vec::new();
    for pid in pids() {
        let process = PathBuf::from(format!("/proc/{pid}"));
        // One table for each network namespace.
        let Ok(namespace) = fs::read_link(process.join("ns/net")) else { continue };
        if !seen.insert(namespace) {
            continue;
        }
        let table = fs::read_to_string(process.join("net/unix")).unwrap_or_default();
        let bound: BTreeMap<&str, &str> =
            table.lines().filter_map(bound_socket).filter(|(_, path)| is_below(Path::new(path), target)).collect();
        described.extend(bound.into_iter().map(|(inode, path)| match owner(inode) {
            Some(owner) => format!("{path} is a socket of {owner}"),
            None => format!("{path} is a socket"),
        }));
    }
    described
}

/// The inode and the path of a socket, if its line of /proc/net/unix has a path. An abstract name starts with `@`.
fn bound_socket(line: &str) -> Option<(&str, &str)> {
    let path = &line[line.find('/')?..];
    // Num, RefCount, Protocol, Flags, Type, St, Inode, Path.
    Some((line.split_whitespace().nth(6)?, path))
}

fn owner(inode: &str) -> Option<String> {
    let link = PathBuf::from(format!("socket:[{inode}]"));
    let holds = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.into_iter().any(|fd| fs::read_link(fd.path()).is_ok_and(|path| path == link))
    };
    let pid = pids().into_iter().find(holds)?;
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{} (pid {pid})", command.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_bound_socket_names_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        assert_eq!(below(&path), Vec::<String>::new());
        let _listener = UnixListener::bind(path.join("socket")).unwrap();
        let found = below(&path).join(", ");
        assert!(found.contains("socket is a socket of") && found.contains(&std::process::id().to_string()), "{found}");
    }

    #[test]
    fn only_sockets_with_a_path_are_bound() {
        let line = |path: &str| format!("0000000000000000: 00000002 00000000 00010000 0001 01 20501 {path}");
        assert_eq!(bound_socket(&line("/run/a b")), Some(("20501", "/run/a b")));
        assert_eq!(bound_socket(&line("@abstract")), None);
        assert_eq!(bound_socket("Num RefCount"), None);
    }
}
