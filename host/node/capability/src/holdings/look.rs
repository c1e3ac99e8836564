//! A cheap look at the things themselves: is each one where it was made?
//!
//! It looks for mounts in the mount namespace of this process alone. The proof of a stop looks further.

use std::path::Path;

use holding::{
    ContainerHolding, DeclaredHolding, FileIdentity, Holding, HoldingRecord, HoldingStage, LoopHolding, MountHolding,
    MountIdentity, MountSight, ProcessHolding,
};
use kernel::block;
use kernel::block::loopdev::{self, LoopBacking};
use kernel::cgroup::Cgroup;
use kernel::mount::MountSignature;
use kernel::mount::mountinfo::{self, MountInfo};
use kernel::process::{FirstProcess, ProcessMarkers, ResourceProcesses, look as look_at};

use super::device::DeviceLook;
use super::network::NetworkLook;

/// What a look at a holding found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldingPresence {
    /// It is there. Some things have moved meanwhile: names and values of what is different now.
    Present(Vec<(&'static str, String)>),
    /// It is not where it was, and something still uses it.
    Left,
    Gone,
    /// It could not be looked at, for this reason.
    Unknown(String),
}

impl HoldingPresence {
    pub(super) fn if_there(there: bool) -> HoldingPresence {
        if there { HoldingPresence::Present(Vec::new()) } else { HoldingPresence::Gone }
    }

    pub(super) fn unknown(why: impl ToString) -> HoldingPresence {
        HoldingPresence::Unknown(why.to_string())
    }

    /// What it adds to the attributes of the holding.
    pub fn attributes(&self) -> Vec<(String, String)> {
        match self {
            HoldingPresence::Present(now) => {
                now.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
            }
            HoldingPresence::Left => vec![("left".to_owned(), "true".to_owned())],
            HoldingPresence::Gone => Vec::new(),
            HoldingPresence::Unknown(why) => vec![("unknown".to_owned(), why.clone())],
        }
    }
}

/// The file behind the device of that number, if it is a loop device.
pub(crate) fn backing_of(device: (u32, u32)) -> Option<FileIdentity> {
    const LOOP_MAJOR: u32 = 7;
    let path = (device.0 == LOOP_MAJOR).then(|| format!("/dev/loop{}", device.1))?;
    let found = loopdev::backing_of(Path::new(&path)).ok().flatten()?;
    Some(FileIdentity { device: found.device, inode: found.inode })
}

/// Looks for each of the holdings.
pub async fn look(records: &[HoldingRecord]) -> Vec<HoldingPresence> {
    let mut mounts = None;
    let mut network = NetworkLook::default();
    let mut devices = DeviceLook::default();
    let mut seen = Vec::with_capacity(records.len());
    for HoldingRecord { holding, stage, .. } in records {
        seen.push(match holding {
            // Read once, and only for those who hold a mount.
            Holding::Mount(mount) => match mounts.get_or_insert_with(mountinfo::read) {
                Ok(mounts) => mount_presence(mount, mounts),
                Err(error) => HoldingPresence::unknown(error),
            },
            Holding::Loop(device) => loop_presence(device),
            Holding::Address(address) => network.address(address).await,
            Holding::Route(route) => network.route(route).await,
            Holding::Link(link) => network.link(link).await,
            Holding::ProcessGroup(group) => group_presence(group),
            Holding::Container(container) => container_presence(container, *stage),
            Holding::File(file) => HoldingPresence::if_there(Path::new(&file.path).symlink_metadata().is_ok()),
            Holding::Declared(declared) => declared_presence(declared, &mut devices),
        });
    }
    seen
}

/// Passes a line of the mount table to a comparison.
pub(crate) fn sees(mount: &MountInfo, compare: impl FnOnce(MountSight<'_>) -> bool) -> bool {
    sees_signed(mount, &MountSignature::default(), compare)
}

/// The same with what the line does not say.
pub(super) fn sees_signed(
    mount: &MountInfo,
    signature: &MountSignature,
    compare: impl FnOnce(MountSight<'_>) -> bool,
) -> bool {
    let (root, target) = (mount.root.to_string_lossy(), mount.target.to_string_lossy());
    let source = kernel::block::canonical_source(&mount.source);
    let MountInfo { id, device, fstype, .. } = mount;
    let (unique, superblock) = (signature.unique, signature.superblock.as_deref());
    let (id, device) = (*id, *device);
    compare(MountSight { id, device, root: &root, target: &target, fstype, source: &source, unique, superblock })
}

/// What the line of the mount table does not say, of a mount with the numbers of the one that is held. A file system that may have to
/// ask for it is not asked.
pub(crate) fn signature_of(mount: &MountInfo, process: Option<u32>) -> MountSignature {
    match MountHolding::may_hang(&mount.fstype) {
        true => MountSignature::default(),
        false => MountSignature::of(mount, process),
    }
}

fn mount_presence(mount: &MountHolding, mounts: &[MountInfo]) -> HoldingPresence {
    match this_mount(mount, mounts) {
        Some(found) => {
            let target = found.target.to_string_lossy().into_owned();
            let moved = (target != mount.target).then_some(("target-now", target));
            let read_only = found.options.iter().any(|option| option == "ro").then(|| ("read-only", "true".to_owned()));
            let root = found.root.to_string_lossy().into_owned();
            let renamed = mount.made.as_ref().filter(|made| made.root != root).map(|_| ("root-now", root));
            let options = Some(("options", found.options.join(",")));
            let hidden = hidden_by(found, mounts).map(|over| ("hidden-by", format!("{} {}", over.fstype, over.source)));
            HoldingPresence::Present(
                moved.into_iter().chain(read_only).chain(renamed).chain(options).chain(hidden).collect(),
            )
        }
        None if is_unmounted_lazily(mount, mounts) => HoldingPresence::Left,
        None => HoldingPresence::Gone,
    }
}

/// Whether the file system is in use although nothing here shows it: umount -l leaves it to the programs that have files of it open.
fn is_unmounted_lazily(mount: &MountHolding, mounts: &[MountInfo]) -> bool {
    let made = mount.made.as_ref().filter(|made| made.device.0 != 0 && mount.owns_filesystem());
    made.is_some_and(|made| {
        // Mounted again by something else: that one is seen, and is not this.
        let is_again = mounts.iter().any(|seen| seen.device == made.device);
        !is_again && !was_used_again(mount) && block::is_claimed(made.device)
    })
}

/// Whether the number of its loop device belongs to another file by now.
pub(super) fn was_used_again(held: &MountHolding) -> bool {
    let made = held.made.as_ref().and_then(|made| Some((made.device, made.backing?)));
    made.is_some_and(|(device, backing)| backing_of(device).is_some_and(|now| now != backing))
}

/// The mount that hides another one, because it is on top of it on the same directory.
fn hidden_by<'m>(found: &MountInfo, mounts: &'m [MountInfo]) -> Option<&'m MountInfo> {
    mounts.iter().find(|over| over.parent == found.id && over.target == found.target)
}

/// The mount that is held.
pub(super) fn this_mount<'m>(mount: &MountHolding, mounts: &'m [MountInfo]) -> Option<&'m MountInfo> {
    match &mount.made {
        // By the numbers first: almost every line of the table is another mount's.
        Some(made) => {
            let mut same = mounts.iter().filter(|seen| (seen.id, seen.device) == (made.id, made.device));
            same.find(|seen| {
                let signature = signature_of(seen, None);
                sees_signed(seen, &signature, |sight| mount.is(sight)) || shows_renamed(mount, made, seen, &signature)
            })
        }
        None => mounts.iter().find(|seen| sees(seen, |sight| mount.is(sight))),
    }
}

