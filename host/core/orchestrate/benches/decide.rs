//! What a decision costs: `cargo bench -p hostler-orchestrate`.
//!
//! It prints a table and always succeeds: it is not a test, because a busy machine is not a fault of the code. Each figure is
//! the best of many, which is what the code costs when nothing else runs.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::status::State;
use orchestrate::{DecisionCache, ObjectView, ViewChange, decide};
use support::{Cluster, node, path, resource, rid, rules};

const OBJECTS: usize = 1000;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    // `cargo test --benches` runs this too, without a word: it has nothing to test.
    if std::env::args().all(|word| word != "--bench") {
        return;
    }
    println!("| what | measured | goal |\n|---|---|---|");
    for (nodes, whole, event) in [(1, "5 ms", "0.1 ms"), (100, "50 ms", "1 ms")] {
        let cluster = cluster(nodes);
        let view = cluster.view();
        let (me, now) = (node("n1"), cluster.now);
        let took = best(|| assert_eq!(decide(&view, &me, now).len(), OBJECTS));
        println!("| decide of {OBJECTS} objects on {nodes} nodes | {took:?} | {whole} |");
        let mut cache = DecisionCache::default();
        cache.update(&view, &[ViewChange::Cluster], &me, now);
        let change = [ViewChange::Object(path("svc500"))];
        let took = best(|| assert!(cache.update(&view, &change, &me, now).len() < OBJECTS));
        println!("| the same after one event | {took:?} | {event} |");
    }
}

/// A cluster whose objects are up, each on one node, with ten resources.
fn cluster(nodes: usize) -> Cluster {
    let names: Vec<String> = (1..=nodes).map(|number| format!("n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut cluster = Cluster::new(&names);
    let mut rules = rules(&names.iter().map(|name| node(name)).collect::<Vec<_>>());
    rules.resources = (1..=10).map(|number| (rid(&format!("app#{number}")), resource())).collect();
    cluster.objects.clear();
    for number in 1..=OBJECTS {
        cluster.add(&format!("svc{number}"), rules.clone());
    }
    let owners: BTreeMap<_, _> = cluster.objects.keys().cloned().zip(names.iter().cycle()).collect();
    for (path, object) in &mut cluster.objects {
        start(object, owners[path]);
    }
    cluster
}

fn start(object: &mut ObjectView, owner: &str) {
    let rules = object.rules.clone().map(Arc::unwrap_or_clone);
    let instance = object.instances.get_mut(&node(owner));
    if let (Some(rules), Some(status)) = (rules, instance.and_then(|instance| instance.status.as_mut())) {
        status.resources.values_mut().for_each(|view| view.state = State::Up);
        *status = orchestrate::StatusView::of(&rules, status.after, status.resources.clone());
    }
}

/// The shortest of many times.
fn best(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..50).map(once).min().unwrap_or_default()
}
