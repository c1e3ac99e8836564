//! A migration: what moves, what may stay behind, and what keeps the instance where it is.

use model::status::State;

use crate::select::{Slot, Turn};
use crate::{Action, PlanError, Request, Resource};

/// Why a resource need not move, if so.
pub(crate) fn stays(resource: &Resource) -> Option<&'static str> {
    if resource.standby {
        Some("standby, and so up on every node")
    } else if resource.migrates {
        None
    } else if is_off(resource) {
        Some("not up, nothing to move")
    } else if resource.shared {
        Some("shared, and so there too: it is stopped here once all has moved")
    } else {
        None
    }
}

/// Refuses to move anything away from what is up, cannot move and may not stay.
pub(crate) fn refuse_what_is_kept_here(
    request: &Request,
    resources: &[Resource],
    members: &[(Slot<'_>, usize)],
) -> Result<(), PlanError> {
    if request.action != Action::Migrate {
        return Ok(());
    }
    let to = request.destination.as_ref().ok_or(PlanError::NoDestination)?;
    let kept = members.iter().filter_map(|(_, place)| {
        let resource = &resources[*place];
        let acts = !resource.disable && !resource.encap && !is_off(resource);
        let why = if !acts || stays(resource).is_some() {
            return None;
        } else if !resource.migrates {
            format!("{}, and {} does not migrate", resource.state, resource.driver)
        } else if resource.disabled_on.contains(to) {
            format!("{}, and disabled on {to}", resource.state)
        } else {
            return None;
        };
        Some((resource.rid.clone(), why))
    });
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() { Ok(()) } else { Err(PlanError::KeptHere(kept)) }
}

/// Whether the resource takes part in a phase: the second one is about what is left here of what both nodes have.
pub(crate) fn takes_part(action: Action, turn: Turn, resource: &Resource) -> bool {
    let is_left = || resource.shared && !resource.migrates && !resource.standby && !is_off(resource);
    (action, turn) != (Action::Migrate, Turn::Down) || (is_left() && !resource.disable && !resource.encap)
}

pub(crate) fn reason(request: &Request, turn: Turn, state: State) -> String {
    match (state, turn) {
        (State::Down | State::StdbyDown | State::Na, _) => format!("already {state}, nothing to do"),
        (state, Turn::Up) => match &request.destination {
            Some(to) => format!("{state}, to {to}"),
            None => state.to_string(),
        },
        (state, Turn::Down) => format!("{state}, once all has moved"),
    }
}

/// For certain: what cannot be told may be up.
fn is_off(resource: &Resource) -> bool {
    matches!(resource.state, State::Down | State::StdbyDown | State::Na)
}
