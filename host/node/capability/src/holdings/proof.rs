//! The proof of a stop: the host's own look whether each holding is gone, by the thing and not by its path.
//!
//! It looks further than a driver does: into every mount namespace, and at the device itself. All resources that a stop handled are
//! looked for together, with one scan of the mount tables.

use std::collections::BTreeSet;
use std::time::Duration;

use holding::{Holding, HoldingRecord, MountHolding, MountSight};
use kernel::block;
use kernel::mount::namespaces::{NamespacedMount, find_everywhere};

use super::look::{HoldingPresence, look, processes, sees, sees_signed, shows_renamed, signature_of, was_used_again};

/// How often, and with which pause, it is looked whether the kernel lets go of a device.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// What the host found out about one holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingProof {
    pub record: HoldingRecord,
    pub verdict: ProofVerdict,
}

/// Whether a holding is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofVerdict {
    Gone,
    /// It is there: where, or what holds it.
    Still(String),
    /// It could not be looked at, for this reason. So it is not known to be gone.
    NotProven(String),
}

/// Looks for what these resources hold. `others` are all other holdings of the node, asked for only where a mount could be
/// another resource's.
pub async fn prove(records: Vec<HoldingRecord>, others: impl Fn() -> Vec<HoldingRecord>) -> Vec<HoldingProof> {
    let mounts = MountScan::of(&records);
    // Mounts are looked for in the scan, and the rest by their own kind of look.
    let is_mount = |record: &HoldingRecord| matches!(record.holding, Holding::Mount(_));
    let rest: Vec<HoldingRecord> = records.iter().filter(|record| !is_mount(record)).cloned().collect();
    let mut rest =
        rest.iter().zip(look(&rest).await).map(|(record, seen)| verdict_of(record, seen)).collect::<Vec<_>>();
    let mut rest = rest.drain(..);
    let mut proofs = Vec::with_capacity(records.len());
    for record in records {
        let verdict = match &record.holding {
            Holding::Mount(mount) => match mounts.verdict(mount, &record, &others) {
                ProofVerdict::Gone => claim(mount, &others).await,
                still => still,
            },
            _ => rest.next().unwrap_or(ProofVerdict::NotProven("it was not looked at".to_owned())),
        };
        proofs.push(HoldingProof { record, verdict });
    }
    proofs
}

/// Every mount of the node that could be one of those that are held.
struct MountScan(Result<Vec<NamespacedMount>, String>);

impl MountScan {
    fn of(records: &[HoldingRecord]) -> MountScan {
        let mounts = || {
            records.iter().filter_map(|record| match &record.holding {
                Holding::Mount(mount) => Some(mount),
                _ => None,
            })
        };
        if mounts().next().is_none() {
            return MountScan(Ok(Vec::new()));
        }
        // Of a mount that was only intended, no number is known: then each line is a candidate.
        let any = mounts().any(|mount| mount.made.is_none());
        let made = || mounts().filter_map(|mount| mount.made.as_ref());
        let ids: BTreeSet<u64> = made().map(|made| made.id).collect();
        let devices: BTreeSet<(u32, u32)> = made().map(|made| made.device).collect();
        let wanted = |id, device| any || ids.contains(&id) || devices.contains(&device);
        MountScan(find_everywhere(wanted).map_err(|error| error.to_string()))
    }

