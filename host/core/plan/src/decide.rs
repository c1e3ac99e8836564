//! What each resource does in a phase, taken by itself: its work, or why it is skipped, and how it would be undone.

use std::time::Duration;

use model::Verb;
use model::object::{Trigger, TriggerTime};
use model::status::{Provisioned, State};

use crate::migrate::{self, stays};
use crate::select::{Index, Limit, Slot, Turn, belongs_to_container};
use crate::{Action, Instance, PlanError, Request, Resource, Skip, Step, Undo, Work, WorkOrder, sync};

/// Makes the steps of one phase, without their edges.
pub(crate) struct Decide<'a> {
    pub(crate) index: &'a Index<'a>,
    pub(crate) instance: &'a Instance,
    pub(crate) request: &'a Request,
    pub(crate) limit: &'a Limit<'a>,
    pub(crate) turn: Turn,
}

/// A step in the making.
pub(crate) struct Draft<'a> {
    pub(crate) slot: Slot<'a>,
    /// The resource's place in the instance.
    pub(crate) place: usize,
    pub(crate) resource: &'a Resource,
    pub(crate) step: Step,
}

impl Draft<'_> {
    /// Whether this action does something with the resource.
    pub(crate) fn acts(&self) -> bool {
        !self.step.work.is_empty()
    }

    /// Turns the step into one that is skipped.
    pub(crate) fn skip(&mut self, skip: Skip) {
        self.step.reason = skip.to_string();
        self.step.skip = Some(skip);
        self.step.work.clear();
        self.step.undo = Undo::None;
    }
}

