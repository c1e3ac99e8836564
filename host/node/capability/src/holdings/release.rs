//! Undoes what a resource holds: that very thing, and nothing that has taken its place.

use std::time::Duration;

use driver::LogSeverity;
use grant::op::{ReleaseHolding, UndoDevice};
use holding::{
    AddressHolding, ContainerHolding, FileHolding, Holding, HoldingRecord, HoldingStage, LinkHolding, LoopHolding,
    ProcessHolding, RouteHolding,
};
use kernel::block::loopdev;
use kernel::cgroup::Cgroup;
use kernel::mount::UnmountForce;
use kernel::net::{KernelRoute, LinkPlug, Netlink};
use kernel::process::signal_of;

use super::device::take_down;
use super::ledger::Ledger;
use super::look::{is_attached, processes};
use super::network::{namespace, netlink_of, unknown_maker};
use super::unmount::{identified, is_stuck, settle, unmount, unmount_aside};
use crate::net::{TermLock, ip, network_of, tell_of_others};
use crate::netns::{mark, plug_mode};
use crate::state::StateFiles;
use crate::{CallContext, CapabilityError, Effect};

/// How to undo a holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseOptions {
    /// For a mount: how far the unmount may go.
    pub unmount: UnmountForce,
    /// For a process group: the signal that is sent first, and how long it may take.
    pub signal: String,
    pub grace: Duration,
    /// For a container: whether it is removed once it is stopped.
    pub remove: bool,
}

impl ReleaseOptions {
    /// Reads the options of the contract. An unknown one is refused, as a driver may rely on it.
    pub fn parse(options: &[(String, String)]) -> Result<ReleaseOptions, CapabilityError> {
        let mut read = ReleaseOptions {
            unmount: UnmountForce::default(),
            signal: "TERM".to_owned(),
            grace: Duration::from_secs(5),
            remove: false,
        };
        for (name, value) in options {
            let invalid = || CapabilityError::Invalid(format!("{value:?} is not a value of {name}"));
            match name.as_str() {
                "abort" => read.unmount.abort = value.parse().map_err(|_| invalid())?,
                "detach" => read.unmount.detach = value.parse().map_err(|_| invalid())?,
                "signal" => read.signal.clone_from(value),
                "grace-ms" => read.grace = Duration::from_millis(value.parse().map_err(|_| invalid())?),
                "remove" => read.remove = value.parse().map_err(|_| invalid())?,
                _ => {
                    let known = "expected abort, detach, signal, grace-ms or remove";
                    return Err(CapabilityError::Invalid(format!("{name:?} is not an option: {known}")));
                }
            }
        }
        Ok(read)
    }
}

/// Undoes the holding of that id. False if it was gone already.
pub async fn release(context: &CallContext, id: &str, options: ReleaseOptions) -> Result<bool, CapabilityError> {
    let ledger = context.ledger();
    let is_it = |record: &HoldingRecord| !record.is_undone() && record.id() == id;
    let record = ledger.records().into_iter().find(is_it);
    let Some(mut record) = record else { return release_declared(context, id).await };
    let op = ReleaseHolding { thing: record.holding.to_string() };
    if let Holding::Mount(mount) = &record.holding
        && let Some(found) = identified(mount)
    {
        record.holding = found.into();
        ledger.ledger.found(record.number, record.holding.clone());
    }
    // A call that is stuck in what is mounted returns only when that is unmounted: so this one must not wait for it.
    let aside = matches!(record.holding, Holding::Mount(_)) && (options.unmount.abort || is_stuck(context));
    let admitted = if aside { context.admit_beside(op)? } else { context.admit(op)? };
    let (gone, forget) = (record.clone(), ledger.clone());
    let released = match record.holding {
        // A server that does not answer keeps the call of the kernel waiting.
        Holding::Mount(mount) if aside => {
            let work = async move |_| {
                // The call that is stuck keeps the mount busy, until what it waits for is given up.
                let force = UnmountForce { abort: true, ..options.unmount };
                let undone = unmount_aside(context, &mount, force).await?;
                settle(context).await;
                record_undone(&forget.ledger, gone, undone, force);
                Ok(Effect::whether(undone))
            };
            admitted.waiting(work).await?
        }
        Holding::Mount(_) | Holding::Loop(_) | Holding::File(_) => {
            let work = move |_| {
                let (undone, said) = undo_here(&gone, &options)?;
                record_undone(&forget.ledger, gone, undone, options.unmount);
                Ok(Effect::of(undone, (undone, said)))
            };
            let (undone, said) = admitted.blocking(work).await?;
            said.iter().for_each(|text| context.say(LogSeverity::Warn, text));
            undone
        }
        Holding::Container(container) => {
            let work = async move |_| {
                let (changed, stays) = stop_container(&container, &options).await?;
                // It exists until it is removed, and the record alone says so if its engine is away. If an operator starts it again, it is
                // in the same group.
                match stays {
                    true => {
                        forget.take_on(ContainerHolding { process: None, ..container })?;
                        forget.ledger.forget(&[gone]);
                    }
                    false => forget.ledger.undone(&[gone]),
                }
                Ok(Effect::whether(changed))
            };
            admitted.waiting(work).await?
        }
        _ => {
            let work = async move |_| {
                let undone = undo_waiting(context, &gone, &options).await?;
                forget.ledger.undone(&[gone]);
                Ok(Effect::whether(undone))
            };
            admitted.waiting(work).await?
        }
    };
    Ok(released)
}

