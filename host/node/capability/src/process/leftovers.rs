//! What commands leave running that should not leave anything: those of tasks, and triggers. Their resource holds it, and a stop ends it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use holding::{Holding, ProcessHolding};
use kernel::cgroup::Cgroup;
use kernel::process::{MemberProcess, ResourceProcesses, look};
use model::{ObjectPath, Rid};

use super::supervision::{Neighbour, neighbour_group};
use crate::CapabilityError;
use crate::holdings::{HoldingNote, Ledger, ResourceLedger, processes};

/// How often, and with which pause, it is looked whether what was killed is gone.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// The variable by which what a trigger leaves running is found where there are no control groups.
const MARK: &str = "HOSTLER_TRIGGER_OF";

/// What runs of these processes. What was just killed needs a moment to end.
pub(super) async fn what_is_left(of: &ResourceProcesses, was_killed: bool) -> Vec<MemberProcess> {
    let mut left = alive(of);
    for _ in 0..LOOKS {
        if !was_killed || left.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        left = alive(of);
    }
    left
}

/// Without those that have exited and are only waited for.
fn alive(of: &ResourceProcesses) -> Vec<MemberProcess> {
    let listed = of.list().unwrap_or_default().into_iter();
    listed.filter(|member| look(member.pid.as_raw_nonzero().get().unsigned_abs()).is_some()).collect()
}

/// The words for what is left.
pub(super) fn told(left: &[MemberProcess]) -> String {
    let Some(first) = left.first() else { return String::new() };
    let what = format!("{} (process {})", first.argv.join(" "), first.pid.as_raw_nonzero());
    let others = if left.len() == 1 { String::new() } else { format!(" and {} more", left.len() - 1) };
    format!("left running: {what}{others}; a stop of the instance ends it")
}

/// Takes note of what a trigger leaves running: its driver did not start it, and the resource holds it all the same.
#[derive(Debug)]
pub struct TriggerLeftovers {
    held: ProcessHolding,
    /// Those of earlier triggers, which are known.
    before: Vec<MemberProcess>,
    /// None if something of this kind is held already.
    note: Option<HoldingNote>,
}

impl TriggerLeftovers {
    /// Records, before the trigger is run, that it may leave something. `statedir` tells the resources of two agents apart. An error
    /// means that the trigger must not run.
    pub fn before(
        ledger: Arc<Ledger>,
        slice: Option<&Path>,
        (object, rid): (&ObjectPath, &Rid),
        statedir: &Path,
    ) -> Result<TriggerLeftovers, CapabilityError> {
        let marks = [("HOSTLER_ID", object.to_string()), ("HOSTLER_RID", rid.to_string()), mark(statedir)];
        let group = slice.map(|slice| neighbour_group(slice, object, Neighbour::TriggersOf(rid)));
        let held = ProcessHolding {
            group: group.map(|group| group.to_string_lossy().into_owned()),
            marks: marks.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            first: None,
            of_trigger: true,
        };
        let note = ResourceLedger { ledger, rid: rid.to_string() }.intend_once(Holding::from(held.clone()))?;
        // Without a note, something of this kind was held before: what runs already is then not
        // this trigger's, and was reported.
        let before = if note.is_some() { Vec::new() } else { alive(&processes(&held)) };
        Ok(TriggerLeftovers { held, before, note })
    }

    /// The control group in which the trigger must run.
    pub fn group(&self) -> Option<Cgroup> {
        self.held.group.as_ref().map(Cgroup::at)
    }

    /// The variable that the trigger must have besides.
    pub fn variable(&self) -> Option<(String, String)> {
        self.held.marks.iter().find(|(name, _)| name == MARK).cloned()
    }

    /// Records what the trigger has left, once it is over, and puts it into words. None if that is nothing.
    pub async fn after(self, was_killed: bool) -> Option<String> {
        let TriggerLeftovers { held, before, note } = self;
        let left = what_is_left(&processes(&held), was_killed).await;
        match note {
            Some(note) if left.is_empty() => note.nothing(),
            Some(note) => note.held(held.clone()),
            None => {}
        }
        // After the note: as long as it says that something may be left, the group must be there to be looked into.
        if let Some(group) = held.group.as_ref().filter(|_| left.is_empty()) {
            Cgroup::at(group).remove();
        }
        let new: Vec<MemberProcess> =
            left.into_iter().filter(|member| !before.iter().any(|known| known.pid == member.pid)).collect();
        (!new.is_empty()).then(|| told(&new))
    }
}

fn mark(statedir: &Path) -> (&'static str, String) {
    (MARK, statedir.display().to_string())
}
