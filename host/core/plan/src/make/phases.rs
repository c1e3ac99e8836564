//! From a request to a plan, phase by phase.

use model::Group;

use super::arrange::arrange;
use super::draft::{PhaseContext, drafts};
use super::migrate::{refuse_what_is_kept_here, takes_part};
use super::places::place_links;
use super::requires::link;
use super::select::{Direction, Position, ResourceIndex, Until, members};
use crate::{Action, InstanceFacts, OnFailure, Plan, PlanDigest, PlanError, PlanPhase, PlanRequest, render};

/// The plan that a request comes to for the instance as it is now.
pub fn plan(instance: &InstanceFacts, request: &PlanRequest) -> Result<Plan, PlanError> {
    let index = ResourceIndex::new(instance)?;
    let until = Until::new(&index, request.to.as_ref())?;
    let members = members(&index, request)?;
    refuse_what_is_not_concerned(&index, request, &members)?;
    refuse_what_is_kept_here(request, &instance.resources, &members)?;
    let phase = |direction: Direction| {
        let takes_part =
            |(_, place): &&(Position<'_>, usize)| takes_part(request.action, direction, &index.resources[*place]);
        let members: Vec<_> = members.iter().filter(takes_part).copied().collect();
        let context = PhaseContext { index: &index, instance, request, until: &until, direction };
        let mut drafts = drafts(context, &members)?;
        let mut links = link(&index, direction, &mut drafts)?;
        links.extend(place_links(&drafts, &links, direction));
        let stages = arrange(drafts, &links, &instance.parallel)?;
        Ok(PlanPhase { on_failure: on_failure(instance, request, direction), stages })
    };
    let phases =
        directions(request).iter().map(|direction| phase(*direction)).collect::<Result<Vec<PlanPhase>, PlanError>>()?;
    let mut plan = Plan {
        object: instance.object.clone(),
        node: instance.node.clone(),
        action: request.action,
        phases,
        digest: PlanDigest::of(&[]),
    };
    // The digest covers everything else, so it is set last.
    plan.digest = PlanDigest::of(&render::fingerprint(&plan));
    Ok(plan)
}

/// A run or a sync of resources of other groups only is a mistake rather than nothing to do.
fn refuse_what_is_not_concerned(
    index: &ResourceIndex<'_>,
    request: &PlanRequest,
    members: &[(Position<'_>, usize)],
) -> Result<(), PlanError> {
    let action = request.action;
    let group = match action {
        Action::Run => Group::Task,
        Action::Sync => Group::Sync,
        _ => return Ok(()),
    };
    let selected = || members.iter().map(|(_, place)| &index.resources[*place].rid);
    if request.selected.is_none() || selected().any(|rid| action.concerns(rid.group())) {
        return Ok(());
    }
    Err(PlanError::NotConcerned { action, group, selected: selected().cloned().collect() })
}

fn directions(request: &PlanRequest) -> &'static [Direction] {
    match request.action {
        // What had to be up for it goes down again.
        Action::Provision if request.follows => &[Direction::Up, Direction::Down],
        Action::Restart => &[Direction::Down, Direction::Up],
        // The shared resources are stopped in the second phase, because the guests use them until they have moved.
        Action::Migrate => &[Direction::Up, Direction::Down],
        Action::Stop | Action::Shutdown | Action::Unprovision => &[Direction::Down],
        Action::Start | Action::StartStandby | Action::Provision | Action::Run | Action::Sync => &[Direction::Up],
    }
}

fn on_failure(instance: &InstanceFacts, request: &PlanRequest, direction: Direction) -> OnFailure {
    match (direction, request.action) {
        // A guest cannot be called back, and what still runs here needs what would be stopped next.
        (_, Action::Migrate) => OnFailure::Undo,
        // Tasks and copies are independent of each other. A stop goes on past a failure: what can be brought down must be,
        // whatever else is stuck.
        (Direction::Down, _) | (_, Action::Run | Action::Sync) => OnFailure::GoOn,
        _ if request.disable_rollback => OnFailure::KeepByOption,
        _ if !instance.rollback => OnFailure::KeepByConfig,
        _ => OnFailure::Undo,
    }
}
