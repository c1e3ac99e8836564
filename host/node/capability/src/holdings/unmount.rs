//! Unmounts what is held, also where something hangs: a server that does not answer, a file system that is frozen.

use std::io;
use std::time::Duration;

use driver::LogSeverity;
use holding::MountHolding;
use kernel::mount::mountinfo::{self, MountInfo};
use kernel::mount::{self as mounts, UnmountForce};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::mount_sight::{made_identity, signature_of, this_mount};
use crate::{CallContext, CapabilityError};

/// The pause between two looks at the mount table.
const PAUSE: Duration = Duration::from_millis(50);

/// How long calls that hung in the file system may take to return once it is gone.
const RETURN: Duration = Duration::from_secs(5);

/// The same with what identifies it, of a mount that was only intended and is there: its copies are looked for by that. None if nothing is
/// to be learned.
pub(super) fn identified(held: &MountHolding) -> Option<MountHolding> {
    if held.made.is_some() {
        return None;
    }
    let listed = mountinfo::read().ok()?;
    let found = this_mount(held, &listed)?;
    let target = found.target.to_string_lossy().into_owned();
    let made = Some(made_identity(found, &signature_of(found, None)));
    Some(MountHolding { target, prepared: None, made, ..held.clone() })
}

/// Unmounts what is held, and says if it had to be thawed before. False if it was gone already.
pub(super) fn unmount(held: &MountHolding, force: UnmountForce) -> Result<(bool, Option<String>), CapabilityError> {
    let listed = mountinfo::read()?;
    let Some(found) = this_mount(held, &listed) else { return Ok((false, None)) };
    let thawed = thaw(held, found);
    Ok((mounts::unmount_this(found.id, found.device, force)?, thawed))
}

/// Thaws the file system if somebody has frozen it, see fsfreeze(8): the kernel would unmount it and keep its device for good.
fn thaw(held: &MountHolding, found: &MountInfo) -> Option<String> {
    // Only one of a device: to open a directory of a server may take for ever.
    let is_on_device = held.owns_filesystem() && found.device.0 != 0;
    let thawed = is_on_device && mounts::thaw(&found.target).unwrap_or(false);
    let incomplete = "what froze it, such as a backup, is not complete";
    thawed.then(|| format!("thawed {}, which was frozen: {incomplete}", found.target.display()))
}

/// The same as [`unmount`], on a thread of its own that nobody waits for longer than until the mount is gone: the kernel takes it out
/// of the tree first, and then says good-bye to a server that does not answer.
pub(super) async fn unmount_aside(
    context: &CallContext,
    held: &MountHolding,
    force: UnmountForce,
) -> Result<bool, CapabilityError> {
    let (answer, mut answered) = oneshot::channel();
    let own = held.clone();
    let call = move || drop(answer.send(unmount(&own, force)));
    let spawned = std::thread::Builder::new().name("unmount".to_owned()).spawn(call);
    spawned.map_err(|error| CapabilityError::io("cannot start a thread", &error))?;
    loop {
        tokio::select! {
            // The answer first: unlike the mount table, it tells what went wrong.
            biased;
            unmounted = &mut answered => {
                let crashed = |_| CapabilityError::io("unmount", &io::Error::other("the call crashed"));
                return unmounted.map_err(crashed)?.map(|(undone, _)| undone);
            }
            () = sleep(PAUSE) => {
                if this_mount(held, &mountinfo::read()?).is_none() {
                    let text = format!("{} is unmounted; the kernel still waits for the server", held.target);
                    context.say(LogSeverity::Info, &text);
                    return Ok(true);
                }
            }
        }
    }
}

/// Whether a call for the resource hangs in the kernel.
pub(super) fn is_stuck(context: &CallContext) -> bool {
    let subject = context.subject();
    context.services().queues.stuck(&subject.object, &subject.rid).is_some()
}

/// Waits for calls that hung in what is gone now: until they return, nothing else can be asked about the resource.
pub(super) async fn settle(context: &CallContext) {
    let until = Instant::now() + RETURN.min(context.remaining());
    while Instant::now() < until && is_stuck(context) {
        sleep(PAUSE).await;
    }
}