/// The kernel unmounts only what no program uses, but for a lazy unmount: after that, and where another hand has unmounted it, the
/// proof looks for its users.
fn record_undone(ledger: &Ledger, record: HoldingRecord, undone: bool, force: UnmountForce) {
    match matches!(record.holding, Holding::Mount(_)) && (!undone || force.detach) {
        true => ledger.let_go(&[record]),
        false => ledger.undone(&[record]),
    }
}

/// How long processes that nothing waits for any more may take to end.
const LEFT_BEHIND: Duration = Duration::from_secs(5);

/// Ends the processes of a holding, for the host itself: what a run has left behind has no driver that stops it. Returns how many there
/// were.
pub async fn end_processes(held: &ProcessHolding) -> Result<usize, CapabilityError> {
    let ended = processes(held).stop(kernel::process::Signal::TERM, LEFT_BEHIND).await?;
    if let Some(group) = &held.group {
        Cgroup::at(group).remove();
    }
    Ok(ended)
}

/// Takes down a device that the driver declared. The record stays until it is withdrawn, or a proof finds the device gone.
async fn release_declared(context: &CallContext, id: &str) -> Result<bool, CapabilityError> {
    let declared = StateFiles::of(context).declared()?;
    let Some(declared) = declared.into_iter().map(|entry| entry.holding).find(|held| held.id == id) else {
        return Ok(false);
    };
    let device = declared.device().ok_or_else(|| cannot(&Holding::Declared(declared.clone())))?;
    // A declaration is the driver's word alone, and so not enough.
    let admitted = context.admit(UndoDevice { id: declared.id })?;
    admitted.blocking(move |_| Ok(Effect::whether(take_down(&device)?))).await
}

/// Undoes what blocks meanwhile, and says what is worth a warning.
fn undo_here(record: &HoldingRecord, options: &ReleaseOptions) -> Result<(bool, Option<String>), CapabilityError> {
    match &record.holding {
        Holding::Mount(mount) => unmount(mount, options.unmount),
        Holding::Loop(device) => Ok((detach(device)?, None)),
        Holding::File(FileHolding { path }) => Ok((kernel::files::remove(path.as_ref())?, None)),
        other => Err(cannot(other)),
    }
}

fn detach(held: &LoopHolding) -> Result<bool, CapabilityError> {
    let backing = (held.backing.device, held.backing.inode);
    let device = match &held.device {
        Some(device) => Some(device.into()),
        None => loopdev::device_of(backing)?,
    };
    let Some(device) = device else { return Ok(false) };
    // Something else may have attached the same file to it since.
    match loopdev::backing_of(&device)? {
        Some(found) if is_attached(held, &found) => Ok(loopdev::detach_this(&device, backing)?),
        _ => Ok(false),
    }
}

/// Undoes what is waited for without blocking.
async fn undo_waiting(
    context: &CallContext,
    record: &HoldingRecord,
    options: &ReleaseOptions,
) -> Result<bool, CapabilityError> {
    match &record.holding {
        Holding::Address(address) => remove_address(context, address, record.stage).await,
        Holding::Route(route) => remove_route(route).await,
        Holding::Link(link) => unplug(context, link).await,
        Holding::ProcessGroup(group) => {
            let signal = signal_of(&options.signal).ok_or_else(|| {
                CapabilityError::Invalid(format!("{:?} is not a signal that stops a process", options.signal))
            })?;
            let stopped = processes(group).stop(signal, options.grace).await?;
            group.group.iter().for_each(|group| Cgroup::at(group).remove());
            Ok(stopped > 0)
        }
        other => Err(cannot(other)),
    }
}

