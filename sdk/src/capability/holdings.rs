//! What calls of this resource's driver made on this node, and nothing has undone yet. Always allowed; [`list`] also in `status` and
//! `validate`.
//!
//! The host records mounts, loop devices, addresses, routes, links and process groups by itself. So a stop need not guess from the
//! keywords what to undo, as they may have changed since the start:
//!
//! ```no_run
//! # use hostler_sdk::{holdings, Outcome, Result};
//! # fn stop() -> Result<Outcome> {
//! for held in holdings::present("mount")?.iter().rev() {
//!     holdings::release(held, holdings::Force::None)?;
//! }
//! # Ok(Outcome::changed("unmounted"))
//! # }
//! ```
//!
//! A thing of which only the driver knows, such as a ticket of a remote service, is declared, with what must be remembered to give
//! it back:
//!
//! ```no_run
//! # use hostler_sdk::{holdings, state::StateScope, Result};
//! # fn taken(ticket: &str) -> Result<()> {
//! holdings::declare(StateScope::Persistent, "ticket", ticket, "a licence of example.net", &[("ticket", ticket)])?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use super::state::StateScope;
use super::{CapabilityResult, host, milliseconds};
use crate::bindings::hostler::driver::holdings::Holding as WireHolding;
use crate::bindings::hostler::driver::types::Kv;

/// The kind of a device that the driver's programs make, and that the host looks for by itself: its id is that of
/// [`block::identity_of`](super::block::identity_of).
pub const DEVICE: &str = "device";

/// A thing that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// `mount`, `loop`, `address`, `route`, `link`, `process-group`, `container`, `file`, or what [`declare`] was given.
    pub kind: String,
    /// Opaque, or what [`declare`] was given.
    pub id: String,
    /// A few words for people: `ext4 of /dev/loop3 on /srv/web`.
    pub label: String,
    /// Whether it is there now: the thing itself, wherever it is by now. True if it could not be looked at.
    pub present: bool,
    attributes: Vec<(String, String)>,
}

impl Holding {
    /// What identifies it, by the names that `wit/holdings.wit` lists: `target` of a mount, `device` of a loop.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of an attribute that may be there several times, such as `device` of a group of volumes.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What [`attribute`](Self::attribute) says, or an empty text.
    pub fn text(&self, name: &str) -> &str {
        self.attribute(name).unwrap_or_default()
    }

    fn of(wire: WireHolding) -> Holding {
        let WireHolding { kind, id, label, attributes, present } = wire;
        let attributes = attributes.into_iter().map(|attribute| (attribute.key, attribute.value)).collect();
        Holding { kind, id, label, present, attributes }
    }
}

/// How far [`release`] may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// What is in use stays, and is EBUSY.
    None,
    /// A mount: what a dead server was asked is given up (MNT_FORCE).
    Abort,
    /// A mount: also taken out of the tree although it is in use (MNT_DETACH). The stop is then not proven.
    Detach,
    /// A process group or a container: how long it may take after TERM, before KILL.
    Grace(Duration),
    /// A container: the same, and then it is removed.
    Remove(Duration),
}

/// What the resource holds, in the order in which it was made.
pub fn list() -> CapabilityResult<Vec<Holding>> {
    Ok(host::holdings::list()?.into_iter().map(Holding::of).collect())
}

/// What it holds of one kind and what is there now, in the order in which it was made.
pub fn present(kind: &str) -> CapabilityResult<Vec<Holding>> {
    Ok(list()?.into_iter().filter(|held| held.kind == kind && held.present).collect())
}

/// Undoes that very thing, wherever it is by now, without a grant. False if it was gone already. EBUSY if it is in use. A declared
/// [`DEVICE`] needs the grant `block.undo`; nothing else that was declared can be released.
pub fn release(held: &Holding, force: Force) -> CapabilityResult<bool> {
    let option = |key: &str, value: String| Kv { key: key.to_owned(), value };
    let options = match force {
        Force::None => Vec::new(),
        Force::Abort => vec![option("abort", "true".to_owned())],
        // Both: MNT_DETACH unmounts at once what is not in use, and without MNT_FORCE that would wait for a dead server,
        // see umount(2).
        Force::Detach => vec![option("abort", "true".to_owned()), option("detach", "true".to_owned())],
        Force::Grace(grace) => vec![option("grace-ms", milliseconds(grace).to_string())],
        Force::Remove(grace) => {
            vec![option("grace-ms", milliseconds(grace).to_string()), option("remove", "true".to_owned())]
        }
    };
    Ok(host::holdings::release(&held.id, &options)?)
}

/// Declares a holding that only the driver knows, and sets the values of `memory` in the [`state`](super::state) in the same write.
/// It is gone when it is withdrawn, or when `status` reports down after a stop.
pub fn declare(scope: StateScope, kind: &str, id: &str, label: &str, memory: &[(&str, &str)]) -> CapabilityResult<()> {
    let memory: Vec<Kv> =
        memory.iter().map(|(key, value)| Kv { key: (*key).to_owned(), value: (*value).to_owned() }).collect();
    Ok(host::holdings::declare(scope.as_str(), kind, id, label, &memory)?)
}

/// Takes a declared holding back, because it was given back. False if it was not declared.
pub fn withdraw(kind: &str, id: &str) -> CapabilityResult<bool> {
    Ok(host::holdings::withdraw(kind, id)?)
}

/// Makes a stranger the resource's own, if the operator passed `--adopt` and the grants allow to make that thing. `id` is the mount
/// point of a `mount`, the device of a `loop`, `CIDR@DEV` of an `address`, `DESTINATION@DEV` or `DESTINATION@GATEWAY` of a `route`.
pub fn adopt(kind: &str, id: &str) -> CapabilityResult<Holding> {
    Ok(Holding::of(host::holdings::adopt(kind, id)?))
}
