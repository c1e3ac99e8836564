//! The step of each resource in a phase, taken by itself: its work, or why it is skipped, and how a rollback undoes it.

use std::time::Duration;

use model::Verb;
use model::object::{Trigger, TriggerTime};
use model::status::{Provisioned, State};

use super::follow;
use super::migrate::{self, stay_reason};
use super::select::{Direction, Position, ResourceIndex, Until, belongs_to_container};
use super::targets::targets;
use crate::{
    Action, InstanceFacts, PlanError, PlanRequest, PlanStep, ResourceFacts, SkipReason, StepReason, StepUndo, StepWork,
    WorkOrder,
};

/// The facts that the drafts of one phase depend on.
#[derive(Clone, Copy)]
pub(crate) struct PhaseContext<'a> {
    pub(crate) index: &'a ResourceIndex<'a>,
    pub(crate) instance: &'a InstanceFacts,
    pub(crate) request: &'a PlanRequest,
    pub(crate) until: &'a Until<'a>,
    pub(crate) direction: Direction,
}

/// A step in the making: without its edges.
pub(crate) struct StepDraft<'a> {
    pub(crate) position: Position<'a>,
    /// The resource's place in the instance.
    pub(crate) place: usize,
    pub(crate) resource: &'a ResourceFacts,
    pub(crate) step: PlanStep,
}

impl StepDraft<'_> {
    /// Whether this action does something with the resource.
    pub(crate) fn acts(&self) -> bool {
        !self.step.work.is_empty()
    }

    /// Turns the step into one that is skipped.
    pub(crate) fn skip(&mut self, skip: SkipReason) {
        self.step.reason = StepReason::Skip(skip);
        self.step.work.clear();
        self.step.undo = StepUndo::None;
    }
}

