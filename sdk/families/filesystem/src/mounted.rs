//! One mount: its status, start and stop.

use std::path::PathBuf;
use std::time::Duration;

use hostler_sdk::mount::{self, MountEntry};
use hostler_sdk::{CapabilityError, Error, Keywords, Mode, Outcome, Result, Status, clock, files};

/// How often the unmount of a busy file system is tried: a program that was just stopped may still hold it for a moment.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// The keywords of a mount point.
#[derive(Debug, Clone, Keywords)]
pub struct MountPoint {
    /// The mount point. The directory is created if it does not exist.
    #[keyword(place, example = "/srv/{fqdn}")]
    pub mnt: PathBuf,
    /// The options of mount(8), separated by commas.
    #[keyword(example = "noatime,nodev")]
    pub mnt_opt: Option<String>,
    /// How long the file system may take to answer. If it takes longer, the state is warn.
    #[keyword(default = "5s")]
    pub stat_timeout: Duration,
    /// Whether status also reads the directory. This finds a file system that answers but cannot be read, and costs one read each
    /// time.
    #[keyword(default = "false")]
    pub check_read: bool,
    /// Whether to mount over a directory that is not empty, which hides its files.
    #[keyword(default = "false")]
    pub overmount: bool,
}

impl MountPoint {
    /// The mount options as a list.
    pub fn options(&self) -> Vec<String> {
        let options = self.mnt_opt.as_deref().unwrap_or_default().split(',');
        options.map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect()
    }

    /// For tests: a mount point at `mnt`, with the defaults of all other keywords.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fake(mnt: &str) -> MountPoint {
        MountPoint {
            mnt: mnt.into(),
            mnt_opt: None,
            stat_timeout: Duration::from_secs(5),
            check_read: false,
            overmount: false,
        }
    }
}

/// Decides whether a mount that was found is the resource's own.
pub type MountPredicate<'a> = Box<dyn Fn(&MountEntry) -> Result<bool> + 'a>;

/// A file system to mount, and how to recognise it once it is mounted.
pub struct FilesystemMount<'a> {
    /// The mount point.
    pub at: &'a MountPoint,
    /// The type, as in /proc/filesystems, or `bind`.
    pub fstype: &'a str,
    /// The source: a device, a directory, or any word.
    pub source: &'a str,
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
            MountState::Ours(entry) => self.health(&entry),
            MountState::Other(other) => Status::down().warning(self.taken(&other)),
            // Ours is still in use below the other one, so it is up, but not usable.
            MountState::Hidden(other) => Status::up().degraded(self.taken(&other)),
        };
        Ok(status.label(self.label()))
    }

    pub(super) fn taken(&self, other: &MountEntry) -> String {
        format!("{} {} is mounted on {}", other.fstype, other.source, self.at.mnt.display())
    }

    fn health(&self, entry: &MountEntry) -> Status {
        let mut status = Status::up();
        let read_only = |options: &[String]| options.iter().any(|option| option == "ro");
        // The kernel remounts a file system read-only after errors of the disk.
        if read_only(&entry.options) && !read_only(&self.options) {
            status = status.degraded(
                "mounted read-only, although ro is not among the options: see dmesg(1) for errors of the disk",
            );
        }
        match mount::statfs(&self.at.mnt, self.at.stat_timeout) {
            // Any answer shows that the file system works; the numbers do not matter.
            Ok(_) if self.at.check_read => match files::list_directory(&self.at.mnt) {
                Ok(_) => status,
                Err(error) => status.degraded(format!("cannot be read: {error}")),
            },
            Ok(_) => status,
            Err(CapabilityError::TimedOut) => status.degraded(format!("no answer within {:?}", self.at.stat_timeout)),
            Err(error) => status.degraded(format!("does not answer: {error}")),
        }
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
        mount::mount(self.fstype, self.source, &self.at.mnt, &self.options)?;
        Ok(Outcome::changed(format!("mounted {}", self.label())))
    }

    fn make_mount_point(&self) -> Result<()> {
        let mnt = self.at.mnt.display();
        match files::stat(&self.at.mnt)? {
            None => {
                files::make_directory(&self.at.mnt, Mode(0o755))?;
            }
            Some(found) if found.kind != files::FileKind::Directory => {
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
