//! From a request to a plan.

use model::Group;

use crate::arrange::arrange;
use crate::decide::Decide;
use crate::migrate::{refuse_what_is_kept_here, takes_part};
use crate::requires::link;
use crate::select::{Index, Limit, Slot, Turn, members};
use crate::{Action, Digest, Instance, OnFailure, Phase, Plan, PlanError, Request, render};

/// What the request means for the instance as it is now.
pub fn plan(instance: &Instance, request: &Request) -> Result<Plan, PlanError> {
    let index = Index::new(instance)?;
    let limit = Limit::new(&index, request.to.as_ref())?;
    let members = members(&index, request)?;
    refuse_what_is_not_concerned(&index, request, &members)?;
    refuse_what_is_kept_here(request, &instance.resources, &members)?;
    let phase = |turn: Turn| {
        let takes_part = |(_, place): &&(Slot<'_>, usize)| takes_part(request.action, turn, &index.resources[*place]);
        let members: Vec<_> = members.iter().filter(takes_part).copied().collect();
        let mut drafts = Decide { index: &index, instance, request, limit: &limit, turn }.drafts(&members)?;
        let links = link(&index, turn, &mut drafts)?;
        let stages = arrange(drafts, &links, &instance.parallel)?;
        Ok(Phase { on_failure: on_failure(instance, request, turn), stages })
    };
    let phases = turns(request.action).iter().map(|turn| phase(*turn)).collect::<Result<Vec<Phase>, PlanError>>()?;
    let mut plan = Plan {
        object: instance.object.clone(),
        node: instance.node.clone(),
        action: request.action,
        phases,
        digest: Digest::of(&[]),
    };
    plan.digest = Digest::of(&render::fingerprint(&plan));
    Ok(plan)
}

/// To run, or to copy, resources that cannot be is a mistake rather than nothing to do.
fn refuse_what_is_not_concerned(
    index: &Index<'_>,
    request: &Request,
    members: &[(Slot<'_>, usize)],
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

fn turns(action: Action) -> &'static [Turn] {
    match action {
        Action::Restart => &[Turn::Down, Turn::Up],
        Action::Migrate => &[Turn::Up, Turn::Down],
        Action::Stop | Action::Shutdown | Action::Unprovision => &[Turn::Down],
        Action::Start | Action::StartStandby | Action::Provision | Action::Run | Action::Sync => &[Turn::Up],
    }
}

fn on_failure(instance: &Instance, request: &Request, turn: Turn) -> OnFailure {
    match (turn, request.action) {
        // There is no way back, and what still runs here needs what would be stopped next.
        (_, Action::Migrate) => OnFailure::Undo,
        // Tasks and copies are independent of each other.
        (Turn::Down, _) | (_, Action::Run | Action::Sync) => OnFailure::GoOn,
        _ if request.disable_rollback => OnFailure::KeepByOption,
        _ if !instance.rollback => OnFailure::KeepByConfig,
        _ => OnFailure::Undo,
    }
}
