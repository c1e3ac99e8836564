//! Takes a stranger on: a thing that is there and in nobody's ledger becomes the resource's own, if the operator says so.

use std::fmt;
use std::path::{Path, PathBuf};

use grant::NetnsReference;
use grant::op::{
    AdoptWithoutSource, ChangeAddress, ChangeLoop, ChangeNetnsAddress, ChangeNetnsRoute, ChangeRoute, MountFilesystem,
    MountOption,
};
use holding::{FileIdentity, Holding, LoopHolding, MountHolding, NamespaceIdentity};
use kernel::block::{canonical_source, loopdev};
use kernel::mount::mountinfo::{self, MountInfo};
use kernel::net::Netlink;

use super::mount_sight::{made_identity, signature_of};
use super::{HoldingEntry, HoldingPresence, entry, other_owner};
use crate::argument::absolute;
use crate::net::{RouteEntry, address_holding, changed_route, network_of, route_holding};
use crate::netns::{existing, identity};
use crate::{CallContext, CapabilityError, Effect};

/// Takes on the mount at a mount point, the loop device of a path, the address `CIDR@DEV`, or the route `DESTINATION@DEV` or
/// `DESTINATION@GATEWAY`; in a network namespace with ` in NETNS` behind it. The driver's grants must allow it to make that thing.
pub async fn adopt(context: &CallContext, kind: &str, id: &str) -> Result<HoldingEntry, CapabilityError> {
    match kind {
        "mount" => mount(context, &absolute(id)?).await?,
        "loop" => loop_device(context, &absolute(id)?).await?,
        "address" => address(context, id).await?,
        "route" => route(context, id).await?,
        _ => return Err(CapabilityError::Invalid(format!("{kind:?} is not a kind that can be adopted"))),
    }
    // What can be taken on is of the boot scope, whose records come last.
    let adopted = context.ledger().records().pop();
    let adopted = adopted.ok_or_else(|| CapabilityError::NotFound(format!("{kind} {id}")))?;
    Ok(entry(&adopted, &HoldingPresence::Present(Vec::new())))
}

/// File systems whose source is only a name in the list of mounts, which another program may have chosen.
const UNSOURCED: [&str; 3] = ["tmpfs", "ramfs", "overlay"];

async fn mount(context: &CallContext, target: &Path) -> Result<(), CapabilityError> {
    let missing = || CapabilityError::NotFound(format!("a mount on {}", target.display()));
    // The topmost: those below it are hidden, and a stop could not unmount them first.
    let found = mountinfo::mounts_at(target)?.pop().ok_or_else(missing)?;
    let source = canonical_source(&found.source);
    if UNSOURCED.contains(&found.fstype.as_str()) {
        let op = AdoptWithoutSource { fstype: found.fstype.clone(), target: target.to_owned() };
        // A bind mount of such a file system is of its type, too: then the grants decide by what was bound.
        if let Ok(admitted) = context.admit(op) {
            let held = held_mount(&found, source, found.fstype.clone());
            may_take_on(context, &held.clone().into())?;
            let ledger = context.ledger();
            return admitted.blocking(move |_| Ok(Effect::Nothing(ledger.take_on(held)?))).await;
        }
    }
    let read_only = found.options.iter().any(|option| option == "ro");
    let op = |fstype: &str, source: &str| MountFilesystem {
        fstype: fstype.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        options: Vec::from_iter(read_only.then(|| MountOption::flag("ro"))),
        freedom: context.mount_freedom(),
        binds_file: std::fs::metadata(source).is_ok_and(|found| found.is_file()),
    };
    let (admitted, held) = match context.admit(op(&found.fstype, &source)) {
        Ok(admitted) => (admitted, held_mount(&found, source, found.fstype.clone())),
        // A bind mount is listed with the type of its file system and the directory in it.
        Err(refused) => {
            let bind = bind_sources(&found)?.into_iter().find_map(|bound| {
                let admitted = context.admit(op("bind", &bound)).ok()?;
                Some((admitted, held_mount(&found, bound, "bind".to_owned())))
            });
            bind.ok_or(refused)?
        }
    };
    may_take_on(context, &held.clone().into())?;
    let ledger = context.ledger();
    // Not a change: a rollback must leave it as it was found.
    admitted.blocking(move |_| Ok(Effect::Nothing(ledger.take_on(held)?))).await
}

/// The paths by which other mounts of the same file system show the directory that is mounted: it may have been bound from each of
/// them.
fn bind_sources(found: &MountInfo) -> Result<Vec<String>, CapabilityError> {
    let others = mountinfo::read()?.into_iter().filter(|other| other.device == found.device && other.id != found.id);
    let shown = others.filter_map(|other| Some((found.root.strip_prefix(&other.root).ok()?.to_owned(), other.target)));
    let path = |(rest, target): (PathBuf, PathBuf)| match rest.as_os_str().is_empty() {
        true => target,
        false => target.join(rest),
    };
    Ok(shown.map(|shown| path(shown).to_string_lossy().into_owned()).collect())
}

fn held_mount(found: &MountInfo, source: String, fstype: String) -> MountHolding {
    let made = Some(made_identity(found, &signature_of(found, None)));
    MountHolding { source, target: found.target.to_string_lossy().into_owned(), fstype, prepared: None, made }
}

