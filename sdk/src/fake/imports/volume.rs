//! The imports of `wit/volume.wit`.

use super::{CapabilityError, ImportResult, not_found};
use crate::bindings::hostler::driver::types::{Kv, Provisioned, State};
use crate::bindings::hostler::driver::volume::VolumeReport;
use crate::fake::Host;
use crate::fake::world::{FakeVolume, HostState};

pub(crate) fn look(name: &str) -> ImportResult<Option<VolumeReport>> {
    Host::read("volume.look", name, |world| {
        let rid = world.rid.clone();
        Ok(world.volumes.get(name).map(|volume| report(volume, &rid)))
    })
}

fn report(volume: &FakeVolume, rid: &str) -> VolumeReport {
    let is_up = volume.is_up && volume.fault.is_none();
    let fact = |key: &str, value: &str| Kv { key: key.to_owned(), value: value.to_owned() };
    let mut facts = Vec::new();
    if is_up {
        facts.extend(volume.mount_point.as_ref().map(|place| fact("mnt", place)));
        facts.extend(volume.devices.iter().map(|device| fact("device", device)));
    }
    facts.extend(volume.users.contains(rid).then(|| fact("used", "true")));
    facts.extend(volume.users.iter().filter(|user| *user != rid).map(|user| fact("user", user)));
    VolumeReport {
        state: if is_up { State::Up } else { State::Down },
        provisioned: if volume.is_provisioned { Provisioned::Yes } else { Provisioned::No },
        messages: Vec::new(),
        facts,
    }
}

pub(crate) fn make(name: &str, request: &[Kv]) -> ImportResult<bool> {
    Host::mutate("volume.make", name, |world| {
        if world.volumes.contains_key(name) {
            return Ok(false);
        }
        let asked = |key: &str| request.iter().find(|kv| kv.key == key).map(|kv| kv.value.clone());
        let is_device = asked("format").as_deref() == Some("false");
        let volume = FakeVolume {
            made_for: Some(world.rid.clone()),
            mount_point: (!is_device).then(|| format!("/srv/{name}")),
            devices: if is_device { vec!["/dev/loop0".to_owned()] } else { Vec::new() },
            request: request.iter().map(|kv| format!("{}={}", kv.key, kv.value)).collect(),
            ..FakeVolume::default()
        };
        world.volumes.insert(name.to_owned(), volume);
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn provision(name: &str) -> ImportResult<String> {
    change("volume.provision", name, |volume, _| {
        let done = !volume.is_provisioned;
        (volume.is_provisioned, volume.is_up) = (true, true);
        if done { format!("provisioned {name}") } else { String::new() }
    })
}

pub(crate) fn start(name: &str) -> ImportResult<String> {
    change("volume.start", name, |volume, rid| {
        volume.users.insert(rid.to_owned());
        match std::mem::replace(&mut volume.is_up, true) {
            true => String::new(),
            false => format!("started {name}"),
        }
    })
}

pub(crate) fn stop(name: &str) -> ImportResult<String> {
    change("volume.stop", name, |volume, rid| {
        // On a node the note of the last user goes behind the stop: what is not proven to be down is in use. Here a stop
        // does not fail halfway, so the order does not show.
        volume.users.remove(rid);
        match volume.users.iter().next() {
            Some(user) => format!("{name} stays up: {user} uses it"),
            None if std::mem::take(&mut volume.is_up) => format!("stopped {name}"),
            None => String::new(),
        }
    })
}

/// A change of a volume. It counts if there is a text.
fn change(call: &'static str, name: &str, work: impl FnOnce(&mut FakeVolume, &str) -> String) -> ImportResult<String> {
    Host::mutate(call, name, |world| {
        let rid = world.rid.clone();
        let volume = existing(world, name)?;
        if let Some(fault) = &volume.fault {
            return Err(CapabilityError::Other(fault.clone()));
        }
        let text = work(volume, &rid);
        world.changes += u32::from(!text.is_empty());
        Ok(text)
    })
}

pub(crate) fn unprovision(name: &str) -> ImportResult<String> {
    Host::mutate("volume.unprovision", name, |world| {
        let rid = world.rid.clone();
        // One that an operator made, or that was made for another resource, is not this one's to delete.
        if existing(world, name)?.made_for.as_ref() != Some(&rid) {
            return Ok(String::new());
        }
        world.volumes.remove(name);
        world.changes += 1;
        Ok(format!("deleted {name}"))
    })
}

pub(crate) fn install(name: &str) -> ImportResult<Vec<String>> {
    Host::mutate("volume.install", name, |world| {
        // Taken, so that a second installation finds everything written, and counts no change.
        let written = std::mem::take(&mut existing(world, name)?.to_install);
        world.changes += u32::from(!written.is_empty());
        Ok(written)
    })
}

fn existing<'w>(world: &'w mut HostState, name: &str) -> ImportResult<&'w mut FakeVolume> {
    match world.volumes.get_mut(name) {
        Some(volume) => Ok(volume),
        None => not_found(&format!("the volume {name}")),
    }
}
