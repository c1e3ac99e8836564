//! The order that resources require, and the states that they require: namespaces of containers and `<verb>_requires`.
//!
//! A requirement on a resource that this phase also acts on is an edge. Its direction follows from the states that are
//! asked for: what the phase brings about comes first; what the phase takes away must be so now, and goes after. Any
//! other requirement is a test of the present state.

use std::collections::HashMap;

use model::Verb;
use model::object::Requirement;
use model::status::State;

use super::draft::StepDraft;
use super::select::{Direction, ResourceIndex};
use crate::{EdgeKind, PlanError, SkipReason, StepWork, UnmetRequirement};

/// `before` comes before `after`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DraftLink {
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) kind: EdgeKind,
}

/// Skips the optional drafts whose requirements are not met, fails on any other such draft, and returns the edges.
pub(crate) fn link(
    index: &ResourceIndex<'_>,
    direction: Direction,
    drafts: &mut [StepDraft<'_>],
) -> Result<Vec<DraftLink>, PlanError> {
    let mut scene = PhaseScene::new(index, direction, drafts);
    let needs =
        drafts.iter().map(|draft| scene.needs(draft)).collect::<Result<Vec<Vec<DraftRequirement<'_>>>, PlanError>>()?;
    // Before any edge is made: a draft that is skipped must not hold up others.
    for (at, unmet) in scene.settle(drafts, &needs)? {
        drafts[at].skip(SkipReason::Unmet(unmet));
    }
    let mut links = Vec::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.acts()) {
        links.extend(scene.netns_link(draft, at));
        links.extend(scene.share_links(draft, at));
        links.extend(needs[at].iter().filter_map(|need| {
            // No edge to a resource that does not act: the requirement was compared with its state instead.
            let other = scene.acting[need.place]?;
            Some(match need.brought {
                true => DraftLink { before: other, after: at, kind: EdgeKind::Needs },
                // The phase takes away a state that holds now. It must last until this step is done, well or not.
                false => DraftLink { before: at, after: other, kind: EdgeKind::Follows },
            })
        }));
    }
    Ok(links)
}

/// A requirement of a draft.
struct DraftRequirement<'a> {
    require: &'a Requirement,
    /// The place of the required resource in the instance.
    place: usize,
    /// Whether acting on it in this phase brings about one of the states asked for.
    brought: bool,
}

/// The states that the requirements are compared with. The vectors go by the places of the resources in the instance.
struct PhaseScene<'a> {
    index: &'a ResourceIndex<'a>,
    direction: Direction,
    /// The states from which the phase sets out.
    states: Vec<State>,
    /// Which draft acts on the resource, if any does.
    acting: Vec<Option<usize>>,
}

impl<'a> PhaseScene<'a> {
    fn new(index: &'a ResourceIndex<'a>, direction: Direction, drafts: &[StepDraft<'_>]) -> PhaseScene<'a> {
        let mut states: Vec<State> = index.resources.iter().map(|resource| resource.state).collect();
        let mut acting = vec![None; states.len()];
        for (at, draft) in drafts.iter().enumerate() {
            // The second phase of a restart starts from what the first one leaves, not from the present state.
            states[draft.place] = draft.step.prior;
            acting[draft.place] = draft.acts().then_some(at);
        }
        PhaseScene { index, direction, states, acting }
    }

    /// The requirements of all that a draft does.
    fn needs<'d>(&self, draft: &StepDraft<'d>) -> Result<Vec<DraftRequirement<'d>>, PlanError> {
        let mut needs = Vec::new();
        for verb in draft.step.work.iter().map(StepWork::verb) {
            for require in draft.resource.requires.get(&verb).into_iter().flatten() {
                let rid = || draft.resource.rid.clone();
                let place = self.index.place(&require.rid).ok_or_else(|| PlanError::NoRequired {
                    rid: rid(),
                    keyword: format!("{verb}_requires"),
                    required: require.rid.clone(),
                })?;
                // An edge from a step to itself could never be satisfied.
                if place == draft.place {
                    return Err(PlanError::Cycle(vec![rid(), rid()]));
                }
                needs.push(DraftRequirement { require, place, brought: self.brings(verb, require) });
            }
        }
        Ok(needs)
    }

    /// A task or a sync brings about no state: it only comes first.
    fn brings(&self, verb: Verb, require: &Requirement) -> bool {
        let end = match self.direction {
            Direction::Up => [State::Up, State::StdbyUp],
            Direction::Down => [State::Down, State::StdbyDown],
        };
        matches!(verb, Verb::Run | Verb::Sync) || end.into_iter().any(|state| require.accepts(state))
    }

    /// Finds the optional drafts with a requirement that is not met. Such a draft does not act, which may leave the requirement
    /// of another one unmet, so the drafts that require it are tested again.
    fn settle(
        &mut self,
        drafts: &[StepDraft<'_>],
        needs: &[Vec<DraftRequirement<'_>>],
    ) -> Result<HashMap<usize, UnmetRequirement>, PlanError> {
        let mut requirers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, need) in needs.iter().enumerate().flat_map(|(at, needs)| needs.iter().map(move |need| (at, need))) {
            requirers.entry(need.place).or_default().push(at);
        }
        let mut found = HashMap::new();
        // Reversed, because the queue is popped from its end: the first draft is tested first.
        let mut queue: Vec<usize> = (0..drafts.len()).rev().collect();
        while let Some(at) = queue.pop() {
            let Some(unmet) = needs[at].iter().find_map(|need| self.test(&drafts[at], need)) else { continue };
            if !drafts[at].resource.optional {
                return Err(PlanError::Unmet(unmet));
            }
            if found.insert(at, unmet).is_none() {
                // It does not act, so it does not bring about what others require of it: they are tested again.
                self.acting[drafts[at].place] = None;
                queue.extend(requirers.get(&drafts[at].place).into_iter().flatten());
            }
        }
        Ok(found)
    }

    /// The requirement of a draft, where it is not met now and this phase does not meet it.
    fn test(&self, draft: &StepDraft<'_>, need: &DraftRequirement<'_>) -> Option<UnmetRequirement> {
        let state = self.states[need.place];
        let brought = need.brought && self.acting[need.place].is_some();
        (!brought && !need.require.accepts(state)).then(|| UnmetRequirement {
            rid: draft.resource.rid.clone(),
            required: need.require.rid.clone(),
            wanted: need.require.accepted(),
            state,
        })
    }

    /// The edge between a resource and the container whose network namespace it goes into.
    fn netns_link(&self, draft: &StepDraft<'_>, at: usize) -> Option<DraftLink> {
        let container = self.acting[self.index.place(draft.resource.netns.as_ref()?)?]?;
        match self.direction {
            Direction::Up => Some(DraftLink { before: container, after: at, kind: EdgeKind::Needs }),
            // The container goes down even if its address did not: the address vanishes with the network namespace.
            Direction::Down => Some(DraftLink { before: at, after: container, kind: EdgeKind::Follows }),
        }
    }

    /// The edges between a container and those whose namespaces it shares. As above, one goes down even if a container that shares
    /// its namespaces did not.
    fn share_links(&self, draft: &StepDraft<'_>, at: usize) -> Vec<DraftLink> {
        let places = draft.resource.shares.iter().filter_map(|rid| self.index.place(rid));
        let acting = places.filter_map(|place| self.acting[place]).filter(|other| *other != at);
        let link = |other| match self.direction {
            Direction::Up => DraftLink { before: other, after: at, kind: EdgeKind::Needs },
            Direction::Down => DraftLink { before: at, after: other, kind: EdgeKind::Follows },
        };
        acting.map(link).collect()
    }
}
