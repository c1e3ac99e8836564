//! The imports of `wit/holdings.wit`.

use std::time::Duration;

use super::{CapabilityError, ImportResult, not_found};
use crate::bindings::hostler::driver::holdings::Holding;
use crate::bindings::hostler::driver::types::Kv;
use crate::fake::Host;
use crate::fake::ledger::{FakeHolding, HeldThing};
use crate::fake::world::HostState;

/// The kinds that the host records by itself.
const KINDS: [&str; 8] = ["mount", "loop", "address", "route", "link", "container", "process-group", "file"];

pub(crate) fn list() -> ImportResult<Vec<Holding>> {
    Host::read("holdings.list", "", |world| {
        let own = world.holdings.iter().filter(|held| held.rid == world.rid);
        Ok(own.map(|held| held.shown(world)).collect())
    })
}

pub(crate) fn release(id: &str, options: &[Kv]) -> ImportResult<bool> {
    let known = ["abort", "detach", "signal", "grace-ms", "remove"];
    // An error, as on a node: an option that is overlooked would leave what it was to take down.
    if let Some(option) = options.iter().find(|option| !known.contains(&option.key.as_str())) {
        return Err(CapabilityError::Invalid(format!("{:?} is not an option", option.key)));
    }
    let grace = options.iter().find(|option| option.key == "grace-ms").and_then(|option| option.value.parse().ok());
    // The default of the contract.
    let grace = Duration::from_millis(grace.unwrap_or(5000));
    let detach = options.iter().any(|option| option.key == "detach" && option.value == "true");
    Host::mutate("holdings.release", id, |world| {
        let own = |held: &&FakeHolding| held.rid == world.rid && held.id == id;
        let Some(thing) = world.holdings.iter().find(own).map(|held| held.thing.clone()) else { return Ok(false) };
        let undone = match &thing {
            HeldThing::Container { engine, id, .. } => stop_container(world, (engine, id), grace)?,
            thing => undo(world, thing, detach)?,
        };
        // What was declared stays until it is withdrawn.
        let is_declared = matches!(thing, HeldThing::Declared { .. });
        let rid = world.rid.clone();
        world.holdings.retain(|held| is_declared || held.rid != rid || held.id != id);
        Ok(undone)
    })
}

fn undo(world: &mut HostState, thing: &HeldThing, detach: bool) -> ImportResult<bool> {
    match thing {
        HeldThing::Mount { now, .. } => {
            let Some(at) = world.mounts.iter().rposition(|entry| thing.is_mount(entry)) else { return Ok(false) };
            // umount(2) takes the topmost mount of a path, which is another resource's, or a stranger.
            if world.mount_of(now) != Some(at) {
                return super::os(
                    crate::errno::EBUSY,
                    format!("unmount {now}: another file system is mounted over it"),
                );
            }
            // MNT_DETACH takes a mount out of the tree although it is in use.
            if detach {
                world.busy.remove(now);
            }
            super::mount::take_off(world, at)?;
        }
        HeldThing::Loop { device, now, .. } => match world.loops.get(device) == Some(now) {
            true => super::block::detach(world, device)?,
            false => return Ok(false),
        },
        HeldThing::Address { netns: None, dev, cidr } => return removed_address(world, dev, cidr),
        HeldThing::Address { netns: Some(netns), dev, cidr } => {
            let Some(seen) = world.namespaces.get_mut(netns) else { return Ok(false) };
            let before = seen.addresses.len();
            seen.addresses.retain(|found| (&found.dev, &found.cidr) != (dev, cidr));
            return Ok(counted(world, before, |world| world.namespaces[netns].addresses.len()));
        }
        HeldThing::Route { netns: None, route } => {
            let before = world.routes.len();
            world.routes.retain(|other| !other.leads_like(route));
            return Ok(counted(world, before, |world| world.routes.len()));
        }
        HeldThing::Route { netns: Some(netns), route } => {
            let Some(seen) = world.namespaces.get_mut(netns) else { return Ok(false) };
            let before = seen.routes.len();
            seen.routes.retain(|other| !other.leads_like(route));
            return Ok(counted(world, before, |world| world.namespaces[netns].routes.len()));
        }
        HeldThing::Link { netns, .. } => return Ok(super::netns::take_out(world, netns)),
        HeldThing::Processes => {
            let before = world.processes.len();
            world.processes.clear();
            return Ok(counted(world, before, |world| world.processes.len()));
        }
        // Stopped by its engine, see `release`.
        HeldThing::Container { .. } => return Ok(false),
        HeldThing::Declared { kind, .. } if kind == crate::holdings::DEVICE => return take_down(world, thing),
        HeldThing::Declared { kind, .. } => {
            return Err(CapabilityError::Invalid(format!("a {kind} is undone by its driver, which then withdraws it")));
        }
    }
    Ok(true)
}

/// Takes down the devices of a declared holding.
fn take_down(world: &mut HostState, thing: &HeldThing) -> ImportResult<bool> {
    let there: Vec<String> = thing.devices_now(world).collect();
    for path in &there {
        // Those that were taken down before stay so: the next stop goes on with the rest.
        if world.is_busy(path) || world.mounts.iter().any(|entry| entry.source == *path) {
            return super::os(crate::errno::EBUSY, format!("take down {path}"));
        }
        world.devices.remove(path);
        world.identities.remove(path);
        world.files.remove(path);
        world.changes += 1;
    }
    Ok(!there.is_empty())
}