/// Whether it is the mount of a directory that was renamed or removed since: a bind mount keeps to the directory and not to its name.
/// The number that the kernel never uses again tells it from another mount on the same place.
pub(super) fn shows_renamed(
    mount: &MountHolding,
    made: &MountIdentity,
    seen: &MountInfo,
    signature: &MountSignature,
) -> bool {
    let here = mount.fstype == "bind" && seen.target.to_string_lossy() == mount.target;
    here && made.unique.zip(signature.unique).is_none_or(|(own, now)| own == now)
}

fn declared_presence(declared: &DeclaredHolding, devices: &mut DeviceLook) -> HoldingPresence {
    match declared.device() {
        Some(device) => devices.presence(&device),
        // The host cannot look at it: it is there until its driver withdraws it.
        None => HoldingPresence::Present(Vec::new()),
    }
}

fn loop_presence(held: &LoopHolding) -> HoldingPresence {
    let backing = (held.backing.device, held.backing.inode);
    let device = match &held.device {
        Some(device) => Ok(Some(device.into())),
        None => loopdev::device_of(backing),
    };
    let found = device.and_then(|device| match device {
        Some(device) => Ok(loopdev::backing_of(&device)?.map(|found| (device, found))),
        None => Ok(None),
    });
    match found {
        Ok(Some((device, found))) if is_attached(held, &found) => {
            let file = found.file.to_string_lossy().into_owned();
            let moved = (file != held.file).then_some(("file-now", file));
            let device = held.device.is_none().then(|| ("device", device.to_string_lossy().into_owned()));
            HoldingPresence::Present(moved.into_iter().chain(device).collect())
        }
        Ok(_) => HoldingPresence::Gone,
        Err(error) => HoldingPresence::unknown(error),
    }
}

/// Whether it is this attachment, and not a later one on the same device.
pub(super) fn is_attached(held: &LoopHolding, found: &LoopBacking) -> bool {
    held.is(FileIdentity { device: found.device, inode: found.inode }, found.sequence)
}

/// The processes that are held.
pub(crate) fn processes(held: &ProcessHolding) -> ResourceProcesses {
    let markers = ProcessMarkers::new(held.marks.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    match &held.group {
        Some(group) => {
            let first = held.first.map(|(pid, started)| FirstProcess { pid, started });
            ResourceProcesses::Moved { group: Cgroup::at(group), first, markers }
        }
        None => ResourceProcesses::Environ(markers),
    }
}

fn group_presence(held: &ProcessHolding) -> HoldingPresence {
    match processes(held).list() {
        Ok(members) => HoldingPresence::if_there(!members.is_empty()),
        Err(error) => HoldingPresence::unknown(error),
    }
}

/// Whether the container runs. Without the engine: by its control group, or else by its first process.
fn container_presence(held: &ContainerHolding, stage: HoldingStage) -> HoldingPresence {
    match (&held.group, held.process, stage) {
        (Some(group), ..) => match Cgroup::at(group).members() {
            // One that has exited and is only waited for is still in its group.
            Ok(members) => {
                let pids = members.iter().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
                HoldingPresence::if_there(pids.into_iter().any(|pid| look_at(pid).is_some()))
            }
            Err(error) => HoldingPresence::unknown(error),
        },
        (None, Some((pid, started)), _) => {
            HoldingPresence::if_there(look_at(pid).is_some_and(|seen| seen.started == started))
        }
        // A start that nobody saw the end of.
        (None, None, HoldingStage::Intended) if held.id.is_some() => {
            HoldingPresence::unknown("its engine did not say whether it runs")
        }
        // It was made, and never started.
        (None, None, _) => HoldingPresence::Gone,
    }
}
