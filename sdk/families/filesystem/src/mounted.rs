//! One mount: its status, start and stop.
//!
//! What is mounted is known by the host's record of what this resource mounted (see `hostler_sdk::holdings`), and not by what the
//! keywords say by now: a link that turned, an edited `mnt` or a renamed source change nothing about what is up. Anything else on
//! the mount point is a stranger, which is neither reported as up nor unmounted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_sdk::files::FileKind;
use hostler_sdk::holdings::{self, Force, Holding};
use hostler_sdk::mount::{self, MountEntry};
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{CapabilityError, Context, Error, Mode, Outcome, Result, Status, clock, files, log};

use crate::MountPoint;
use crate::health::{answer, health};

/// How often the unmount of a busy file system is tried: a program that was just stopped may still hold it for a moment.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// A file system to mount.
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
}

/// The mount of this resource that is there. What a recursive bind brought along follows it.
pub fn held_mount() -> Result<Option<Holding>> {
    Ok(holdings::present("mount")?.into_iter().next())
}

/// The words for a mount that is gone, while a stop has found its file system in use elsewhere.
fn left_over(held: &Holding) -> String {
    format!("{} is unmounted, and its file system is in use elsewhere: a stop says where", held.label)
}

/// The key of what a stop has unmounted below a mount that was busy.
const LOST: &str = "unmounted";

fn lost_below(lost: &str) -> String {
    format!("a stop has unmounted {lost} and then failed: it is up without that until it is stopped and started")
}

/// Where a mount is by now, as the kernel writes it.
fn place(held: &Holding) -> &Path {
    Path::new(held.attribute("target-now").unwrap_or(held.text("target")))
}

