//! Resources that wait for each other: `<action>_requires`, `netns` and the devices that keywords refer to, taken together.
//!
//! An edge alone never makes a cycle, even against the order of groups: the planner moves the step. A cycle that no order
//! can satisfy is reported here, before any resource acts.

use std::collections::{BTreeSet, HashMap};

use model::object::{Requirement, Resource};
use model::status::State;
use model::{Group, Rid, Verb};

/// Resources that wait for each other, in the order in which they would have to act.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequirementCycle {
    /// The first one is repeated at the end.
    pub(crate) rids: Vec<Rid>,
    /// The requirement that closes the cycle: whose it is, of which verb, and the resource it names.
    pub(crate) culprit: Option<(Rid, Verb, Rid)>,
}

/// One phase of an action. Provision starts what it made, and unprovision stops what it destroys.
struct ActionPhase {
    up: bool,
    actions: &'static [Verb],
}

const PHASES: [ActionPhase; 6] = [
    ActionPhase { up: true, actions: &[Verb::Start] },
    ActionPhase { up: false, actions: &[Verb::Stop] },
    ActionPhase { up: true, actions: &[Verb::Provision, Verb::Start] },
    ActionPhase { up: false, actions: &[Verb::Stop, Verb::Unprovision] },
    ActionPhase { up: true, actions: &[Verb::Run] },
    ActionPhase { up: true, actions: &[Verb::Sync] },
];

/// Every cycle once, of those that share a resource the first.
pub(crate) fn cycles(resources: &[Resource]) -> Vec<RequirementCycle> {
    let waits = |one: &Resource| !one.requires.is_empty() || one.joins.is_some() || !one.speaks_of(false).is_empty();
    // Most objects have not one edge.
    if !resources.iter().any(waits) {
        return Vec::new();
    }
    let mut reported = BTreeSet::new();
    let mut cycles = Vec::new();
    for phase in &PHASES {
        let graph = OrderGraph::of(resources, phase);
        for cycle in graph.cycles() {
            let members: BTreeSet<&Rid> = cycle.iter().map(|at| &resources[*at].rid).collect();
            // A start and a provision mostly share their cycles, so only the first phase reports one.
            if reported.insert(members) {
                cycles.push(graph.report(&cycle));
            }
        }
    }
    cycles
}

/// The order of a phase as a graph. Resources are numbered by their places.
struct OrderGraph<'r> {
    resources: &'r [Resource],
    after: Vec<Vec<GraphEdge<'r>>>,
}

struct GraphEdge<'r> {
    to: usize,
    /// The requirement that the edge comes from, and whose it is.
    because: Option<(&'r Rid, Verb, &'r Rid)>,
}

