//! A migration: what moves, what can stay behind, and what keeps the instance where it is.

use model::status::State;

use super::select::{Direction, Position};
use crate::{Action, KeptReason, PlanError, PlanRequest, ResourceFacts, StayReason, StepReason};

/// Why a resource need not move, if so.
pub(crate) fn stay_reason(resource: &ResourceFacts) -> Option<StayReason> {
    if resource.standby {
        Some(StayReason::Standby)
    } else if resource.migrates {
        None
    } else if is_off(resource.state) {
        Some(StayReason::NotUp)
    } else if resource.shared {
        Some(StayReason::Shared)
    } else {
        None
    }
}

/// Refuses to move anything away from what is up, cannot move and may not stay.
pub(crate) fn refuse_what_is_kept_here(
    request: &PlanRequest,
    resources: &[ResourceFacts],
    members: &[(Position<'_>, usize)],
) -> Result<(), PlanError> {
    if request.action != Action::Migrate {
        return Ok(());
    }
    let to = request.destination.as_ref().ok_or(PlanError::NoDestination)?;
    let kept = members.iter().filter_map(|(_, place)| {
        let resource = &resources[*place];
        let (state, node) = (resource.state, to.clone());
        // No action stops a disabled resource or one inside a container, so they hold nothing back.
        let acts = !resource.disable && !resource.encap && !is_off(state);
        let reason = if !acts || stay_reason(resource).is_some() {
            return None;
        } else if !resource.migrates {
            KeptReason::NoMigration { state, driver: resource.driver.clone() }
        } else if resource.disabled_on.contains(to) {
            KeptReason::DisabledThere { state, node }
        } else {
            return None;
        };
        Some((resource.rid.clone(), reason))
    });
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() { Ok(()) } else { Err(PlanError::KeptHere(kept)) }
}

/// Whether the resource takes part in a phase. The second phase stops what both nodes have, where it is still up here.
pub(crate) fn takes_part(action: Action, direction: Direction, resource: &ResourceFacts) -> bool {
    let is_left = || resource.shared && !resource.migrates && !resource.standby && !is_off(resource.state);
    (action, direction) != (Action::Migrate, Direction::Down) || (is_left() && !resource.disable && !resource.encap)
}

pub(crate) fn reason(request: &PlanRequest, direction: Direction, state: State) -> StepReason {
    match direction {
        _ if is_off(state) => StepReason::AsWanted(state),
        Direction::Up => StepReason::Move { state, to: request.destination.clone() },
        Direction::Down => StepReason::AfterMove(state),
    }
}

/// Whether it is off for certain: a resource whose state is unknown may be up.
fn is_off(state: State) -> bool {
    matches!(state, State::Down | State::StdbyDown | State::Na)
}
