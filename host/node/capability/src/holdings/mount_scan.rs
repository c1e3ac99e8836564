//! The search for mounts that are held: in every mount namespace, and in what the kernel uses without any table showing it.

use std::collections::BTreeSet;

use holding::{Holding, HoldingRecord, HoldingStage, MountHolding, MountSight};
use kernel::block;
use kernel::mount::namespaces::{MountWitness, NamespacedMount, find_everywhere, user_of};
use kernel::mount::{MountSignature, is_btrfs_in_use};

use super::mount_sight::{sees_signed, shows_renamed, signature_of, was_used_again};
use super::others::NodeRecord;
use super::proof::ProofVerdict;

/// Every mount of the node that could be one of those that are held.
pub(super) struct MountScan(Result<Vec<NamespacedMount>, String>);

impl MountScan {
    pub(super) fn of<'r>(records: impl IntoIterator<Item = &'r HoldingRecord>) -> MountScan {
        let mounts: Vec<&MountHolding> = records.into_iter().filter_map(mount_of).collect();
        if mounts.is_empty() {
            return MountScan(Ok(Vec::new()));
        }
        let made = || mounts.iter().filter_map(|mount| mount.made.as_ref());
        let prepared = mounts.iter().filter_map(|mount| mount.prepared.as_ref());
        let ids: BTreeSet<u64> = made().map(|made| made.id).chain(prepared.map(|prepared| prepared.id)).collect();
        let devices: BTreeSet<(u32, u32)> = made().map(|made| made.device).collect();
        let wanted = |id, device| ids.contains(&id) || devices.contains(&device);
        MountScan(find_everywhere(wanted).map_err(|error| error.to_string()))
    }

    /// Whether a table shows the mount, or another mount that keeps its file system in use.
    pub(super) fn verdict(
        &self,
        held: &MountHolding,
        record: &HoldingRecord,
        object: &str,
        others: &impl Fn() -> Vec<NodeRecord>,
    ) -> ProofVerdict {
        let found = match &self.0 {
            Ok(found) => found,
            Err(why) => return ProofVerdict::NotProven(why.clone()),
        };
        let is_another_file = was_used_again(held);
        let (mut known, mut shared) = (None, None);
        let mut user = |seen: MountSight<'_>| {
            let known = known.get_or_insert_with(others);
            let explains = |other: &&NodeRecord| self.explains(&other.record, record, held, seen);
            // One of the same object first: that of another is in the way of a stop.
            let own = known.iter().filter(|other| other.object == object).find(explains);
            own.or_else(|| known.iter().find(explains)).map(NodeRecord::owner)
        };
        // A device is this object's alone: another node may mount it once this one says that the object is down.
        let is_exclusive = held.owns_filesystem() && held.made.as_ref().is_some_and(|made| made.claimed().is_some());
        for listed @ NamespacedMount { mount, seen_by } in found {
            // Only of one with the same number: almost every line is another resource's.
            let same = held.may_be(mount.id, mount.device);
            let signature = same.then(|| seen_signature(listed));
            let signature = signature.unwrap_or_default();
            let made =
                held.made.as_ref().filter(|made| same && *seen_by == MountWitness::Caller && made.id == mount.id);
            let renamed = made.is_some_and(|made| shows_renamed(held, made, mount, &signature));
            let this = renamed || sees_signed(mount, &signature, |sight| held.is(sight));
            if this {
                return ProofVerdict::Still(shown(listed));
            }
            if is_another_file || !sees_signed(mount, &signature, |sight| held.is_used_by(sight)) {
                continue;
            }
            match sees_signed(mount, &signature, &mut user) {
                None => return ProofVerdict::Still(shown(listed)),
                Some(user) if is_exclusive && user.object != object => {
                    return ProofVerdict::Still(format!("{}, by {user}", shown(listed)));
                }
                Some(user) => shared = Some(user).filter(|_| is_exclusive),
            }
        }
        shared.map_or(ProofVerdict::Gone, ProofVerdict::Shared)
    }

    /// Whether the mount that is seen is another resource's: two may mount the same file system. A record whose mount is long gone
    /// explains nothing.
    fn explains(
        &self,
        other: &HoldingRecord,
        record: &HoldingRecord,
        held: &MountHolding,
        seen: MountSight<'_>,
    ) -> bool {
        let Holding::Mount(mount) = &other.holding else { return false };
        if other.holding.is_same(&record.holding) {
            return false;
        }
        // A copy of the other's mount in another namespace, recognised by the directory that it shows.
        let made = mount.made.as_ref().filter(|made| made.device == seen.device);
        let is_copy = made.is_some_and(|made| made.root == seen.root)
            && held.made.as_ref().is_some_and(|held| held.root != seen.root);
        // The same was mounted anew on the same place since: the stop of that one looks for all that uses it.
        let is_anew = made.is_some() && (&mount.target, &mount.source) == (&held.target, &held.source);
        mount.is(seen)
            || is_copy && (other.stage == HoldingStage::Left || self.shows(mount))
            || is_anew && self.shows(mount)
    }

    fn shows(&self, mount: &MountHolding) -> bool {
        let found = self.0.as_deref().unwrap_or_default().iter();
        let mut found = found.filter(|seen| mount.made.as_ref().is_some_and(|made| made.id == seen.mount.id));
        found.any(|listed| sees_signed(&listed.mount, &seen_signature(listed), |sight| mount.is(sight)))
    }

    /// What uses a file system that no table shows: it is in a namespace that only an open file keeps, or it was unmounted lazily. None if
    /// nothing does, or if that is the resource's own no more.
    pub(super) fn unseen_use(&self, held: &MountHolding, record: &HoldingRecord) -> Result<Option<String>, String> {
        let Some(made) = held.made.as_ref().filter(|_| held.owns_filesystem() && !was_used_again(held)) else {
            return Ok(None);
        };
        let found = self.0.as_deref().unwrap_or_default();
        // Its mounts are all another resource's, as each was looked at before.
        if found.iter().any(|seen| seen.mount.device == made.device) {
            return Ok(None);
        }
        match made.claimed() {
            // By what it is: it may have other devices than when it was mounted.
            _ if held.fstype == "btrfs" && made.superblock.is_some() => {
                let is_in_use = made.superblock.as_deref().is_some_and(is_btrfs_in_use);
                Ok(is_in_use.then(|| format!("the kernel still uses {}, by a mount that no process sees", held.source)))
            }
            Some(device) => Ok(block::is_claimed(device).then(|| {
                let place = "by a mount that no process sees, or by another device on top of it";
                format!("the kernel still uses {}, {place}", held.source)
            })),
            // The kernel has unmounted it for this resource, and would have refused while a program used it.
            None if record.stage == HoldingStage::Undone => Ok(None),
            // The number is another mount's by now.
            None if found.iter().any(|seen| seen.mount.id == made.id) => Ok(None),
            None if MountHolding::may_hang(&held.fstype) => Ok(None),
            None => {
                let user = user_of(made.id, made.unique, made.device).map_err(|error| error.to_string())?;
                Ok(user.map(|user| format!("used by {} (pid {}) after a lazy unmount", user.command, user.pid)))
            }
        }
    }
}

fn mount_of(record: &HoldingRecord) -> Option<&MountHolding> {
    match &record.holding {
        Holding::Mount(mount) => Some(mount),
        _ => None,
    }
}

/// Beyond its line, as far as there is a process by which to look: a namespace that only a file keeps is not entered for it.
fn seen_signature(NamespacedMount { mount, seen_by }: &NamespacedMount) -> MountSignature {
    match seen_by {
        MountWitness::File(_) => MountSignature::default(),
        seen_by => signature_of(mount, seen_by.pid()),
    }
}

fn shown(NamespacedMount { mount, seen_by }: &NamespacedMount) -> String {
    format!("mounted on {}{seen_by}", mount.target.display())
}
