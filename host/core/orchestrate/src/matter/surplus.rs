//! A flex object with more instances than wanted stops those that placement likes least.

use model::object::{OrchestrateMode, Topology};
use model::status::State;

use crate::case::InstanceCase;
use crate::placement::{occupied, ranked};
use crate::{ActionCause, ActionStep, InstanceAction, SlotStanding};

use super::MatterReport;
use super::permit::stop_once;

pub(crate) fn decide_surplus(here: &InstanceCase<'_>) -> MatterReport {
    let case = &here.case;
    let flex = matches!(case.rules.topology, Topology::Flex { .. });
    let up = matches!(here.own.avail(), Some(State::Up | State::Warn));
    if !flex || !up || case.rules.orchestrate != OrchestrateMode::Ha || case.object.open_intent().is_some() {
        return MatterReport::pass();
    }
    let order = ranked(case);
    let mut running = occupied(case);
    // Whoever has no slot goes first: it was started by hand, or its slot was lost.
    running.sort_by_key(|node| (!has_slot(here, node), order.iter().position(|ranked| ranked == node)));
    let place = running.iter().position(|node| *node == case.me);
    if place.is_none_or(|place| place < case.rules.wanted()) {
        return MatterReport::pass();
    }
    stop_once(here, ActionStep::whole(InstanceAction::Stop, ActionCause::Surplus))
}

fn has_slot(here: &InstanceCase<'_>, node: &model::NodeName) -> bool {
    // Slots beyond the target are surplus themselves.
    let wanted = here.case.object.slots.iter().filter(|slot| slot.index < here.case.rules.wanted());
    let held = |standing| !matches!(standing, SlotStanding::Free | SlotStanding::Orphan(_));
    wanted.into_iter().any(|slot| slot.owner == *node && held(slot.standing(here.case.me, here.case.view.nodes())))
}
