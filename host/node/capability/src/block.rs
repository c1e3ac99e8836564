//! `wit/block.wit`: block devices, and loop devices.

use std::path::Path;
use std::time::Duration;

use grant::op::{ChangeLoop, ReadDevice, SeeLoop};
use grant::{Grants, Permit};
use holding::{FileIdentity, Holding, LoopHolding};
use kernel::block::{self, DeviceInfo, DeviceSpec, PinnedSource, loopdev};

use crate::argument::absolute;
use crate::call::PlaceJudge;
use crate::{CallContext, CapabilityError, Effect};

pub use kernel::block::signature::DeviceSignature;

/// The pause between two looks for a device that has not appeared yet. The kernel has no event to wait for that works
/// without udev.
const POLL: Duration = Duration::from_millis(50);

/// A block device, as `device` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevice {
    /// The kernel's name of the device, whatever link was given.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Whether the kernel refuses writes to it.
    pub read_only: bool,
}

impl From<DeviceInfo> for BlockDevice {
    fn from(device: DeviceInfo) -> BlockDevice {
        BlockDevice { path: device.path.to_string_lossy().into_owned(), size: device.size, read_only: device.read_only }
    }
}

/// Finds a device. None if nothing is there.
pub async fn find(context: &CallContext, path: &str) -> Result<Option<BlockDevice>, CapabilityError> {
    let op = ReadDevice { path: spelled(path)? };
    let (grants, judge) = (context.grants().clone(), context.place_judge());
    let found = move |permit: Permit<ReadDevice>| Ok(Effect::Nothing(found(&grants, &judge, &permit)?));
    // A label or a UUID is not a path in memory, so it runs on a thread: finding it means reading devices.
    context.admit(op)?.blocking_at(Path::new(path), found).await
}