    fn verdict(
        &self,
        held: &MountHolding,
        record: &HoldingRecord,
        others: &impl Fn() -> Vec<HoldingRecord>,
    ) -> ProofVerdict {
        let found = match &self.0 {
            Ok(found) => found,
            Err(why) => return ProofVerdict::NotProven(why.clone()),
        };
        if was_used_again(held) {
            return ProofVerdict::Gone;
        }
        let mut known = None;
        let mut explained = |seen: MountSight<'_>| {
            let known = known.get_or_insert_with(others);
            known.iter().any(|other| explains(other, record, held, seen))
        };
        for NamespacedMount { mount, process } in found {
            // Only of one with the same number: almost every line is another resource's.
            let same = held.made.as_ref().filter(|made| made.device == mount.device);
            let signature = same.map(|_| signature_of(mount, process.as_ref().map(|process| process.pid)));
            let signature = signature.unwrap_or_default();
            let made = same.filter(|made| process.is_none() && made.id == mount.id);
            let renamed = made.is_some_and(|made| shows_renamed(held, made, mount, &signature));
            let this = renamed || sees_signed(mount, &signature, |sight| held.is(sight));
            let used = || sees_signed(mount, &signature, |sight| held.is_used_by(sight));
            if this || used() && !sees(mount, &mut explained) {
                let place = mount.target.display();
                return ProofVerdict::Still(match process {
                    None => format!("mounted on {place}"),
                    Some(seen) => {
                        format!("mounted on {place} in the mount namespace of {} (pid {})", seen.command, seen.pid)
                    }
                });
            }
        }
        ProofVerdict::Gone
    }
}

/// The device may be in use without any mount that a process sees: in a namespace that only a file keeps, or after a lazy unmount.
/// The kernel lets go of a namespace whose last process has just exited a moment later.
async fn claim(held: &MountHolding, others: impl Fn() -> Vec<HoldingRecord>) -> ProofVerdict {
    let own = held.made.as_ref().filter(|_| held.owns_filesystem() && !was_used_again(held));
    let Some(device) = own.map(|made| made.device).filter(|device| device.0 != 0) else {
        return ProofVerdict::Gone;
    };
    let is_others = |other: &HoldingRecord| match &other.holding {
        // This one is among them.
        Holding::Mount(mount) => mount.made.as_ref().is_some_and(|made| made.device == device) && !mount.is_same(held),
        _ => false,
    };
    for _ in 0..LOOKS {
        if !block::is_claimed(device) || others().iter().any(is_others) {
            return ProofVerdict::Gone;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let place = "by a mount that no process sees, or by another device on top of it";
    ProofVerdict::Still(format!("the kernel still uses {}, {place}", held.source))
}

/// Whether the mount that is seen is another resource's: two may mount the same file system.
fn explains(other: &HoldingRecord, record: &HoldingRecord, held: &MountHolding, seen: MountSight<'_>) -> bool {
    let is_other = !other.holding.is_same(&record.holding);
    let Holding::Mount(mount) = &other.holding else { return false };
    let same_place = mount.made.as_ref().zip(held.made.as_ref()).is_some_and(|(other, held)| {
        // A copy of the other's mount in another namespace, recognised by the directory that it shows.
        other.device == seen.device && other.root == seen.root && held.root != seen.root
    });
    is_other && (mount.is(seen) || same_place)
}

fn verdict_of(record: &HoldingRecord, seen: HoldingPresence) -> ProofVerdict {
    match (&record.holding, seen) {
        (_, HoldingPresence::Gone) => ProofVerdict::Gone,
        (_, HoldingPresence::Unknown(why)) => ProofVerdict::NotProven(why),
        (Holding::ProcessGroup(group), HoldingPresence::Present(_)) => {
            let members = processes(group).list().unwrap_or_default().into_iter();
            let members: Vec<String> =
                members.map(|member| format!("{} (pid {})", member.argv.join(" "), member.pid)).collect();
            ProofVerdict::Still(members.join(", "))
        }
        (Holding::Loop(device), HoldingPresence::Present(_)) => {
            let user = device.device.as_deref().and_then(|device| block::user_of(device).ok().flatten());
            ProofVerdict::Still(user.unwrap_or_else(|| "attached".to_owned()))
        }
        // A device: its path, and what keeps it in use.
        (Holding::Declared(_), HoldingPresence::Present(now)) => {
            let paths = now.iter().map(|(_, path)| match block::user_of(path).ok().flatten() {
                Some(user) => format!("{path}: {user}"),
                None => path.clone(),
            });
            ProofVerdict::Still(paths.collect::<Vec<_>>().join(", "))
        }
        (_, HoldingPresence::Present(_) | HoldingPresence::Left) => ProofVerdict::Still("there".to_owned()),
    }
}
