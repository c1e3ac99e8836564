//! One mount: its status, start and stop.

use std::time::Duration;

use hostler_sdk::files::FileKind;
use hostler_sdk::mount::{self, MountEntry};
use hostler_sdk::{Error, Mode, Outcome, Result, Status, clock, files};

use crate::MountPoint;
use crate::health::health;

/// How often the unmount of a busy file system is tried: a program that was just stopped may still hold it for a moment.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// Decides whether a mount that was found is the resource's own.
pub type MountPredicate<'a> = Box<dyn Fn(&MountEntry) -> Result<bool> + 'a>;

/// A file system to mount, and how to recognise it once it is mounted.
pub struct FilesystemMount<'a> {
    /// The mount point.
    pub at: &'a MountPoint,
    /// The type, as in /proc/filesystems, or `bind`.
    pub fstype: &'a str,
    /// The source, as the configuration names it: a device, a directory, or any word.
    pub source: &'a str,
    /// The kernel's name of the device that the source is another name of.
    pub device: Option<String>,
    /// The options of mount(8).
    pub options: Vec<String>,
    /// Decides whether a mount that was found at the mount point is the resource's own.
    pub is_ours: MountPredicate<'a>,
}

/// The state of the mount point.
enum MountState {
    Nothing,
    Ours(MountEntry),
    /// Another file system, and ours is not below it.
    Other(MountEntry),
    /// Another file system was mounted over ours.
    Hidden(MountEntry),
}

impl FilesystemMount<'_> {
    /// The label, such as `ext4 /dev/loop0@/srv/web`.
    pub fn label(&self) -> String {
        format!("{} {}@{}", self.fstype, self.source, self.at.mnt.display())
    }

    /// Whether it is mounted.
    pub fn is_mounted(&self) -> Result<bool> {
        Ok(matches!(self.found()?, MountState::Ours(_) | MountState::Hidden(_)))
    }

    /// The file system that is mounted there instead, if there is one.
    pub(super) fn stranger(&self) -> Result<Option<MountEntry>> {
        match self.found()? {
            MountState::Other(other) => Ok(Some(other)),
            MountState::Nothing | MountState::Ours(_) | MountState::Hidden(_) => Ok(None),
        }
    }

    fn found(&self) -> Result<MountState> {
        let mut mounts = mount::mounts_at(&self.at.mnt)?;
        let Some(top) = mounts.pop() else { return Ok(MountState::Nothing) };
        if (self.is_ours)(&top)? {
            return Ok(MountState::Ours(top));
        }
        // Only the topmost mount is visible; ours may be anywhere below it.
        for below in &mounts {
            if (self.is_ours)(below)? {
                return Ok(MountState::Hidden(top));
            }
        }
        Ok(MountState::Other(top))
    }

    /// The status. Up means that it is mounted, topmost, and answers.
    pub fn status(&self) -> Result<Status> {
        let status = match self.found()? {
            MountState::Nothing => Status::down(),
            MountState::Ours(entry) => health(self.at, &entry, &self.options),
            MountState::Other(other) => Status::down().warning(self.taken(&other)),
            // Ours is still in use below the other one, so it is up, but not usable.
            MountState::Hidden(other) => Status::up().degraded(self.taken(&other)),
        };
        Ok(status.label(self.label()))
    }

    pub(super) fn taken(&self, other: &MountEntry) -> String {
        format!("{} {} is mounted on {}", other.fstype, other.source, self.at.mnt.display())
    }

    /// Mounts the file system. The directory must be empty, unless `overmount` allows to hide its files.
    pub fn start(&self) -> Result<Outcome> {
        match self.found()? {
            MountState::Ours(_) => return Ok(Outcome::unchanged(format!("{} is already mounted", self.label()))),
            MountState::Hidden(other) => return Err(Error::failed(self.taken(&other))),
            MountState::Other(other) if !self.at.overmount => {
                return Err(Error::failed(format!("{}; {OVERMOUNT}", self.taken(&other))));
            }
            MountState::Nothing | MountState::Other(_) => {}
        }
        // Without this check mount(2) reports only "no such device".
        if !mount::supports(self.fstype)? {
            return Err(Error::failed(format!("this kernel does not support the file system {}", self.fstype)));
        }
        self.make_mount_point()?;
        mount::mount(self.fstype, self.device.as_deref().unwrap_or(self.source), &self.at.mnt, &self.options)?;
        Ok(Outcome::changed(format!("mounted {}", self.label())))
    }

    fn make_mount_point(&self) -> Result<()> {
        let mnt = self.at.mnt.display();
        match files::stat(&self.at.mnt)? {
            None => {
                files::make_directory(&self.at.mnt, Mode(0o755))?;
            }
            // A link is followed, as those above it are. What it leads to is listed below.
            Some(found) if !matches!(found.kind, FileKind::Directory | FileKind::Symlink) => {
                return Err(Error::failed(format!("{mnt} is not a directory")));
            }
            // A mount over files hides them from the operator, who may believe that they are lost.
            Some(_) if !self.at.overmount && !files::list_directory(&self.at.mnt)?.is_empty() => {
                return Err(Error::failed(format!("the directory {mnt} is not empty; {OVERMOUNT}")));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Unmounts the file system as often as it is mounted here. Other mounts stay.
    pub fn stop(&self) -> Result<Outcome> {
        let mut unmounted = false;
        loop {
            match self.found()? {
                MountState::Ours(_) => self.unmount()?,
                // The mount on top must be unmounted first, and it is not ours.
                MountState::Hidden(other) => return Err(Error::retryable(self.taken(&other))),
                MountState::Nothing | MountState::Other(_) if unmounted => {
                    return Ok(Outcome::changed(format!("unmounted {}", self.label())));
                }
                MountState::Nothing | MountState::Other(_) => {
                    return Ok(Outcome::unchanged(format!("{} is already unmounted", self.label())));
                }
            }
            unmounted = true;
        }
    }

    fn unmount(&self) -> Result<()> {
        for _ in 1..ATTEMPTS {
            match mount::unmount(&self.at.mnt) {
                Err(error) if error.is_busy() => clock::sleep(PAUSE)?,
                answer => return Ok(answer?),
            }
        }
        Ok(mount::unmount(&self.at.mnt)?)
    }
}

const OVERMOUNT: &str = "overmount = true would hide it";
