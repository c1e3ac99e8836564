//! The imports of `wit/block.wit`.

use super::{CapabilityError, ImportResult, not_found, os};
pub(crate) use crate::bindings::hostler::driver::block::{Device, Signature};
use crate::errno::EBUSY;
use crate::fake::Host;
use crate::fake::ledger::HeldThing;
use crate::fake::world::{FileNode, HostState};
use crate::files::FileKind;

pub(crate) fn find(path: &str) -> ImportResult<Option<Device>> {
    Host::read("block.find", path, |world| Ok(asked(world, path)))
}

/// The device that is named by its path, or by `LABEL=x` or `UUID=x`.
pub(super) fn asked(world: &HostState, text: &str) -> Option<Device> {
    let holds = |signature: &Signature| match text.split_once('=') {
        Some(("LABEL", label)) => signature.label == label,
        Some(("UUID", uuid)) => signature.uuid == uuid,
        _ => false,
    };
    let path = world.devices.keys().find(|path| world.signatures.get(world.backing(path)).is_some_and(holds));
    world.devices.get(text).or_else(|| world.devices.get(path?)).cloned()
}

pub(crate) fn wait_for(path: &str, timeout_ms: u64) -> ImportResult<Device> {
    Host::read("block.wait-for", path, |world| match asked(world, path) {
        Some(device) => Ok(device),
        None => {
            // No other program runs meanwhile that could create the device, so the whole timeout passes.
            world.boot_ms += timeout_ms;
            Err(CapabilityError::TimedOut)
        }
    })
}

pub(crate) fn user_of(path: &str) -> ImportResult<Option<String>> {
    Host::read("block.user-of", path, |world| {
        let mounted = world.mounts.iter().find(|entry| entry.source == path);
        let mounted = mounted.map(|entry| format!("it is mounted on {}", entry.target));
        Ok(mounted.or_else(|| world.is_busy(path).then(|| "a process has it open".to_owned())))
    })
}

pub(crate) fn probe(path: &str) -> ImportResult<Option<Signature>> {
    Host::read("block.probe", path, |world| {
        let found = asked(world, path).map(|device| device.path);
        let path = found.as_deref().unwrap_or(path);
        let backing = world.backing(path);
        // The files are asked and not the devices, because an image file can be probed too.
        if !world.files.contains_key(backing) {
            return not_found(path);
        }
        Ok(world.signatures.get(backing).cloned())
    })
}

pub(crate) fn identity_of(path: &str) -> ImportResult<Option<String>> {
    Host::read("block.identity-of", path, |world| Ok(world.identities.get(path).cloned()))
}

pub(crate) fn loop_of(file: &str) -> ImportResult<Option<Device>> {
    Host::read("block.loop-of", file, |world| {
        let device = device_of(world, file);
        Ok(device.and_then(|path| world.devices.get(&path).cloned()))
    })
}

fn device_of(world: &HostState, file: &str) -> Option<String> {
    world.loops.iter().find(|(_, backing)| *backing == file).map(|(device, _)| device.clone())
}

pub(crate) fn attach_loop(file: &str, read_only: bool) -> ImportResult<Device> {
    Host::mutate("block.attach-loop", file, |world| {
        let Some(size) = world.files.get(file).map(|node| node.size) else { return not_found(file) };
        // The lowest free number, so that tests can predict it.
        let free = (0..).map(|number: u32| format!("/dev/loop{number}")).find(|path| !world.loops.contains_key(path));
        let Some(path) = free else { return os(EBUSY, file) };
        let device = Device { path: path.clone(), size, read_only };
        world.make_parents(&path);
        world.files.insert(path.clone(), FileNode::of(FileKind::Block, size, 0o660));
        world.devices.insert(path.clone(), device.clone());
        world.loops.insert(path.clone(), file.to_owned());
        world.hold(HeldThing::Loop { device: path, file: file.to_owned(), now: file.to_owned() });
        world.changes += 1;
        Ok(device)
    })
}

pub(crate) fn detach_loop(file: &str) -> ImportResult<bool> {
    Host::mutate("block.detach-loop", file, |world| {
        let Some(path) = device_of(world, file) else { return Ok(false) };
        detach(world, &path)?;
        Ok(true)
    })
}

/// Detaches a loop device.
pub(super) fn detach(world: &mut HostState, path: &str) -> ImportResult<()> {
    let mounted = world.mounts.iter().any(|entry| entry.source == path);
    let file = world.loops.get(path).cloned().unwrap_or_default();
    // A mounted loop device cannot be detached, as in the kernel.
    if mounted || world.is_busy(path) || world.is_busy(&file) {
        return os(EBUSY, format!("detach {path}"));
    }
    world.loops.remove(path);
    world.devices.remove(path);
    world.files.remove(path);
    world.forget(|held| matches!(held, HeldThing::Loop { device, .. } if device == path));
    world.changes += 1;
    Ok(())
}
