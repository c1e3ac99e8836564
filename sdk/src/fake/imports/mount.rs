//! The imports of `wit/mount.wit`.

use grant::op::{MountFilesystem, MountFreedom, MountOption};

use super::{CapabilityError, ImportResult, not_found, os};
pub(crate) use crate::bindings::hostler::driver::mount::{MountEntry, Request, Usage};
use crate::errno::{EBUSY, EINVAL, ENODEV};
use crate::fake::Host;
use crate::fake::ledger::HeldThing;
use crate::fake::world::HostState;

/// The size and free space of a mount point unless the test sets them.
const ROOM: Usage = Usage { total: 1 << 30, free: 1 << 29 };

pub(crate) fn mounts_at(target: &str) -> ImportResult<Vec<MountEntry>> {
    Host::read("mount.mounts-at", target, |world| {
        Ok(world.mounts.iter().filter(|entry| entry.target == target).cloned().collect())
    })
}

pub(crate) fn supports(fstype: &str) -> ImportResult<bool> {
    Host::read("mount.supports", fstype, |world| Ok(!world.unsupported.contains(fstype)))
}

pub(crate) fn mount(r: &Request) -> ImportResult<()> {
    let options = r.options.iter().flat_map(|list| list.split(',')).filter(|option| !option.is_empty());
    let option = |option: &str| match option.split_once('=') {
        Some((name, value)) => MountOption { name: name.to_owned(), value: Some(value.to_owned()) },
        None => MountOption::flag(option),
    };
    let op = MountFilesystem {
        fstype: r.fstype.clone(),
        source: r.source.clone(),
        target: r.target.clone().into(),
        options: options.map(option).collect(),
        freedom: MountFreedom::Full,
        binds_file: false,
    };
    Host::current("mount.mount").hold("mount.mount", &op);
    Host::mutate("mount.mount", &format!("{} {} {}", r.fstype, r.source, r.target), |world| {
        if world.unsupported.contains(&r.fstype) {
            return os(ENODEV, format!("mount {}", r.target));
        }
        if !world.files.contains_key(&r.target) {
            return not_found(&r.target);
        }
        // A source such as `tmpfs` or `server:/export` is not a file of this host.
        if r.source.starts_with('/') && !world.files.contains_key(&r.source) {
            return not_found(&r.source);
        }
        let options = if r.options.is_empty() { vec!["rw".to_owned()] } else { r.options.clone() };
        // The kernel lists the device under its own name, not under the label or link that was mounted.
        let source = super::block::asked(world, &r.source).map_or_else(|| r.source.clone(), |device| device.path);
        let entry =
            MountEntry { source, root: "/".to_owned(), target: r.target.clone(), fstype: r.fstype.clone(), options };
        world.mounts.push(entry.clone());
        world.hold(HeldThing::mount(&entry));
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn unmount(target: &str) -> ImportResult<()> {
    Host::mutate("mount.unmount", target, |world| {
        let Some(topmost) = world.mount_of(target) else { return os(EINVAL, format!("unmount {target}")) };
        take_off(world, topmost)
    })
}

/// Unmounts the mount at this place of the table.
pub(super) fn take_off(world: &mut HostState, at: usize) -> ImportResult<()> {
    let entry = world.mounts[at].clone();
    // The kernel refuses to unmount what is in use, however often it is tried.
    if world.is_busy(&entry.target) {
        return os(EBUSY, format!("unmount {}", entry.target));
    }
    world.mounts.remove(at);
    // Whichever resource holds it: the thing is gone, and with it the note of it.
    world.forget_one(|held| held.is_mount(&entry));
    world.changes += 1;
    Ok(())
}

pub(crate) fn errors_of(target: &str) -> ImportResult<Option<u64>> {
    Host::read("mount.errors-of", target, |world| Ok(world.disk_errors.get(target).copied()))
}

pub(crate) fn statfs(target: &str, timeout_ms: u64) -> ImportResult<Usage> {
    Host::read("mount.statfs", target, |world| {
        if world.hung.contains(target) {
            // The driver waits until its timeout has passed.
            world.boot_ms += timeout_ms;
            return Err(CapabilityError::TimedOut);
        }
        Ok(world.usage.get(target).copied().unwrap_or(ROOM))
    })
}
