//! Takes a stranger on: a thing that is there and in nobody's ledger becomes the resource's own, if the operator says so.

use std::path::Path;

use grant::op::{ChangeAddress, ChangeLoop, ChangeRoute, MountFilesystem};
use holding::{FileIdentity, Holding, LoopHolding, MountHolding, MountIdentity};
use kernel::block::{canonical_source, loopdev};
use kernel::mount::mountinfo::{self, MountInfo};
use kernel::net::Netlink;

use super::{HoldingEntry, HoldingPresence, entry};
use crate::argument::absolute;
use crate::net::{RouteEntry, address_holding, changed_route, network_of, route_holding};
use crate::{CallContext, CapabilityError, Effect};

/// Takes on the mount at a mount point, the loop device of a path, the address `CIDR@DEV`, or the route `DESTINATION@DEV` or
/// `DESTINATION@GATEWAY`. The driver's grants must allow it to make that thing.
pub async fn adopt(context: &CallContext, kind: &str, id: &str) -> Result<HoldingEntry, CapabilityError> {
    if context.var("adopt") != Some("true") {
        return Err(CapabilityError::Other(format!(
            "{kind} {id} was not made by this resource: start --adopt takes it on"
        )));
    }
    match kind {
        "mount" => mount(context, &absolute(id)?).await?,
        "loop" => loop_device(context, &absolute(id)?).await?,
        "address" => address(context, id).await?,
        "route" => route(context, id).await?,
        _ => return Err(CapabilityError::Invalid(format!("{kind:?} is not a kind that can be adopted"))),
    }
    let adopted = context.ledger().records().pop();
    let adopted = adopted.ok_or_else(|| CapabilityError::NotFound(format!("{kind} {id}")))?;
    Ok(entry(&adopted, &HoldingPresence::Present(Vec::new())))
}

async fn mount(context: &CallContext, target: &Path) -> Result<(), CapabilityError> {
    let missing = || CapabilityError::NotFound(format!("a mount on {}", target.display()));
    let found = mountinfo::mounts_at(target)?.pop().ok_or_else(missing)?;
    let source = canonical_source(&found.source);
    let op = |fstype: &str, source: &str| MountFilesystem {
        fstype: fstype.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        options: Vec::new(),
    };
    // A bind mount is listed with the type of its file system and the directory in it.
    let bound = found.root.to_string_lossy().into_owned();
    let (admitted, fstype) = match context.admit(op(&found.fstype, &source)) {
        Ok(admitted) => (admitted, found.fstype.clone()),
        Err(refused) => match context.admit(op("bind", &bound)) {
            Ok(admitted) => (admitted, "bind".to_owned()),
            Err(_) => return Err(refused),
        },
    };
    let ledger = context.ledger();
    // Not a change: a rollback must leave it as it was found.
    admitted.blocking(move |_| Ok(Effect::Nothing(ledger.take_on(held_mount(&found, fstype))?))).await
}

fn held_mount(found: &MountInfo, fstype: String) -> MountHolding {
    MountHolding {
        source: canonical_source(&found.source),
        target: found.target.to_string_lossy().into_owned(),
        fstype,
        made: Some(MountIdentity {
            id: found.id,
            unique: None,
            device: found.device,
            root: found.root.to_string_lossy().into_owned(),
        }),
    }
}

async fn loop_device(context: &CallContext, device: &Path) -> Result<(), CapabilityError> {
    let missing = || CapabilityError::NotFound(format!("the loop device {}", device.display()));
    let found = loopdev::backing_of(device)?.ok_or_else(missing)?;
    let held = LoopHolding {
        file: found.file.to_string_lossy().into_owned(),
        backing: FileIdentity { device: found.device, inode: found.inode },
        device: Some(device.to_string_lossy().into_owned()),
    };
    let ledger = context.ledger();
    let op = ChangeLoop { file: found.file };
    context.admit(op)?.blocking(move |_| Ok(Effect::Nothing(ledger.take_on(held)?))).await?;
    context.give_device(&device.to_string_lossy());
    Ok(())
}

async fn address(context: &CallContext, id: &str) -> Result<(), CapabilityError> {
    let (cidr, dev) = split(id)?;
    let address = network_of(cidr)?;
    let ledger = context.ledger();
    let adopted = context.admit(ChangeAddress { dev: dev.to_owned(), address })?.waiting(|permit| async move {
        let (netlink, missing) = (Netlink::open()?, || CapabilityError::NotFound(format!("{cidr} on {dev}")));
        let link = netlink.find_link(&permit.op().dev).await?.ok_or_else(missing)?;
        let there = netlink.addresses(&link).await?.iter().any(|found| found.cidr == address);
        there.then_some(()).ok_or_else(missing)?;
        Ok(Effect::Nothing(ledger.take_on(address_holding(None, &link, address))?))
    });
    adopted.await
}

async fn route(context: &CallContext, id: &str) -> Result<(), CapabilityError> {
    let (destination, by) = split(id)?;
    let gateway = by.parse::<std::net::IpAddr>().is_ok().then(|| by.to_owned());
    let dev = gateway.is_none().then(|| by.to_owned());
    let (op, wanted) = changed_route(RouteEntry { destination: destination.to_owned(), gateway, dev })?;
    let ledger = context.ledger();
    let adopted = context.admit::<ChangeRoute>(op)?.waiting(|_| async move {
        let wanted_holding = route_holding(None, &wanted);
        let found = Netlink::open()?.routes_to(wanted.destination).await?;
        let found = found.iter().map(|route| route_holding(None, route)).find(|found| found.is_same(&wanted_holding));
        let found = found.ok_or_else(|| CapabilityError::NotFound(Holding::from(wanted_holding).to_string()))?;
        Ok(Effect::Nothing(ledger.take_on(found)?))
    });
    adopted.await
}

fn split(id: &str) -> Result<(&str, &str), CapabilityError> {
    id.split_once('@').ok_or_else(|| CapabilityError::Invalid(format!("{id:?} has no @ before its link or gateway")))
}
