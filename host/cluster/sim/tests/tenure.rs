//! One slot on several nodes: whatever becomes of requests and answers, it runs on one at most, and on one when all is well again.
//!
//! HOSTLER_SIM_SCHEDULES says how many schedules there are in all (see schedules.rs), HOSTLER_SIM_SEED where they begin.

use sim::{TenurePlan, TenureWeakness, run_tenure};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The first seed of a plan that is violated, with what led to it.
fn first_violation(plan: TenurePlan, count: u64, weakness: Option<TenureWeakness>) -> Option<String> {
    let begin = number("HOSTLER_SIM_SEED", 1);
    (begin..begin + count).find_map(|seed| {
        let report = run_tenure(plan, seed, weakness);
        let violation = report.violation?;
        let last = report.lines.len().saturating_sub(40);
        Some(format!("{}, seed {}: {violation}\n{}", plan.name, report.seed, report.lines[last..].join("\n")))
    })
}

#[test]
fn a_slot_runs_on_one_node_in_every_scenario() {
    let count = (number("HOSTLER_SIM_SCHEDULES", 10_000) / 200).max(1);
    let found: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            TenurePlan::ALL.iter().map(|plan| scope.spawn(move || first_violation(*plan, count, None))).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("a run panicked")).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn a_store_that_is_away_stops_nothing_while_all_nodes_promise() {
    let plan = TenurePlan::ALL.iter().find(|plan| plan.name == "32 engine-down").unwrap();
    let mut outages = 0;
    for seed in 1..=8 {
        let report = run_tenure(*plan, seed, None);
        outages += report.lines.iter().filter(|line| line.ends_with("the store is away")).count();
        assert_eq!((report.violation, report.starts), (None, 1), "seed {seed}: {:#?}", report.lines);
    }
    assert!(outages > 8, "{outages} outages");
}

#[test]
fn a_broken_rule_is_found_and_its_seed_is_named() {
    for weakness in [TenureWeakness::ShortPatience, TenureWeakness::NoCut, TenureWeakness::ReadIsEnough] {
        let found = TenurePlan::ALL.iter().find_map(|plan| first_violation(*plan, 60, Some(weakness)));
        let found = found.unwrap_or_else(|| panic!("{weakness:?} was not found"));
        assert!(found.contains("seed ") && found.contains("it runs on "), "{found}");
    }
}

#[test]
fn a_seed_gives_the_same_run() {
    for plan in TenurePlan::ALL {
        let (first, second) = (run_tenure(*plan, 7, None), run_tenure(*plan, 7, None));
        assert_eq!(first.lines, second.lines, "{}", plan.name);
        assert!(first.starts > 0, "{}: it was never started", plan.name);
    }
}