async fn remove_address(
    context: &CallContext,
    held: &AddressHolding,
    stage: HoldingStage,
) -> Result<bool, CapabilityError> {
    let Some(netlink) = netlink_of(held.netns.as_ref())? else { return Ok(false) };
    // By its number: the link may have another name by now, and its name may be that of another.
    let Some(link) = netlink.link_at(held.index).await? else { return Ok(false) };
    let cidr = network_of(&held.cidr)?;
    let _lock = TermLock::take(context).await;
    let there = netlink.addresses(&link).await?.into_iter().find(|there| there.cidr == cidr);
    match there.map(|there| held.is_made_by(stage, there.maker)) {
        None | Some(Some(false)) => return Ok(false),
        Some(None) => return Err(CapabilityError::Other(unknown_maker(held))),
        Some(Some(true)) => {}
    }
    let removal = netlink.remove_address(&link, cidr).await?;
    tell_of_others(context, &link.name, &removal);
    Ok(removal.removed)
}

async fn remove_route(held: &RouteHolding) -> Result<bool, CapabilityError> {
    let Some(netlink) = netlink_of(held.netns.as_ref())? else { return Ok(false) };
    let gateway = held.gateway.as_deref().map(ip).transpose()?;
    let mut route = KernelRoute::new(network_of(&held.destination)?, gateway, held.dev.clone());
    route.index = held.index;
    route.origin.protocol = held.protocol.unwrap_or(route.origin.protocol);
    route.origin.metric = held.metric.unwrap_or(route.origin.metric);
    Ok(netlink.remove_route(&route).await?)
}

async fn unplug(context: &CallContext, held: &LinkHolding) -> Result<bool, CapabilityError> {
    let within = namespace(&held.netns)?;
    let plug = LinkPlug { mode: plug_mode(&held.mode)?, dev: &held.dev, mark: &mark(context) };
    Ok(plug.take_out(&Netlink::open()?, within.as_ref()).await?)
}

/// Stops the container by its engine, whose socket may be another than the keywords say by now, and removes it if that is asked for.
/// Returns whether that changed something, and whether the container exists.
async fn stop_container(held: &ContainerHolding, options: &ReleaseOptions) -> Result<(bool, bool), CapabilityError> {
    let Some(id) = &held.id else { return Ok((false, false)) };
    let grace = options.grace;
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    let stop = format!("/containers/{id}/stop?t={seconds}");
    // The engine kills it after the grace, and then has some time to say so.
    // 404 is a container that is gone, 304 one that was stopped already (ContainerStop of the Docker Engine API).
    let stopped = match asked(held, hyper::Method::POST, &stop, grace + ANSWER).await? {
        404 => return Ok((false, false)),
        status => status != 304,
    };
    if !options.remove {
        return Ok((stopped, true));
    }
    // With its anonymous volumes, which nothing else refers to.
    let removal = format!("/containers/{id}?force=true&v=true");
    asked(held, hyper::Method::DELETE, &removal, ANSWER).await?;
    Ok((true, false))
}

/// How long an engine may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The status of the engine's answer to a request about the container: success, unchanged, or not there.
async fn asked(
    held: &ContainerHolding,
    method: hyper::Method,
    path: &str,
    patience: Duration,
) -> Result<u16, CapabilityError> {
    let path = crate::http::engine_path(held.engine.as_ref(), path, tokio::time::Instant::now() + ANSWER).await?;
    let deadline = tokio::time::Instant::now() + patience;
    let answer = crate::http::ask(held.engine.as_ref(), method.clone(), &path, deadline).await?;
    match answer.status {
        status @ (200..300 | 304 | 404) => Ok(status),
        status => {
            let doing = if method == hyper::Method::DELETE { "removal" } else { "stop" };
            Err(CapabilityError::Other(format!(
                "the engine at {} answers {status} to a {doing} of {held}",
                held.engine
            )))
        }
    }
}

fn cannot(held: &Holding) -> CapabilityError {
    CapabilityError::Invalid(format!("{held} is undone by its driver, which then withdraws it or removes it"))
}