/// Waits until the device is there, at most `timeout`.
pub async fn wait_for(context: &CallContext, path: &str, timeout: Duration) -> Result<BlockDevice, CapabilityError> {
    let op = ReadDevice { path: spelled(path)? };
    let judge = context.place_judge();
    let wait = async |permit: Permit<ReadDevice>| {
        // A look takes microseconds and no lock, so it needs no thread of its own.
        loop {
            if let Some(device) = found(context.grants(), &judge, &permit)? {
                return Ok(Effect::Nothing(device));
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let waited = context.admit(op)?.waiting(|permit| async move {
        let found = tokio::time::timeout(timeout, wait(permit)).await;
        found.unwrap_or(Err(CapabilityError::TimedOut))
    });
    waited.await
}

/// The device that is there now. The grants of the word that led to it hold for its own name from then on.
fn found(
    grants: &Grants,
    judge: &PlaceJudge,
    permit: &Permit<ReadDevice>,
) -> Result<Option<BlockDevice>, CapabilityError> {
    let Some(found) = block::find_among(&permit.op().path, &|device| judge.may_find(device))? else { return Ok(None) };
    judge.device(&found, |path| ReadDevice { path })?;
    let device = BlockDevice::from(found);
    grants.learn_device(permit, &device.path);
    Ok(Some(device))
}

/// Describes what keeps the device busy. None if nothing does.
pub async fn user_of(context: &CallContext, path: &str) -> Result<Option<String>, CapabilityError> {
    let op = ReadDevice { path: spelled(path)? };
    let judge = context.place_judge();
    let user = move |permit: Permit<ReadDevice>| {
        let found = PinnedSource::find(&permit.op().path, &|device| judge.may_find(device))?;
        let Some(found) = found else { return Ok(Effect::Nothing(None)) };
        if found.device().is_none() {
            return Err(CapabilityError::Invalid(format!("{} is not a block device", permit.op().path)));
        }
        check_source(&judge, permit.op(), &found)?;
        Ok(Effect::Nothing(found.user()?))
    };
    context.admit(op)?.blocking_at(Path::new(path), user).await
}

/// Identifies the content of a device or an image file. None if its first blocks are empty.
pub async fn probe(context: &CallContext, path: &str) -> Result<Option<DeviceSignature>, CapabilityError> {
    let op = ReadDevice { path: spelled(path)? };
    let judge = context.place_judge();
    let probed = context.admit(op)?.blocking(move |permit| {
        let asked = &permit.op().path;
        let found = PinnedSource::find(asked, &|device| judge.may_find(device))?;
        let found = found.ok_or_else(|| CapabilityError::NotFound(asked.clone()))?;
        check_source(&judge, permit.op(), &found)?;
        Ok(Effect::Nothing(found.probe()?))
    });
    probed.await
}

/// Judges what a name has led to: a device under all of its names, an image file at its place.
fn check_source(judge: &PlaceJudge, op: &ReadDevice, found: &PinnedSource) -> Result<(), CapabilityError> {
    match found.device() {
        Some(device) => {
            judge.own_loop(device.number)?;
            judge.device(device, |path| ReadDevice { path })
        }
        None if found.path().as_os_str() != op.path.as_str() => {
            judge.place(&ReadDevice { path: found.path().to_string_lossy().into_owned() })
        }
        None => Ok(()),
    }
}

/// Finds the loop device that `file` backs. The resource that may attach a device to the file owns the attached one, also
/// if another process of this host attached it: ownership is kept in memory, so `om web status` after `om web start` learns
/// it here.
pub async fn loop_of(context: &CallContext, file: &str) -> Result<Option<BlockDevice>, CapabilityError> {
    let op = SeeLoop { file: absolute(file)? };
    let find = context
        .admit(op)?
        .blocking(|permit| Ok(Effect::Nothing(loopdev::loop_of(&permit.op().file)?.map(BlockDevice::from))));
    let found = find.await?;
    if let Some(device) = &found {
        context.give_device(&device.path);
    }
    Ok(found)
}

/// Attaches a free loop device to `file`. The resource owns it from then on.
pub async fn attach_loop(context: &CallContext, file: &str, read_only: bool) -> Result<BlockDevice, CapabilityError> {
    let op = ChangeLoop { file: absolute(file)? };
    let ledger = context.ledger();
    let attached = context.admit(op)?.blocking(move |permit| {
        let file = &permit.op().file;
        let Some(((major, minor), inode)) = loopdev::identity_of(file)? else {
            return Err(CapabilityError::NotFound(file.display().to_string()));
        };
        let backing = FileIdentity { device: (major, minor), inode };
        // The file is noted by its number, and before there is a device: after a kill in the next moment it is by this
        // number that the attachment is found.
        let intended = LoopHolding { file: file.to_string_lossy().into_owned(), backing, device: None, sequence: None };
        let note = ledger.intend(intended.clone())?;
        match loopdev::attach(file, read_only).map(BlockDevice::from) {
            Ok(device) => {
                // The kernel numbers the attachments of a device (diskseq, since Linux 5.15). By it, this one differs
                // from a later one of the same file on the same device.
                let found = loopdev::backing_of(Path::new(&device.path)).ok().flatten();
                let sequence = found.and_then(|found| found.sequence);
                note.held(LoopHolding { device: Some(device.path.clone()), sequence, ..intended });
                Ok(Effect::Touched(device))
            }
            Err(error) => {
                note.nothing();
                Err(error.into())
            }
        }
    });
    let device = attached.await?;
    context.give_device(&device.path);
    Ok(device)
}

/// Detaches the loop device that `file` backs. Returns false if there is none.
pub async fn detach_loop(context: &CallContext, file: &str) -> Result<bool, CapabilityError> {
    let op = ChangeLoop { file: absolute(file)? };
    let ledger = context.ledger();
    let detach = context.admit(op)?.blocking(move |permit| {
        let detached = loopdev::detach(&permit.op().file)?.map(BlockDevice::from);
        if let Some(BlockDevice { path, .. }) = &detached {
            ledger.released(|held| matches!(held, Holding::Loop(held) if held.device.as_ref() == Some(path)));
        }
        Ok(Effect::of(detached.is_some(), detached))
    });
    let detached = detach.await?;
    if let Some(device) = &detached {
        context.take_device(&device.path);
    }
    Ok(detached.is_some())
}

/// Checks that a path is in its one spelling. `LABEL=x` and `UUID=x` pass as they are.
fn spelled(path: &str) -> Result<String, CapabilityError> {
    if let DeviceSpec::Path(plain) = DeviceSpec::parse(path) {
        absolute(&plain.to_string_lossy())?;
    }
    Ok(path.to_owned())
}