impl<'a> Decide<'a> {
    /// The drafts of the members, in the order of the phase. A start names all that is not provisioned at once.
    pub(crate) fn drafts(&self, members: &[(Slot<'a>, usize)]) -> Result<Vec<Draft<'a>>, PlanError> {
        let mut drafts: Vec<Draft<'a>> = members.iter().map(|(slot, place)| self.draft(*slot, *place)).collect();
        let mut missing = Vec::new();
        for draft in drafts.iter_mut().filter(|draft| self.lacks_provisioning(draft)) {
            match draft.resource.optional {
                true => draft.skip(Skip::NotProvisioned),
                false => missing.push(draft.resource.rid.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(PlanError::NotProvisioned(missing));
        }
        if self.turn == Turn::Down {
            drafts.reverse();
        }
        Ok(drafts)
    }

    fn draft(&self, slot: Slot<'a>, place: usize) -> Draft<'a> {
        let resource = &self.index.resources[place];
        let skip = self.skips(slot, resource);
        let prior = if skip.is_some() { resource.state } else { self.prior(resource) };
        let step = Step {
            rid: resource.rid.clone(),
            driver: resource.driver.clone(),
            work: work(resource, self.orders(resource)),
            skip: None,
            reason: self.reason(resource, prior),
            // Whatever does not move needs what is stopped afterwards, optional or not.
            optional: resource.optional && self.request.action != Action::Migrate,
            prior,
            after: Vec::new(),
            undo: self.undo(resource, prior),
            probe: resource.timeouts.of(Verb::Status),
        };
        let mut draft = Draft { slot, place, resource, step };
        if let Some(skip) = skip {
            draft.skip(skip);
        }
        draft
    }

    fn skips(&self, slot: Slot<'a>, resource: &'a Resource) -> Option<Skip> {
        let action = self.request.action;
        // A restart goes down as far as the limit and then up again over the same resources.
        let limited_by = if action == Action::Restart { Turn::Down } else { self.turn };
        let container =
            belongs_to_container(resource).then(|| self.index.container_of(resource).ok().flatten()).flatten();
        if resource.disable {
            Some(Skip::Disabled)
        } else if resource.encap {
            Some(Skip::Encap)
        } else if !action.concerns(resource.rid.group()) {
            Some(Skip::NotConcerned(action))
        } else if self.limit.excludes(slot, limited_by) {
            self.request.to.clone().map(Skip::Beyond)
        } else if let Some(passive) =
            resource.passive.as_ref().filter(|_| action == Action::Sync && !self.request.force)
        {
            Some(Skip::Passive(passive.clone()))
        } else if action == Action::Sync && self.targets(resource).is_empty() {
            Some(Skip::NoTarget)
        } else if let Some(container) = container.filter(|container| container.disable) {
            Some(Skip::ContainerDisabled(container.rid.clone()))
        } else if action == Action::StartStandby && !resource.standby {
            Some(Skip::NotStandby)
        } else if let Some(why) = stays(resource).filter(|_| (action, self.turn) == (Action::Migrate, Turn::Up)) {
            Some(Skip::NotMoved(why))
        } else if self.turn == Turn::Down && self.stays_up(resource) {
            Some(Skip::Standby)
        } else {
            None
        }
    }

    /// Whether a stop leaves the resource up.
    fn stays_up(&self, resource: &Resource) -> bool {
        let spares = matches!(self.request.action, Action::Stop | Action::Restart);
        spares && resource.standby && !self.request.force
    }

    fn orders(&self, resource: &Resource) -> Vec<WorkOrder> {
        match (self.request.action, self.turn) {
            (Action::Run, _) => vec![WorkOrder::Run],
            (Action::Sync, _) => {
                vec![WorkOrder::Sync { verb: self.request.copy.verb.clone(), targets: self.targets(resource) }]
            }
            (Action::Migrate, Turn::Up) => {
                self.request.destination.iter().map(|to| WorkOrder::Migrate { to: to.clone() }).collect()
            }
            (Action::Provision, _) if resource.provision => vec![WorkOrder::Provision, WorkOrder::Start],
            (Action::Unprovision, _) if resource.unprovision => vec![WorkOrder::Stop, WorkOrder::Unprovision],
            (_, Turn::Up) => vec![WorkOrder::Start],
            (_, Turn::Down) => vec![WorkOrder::Stop],
        }
    }

    fn targets(&self, resource: &Resource) -> Vec<String> {
        sync::targets(self.instance, resource, &self.request.copy)
    }

    /// The state from which the phase sets out: the second one of a restart finds down what the first one has stopped.
    fn prior(&self, resource: &Resource) -> State {
        match resource.state {
            State::Na => State::Na,
            state if !self.follows_a_stop(resource) => state,
            _ if resource.standby => State::StdbyDown,
            _ => State::Down,
        }
    }

    fn follows_a_stop(&self, resource: &Resource) -> bool {
        self.request.action == Action::Restart && self.turn == Turn::Up && !self.stays_up(resource)
    }

    fn undo(&self, resource: &Resource, prior: State) -> Undo {
        match self.request.action {
            Action::Run | Action::Sync | Action::Migrate => Undo::None,
            _ if self.turn == Turn::Down => Undo::None,
            _ if resource.standby => Undo::Standby,
            _ if is_up(prior) => Undo::WasUp,
            _ => Undo::Stop(resource.timeouts.of(Verb::Stop)),
        }
    }

    fn lacks_provisioning(&self, draft: &Draft<'_>) -> bool {
        let starts = draft.step.work.first().is_some_and(|work| work.verb() == Verb::Start);
        let up = is_up(draft.resource.state);
        starts && !self.request.force && !up && draft.resource.provisioned == Provisioned::False
    }

    fn reason(&self, resource: &Resource, prior: State) -> String {
        let state = resource.state;
        let (settled, wanted) = match self.turn {
            Turn::Up => (is_up(prior), Provisioned::True),
            Turn::Down => (is_down(prior), Provisioned::False),
        };
        match self.request.action {
            Action::Run => "run once".to_owned(),
            Action::Sync => format!("{} to {}", self.request.copy.verb, self.targets(resource).join(" ")),
            Action::Migrate => migrate::reason(self.request, self.turn, state),
            Action::Provision | Action::Unprovision if settled && resource.provisioned == wanted => {
                format!("already {state} and {}, nothing to do", provisioning(resource.provisioned))
            }
            Action::Provision | Action::Unprovision => match provisioning(resource.provisioned) {
                "" => state.to_string(),
                provisioning => format!("{provisioning}, {state}"),
            },
            _ if settled && !self.follows_a_stop(resource) => format!("already {state}, nothing to do"),
            _ if self.follows_a_stop(resource) && !is_down(state) => format!("{state}, stopped before"),
            _ => match &resource.fault {
                Some(fault) => format!("{state}: {fault}"),
                None => state.to_string(),
            },
        }
    }
}

/// A task's driver ends its program in time, and may then have something to do about it, such as `on_error`.
const AFTER_A_RUN: Duration = Duration::from_secs(60);

/// The calls of a driver, one after the other, with the triggers around each.
///
/// A start belongs to its provision, and a stop to its unprovision: the triggers of the whole surround both, so that those
/// after a provision find the resource up, such as a file system mounted. They may take as long as the call that they are
/// next to.
fn work(resource: &Resource, orders: Vec<WorkOrder>) -> Vec<Work> {
    let verbs: Vec<Verb> = orders.iter().map(WorkOrder::verb).collect();
    let next_to = |trigger: &Trigger| match (trigger.verb, is_after(trigger)) {
        (Verb::Provision, true) => verbs.last().copied(),
        (Verb::Unprovision, false) => verbs.first().copied(),
        (verb, _) => Some(verb),
    };
    let call = |order: WorkOrder| {
        let verb = order.verb();
        let ours = |trigger: &Trigger| verbs.contains(&trigger.verb) && next_to(trigger) == Some(verb);
        let mut triggers: Vec<Trigger> = resource.triggers.iter().copied().filter(ours).collect();
        // Those of the whole are outermost.
        triggers.sort_by_key(|trigger| (is_after(trigger), is_after(trigger) == (trigger.verb != verb)));
        Work { order, deadline: deadline(resource, verb), triggers }
    };
    orders.into_iter().map(call).collect()
}

fn deadline(resource: &Resource, verb: Verb) -> Duration {
    match verb {
        Verb::Run => resource.timeouts.of(verb).saturating_add(AFTER_A_RUN),
        _ => resource.timeouts.of(verb),
    }
}

fn is_after(trigger: &Trigger) -> bool {
    trigger.when == TriggerTime::Post
}

fn provisioning(provisioned: Provisioned) -> &'static str {
    match provisioned {
        Provisioned::True => "provisioned",
        Provisioned::False => "not provisioned",
        Provisioned::Mixed => "partly provisioned",
        Provisioned::Na | Provisioned::Undef => "",
    }
}

pub(crate) fn is_up(state: State) -> bool {
    matches!(state, State::Up | State::StdbyUp)
}

pub(crate) fn is_down(state: State) -> bool {
    matches!(state, State::Down | State::StdbyDown)
}
