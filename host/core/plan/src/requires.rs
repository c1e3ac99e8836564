//! What must come before what, and what must already be so: `netns` links and `<verb>_requires`.
//!
//! A requirement on a resource that this phase also acts on is an edge. Its direction follows from the states that are
//! asked for: what the phase brings about comes first; what the phase takes away must be so now, and goes after. Any
//! other requirement is a test of the present state.

use std::collections::HashMap;

use model::Verb;
use model::object::Requirement;
use model::status::State;

use crate::decide::Draft;
use crate::select::{Index, Turn};
use crate::{EdgeKind, PlanError, Skip, Work};

/// `before` comes before `after`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) kind: EdgeKind,
}

/// Skips the optional drafts whose requirements are not met, fails on any other such draft, and returns the edges.
pub(crate) fn link(index: &Index<'_>, turn: Turn, drafts: &mut [Draft<'_>]) -> Result<Vec<Link>, PlanError> {
    let mut scene = Scene::new(index, turn, drafts);
    let needs = drafts.iter().map(|draft| scene.needs(draft)).collect::<Result<Vec<Vec<Need<'_>>>, PlanError>>()?;
    for (at, unmet) in scene.settle(drafts, &needs)? {
        drafts[at].skip(Skip::Unmet(unmet.to_string()));
    }
    let mut links = Vec::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.acts()) {
        links.extend(scene.netns_link(draft, at));
        links.extend(needs[at].iter().filter_map(|need| {
            let other = scene.acting[need.place]?;
            Some(match need.brought {
                true => Link { before: other, after: at, kind: EdgeKind::Needs },
                false => Link { before: at, after: other, kind: EdgeKind::Follows },
            })
        }));
    }
    Ok(links)
}

/// A requirement of a draft.
struct Need<'a> {
    require: &'a Requirement,
    /// The place of the required resource in the instance.
    place: usize,
    /// Whether acting on it in this phase brings about one of the states asked for.
    brought: bool,
}

/// What the requirements are held against. The vectors go by the places of the resources in the instance.
struct Scene<'a> {
    index: &'a Index<'a>,
    turn: Turn,
    /// The states from which the phase sets out.
    states: Vec<State>,
    /// Which draft acts on the resource, if any does.
    acting: Vec<Option<usize>>,
}

impl<'a> Scene<'a> {
    fn new(index: &'a Index<'a>, turn: Turn, drafts: &[Draft<'_>]) -> Scene<'a> {
        let mut states: Vec<State> = index.resources.iter().map(|resource| resource.state).collect();
        let mut acting = vec![None; states.len()];
        for (at, draft) in drafts.iter().enumerate() {
            states[draft.place] = draft.step.prior;
            acting[draft.place] = draft.acts().then_some(at);
        }
        Scene { index, turn, states, acting }
    }

    /// The requirements of all that a draft does.
    fn needs<'d>(&self, draft: &Draft<'d>) -> Result<Vec<Need<'d>>, PlanError> {
        let mut needs = Vec::new();
        for verb in draft.step.work.iter().map(Work::verb) {
            for require in draft.resource.requires.get(&verb).into_iter().flatten() {
                let rid = || draft.resource.rid.clone();
                let place = self.index.place(&require.rid).ok_or_else(|| PlanError::NoRequired {
                    rid: rid(),
                    keyword: format!("{verb}_requires"),
                    required: require.rid.clone(),
                })?;
                if place == draft.place {
                    return Err(PlanError::Cycle(vec![rid(), rid()]));
                }
                needs.push(Need { require, place, brought: self.brings(verb, require) });
            }
        }
        Ok(needs)
    }

    /// A task or a sync brings about no state: it only comes first.
    fn brings(&self, verb: Verb, require: &Requirement) -> bool {
        let end = match self.turn {
            Turn::Up => [State::Up, State::StdbyUp],
            Turn::Down => [State::Down, State::StdbyDown],
        };
        matches!(verb, Verb::Run | Verb::Sync) || end.into_iter().any(|state| require.accepts(state))
    }

    /// Finds the optional drafts with a requirement that is not met. They act no more, which may leave the requirement of
    /// another one unmet.
    fn settle(
        &mut self,
        drafts: &[Draft<'_>],
        needs: &[Vec<Need<'_>>],
    ) -> Result<HashMap<usize, PlanError>, PlanError> {
        let mut requirers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, need) in needs.iter().enumerate().flat_map(|(at, needs)| needs.iter().map(move |need| (at, need))) {
            requirers.entry(need.place).or_default().push(at);
        }
        let mut unmet = HashMap::new();
        let mut queue: Vec<usize> = (0..drafts.len()).rev().collect();
        while let Some(at) = queue.pop() {
            let Some(error) = needs[at].iter().find_map(|need| self.test(&drafts[at], need)) else { continue };
            if !drafts[at].resource.optional {
                return Err(error);
            }
            if unmet.insert(at, error).is_none() {
                self.acting[drafts[at].place] = None;
                queue.extend(requirers.get(&drafts[at].place).into_iter().flatten());
            }
        }
        Ok(unmet)
    }

    /// Why what the draft needs, and this phase does not bring about, is not so now.
    fn test(&self, draft: &Draft<'_>, need: &Need<'_>) -> Option<PlanError> {
        let state = self.states[need.place];
        let brought = need.brought && self.acting[need.place].is_some();
        (!brought && !need.require.accepts(state)).then(|| PlanError::Unmet {
            rid: draft.resource.rid.clone(),
            required: need.require.rid.clone(),
            wanted: need.require.accepted(),
            state,
        })
    }

    /// The edge between a resource and the container whose network namespace it goes into.
    fn netns_link(&self, draft: &Draft<'_>, at: usize) -> Option<Link> {
        let container = self.acting[self.index.place(draft.resource.netns.as_ref()?)?]?;
        match self.turn {
            Turn::Up => Some(Link { before: container, after: at, kind: EdgeKind::Needs }),
            Turn::Down => Some(Link { before: at, after: container, kind: EdgeKind::Follows }),
        }
    }
}
