//! The disks' data and devices on this machine. Disks and snapshots are identified by their paths in the cloud.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The operations on disks of this machine. Errors are sentences.
pub trait DeviceBackend {
    /// Creates a disk, empty or with the content of a snapshot.
    fn make(&mut self, disk: &str, gb: u64, snapshot: Option<&str>) -> Result<(), String>;
    /// Grows a disk.
    fn grow(&mut self, disk: &str, gb: u64) -> Result<(), String>;
    /// Removes a disk or a snapshot.
    fn remove(&mut self, disk: &str) -> Result<(), String>;
    /// Keeps the content of a disk as a snapshot.
    fn snapshot(&mut self, disk: &str, snapshot: &str) -> Result<(), String>;
    /// Makes a disk appear on an instance, as `/dev/disk/by-id/google-NAME`.
    fn attach(&mut self, instance: &str, disk: &str, device_name: &str) -> Result<(), String>;
    /// Makes a disk disappear from an instance.
    fn detach(&mut self, instance: &str, disk: &str, device_name: &str) -> Result<(), String>;
}

/// Disks without devices.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDevices;

impl DeviceBackend for NoDevices {
    fn make(&mut self, _: &str, _: u64, _: Option<&str>) -> Result<(), String> {
        Ok(())
    }
    fn grow(&mut self, _: &str, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn remove(&mut self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn snapshot(&mut self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn attach(&mut self, _: &str, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn detach(&mut self, _: &str, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Disks as sparse files, attached as loop devices.
#[derive(Debug, Clone)]
pub struct LoopDevices {
    /// The directory of the files.
    pub directory: PathBuf,
    /// The directories for the links of each instance's disks. An instance without a directory has no devices on this machine.
    pub links: BTreeMap<String, PathBuf>,
    /// The number of bytes of a GB: a smaller number makes smaller disks.
    pub gigabyte: u64,
}

impl LoopDevices {
    fn file(&self, path: &str) -> PathBuf {
        self.directory.join(format!("{}.img", path.replace('/', ".")))
    }

    fn link(&self, instance: &str, device_name: &str) -> Option<PathBuf> {
        self.links.get(instance).map(|directory| directory.join(format!("google-{device_name}")))
    }

    /// Detaches every loop device of its files, and removes the links.
    pub fn clean_up(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            for device in devices_of(&entry.path()).unwrap_or_default() {
                let _ = losetup(&["-d".as_ref(), device.as_ref()]);
            }
        }
        for directory in self.links.values() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let dangles = fs::read_link(entry.path()).is_ok_and(|to| to.starts_with("/dev/loop"));
                if dangles && entry.file_name().to_string_lossy().starts_with("google-") {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

impl DeviceBackend for LoopDevices {
    fn make(&mut self, disk: &str, gb: u64, snapshot: Option<&str>) -> Result<(), String> {
        let file = self.file(disk);
        if let Some(snapshot) = snapshot {
            copy(&self.file(snapshot), &file)?;
        }
        set_length(&file, gb * self.gigabyte)
    }

    fn grow(&mut self, disk: &str, gb: u64) -> Result<(), String> {
        let file = self.file(disk);
        set_length(&file, gb * self.gigabyte)?;
        for device in devices_of(&file)? {
            losetup(&["-c".as_ref(), device.as_ref()])?;
        }
        Ok(())
    }

    fn remove(&mut self, disk: &str) -> Result<(), String> {
        let file = self.file(disk);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", file.display())),
            _ => Ok(()),
        }
    }

    fn snapshot(&mut self, disk: &str, snapshot: &str) -> Result<(), String> {
        // The page cache of the loop device may contain data that are not in the file yet.
        devices_of(&self.file(disk))?.iter().for_each(|device| {
            let _ = File::open(device).and_then(|device| device.sync_all());
        });
        copy(&self.file(disk), &self.file(snapshot))
    }

    fn attach(&mut self, instance: &str, disk: &str, device_name: &str) -> Result<(), String> {
        let Some(link) = self.link(instance, device_name) else { return Ok(()) };
        let device = losetup(&["--find".as_ref(), "--show".as_ref(), self.file(disk).as_ref()])?;
        let _ = fs::remove_file(&link);
        let linked = fs::create_dir_all(link.parent().unwrap_or(&link))
            .and_then(|()| std::os::unix::fs::symlink(device.trim(), &link));
        linked.map_err(|error| format!("{}: {error}", link.display()))
    }

    fn detach(&mut self, instance: &str, disk: &str, device_name: &str) -> Result<(), String> {
        let Some(link) = self.link(instance, device_name) else { return Ok(()) };
        let _ = fs::remove_file(link);
        // Like the real cloud, this ignores whether the device is in use: the kernel releases it when its last user closes it.
        for device in devices_of(&self.file(disk))? {
            losetup(&["-d".as_ref(), device.as_ref()])?;
        }
        Ok(())
    }
}

fn set_length(file: &Path, bytes: u64) -> Result<(), String> {
    let made = fs::create_dir_all(file.parent().unwrap_or(file))
        .and_then(|()| File::options().create(true).truncate(false).write(true).open(file))
        .and_then(|opened| opened.set_len(bytes));
    made.map_err(|error| format!("{}: {error}", file.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    run(Command::new("cp").arg("--sparse=always").arg("--").args([from, to])).map(drop)
}

/// The loop devices that are backed by a file.
fn devices_of(file: &Path) -> Result<Vec<String>, String> {
    let listed = losetup(&[
        "--list".as_ref(),
        "--noheadings".as_ref(),
        "-O".as_ref(),
        "NAME".as_ref(),
        "-j".as_ref(),
        file.as_ref(),
    ])?;
    Ok(listed.lines().map(|line| line.trim().to_owned()).collect())
}

fn losetup(args: &[&std::ffi::OsStr]) -> Result<String, String> {
    run(Command::new("losetup").args(args))
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.env("LC_ALL", "C").output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