impl<'r> OrderGraph<'r> {
    fn of(resources: &'r [Resource], phase: &ActionPhase) -> OrderGraph<'r> {
        // The planner skips these in every action, so they can keep no other resource waiting.
        let acting = resources.iter().enumerate().filter(|(_, resource)| !resource.disable && !resource.encap);
        let places: HashMap<&Rid, usize> = acting.map(|(at, resource)| (&resource.rid, at)).collect();
        let mut graph = OrderGraph { resources, after: resources.iter().map(|_| Vec::new()).collect() };
        for (&rid, &at) in &places {
            for (action, requirement) in required(&resources[at], phase) {
                // A requirement on a resource that never acts is a test of its state, and gives no order.
                let Some(&other) = places.get(&requirement.rid) else { continue };
                let because = Some((rid, action, &requirement.rid));
                graph.join(brought(phase, action, requirement), other, at, because);
            }
            for other in implied(&resources[at], phase).filter_map(|other| places.get(other)) {
                graph.join(phase.up, *other, at, None);
            }
        }
        // The places come out of a hash map, and the report must not depend on its order.
        graph.after.iter_mut().for_each(|edges| edges.sort_by_key(|edge| (edge.to, edge.because)));
        graph
    }

    /// Adds an edge: `other` comes first, or else `own` does. A resource that names itself was reported already.
    fn join(&mut self, other_first: bool, other: usize, own: usize, because: Option<(&'r Rid, Verb, &'r Rid)>) {
        let (before, to) = if other_first { (other, own) } else { (own, other) };
        if before != to {
            self.after[before].push(GraphEdge { to, because });
        }
    }

    /// The places along each cycle that shares no resource with another one before it. Deep first, without recursion:
    /// a configuration can hold a chain of any length.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut found = Vec::new();
        let mut seen = vec![false; self.after.len()];
        let mut in_cycle = vec![false; self.after.len()];
        // The position of a resource on the current path, if it is on it.
        let mut depth = vec![None; self.after.len()];
        for start in 0..self.after.len() {
            // The call stack of a recursion: each resource on the path, and the edge to walk next.
            let mut way: Vec<(usize, usize)> = Vec::new();
            let mut enter = Some(start).filter(|start| !seen[*start]);
            loop {
                if let Some(at) = enter.take() {
                    (seen[at], depth[at]) = (true, Some(way.len()));
                    way.push((at, 0));
                }
                let Some((at, next)) = way.last_mut() else { break };
                // All edges are walked: step back, and leave the path.
                let Some(edge) = self.after[*at].get(*next) else {
                    depth[*at] = None;
                    way.pop();
                    continue;
                };
                *next += 1;
                match depth[edge.to] {
                    // An edge back onto the path closes a cycle. A resource of an earlier cycle is not reported again.
                    Some(first) if !in_cycle[edge.to] => {
                        let cycle: Vec<usize> = way[first..].iter().map(|(at, _)| *at).collect();
                        cycle.iter().for_each(|at| in_cycle[*at] = true);
                        found.push(cycle);
                    }
                    None if !seen[edge.to] => enter = Some(edge.to),
                    _ => {}
                }
            }
        }
        found
    }

    fn report(&self, cycle: &[usize]) -> RequirementCycle {
        let rids = cycle.iter().chain(cycle.first()).map(|at| self.resources[*at].rid.clone()).collect();
        let steps = cycle.iter().zip(cycle.iter().cycle().skip(1));
        let edges = steps.filter_map(|(from, to)| self.after[*from].iter().find(|edge| edge.to == *to));
        // The least of them, so that the same cycle is always blamed on the same requirement.
        let culprit = edges.filter_map(|edge| edge.because).min();
        RequirementCycle { rids, culprit: culprit.map(|(own, action, other)| (own.clone(), action, other.clone())) }
    }
}

/// The requirements of a resource in a phase.
fn required<'r>(resource: &'r Resource, phase: &ActionPhase) -> impl Iterator<Item = (Verb, &'r Requirement)> {
    let applies = |action: &Verb| match action {
        Verb::Provision => resource.provision,
        Verb::Unprovision => resource.unprovision,
        _ => true,
    };
    let actions: Vec<Verb> = phase.actions.iter().copied().filter(applies).collect();
    actions
        .into_iter()
        .flat_map(|action| resource.requires.get(&action).into_iter().flatten().map(move |r| (action, r)))
}

/// Whether acting on the other resource brings about what is asked for, so that it comes first. Else it must be so now, and
/// the other comes after. A task or a copy brings about no state: it only comes first.
fn brought(phase: &ActionPhase, action: Verb, requirement: &Requirement) -> bool {
    let end = if phase.up { [State::Up, State::StdbyUp] } else { [State::Down, State::StdbyDown] };
    matches!(action, Verb::Run | Verb::Sync) || end.into_iter().any(|state| requirement.accepts(state))
}

/// The resources without which this one cannot be up: its container, and the disks whose devices it refers to.
fn implied<'r>(resource: &'r Resource, phase: &ActionPhase) -> impl Iterator<Item = &'r Rid> {
    let container = resource.joins.iter().filter(|_| resource.rid.group() == Group::Ip);
    // A resource can be stopped without its devices.
    let devices = if phase.up { resource.speaks_of(false) } else { Vec::new() };
    container.chain(devices)
}
