//! `wit/block.wit`: block devices.

use std::path::Path;
use std::time::Duration;

use grant::op::{ChangeLoop, ReadDevice, SeeLoop};
use kernel::{block, loopdev, signature};

use crate::argument::absolute;
use crate::{Effect, Error, Scope};

pub use kernel::signature::Signature;

/// How often a device that is waited for is looked for.
const POLL: Duration = Duration::from_millis(50);

/// A block device, as `device` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name as the kernel has it, whatever link was asked.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Whether the kernel refuses to write on it.
    pub read_only: bool,
}

impl From<block::Device> for Device {
    fn from(device: block::Device) -> Device {
        Device { path: device.path.to_string_lossy().into_owned(), size: device.size, read_only: device.read_only }
    }
}

/// The device, or none if nothing is there.
pub async fn find(scope: &Scope, path: &str) -> Result<Option<Device>, Error> {
    let op = ReadDevice { path: asked(path)? };
    // By a label or a UUID it is no path, and takes reading devices.
    scope.look_at(Path::new(path), op, |permit| Ok(block::find(&permit.op().path)?.map(Device::from))).await
}

/// Waits until the device is there, at most `timeout`.
pub async fn wait_for(scope: &Scope, path: &str, timeout: Duration) -> Result<Device, Error> {
    let op = ReadDevice { path: asked(path)? };
    let wait = async |path: String| {
        // Looking takes microseconds and no lock, so it needs no lane of its own.
        loop {
            if let Some(device) = block::find(&path)? {
                return Ok(Device::from(device));
            }
            tokio::time::sleep(POLL).await;
        }
    };
    scope
        .look_async(op, |permit| async move {
            tokio::time::timeout(timeout, wait(permit.into_op().path)).await.unwrap_or(Err(Error::TimedOut))
        })
        .await
}

/// What keeps the device from going, in words.
pub async fn user_of(scope: &Scope, path: &str) -> Result<Option<String>, Error> {
    let op = ReadDevice { path: asked(path)? };
    scope.look_at(Path::new(path), op, |permit| Ok(block::user_of(&permit.op().path)?)).await
}

/// What the device, or the image file, holds. None if its first blocks are empty.
pub async fn probe(scope: &Scope, path: &str) -> Result<Option<Signature>, Error> {
    let op = ReadDevice { path: asked(path)? };
    scope
        .look(op, |permit| {
            let path = &permit.op().path;
            match block::Asked::parse(path) {
                block::Asked::Path(path) => Ok(signature::probe(path)?),
                _ => {
                    let device = block::find(path)?.ok_or_else(|| Error::NotFound(path.clone()))?;
                    Ok(signature::probe(&device.path)?)
                }
            }
        })
        .await
}

/// The loop device that is backed by `file`. Whoever may attach a device to the file owns the one that is attached, also
/// where another process of this host attached it.
pub async fn loop_of(scope: &Scope, file: &str) -> Result<Option<Device>, Error> {
    let op = SeeLoop { file: absolute(file)? };
    let found = scope.look(op, |permit| Ok(loopdev::loop_of(&permit.op().file)?.map(Device::from))).await?;
    if let Some(device) = &found {
        scope.give_device(&device.path);
    }
    Ok(found)
}

/// Attaches a free loop device to `file`. It is the resource's own from then on.
pub async fn attach_loop(scope: &Scope, file: &str, read_only: bool) -> Result<Device, Error> {
    let op = ChangeLoop { file: absolute(file)? };
    let device = scope
        .change(op, move |permit| Ok(Effect::Touched(Device::from(loopdev::attach(&permit.op().file, read_only)?))))
        .await?;
    scope.give_device(&device.path);
    Ok(device)
}

/// Detaches the loop device that is backed by `file`. False if there is none.
pub async fn detach_loop(scope: &Scope, file: &str) -> Result<bool, Error> {
    let op = ChangeLoop { file: absolute(file)? };
    let detached = scope
        .change(op, |permit| {
            let detached = loopdev::detach(&permit.op().file)?.map(Device::from);
            Ok(if detached.is_some() { Effect::Touched(detached) } else { Effect::Nothing(None) })
        })
        .await?;
    if let Some(device) = &detached {
        scope.take_device(&device.path);
    }
    Ok(detached.is_some())
}

/// A device's path in its one spelling, `LABEL=x` or `UUID=x`.
fn asked(path: &str) -> Result<String, Error> {
    if let block::Asked::Path(plain) = block::Asked::parse(path) {
        absolute(&plain.to_string_lossy())?;
    }
    Ok(path.to_owned())
}