fn stop_container(world: &mut HostState, (engine, id): (&str, &str), grace: Duration) -> ImportResult<bool> {
    let Some(containers) = world.containers.get(engine) else { return not_found(engine) };
    let stopped = containers.stop(id, grace)?;
    world.changes += u32::from(stopped);
    Ok(stopped)
}

fn removed_address(world: &mut HostState, dev: &str, cidr: &str) -> ImportResult<bool> {
    let Some(interface) = world.links.get_mut(dev) else { return Ok(false) };
    let before = interface.addresses.len();
    interface.addresses.retain(|address| address.cidr != cidr);
    Ok(counted(world, before, |world| world.links[dev].addresses.len()))
}

/// Counts a change if there is less than before.
fn counted(world: &mut HostState, before: usize, now: impl Fn(&HostState) -> usize) -> bool {
    let changed = now(world) < before;
    world.changes += u32::from(changed);
    changed
}

pub(crate) fn declare(scope: &str, kind: &str, id: &str, label: &str, memory: &[Kv]) -> ImportResult<()> {
    if KINDS.contains(&kind) || kind.is_empty() || id.is_empty() {
        return Err(CapabilityError::Invalid(format!("{kind:?} {id:?} cannot be declared")));
    }
    // Not counted as a change, as on the host: a rollback undoes what was taken, and not the note of it.
    Host::mutate("holdings.declare", &format!("{kind} {id}"), |world| {
        let rid = world.rid.clone();
        world.holdings.retain(|held| held.rid != rid || !is_declared(&held.thing, kind, id));
        let [scope_word, kind, id, label] = [scope, kind, id, label].map(str::to_owned);
        world.hold(HeldThing::Declared { scope: scope_word, kind, id, label });
        world.state.extend(memory.iter().map(|kv| ((scope.to_owned(), kv.key.clone()), kv.value.clone())));
        Ok(())
    })
}

pub(crate) fn withdraw(kind: &str, id: &str) -> ImportResult<bool> {
    Host::mutate("holdings.withdraw", &format!("{kind} {id}"), |world| {
        let (rid, before) = (world.rid.clone(), world.holdings.len());
        world.holdings.retain(|held| held.rid != rid || !is_declared(&held.thing, kind, id));
        Ok(world.holdings.len() < before)
    })
}

fn is_declared(thing: &HeldThing, of_kind: &str, of_id: &str) -> bool {
    matches!(thing, HeldThing::Declared { kind, id, .. } if (kind.as_str(), id.as_str()) == (of_kind, of_id))
}

pub(crate) fn adopt(kind: &str, id: &str) -> ImportResult<Holding> {
    Host::mutate("holdings.adopt", &format!("{kind} {id}"), |world| {
        let Some(thing) = stranger(world, kind, id) else { return not_found(&format!("{kind} {id}")) };
        // Before the option is looked at: it takes on a stranger, and nothing that another resource holds.
        if let Some(other) = world.holdings.iter().find(|held| held.thing == thing && held.rid != world.rid) {
            let text = format!("{} is held by {} of web: stop that one first", thing.label(), other.rid);
            return Err(CapabilityError::Other(text));
        }
        if !world.adopting {
            let why = "is there already, and this resource did not make it: remove it, or say start --local --adopt to take it on";
            return Err(CapabilityError::Other(format!("{} {why}", thing.label())));
        }
        // Not counted as a change: a rollback must leave it as it was found.
        world.hold(thing);
        match world.holdings.last() {
            Some(held) => Ok(held.shown(world)),
            None => not_found(id),
        }
    })
}

fn stranger(world: &HostState, kind: &str, id: &str) -> Option<HeldThing> {
    let (thing, netns) = match id.split_once(" in ") {
        Some((thing, netns)) => (thing, Some(netns)),
        None => (id, None),
    };
    let seen = netns.map(|netns| world.namespaces.get(netns));
    match kind {
        "mount" => world.mount_of(id).map(|at| HeldThing::mount(&world.mounts[at])),
        "loop" => {
            let file = world.loops.get(id)?.clone();
            Some(HeldThing::Loop { device: id.to_owned(), file: file.clone(), now: file })
        }
        "address" => {
            let (cidr, dev) = thing.split_once('@')?;
            match seen {
                Some(seen) => drop(
                    seen?.addresses.iter().find(|found| (found.dev.as_str(), found.cidr.as_str()) == (dev, cidr))?,
                ),
                None => drop(world.links.get(dev)?.addresses.iter().find(|address| address.cidr == cidr)?),
            }
            let netns = netns.map(str::to_owned);
            Some(HeldThing::Address { netns, dev: dev.to_owned(), cidr: cidr.to_owned() })
        }
        "route" => {
            let (destination, by) = thing.split_once('@')?;
            let routes = seen.map_or(Some(&world.routes), |seen| seen.map(|seen| &seen.routes))?;
            let goes_by = |route: &&crate::bindings::hostler::driver::net::Route| {
                [&route.dev, &route.gateway].into_iter().flatten().any(|way| way == by)
            };
            let route = routes.iter().filter(|route| route.destination == destination).find(goes_by)?;
            Some(HeldThing::Route { netns: netns.map(str::to_owned), route: route.clone() })
        }
        _ => None,
    }
}
