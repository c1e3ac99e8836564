//! The proof of a stop: the host's own look whether each holding is gone, by the thing and not by its path.
//!
//! It looks further than a driver does: into every mount namespace, and at the device itself. All resources that a stop handled are
//! looked for together, with one scan of the mount tables.

use std::time::Duration;

use holding::{Holding, HoldingRecord, MountHolding};
use kernel::block;

use super::look::{HoldingPresence, look, processes};
use super::mount_scan::MountScan;
use super::others::{HoldingOwner, NodeRecord};

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
    /// It is gone itself, and this other resource of the same object still uses its file system.
    Shared(HoldingOwner),
    /// It is there: where, or what holds it.
    Still(String),
    /// It could not be looked at, for this reason. So it is not known to be gone.
    NotProven(String),
}

/// Looks for what these resources of one object hold. `others` are all holdings of the node, asked for only where a mount could be
/// another resource's.
pub async fn prove(
    object: &str,
    records: Vec<HoldingRecord>,
    others: impl Fn() -> Vec<NodeRecord>,
) -> Vec<HoldingProof> {
    let (mounts, found) = scan(object, &records, &others).await;
    // Mounts are looked for in the scan, and the rest by their own kind of look.
    let is_mount = |record: &HoldingRecord| matches!(record.holding, Holding::Mount(_));
    let rest: Vec<HoldingRecord> = records.iter().filter(|record| !is_mount(record)).cloned().collect();
    let seen = look(object, &rest, Vec::new).await;
    let mut rest = rest.iter().zip(seen).map(|(record, seen)| verdict_of(record, seen));
    let mut proofs = Vec::with_capacity(records.len());
    for (record, found) in records.into_iter().zip(found) {
        let verdict = match (&record.holding, found) {
            (Holding::Mount(mount), Some(ProofVerdict::Gone)) => unseen(&mounts, mount, &record).await,
            (_, Some(still)) => still,
            // In the order of `records`, from which the mounts are left out.
            (_, None) => rest.next().unwrap_or(ProofVerdict::NotProven("it was not looked at".to_owned())),
        };
        proofs.push(HoldingProof { record, verdict });
    }
    proofs
}

/// Looks for the mounts among the records; None is for the rest. What may be about another mount is looked at again after a moment.
async fn scan(
    object: &str,
    records: &[HoldingRecord],
    others: &impl Fn() -> Vec<NodeRecord>,
) -> (MountScan, Vec<Option<ProofVerdict>>) {
    let mut looks = LOOKS;
    loop {
        let mounts = MountScan::of(records);
        let verdict = |record: &HoldingRecord| match &record.holding {
            Holding::Mount(mount) => Some(mounts.verdict(mount, record, object, others)),
            _ => None,
        };
        let verdicts: Vec<Option<ProofVerdict>> = records.iter().map(verdict).collect();
        looks -= 1;
        let is_doubtful = records.iter().zip(&verdicts).any(|(record, found)| may_be_another(record, found.as_ref()));
        if looks == 0 || !is_doubtful {
            return (mounts, verdicts);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a mount is taken for the one that is held although it may be another that got its number: the kernel gives a number that it
/// has made up to the next file system at once, and a container that is just being made shows its mounts for a moment only.
fn may_be_another(record: &HoldingRecord, verdict: Option<&ProofVerdict>) -> bool {
    let Holding::Mount(held) = &record.holding else { return false };
    let is_made_up = held.made.as_ref().is_some_and(|made| made.device.0 == 0);
    record.is_undone() && is_made_up && matches!(verdict, Some(ProofVerdict::Still(_)))
}

/// The kernel lets go of a namespace whose last process has just exited a moment later.
async fn unseen(mounts: &MountScan, held: &MountHolding, record: &HoldingRecord) -> ProofVerdict {
    let mut seen = mounts.unseen_use(held, record);
    for _ in 1..LOOKS {
        if !matches!(seen, Ok(Some(_))) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        seen = mounts.unseen_use(held, record);
    }
    match seen {
        Ok(None) => ProofVerdict::Gone,
        Ok(Some(how)) => ProofVerdict::Still(how),
        Err(why) => ProofVerdict::NotProven(why),
    }
}

fn verdict_of(record: &HoldingRecord, seen: HoldingPresence) -> ProofVerdict {
    match (&record.holding, seen) {
        (_, HoldingPresence::Gone) => ProofVerdict::Gone,
        (_, HoldingPresence::Shared(owner)) => ProofVerdict::Shared(owner),
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
        (_, HoldingPresence::Left(how)) => ProofVerdict::Still(how),
        (_, HoldingPresence::Present(_)) => ProofVerdict::Still("there".to_owned()),
    }
}