impl FilesystemMount<'_> {
    /// The label, such as `ext4 /dev/loop0@/srv/web`.
    pub fn label(&self) -> String {
        format!("{} {}@{}", self.fstype, self.source, self.at.mnt.display())
    }

    /// The status. Up means that this resource's mount is there; it is degraded if it is hidden, elsewhere, or does not answer.
    pub fn status(&self) -> Result<Status> {
        let status = match held_mount()? {
            Some(held) => self.status_of(&held)?,
            None => match mount::mounts_at(&self.at.mnt)?.pop() {
                Some(stranger) => Status::down().warning(self.taken(&stranger)),
                None => Status::down(),
            },
        };
        Ok(status.label(self.label()))
    }

    /// The status, if this is the mount that is there.
    pub(crate) fn status_of(&self, held: &Holding) -> Result<Status> {
        let target = place(held);
        if held.attribute("left").is_some() {
            return Ok(Status::up().degraded(left_over(held)));
        }
        if let Some(over) = held.attribute("hidden-by") {
            return Ok(Status::up().degraded(format!("{over} is mounted over it on {}", target.display())));
        }
        if !self.is_here(held)? {
            let (now, mnt) = (target.display(), self.at.mnt.display());
            return Ok(Status::up().degraded(format!("it is mounted on {now}, and not on {mnt}: a restart moves it")));
        }
        // Before the file system is asked: while it does not answer, no other call does.
        let edits = self.edits(held)?;
        let options: Vec<&str> = held.text("options").split(',').collect();
        let mut status = edits.into_iter().fold(health(self.at, &options, &self.options), Status::degraded);
        match held.attribute("root-now") {
            Some(root) if root.ends_with("//deleted") => {
                status = status.degraded(format!("the directory that it shows was removed: {}", held.label));
            }
            Some(root) => {
                let why = self.mismatch_of_shown().map(|why| format!(": {why}")).unwrap_or_default();
                let moved = format!("the directory that it shows was renamed, to {root} of its file system{why}");
                status = status.degraded(moved);
            }
            None => {}
        }
        if let Some(lost) = state::get(StateScope::Boot, LOST)? {
            status = status.degraded(lost_below(&lost));
        }
        Ok(status)
    }

    /// Whether it is mounted where the keywords say. The path that it is mounted on is not touched: its server may be away.
    fn is_here(&self, held: &Holding) -> Result<bool> {
        let target = place(held);
        Ok(target == self.at.mnt || self.real_target()? == target)
    }

    fn real_target(&self) -> Result<PathBuf> {
        Ok(files::real_path(&self.at.mnt)?.unwrap_or_else(|| self.at.mnt.clone()))
    }

    fn taken(&self, other: &MountEntry) -> String {
        format!("{} {} is mounted on {}", other.fstype, other.source, self.at.mnt.display())
    }

    /// The outcome of a start that finds the mount there, or takes on the stranger that is there. None if it is to be mounted.
    pub fn found(&self, context: &Context) -> Result<Option<Outcome>> {
        if let Some(held) = held_mount()? {
            if held.attribute("left").is_some() {
                return Err(Error::failed(left_over(&held)));
            }
            if let Some(lost) = state::get(StateScope::Boot, LOST)? {
                return Err(Error::failed(lost_below(&lost)));
            }
            return match held.attribute("hidden-by") {
                Some(over) => Err(Error::failed(format!("{over} is mounted over it on {}", place(&held).display()))),
                None => Ok(Some(Outcome::unchanged(format!("{} is already mounted", self.label())))),
            };
        }
        let Some(stranger) = mount::mounts_at(&self.at.mnt)?.pop() else { return Ok(None) };
        if context.adopt() {
            return self.adopt(&stranger).map(Some);
        }
        if self.at.overmount || self.is_onto_itself() {
            return Ok(None);
        }
        let remedy = match self.mismatch(&stranger)? {
            None => self.remedy(),
            Some(why) => format!("{why}, so it cannot be taken on;"),
        };
        let taken = self.taken(&stranger);
        Err(Error::failed(format!("{taken}, and this resource did not mount it: {remedy} {OVERMOUNT}")))
    }

    /// What to do about a stranger that is what the keywords ask for: the host knows whether it is another resource's.
    fn remedy(&self) -> String {
        match holdings::adopt("mount", &self.at.mnt.to_string_lossy()) {
            Err(CapabilityError::Other(text)) if text.contains("is held by") => format!("{text};"),
            _ => "start --local --adopt takes it on as this resource's own,".to_owned(),
        }
    }

    /// Takes on the mount of something else, if it is the one that the keywords ask for.
    fn adopt(&self, stranger: &MountEntry) -> Result<Outcome> {
        let refused = |why: &str| {
            let taken = self.taken(stranger);
            Error::failed(format!(
                "{taken}, and it is not taken on, because it is not what the keywords ask for: {why}"
            ))
        };
        if let Some(why) = self.mismatch(stranger)? {
            return Err(refused(&why));
        }
        let adopted = match holdings::adopt("mount", &self.at.mnt.to_string_lossy()) {
            // The keywords are all that the grants of a mount are made of.
            Err(CapabilityError::Denied(_)) => return Err(refused(&format!("{} is asked for", self.label()))),
            answer => answer?,
        };
        self.remember()?;
        // Not a change: a rollback leaves it as it was found.
        Ok(Outcome::unchanged(format!("took on {}", adopted.label)))
    }

    /// Mounts the file system, unless it is there.
    pub fn start(&self, context: &Context) -> Result<Outcome> {
        match self.found(context)? {
            Some(outcome) => Ok(outcome),
            None => self.mount(),
        }
    }

    /// Mounts the file system. The directory must be empty, unless `overmount` allows to hide its files.
    pub fn mount(&self) -> Result<Outcome> {
        // Without this check mount(2) reports only "no such device".
        if !mount::supports(self.fstype)? {
            return Err(Error::failed(format!("this kernel does not support the file system {}", self.fstype)));
        }
        self.make_mount_point()?;
        let source = self.device.as_deref().unwrap_or(self.source);
        mount::mount(self.fstype, source, &self.at.mnt, &self.options)?;
        state::remove(StateScope::Boot, LOST)?;
        self.remember()?;
        Ok(Outcome::changed(format!("mounted {}", self.label())))
    }

    /// Whether it is a directory that is bound onto itself, to get other options: it hides what it shows.
    fn is_onto_itself(&self) -> bool {
        self.fstype == "bind" && Path::new(self.source) == self.at.mnt
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
            Some(_) if self.at.overmount || self.is_onto_itself() => {}
            // A mount over files hides them from the operator, who may believe that they are lost.
            Some(_) if !files::list_directory(&self.at.mnt)?.is_empty() => {
                return Err(Error::failed(format!("the directory {mnt} is not empty; {OVERMOUNT}")));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Unmounts what this resource mounted, wherever it is by now. Other mounts stay.
    pub fn stop(&self) -> Result<Outcome> {
        let held = holdings::present("mount")?;
        let (mut unmounted, mut below) = (Vec::new(), Vec::new());
        for mount in held.iter().rev() {
            let undone = match self.unmount(mount) {
                // What is busy stays, and is up without what was below it.
                Err(error) if !below.is_empty() => {
                    state::set(StateScope::Boot, LOST, &below.join(", "))?;
                    return Err(error.into());
                }
                undone => undone?,
            };
            // It was unmounted before, and its file system is in use elsewhere: the host says where.
            if !undone && mount.attribute("left").is_some() {
                continue;
            }
            below.push(mount.label.clone());
            if self.is_named(mount) {
                unmounted.push(self.label());
            } else if !held.iter().any(|above| place(mount) != place(above) && place(mount).starts_with(place(above))) {
                unmounted.push(mount.label.clone());
            }
        }
        state::remove(StateScope::Boot, LOST)?;
        if !unmounted.is_empty() {
            return Ok(Outcome::changed(format!("unmounted {}", unmounted.join(", "))));
        }
        if let Some(stranger) = mount::mounts_at(&self.at.mnt)?.pop() {
            // Another mount namespace may hold a copy of what it did mount.
            let why = match holdings::list()?.iter().any(|held| held.kind == "mount") {
                true => "it is not the very mount that this resource made, so it stays: the host looks for that one",
                false => "this resource did not mount it, so it stays",
            };
            log::info(format!("{}: {why}", self.taken(&stranger)));
        }
        Ok(Outcome::unchanged(format!("{} is already unmounted", self.label())))
    }

    /// Whether the keywords still say what is mounted, as far as that can be told without touching it.
    fn is_named(&self, held: &Holding) -> bool {
        place(held) == self.at.mnt && held.text("fstype") == self.fstype
    }

    /// False if it was unmounted already.
    fn unmount(&self, held: &Holding) -> std::result::Result<bool, CapabilityError> {
        let force = self.force();
        for _ in 1..ATTEMPTS {
            match holdings::release(held, force) {
                Err(error) if error.is_busy() => clock::sleep(PAUSE)?,
                answer => return answer,
            }
        }
        // The last try says what keeps it busy.
        holdings::release(held, force)
    }

    /// A server that does not answer would keep the unmount waiting as well: then what it was asked is given up.
    fn force(&self) -> Force {
        if !self.fstype.starts_with("nfs") {
            return Force::None;
        }
        match answer(self.at) {
            Ok(_) | Err(CapabilityError::Denied(_) | CapabilityError::NotFound(_)) => Force::None,
            Err(error) => {
                log::warn(format!("{} does not answer ({error}): it is unmounted by force", self.label()));
                Force::Abort
            }
        }
    }
}

const OVERMOUNT: &str = "overmount = true would hide it";