async fn loop_device(context: &CallContext, device: &Path) -> Result<(), CapabilityError> {
    let missing = || CapabilityError::NotFound(format!("the loop device {}", device.display()));
    let found = loopdev::backing_of(device)?.ok_or_else(missing)?;
    // The name is what the kernel remembers, perhaps of another mount namespace: the file here must be that very one.
    if loopdev::identity_of(&found.file)? != Some((found.device, found.inode)) {
        return Err(missing());
    }
    let held = LoopHolding {
        file: found.file.to_string_lossy().into_owned(),
        backing: FileIdentity { device: found.device, inode: found.inode },
        device: Some(device.to_string_lossy().into_owned()),
        sequence: found.sequence,
    };
    may_take_on(context, &held.clone().into())?;
    let ledger = context.ledger();
    let op = ChangeLoop { file: found.file };
    context.admit(op)?.blocking(move |_| Ok(Effect::Nothing(ledger.take_on(held)?))).await?;
    context.give_device(&device.to_string_lossy());
    Ok(())
}

async fn address(context: &CallContext, id: &str) -> Result<(), CapabilityError> {
    let (thing, netns) = place(id);
    let (cidr, dev) = split(thing)?;
    let address = network_of(cidr)?;
    let missing = || CapabilityError::NotFound(format!("{cidr} on {dev}"));
    let take = async |netlink: Netlink, identity: Option<NamespaceIdentity>| {
        let link = netlink.find_link(dev).await?.ok_or_else(missing)?;
        let there = netlink.addresses(&link).await?.iter().any(|found| found.cidr == address);
        there.then_some(()).ok_or_else(missing)?;
        take_on(context, address_holding(identity, &link, address))
    };
    match netns {
        None => {
            let op = ChangeAddress { dev: dev.to_owned(), address };
            context.admit(op)?.waiting(|_| async move { take(Netlink::open()?, None).await }).await
        }
        Some(netns) => {
            let op = ChangeNetnsAddress { address, netns: netns.to_string() };
            let adopted = context.admit(op)?.waiting(|_| async move {
                let namespace = existing(context, &netns).await?;
                take(namespace.netlink()?, Some(identity(&namespace)?)).await
            });
            adopted.await
        }
    }
}

async fn route(context: &CallContext, id: &str) -> Result<(), CapabilityError> {
    let (thing, netns) = place(id);
    let (destination, by) = split(thing)?;
    let gateway = by.parse::<std::net::IpAddr>().is_ok().then(|| by.to_owned());
    let dev = gateway.is_none().then(|| by.to_owned());
    let entry = RouteEntry { destination: destination.to_owned(), gateway, dev, ..RouteEntry::default() };
    let (op, wanted) = changed_route(entry)?;
    let take = async |netlink: Netlink, identity: Option<NamespaceIdentity>| {
        // Whatever made it and with whatever metric: that is what makes it a stranger.
        let found = netlink.routes_to(wanted.destination).await?.into_iter();
        let found = found.filter(|route| route.special.is_empty() && route.gateway == wanted.gateway);
        let found = found.into_iter().find(|route| wanted.dev.is_none() || route.dev == wanted.dev);
        let found = found.ok_or_else(|| CapabilityError::NotFound(format!("a route to {destination} by {by}")))?;
        take_on(context, route_holding(identity, &found))
    };
    match netns {
        None => context.admit::<ChangeRoute>(op)?.waiting(|_| async move { take(Netlink::open()?, None).await }).await,
        Some(netns) => {
            let op = ChangeNetnsRoute { route: op, netns: netns.to_string() };
            let adopted = context.admit(op)?.waiting(|_| async move {
                let namespace = existing(context, &netns).await?;
                take(namespace.netlink()?, Some(identity(&namespace)?)).await
            });
            adopted.await
        }
    }
}

/// Takes on what is there, unless it is another resource's or the operator did not say so.
fn take_on(context: &CallContext, thing: impl Into<Holding>) -> Result<Effect<()>, CapabilityError> {
    let thing = thing.into();
    may_take_on(context, &thing)?;
    // Not a change: a rollback must leave it as it was found.
    Ok(Effect::Nothing(context.ledger().take_on(thing)?))
}

/// Fails if it is another resource's, or the operator did not say so: in this order, as no word of the operator helps against the first.
fn may_take_on(context: &CallContext, thing: &Holding) -> Result<(), CapabilityError> {
    not_held(context, thing)?;
    said(context, thing)
}

/// Fails if it is another resource's.
fn not_held(context: &CallContext, thing: &Holding) -> Result<(), CapabilityError> {
    match other_owner(context, thing) {
        Some(owner) => Err(CapabilityError::Other(format!("{thing} is held by {owner}: stop that one first"))),
        None => Ok(()),
    }
}

/// Fails unless the operator said that strangers are taken on.
fn said(context: &CallContext, thing: &dyn fmt::Display) -> Result<(), CapabilityError> {
    match context.var("adopt") {
        Some("true") => Ok(()),
        _ => Err(CapabilityError::Other(format!(
            "{thing} is there already, and this resource did not make it: remove it, or say start --local --adopt to take it on"
        ))),
    }
}

/// The thing, and the network namespace that it is in.
fn place(id: &str) -> (&str, Option<NetnsReference>) {
    match id.split_once(" in ") {
        Some((thing, netns)) => (thing, netns.parse().ok()),
        None => (id, None),
    }
}

fn split(id: &str) -> Result<(&str, &str), CapabilityError> {
    id.split_once('@').ok_or_else(|| CapabilityError::Invalid(format!("{id:?} has no @ before its link or gateway")))
}
