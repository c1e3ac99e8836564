//! Properties of every object.

use std::collections::BTreeSet;

use crate::support::instance;
use model::object::Requirement;
use model::{Rid, Verb};
use plan::{Action, InstanceFacts, Plan, PlanRequest, plan};
use proptest::prelude::*;

/// Objects with subsets, parallel ones among them, links to containers and all kinds of flags. No requires.
fn objects() -> impl Strategy<Value = InstanceFacts> {
    let group = prop::sample::select(vec!["ip", "volume", "disk", "fs", "share", "container", "app", "task"]);
    let subset = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    let state = prop::sample::select(vec!["up", "down", "warn", "stdby-up", "stdby-down", "disable"]);
    let resource = (group, 0..30_u32, subset, state, any::<bool>());
    (prop::collection::vec(resource, 0..40), any::<bool>()).prop_map(|(resources, parallel)| {
        let mut lines = if parallel { "parallel app:a\nparallel container:b\n" } else { "" }.to_owned();
        let mut seen = BTreeSet::new();
        let containers: Vec<u32> = resources.iter().filter(|r| r.0 == "container").map(|r| r.1).collect();
        for (at, (group, id, subset, state, linked)) in resources.iter().enumerate() {
            if !seen.insert((group, id)) {
                continue;
            }
            lines.push_str(&format!("{group}#{id} {state}"));
            subset.iter().for_each(|name| lines.push_str(&format!(" subset={name}")));
            if *group == "ip" && *linked && !containers.is_empty() {
                lines.push_str(&format!(" netns=container#{}", containers[at % containers.len()]));
            }
            lines.push('\n');
        }
        instance(&lines)
    })
}

fn flat(plan: &Plan) -> Vec<Rid> {
    plan.steps().map(|step| step.rid.clone()).collect()
}

/// An order in which an executor may finish the steps: stage by stage, and in a parallel stage any step that is ready.
fn interleave(plan: &Plan, choices: &[usize]) -> Option<Vec<Rid>> {
    let mut ended: Vec<Rid> = Vec::new();
    let mut choices = choices.iter().cycle();
    for stage in plan.stages() {
        let mut waiting: Vec<&plan::PlanStep> = stage.steps.iter().collect();
        while !waiting.is_empty() {
            let is_ready = |step: &&&plan::PlanStep| step.after.iter().all(|edge| ended.contains(&edge.rid));
            let ready: Vec<&plan::PlanStep> = waiting.iter().filter(is_ready).copied().collect();
            let next = if stage.parallel { ready.get(choices.next()? % ready.len().max(1))? } else { &waiting[0] };
            ended.push(next.rid.clone());
            let next = next.rid.clone();
            waiting.retain(|step| step.rid != next);
        }
    }
    Some(ended)
}

proptest! {
    #[test]
    fn stop_is_the_exact_reverse_of_start(object in objects()) {
        let start = plan(&object, &PlanRequest::new(Action::Start)).unwrap();
        let stop = plan(&object, &PlanRequest::new(Action::Stop)).unwrap();
        let mut reversed = flat(&stop);
        reversed.reverse();
        prop_assert_eq!(flat(&start), reversed);
    }

    #[test]
    fn every_edge_holds_however_the_steps_interleave(
        object in objects(),
        requires in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12),
        choices in prop::collection::vec(any::<usize>(), 1..50),
    ) {
        let mut object = object;
        if !object.resources.is_empty() {
            for (from, to) in requires {
                let rid = to.get(&object.resources).rid.clone();
                let from = from.index(object.resources.len());
                let require = Requirement::up(rid);
                object.resources[from].requires.entry(Verb::Start).or_default().push(require);
            }
        }
        // Other tests cover requests that cannot be planned.
        let Ok(plan) = plan(&object, &PlanRequest::new(Action::Start)) else { return Ok(()) };
        let order = interleave(&plan, &choices);
        prop_assert!(order.is_some(), "the steps of a stage wait forever");
        let order = order.unwrap();
        let at = |rid: &Rid| order.iter().position(|other| other == rid);
        for step in plan.steps() {
            for edge in &step.after {
                prop_assert!(at(&edge.rid) < at(&step.rid), "{} before {}", edge.rid, step.rid);
            }
        }
        let concerned = object.resources.iter().filter(|resource| Action::Start.concerns(resource.rid.group()));
        prop_assert_eq!(order.len(), concerned.count(), "every resource is listed once");
    }

    #[test]
    fn no_edge_crosses_a_cycle(edges in prop::collection::vec((0..8_usize, 0..8_usize), 0..16)) {
        let mut object = instance(&(0..8).map(|n| format!("app#{n} down\n")).collect::<String>());
        for (from, to) in &edges {
            let rid = format!("app#{to}").parse().unwrap();
            let require = Requirement::up(rid);
            object.resources[*from].requires.entry(Verb::Start).or_default().push(require);
        }
        match plan(&object, &PlanRequest::new(Action::Start)) {
            Ok(plan) => prop_assert_eq!(plan.steps().count(), 8),
            Err(plan::PlanError::Cycle(rids)) => {
                prop_assert!(rids.len() >= 2 && rids.first() == rids.last());
                for pair in rids.windows(2) {
                    let number = |rid: &Rid| rid.index().parse::<usize>().unwrap();
                    // The one before is required by the one after.
                    prop_assert!(edges.contains(&(number(&pair[1]), number(&pair[0]))), "{pair:?} is not an edge");
                }
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

/// Planned in some 30 ms where the code is linear. Quadratic code would take minutes.
#[test]
fn ten_thousand_resources_are_planned_with_all_their_edges() {
    let mut lines = String::from("parallel app:p\n");
    for n in 0..2_000 {
        lines.push_str(&format!("disk#{n} down\nfs#{n} down start_requires=disk#{n}\n"));
        lines.push_str(&format!("container#{n} down subset=s{}\nip#{n} down netns=container#{n}\n", n % 7));
        lines.push_str(&format!("app#{n} down subset=p start_requires=container#{n}\n"));
    }
    let plan = plan(&instance(&lines), &PlanRequest::new(Action::Start)).unwrap();
    assert_eq!(plan.steps().count(), 10_000);
    let edges = plan.steps().filter(|step| !step.after.is_empty()).map(|step| step.rid.group());
    let edges = edges.fold(std::collections::BTreeMap::new(), |mut counts, group| {
        *counts.entry(group.to_string()).or_insert(0) += 1;
        counts
    });
    let expected = ["app", "fs", "ip"].map(|group| (group.to_owned(), 2_000));
    assert_eq!(edges, expected.into());
}