/// The drafts of the members, in the order of the phase. A start names at once all that is not provisioned.
pub(crate) fn drafts<'a>(
    context: PhaseContext<'a>,
    members: &[(Position<'a>, usize)],
) -> Result<Vec<StepDraft<'a>>, PlanError> {
    let mut drafts: Vec<StepDraft<'a>> =
        members.iter().map(|(position, place)| draft(context, *position, *place)).collect();
    // Collected, so that one error names everything that has to be provisioned first.
    let mut missing = Vec::new();
    for draft in drafts.iter_mut().filter(|draft| lacks_provisioning(context.request, draft)) {
        match draft.resource.optional {
            true => draft.skip(SkipReason::NotProvisioned),
            false => missing.push(draft.resource.rid.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(PlanError::NotProvisioned(missing));
    }
    if context.direction == Direction::Down {
        drafts.reverse();
    }
    Ok(drafts)
}

fn draft<'a>(context: PhaseContext<'a>, position: Position<'a>, place: usize) -> StepDraft<'a> {
    let resource = &context.index.resources[place];
    let skip = context.skip_reason(position, resource);
    // The first phase of a restart did not stop what is skipped, so it still has its present state.
    let prior = if skip.is_some() { resource.state } else { context.prior(resource) };
    let step = PlanStep {
        rid: resource.rid.clone(),
        driver: resource.driver.clone(),
        work: work(resource, context.orders(resource)),
        reason: context.step_reason(resource, prior),
        // Everything that does not move needs what is stopped afterwards, so even the failure of an optional resource must
        // end a migration.
        optional: resource.optional && context.request.action != Action::Migrate,
        prior,
        after: Vec::new(),
        undo: context.undo(resource, prior),
        probe: resource.timeouts.of(Verb::Status),
    };
    let mut draft = StepDraft { position, place, resource, step };
    if let Some(skip) = skip {
        draft.skip(skip);
    }
    draft
}

fn lacks_provisioning(request: &PlanRequest, draft: &StepDraft<'_>) -> bool {
    // The first piece of work decides: a provision starts the resource too, but after making it.
    let starts = draft.step.work.first().is_some_and(|work| work.verb() == Verb::Start);
    starts && !request.force && !draft.resource.state.is_up() && draft.resource.provisioned == Provisioned::False
}

impl<'a> PhaseContext<'a> {
    /// Why nothing is done with the resource, if so. The order of the tests decides which of several reasons is given.
    fn skip_reason(&self, position: Position<'a>, resource: &'a ResourceFacts) -> Option<SkipReason> {
        let action = self.request.action;
        // A restart goes down as far as the limit, and then up again over the same resources.
        let limited_by = if action == Action::Restart { Direction::Down } else { self.direction };
        if resource.disable {
            return Some(SkipReason::Disabled);
        }
        if resource.encap {
            return Some(SkipReason::Encap);
        }
        if !action.concerns(resource.rid.group()) {
            return Some(SkipReason::NotConcerned(action));
        }
        if self.until.excludes(position, limited_by) {
            // Only a limit excludes anything, so `to` is set here.
            return self.request.to.clone().map(SkipReason::Beyond);
        }
        if action == Action::Sync {
            if let Some(passive) = resource.passive.as_ref().filter(|_| !self.request.force) {
                return Some(SkipReason::Passive(passive.clone()));
            }
            if self.targets(resource).is_empty() {
                return Some(SkipReason::NoTarget);
            }
        }
        // Nothing starts a disabled container, so the network namespace of its addresses may not exist.
        if let Some(container) = self.container_of(resource).filter(|container| container.disable) {
            return Some(SkipReason::ContainerDisabled(container.rid.clone()));
        }
        if action == Action::StartStandby && !resource.standby {
            return Some(SkipReason::NotStandby);
        }
        if action == Action::Provision
            && let Some(reason) = follow::skip_reason(self.request, self.direction, resource)
        {
            return Some(reason);
        }
        if (action, self.direction) == (Action::Migrate, Direction::Up)
            && let Some(reason) = stay_reason(resource)
        {
            return Some(SkipReason::NotMoved(reason));
        }
        (self.direction == Direction::Down && self.stays_up(resource)).then_some(SkipReason::Standby)
    }

    /// The container that the resource acts together with.
    fn container_of(&self, resource: &'a ResourceFacts) -> Option<&'a ResourceFacts> {
        // Making the index has checked every `netns`, so there is no error to lose here.
        belongs_to_container(resource).then(|| self.index.container_of(resource).ok().flatten()).flatten()
    }

    /// Whether a stop leaves the resource up.
    fn stays_up(&self, resource: &ResourceFacts) -> bool {
        let spares = matches!(self.request.action, Action::Stop | Action::Restart);
        spares && resource.standby && !self.request.force
    }

    fn orders(&self, resource: &ResourceFacts) -> Vec<WorkOrder> {
        match (self.request.action, self.direction) {
            (Action::Run, _) => vec![WorkOrder::Run],
            (Action::Sync, _) => {
                vec![WorkOrder::Sync { verb: self.request.copy.verb.clone(), targets: self.targets(resource) }]
            }
            (Action::Migrate, Direction::Up) => {
                // Never empty: a migration without a destination was refused before.
                self.request.destination.iter().map(|to| WorkOrder::Migrate { to: to.clone() }).collect()
            }
            (Action::Provision, direction) if self.request.follows => follow::orders(direction, resource),
            (Action::Provision, _) if resource.provision => vec![WorkOrder::Provision, WorkOrder::Start],
            (Action::Unprovision, _) if resource.unprovision && !(self.request.follows && resource.shared) => {
                vec![WorkOrder::Stop, WorkOrder::Unprovision]
            }
            // Also for `provision = false`: a provision starts such a resource all the same, and an unprovision stops
            // it.
            (_, Direction::Up) => vec![WorkOrder::Start],
            (_, Direction::Down) => vec![WorkOrder::Stop],
        }
    }

    fn targets(&self, resource: &ResourceFacts) -> Vec<String> {
        targets(self.instance, resource, &self.request.copy)
    }

    /// The state from which the phase sets out: the second phase of a restart finds down what the first one has stopped.
    fn prior(&self, resource: &ResourceFacts) -> State {
        match resource.state {
            // A resource without a state does not get one by being stopped.
            State::Na => State::Na,
            state if !self.follows_a_stop(resource) => state,
            _ if resource.standby => State::StdbyDown,
            _ => State::Down,
        }
    }

    fn follows_a_stop(&self, resource: &ResourceFacts) -> bool {
        self.request.action == Action::Restart && self.direction == Direction::Up && !self.stays_up(resource)
    }

    fn undo(&self, resource: &ResourceFacts, prior: State) -> StepUndo {
        match self.request.action {
            Action::Run | Action::Sync | Action::Migrate => StepUndo::None,
            _ if self.direction == Direction::Down => StepUndo::None,
            _ if resource.standby => StepUndo::Standby,
            _ if prior.is_up() => StepUndo::WasUp,
            _ => StepUndo::Stop(resource.timeouts.of(Verb::Stop)),
        }
    }

    fn step_reason(&self, resource: &ResourceFacts, prior: State) -> StepReason {
        // The words show the present state, but whether there is anything to do is decided by where the phase sets
        // out.
        let (state, provisioned) = (resource.state, resource.provisioned);
        let (settled, wanted) = match self.direction {
            Direction::Up => (prior.is_up(), Provisioned::True),
            Direction::Down => (is_down(prior), Provisioned::False),
        };
        match self.request.action {
            Action::Run => StepReason::Run,
            Action::Sync => StepReason::Copy { verb: self.request.copy.verb.clone(), targets: self.targets(resource) },
            Action::Migrate => migrate::reason(self.request, self.direction, state),
            Action::Provision | Action::Unprovision if settled && provisioned == wanted => {
                StepReason::ProvisionedAsWanted(state, provisioned)
            }
            Action::Provision | Action::Unprovision => StepReason::Provisioning(state, provisioned),
            _ if settled && !self.follows_a_stop(resource) => StepReason::AsWanted(state),
            _ if self.follows_a_stop(resource) && !is_down(state) => StepReason::StoppedBefore(state),
            _ => StepReason::Changes { state, fault: resource.fault.clone() },
        }
    }
}

/// How much longer than its timeout a run may take: the driver stops the program in time, and then may have something
/// left to do about it, such as `on_error`.
const AFTER_A_RUN: Duration = Duration::from_secs(60);

/// The calls of a driver, one after the other, with the triggers around each.
///
/// A start belongs to its provision, and a stop to its unprovision: the triggers of the whole surround both, so that those
/// after a provision find the resource up, such as a file system mounted. They may take as long as the call that they are
/// next to.
fn work(resource: &ResourceFacts, orders: Vec<WorkOrder>) -> Vec<StepWork> {
    let verbs: Vec<Verb> = orders.iter().map(WorkOrder::verb).collect();
    let next_to = |trigger: &Trigger| match (trigger.verb, trigger.when) {
        (Verb::Provision, TriggerTime::Post) => verbs.last().copied(),
        (Verb::Unprovision, TriggerTime::Pre) => verbs.first().copied(),
        (verb, _) => Some(verb),
    };
    let call = |order: WorkOrder| {
        let verb = order.verb();
        let ours = |trigger: &Trigger| verbs.contains(&trigger.verb) && next_to(trigger) == Some(verb);
        let mut triggers: Vec<Trigger> = resource.triggers.iter().copied().filter(ours).collect();
        // The triggers of the whole are outermost: first before the call, last after it.
        triggers.sort_by_key(|trigger| {
            let after = trigger.when == TriggerTime::Post;
            (after, after == (trigger.verb != verb))
        });
        StepWork { order, deadline: deadline(resource, verb), triggers }
    };
    orders.into_iter().map(call).collect()
}

fn deadline(resource: &ResourceFacts, verb: Verb) -> Duration {
    match verb {
        Verb::Run => resource.timeouts.of(verb).saturating_add(AFTER_A_RUN),
        _ => resource.timeouts.of(verb),
    }
}

fn is_down(state: State) -> bool {
    matches!(state, State::Down | State::StdbyDown)
}
