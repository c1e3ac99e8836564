//! Puts the drafts of a phase into stages: in their natural order as far as the edges allow it.
//!
//! A step that must wait for a later stage is put into a stage of its own right after it. So a requirement against the
//! order of groups moves one step, and only steps that wait for each other are an error.

use std::collections::BTreeSet;
use std::ops::Range;

use model::{Group, Rid, SubsetName};

use super::draft::StepDraft;
use super::requires::DraftLink;
use crate::{PlanError, PlanStage, PlanStep, StepEdge};

/// The stages. `parallel` are the subsets whose members act at the same time.
pub(crate) fn arrange(
    mut drafts: Vec<StepDraft<'_>>,
    links: &[DraftLink],
    parallel: &BTreeSet<(Group, SubsetName)>,
) -> Result<Vec<PlanStage>, PlanError> {
    let order = order(&drafts, links)?;
    for link in links {
        let rid = drafts[link.before].step.rid.clone();
        drafts[link.after].step.after.push(StepEdge { rid, kind: link.kind });
    }
    let mut drafts: Vec<Option<StepDraft<'_>>> = drafts.into_iter().map(Some).collect();
    // Each draft has exactly one place in the order, so each is taken once.
    let taken = order.into_iter().map(|stage| stage.into_iter().filter_map(|at| drafts[at].take()).collect());
    Ok(taken.filter_map(|stage: Vec<StepDraft<'_>>| build(stage, parallel)).collect())
}

/// The positions of the drafts, stage by stage.
fn order(drafts: &[StepDraft<'_>], links: &[DraftLink]) -> Result<Vec<Vec<usize>>, PlanError> {
    let mut next = vec![Vec::new(); drafts.len()];
    let mut waits = vec![0_usize; drafts.len()];
    for link in links {
        next[link.before].push(link.after);
        waits[link.after] += 1;
    }
    let natural = natural_stages(drafts);
    let mut ready: BTreeSet<usize> = (0..drafts.len()).filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::new();
    let mut placed = 0;
    // The earliest step that can act begins a stage, which then takes every ready step of the same natural stage. The set is
    // ordered by the natural order, so steps without edges keep it.
    while let Some(&first) = ready.first() {
        let mut stage = Vec::new();
        // Asked again after each step: what became ready through it may belong to the same stage.
        while let Some(&at) = ready.range(natural[first].clone()).next() {
            ready.remove(&at);
            stage.push(at);
            for &after in &next[at] {
                waits[after] -= 1;
                if waits[after] == 0 {
                    ready.insert(after);
                }
            }
        }
        placed += stage.len();
        order.push(stage);
    }
    // Steps that never became ready wait for each other.
    match placed == drafts.len() {
        true => Ok(order),
        false => Err(PlanError::Cycle(cycle(&waits, links, drafts))),
    }
}

/// For each draft, the positions of the drafts of its group and subset, which are neighbours.
fn natural_stages(drafts: &[StepDraft<'_>]) -> Vec<Range<usize>> {
    let mut stages = Vec::with_capacity(drafts.len());
    for stage in drafts.chunk_by(|a, b| a.position.same_stage(&b.position)) {
        let start = stages.len();
        stages.extend(std::iter::repeat_n(start..start + stage.len(), stage.len()));
    }
    stages
}

/// A cycle among the drafts that still wait, in the order in which they would have to act.
fn cycle(waits: &[usize], links: &[DraftLink], drafts: &[StepDraft<'_>]) -> Vec<Rid> {
    let mut before = vec![None; waits.len()];
    for link in links.iter().filter(|link| waits[link.before] > 0 && waits[link.after] > 0) {
        // One step to wait for is enough to walk along a cycle.
        before[link.after].get_or_insert(link.before);
    }
    let mut seen = vec![false; waits.len()];
    let mut walk = Vec::new();
    // Each draft that still waits does so for another one that still waits, so the walk comes back to where it was before.
    let mut at = waits.iter().position(|waits| *waits > 0);
    while let Some(here) = at {
        walk.push(here);
        if std::mem::replace(&mut seen[here], true) {
            break;
        }
        at = before[here];
    }
    // The walk stopped at a draft that it had met before: the cycle begins there. It went against the order of the
    // steps.
    let last = walk.last().copied();
    let start = walk.iter().position(|at| Some(*at) == last).unwrap_or(0);
    walk[start..].iter().rev().map(|at| drafts[*at].step.rid.clone()).collect()
}

fn build(drafts: Vec<StepDraft<'_>>, parallel: &BTreeSet<(Group, SubsetName)>) -> Option<PlanStage> {
    let position = drafts.first()?.position;
    let subset = position.subset.cloned();
    let parallel = subset.as_ref().is_some_and(|name| parallel.contains(&(position.group, name.clone())));
    let steps = drafts.into_iter().map(|draft| with_edges_in_order(draft.step)).collect();
    Some(PlanStage { group: position.group, subset, parallel, steps })
}

/// Orders the edges, and keeps the strongest of those to the same resource.
fn with_edges_in_order(mut step: PlanStep) -> PlanStep {
    step.after.sort();
    // `Needs` is sorted before `Follows`, and the first of two is kept.
    step.after.dedup_by(|a, b| a.rid == b.rid);
    step
}
