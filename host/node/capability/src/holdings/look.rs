//! A cheap look at the things themselves: is each one where it was made?
//!
//! It looks for mounts in the mount namespace of this process, and further only for those that are not there. The proof of a stop looks
//! further for each.

use std::path::Path;

use holding::{
    ContainerHolding, DeclaredHolding, FileIdentity, Holding, HoldingRecord, HoldingStage, LoopHolding, MountHolding,
    ProcessHolding,
};
use kernel::block::loopdev::{self, LoopAttachment};
use kernel::cgroup::Cgroup;
use kernel::mount::mountinfo;
use kernel::process::{FirstProcess, ProcessMarkers, ResourceProcesses, look as look_at};

use super::device::DeviceLook;
use super::mount_scan::MountScan;
use super::mount_sight::presence_here;
use super::network::NetworkLook;
use super::others::{HoldingOwner, NodeRecord};
use super::proof::ProofVerdict;

/// What a look at a holding found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldingPresence {
    /// It is there. Some things have moved meanwhile: names and values of what is different now.
    Present(Vec<(&'static str, String)>),
    /// It is not where it was made, and something still uses it, in these words.
    Left(String),
    /// It is gone itself, and this other resource of the same object still uses its file system: only a proof may forget it.
    Shared(HoldingOwner),
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
            HoldingPresence::Left(_) => vec![("left".to_owned(), "true".to_owned())],
            HoldingPresence::Shared(owner) => vec![("used-by".to_owned(), owner.rid.clone())],
            HoldingPresence::Gone => Vec::new(),
            HoldingPresence::Unknown(why) => vec![("unknown".to_owned(), why.clone())],
        }
    }
}

/// Looks for each of these holdings of one object. `others` are all holdings of the node, asked for only where a mount is not where it
/// was made.
pub async fn look(
    object: &str,
    records: &[HoldingRecord],
    others: impl Fn() -> Vec<NodeRecord>,
) -> Vec<HoldingPresence> {
    let mut mounts = None;
    let mut network = NetworkLook::default();
    let mut devices = DeviceLook::default();
    let mut seen = Vec::with_capacity(records.len());
    let mut elsewhere: Vec<(usize, &HoldingRecord, &MountHolding)> = Vec::new();
    for record @ HoldingRecord { holding, stage, .. } in records {
        seen.push(match holding {
            // Read once, and only for those who hold a mount.
            Holding::Mount(mount) => match mounts.get_or_insert_with(mountinfo::read) {
                Ok(mounts) => match presence_here(mount, mounts) {
                    Some(now) => HoldingPresence::Present(now),
                    None => {
                        elsewhere.push((seen.len(), record, mount));
                        HoldingPresence::Gone
                    }
                },
                Err(error) => HoldingPresence::unknown(error),
            },
            Holding::Loop(device) => loop_presence(device),
            Holding::Address(address) => network.address(address, *stage).await,
            Holding::Route(route) => network.route(route).await,
            Holding::Link(link) => network.link(link).await,
            Holding::ProcessGroup(group) => group_presence(group),
            Holding::Container(container) => container_presence(container, *stage),
            Holding::File(file) => HoldingPresence::if_there(Path::new(&file.path).symlink_metadata().is_ok()),
            Holding::Declared(declared) => declared_presence(declared, &mut devices),
        });
    }
    if elsewhere.is_empty() {
        return seen;
    }
    // Seldom: what was unmounted by another hand, and may live on in another namespace.
    let scan = MountScan::of(elsewhere.iter().map(|(_, record, _)| *record));
    for (at, record, mount) in elsewhere {
        seen[at] = match scan.verdict(mount, record, object, &others) {
            ProofVerdict::Gone => match scan.unseen_use(mount, record) {
                Ok(None) => HoldingPresence::Gone,
                Ok(Some(how)) => HoldingPresence::Left(how),
                Err(why) => HoldingPresence::Unknown(why),
            },
            ProofVerdict::Shared(owner) => HoldingPresence::Shared(owner),
            ProofVerdict::Still(how) => HoldingPresence::Left(how),
            ProofVerdict::NotProven(why) => HoldingPresence::Unknown(why),
        };
    }
    seen
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
    // Without a name, the attachment was only intended: then it is found by its file.
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
pub(super) fn is_attached(held: &LoopHolding, found: &LoopAttachment) -> bool {
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

/// Whether the container runs. Without the engine: by its first process, which something may have moved to another control group, or by
/// its control group, in which a later one may be.
fn container_presence(held: &ContainerHolding, stage: HoldingStage) -> HoldingPresence {
    let runs = |(pid, started): (u32, u64)| look_at(pid).is_some_and(|seen| seen.started == started);
    if held.process.is_some_and(runs) {
        return HoldingPresence::Present(Vec::new());
    }
    match (&held.group, held.process, stage) {
        (Some(group), ..) => match Cgroup::at(group).members() {
            // One that has exited and is only waited for is still in its group.
            Ok(members) => {
                let pids = members.iter().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
                HoldingPresence::if_there(pids.into_iter().any(|pid| look_at(pid).is_some()))
            }
            Err(error) => HoldingPresence::unknown(error),
        },
        (None, Some(_), _) => HoldingPresence::Gone,
        // A start that nobody saw the end of.
        (None, None, HoldingStage::Intended) if held.id.is_some() => {
            HoldingPresence::unknown("its engine did not say whether it runs")
        }
        // It was made, and never started.
        (None, None, _) => HoldingPresence::Gone,
    }
}
