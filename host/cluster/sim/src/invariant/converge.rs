//! After the healing every service that should be up is up, as often as it should be, and nothing is left to do.

use model::object::{OrchestrateMode, PlacementPolicy};
use model::status::Provisioned;
use model::{NodeName, ObjectPath};
use orchestrate::{Decision, MonitorEpisode, ObjectRules, decide};

use crate::world::{SimNode, World};

/// What has not converged.
pub(crate) fn judge(world: &World) -> Vec<String> {
    let mut verdicts = Vec::new();
    for path in world.scenario.objects.keys() {
        verdicts.extend(judge_object(world, path));
    }
    for name in world.nodes.keys() {
        let Ok(view) = world.view(name) else {
            verdicts.push(format!("{name} has no whole view"));
            continue;
        };
        let decisions = decide(&view, name, world.clock(name));
        let left = |(path, decision): (&ObjectPath, &Decision)| {
            let steps = &decision.steps;
            (!steps.is_empty()).then(|| format!("{name} has still to do for {path}: {steps:?}"))
        };
        verdicts.extend(decisions.iter().filter_map(left));
    }
    verdicts
}

fn judge_object(world: &World, path: &ObjectPath) -> Option<String> {
    let document = world.store.objects.get(path).filter(|document| !document.view.tombstone)?;
    let rules = &document.rules;
    let automatic = rules.orchestrate == OrchestrateMode::Ha && rules.placement != PlacementPolicy::None;
    if !automatic || is_stopped_by_hand(world, path) {
        return None;
    }
    let able = rules.nodes.iter().filter(|node| is_able(world, node, path)).count();
    let running = world.nodes.iter().filter(|(_, node)| node.machine.runs(path, rules)).count();
    let wanted = rules.wanted().min(able);
    if running >= wanted || !parents_run(world, rules) {
        return None;
    }
    let mut reasons = String::new();
    for name in world.nodes.keys() {
        let decision =
            world.view(name).ok().map(|view| orchestrate::decide_object(&view, path, name, world.clock(name)));
        let codes: Vec<&str> = decision.iter().flat_map(|it| &it.reasons).map(|reason| reason.code()).collect();
        reasons += &format!(" {name}: {codes:?}");
    }
    Some(format!("{path} runs on {running} of {wanted} nodes:{reasons}"))
}

/// Whether nothing but the orchestrator keeps a node from running the object. After a monitor action, a person does.
fn is_able(world: &World, node: &NodeName, path: &ObjectPath) -> bool {
    let machine = &world.nodes[node].machine;
    let resources = machine.resources.get(path).into_iter().flat_map(|resources| resources.values());
    let provisioned = resources.into_iter().all(|resource| resource.provisioned != Provisioned::False);
    let disk = machine.disk.get(path);
    disk.is_some_and(|disk| disk.record.monitor != Some(MonitorEpisode::Spent)) && provisioned
}

/// Whether a person stopped a part of the object somewhere: then it stays there as it is.
fn is_stopped_by_hand(world: &World, path: &ObjectPath) -> bool {
    let records = world.nodes.values().filter_map(|node| node.machine.disk.get(path));
    records.into_iter().any(|disk| !disk.record.stopped.is_empty())
}

/// Whether every parent is up, and on no node up in part.
fn parents_run(world: &World, rules: &ObjectRules) -> bool {
    rules.parents.iter().all(|parent| {
        let document = world.store.objects.get(&parent.path).filter(|document| !document.view.tombstone);
        document.is_some_and(|document| {
            let running = world.nodes.values().filter(|node| node.machine.runs(&parent.path, &document.rules));
            let running: Vec<&SimNode> = running.collect();
            let whole = |node: &SimNode| {
                let resources = &node.machine.resources[&parent.path];
                resources.iter().all(|(rid, resource)| resource.up || document.rules.resources[rid].optional)
            };
            !running.is_empty() && running.into_iter().all(whole)
        })
    })
}
