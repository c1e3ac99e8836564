//! What runs has a slot, and what does not run and is not to run gives its slot up: another node may want it.

use crate::case::InstanceCase;
use crate::placement::{SlotAccess, acquire_slot};
use crate::{LocalExpect, SlotStanding, SlotStep, Step};

use super::MatterReport;

/// A slot that was only read is asserted again, and what runs without one takes one if it can. This protects what runs, and is
/// no action: a freeze does not forbid it.
pub(crate) fn decide_slot(here: &InstanceCase<'_>) -> MatterReport {
    let runs = here.own.fresh_status().is_some_and(|status| !status.is_down());
    // Down for the moment, and to be restarted: without its slot the restart would wait, and `decide_release`
    // would give it up.
    let expected = here.own.record.local_expect == LocalExpect::Started && is_unconfirmed(here);
    if !runs && !expected {
        return MatterReport::pass();
    }
    match acquire_slot(&here.case, 0) {
        SlotAccess::Open(_) => MatterReport::pass(),
        SlotAccess::After(step) => MatterReport::step(step),
        SlotAccess::Closed(reason) => MatterReport::note(reason),
    }
}

fn is_unconfirmed(here: &InstanceCase<'_>) -> bool {
    let nodes = here.case.view.nodes();
    let mut standings = here.case.object.slots.iter().map(|slot| slot.standing(here.case.me, nodes));
    standings.any(|standing| matches!(standing, SlotStanding::Unconfirmed(_)))
}

/// Whether the instance has what a start needs: its slot, if the object has any.
pub(super) fn has_slot(here: &InstanceCase<'_>) -> bool {
    matches!(acquire_slot(&here.case, 0), SlotAccess::Open(_))
}

/// Asked last, with what the matters before it said.
pub(crate) fn decide_release(here: &InstanceCase<'_>, report: &MatterReport) -> MatterReport {
    let busy = !report.steps.is_empty() || report.keeps_slot;
    let down = here.own.fresh_status().is_some_and(|status| status.is_down());
    if busy || !down {
        return MatterReport::pass();
    }
    let case = &here.case;
    let own = case.object.slots.iter().find_map(|slot| match slot.standing(case.me, case.view.nodes()) {
        // One that was only read as well: nothing runs here that it could be for.
        SlotStanding::Own(token) | SlotStanding::Unconfirmed(token) => Some((slot.index, token)),
        _ => None,
    });
    match own {
        Some((index, token)) => MatterReport::step(Step::Slot(SlotStep::Release { index, token })),
        None => MatterReport::pass(),
    }
}
