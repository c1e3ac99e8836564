//! Rules that are broken on purpose are found: an invariant that finds nothing is worth nothing.
//!
//! `kept.txt` holds a seed for each mutation. Its schedule violates an invariant with the mutation, and none without it.

use std::sync::atomic::{AtomicUsize, Ordering};

use sim::{Mutation, ScheduleOptions, run};

/// A mutation whose kept seed does not show it any more is searched for in so many schedules.
const SCHEDULES: u64 = 2000;

#[test]
fn every_mutation_is_found() {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut problems: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut problems = Vec::new();
            while let Some(mutation) = Mutation::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                problems.extend(problem(*mutation));
            }
            problems
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a run panicked")).collect()
    });
    problems.sort();
    assert!(problems.is_empty(), "kept.txt should have these lines:\n{}", problems.join("\n"));
}

#[test]
fn a_kept_seed_violates_nothing_without_its_mutation() {
    for (name, seed) in kept() {
        let report = run(seed, ScheduleOptions::default());
        assert!(report.violations.is_empty(), "seed {seed}, kept for {name}: {:#?}", report.violations);
    }
}

/// The line that `kept.txt` lacks, if its seed does not show the mutation.
fn problem(mutation: Mutation) -> Option<String> {
    let name = format!("{mutation:?}");
    let seed = kept().into_iter().find(|(known, _)| *known == name).map(|(_, seed)| seed);
    if seed.is_some_and(|seed| violated(seed, mutation).is_some()) {
        return None;
    }
    let mut found = (1..=SCHEDULES).filter_map(|seed| Some((seed, violated(seed, mutation)?)));
    Some(match found.next() {
        Some((seed, invariant)) => format!("{name} {seed}  # {invariant}"),
        None => format!("{name} is not found in {SCHEDULES} schedules"),
    })
}

/// The invariant that a mutation violates in the schedule of a seed.
fn violated(seed: u64, mutation: Mutation) -> Option<&'static str> {
    let options = ScheduleOptions { mutation: Some(mutation), ..ScheduleOptions::default() };
    Some(run(seed, options).violations.first()?.invariant)
}

/// The kept seeds, by the names of their mutations.
fn kept() -> Vec<(&'static str, u64)> {
    let lines = include_str!("kept.txt").lines().filter_map(|line| line.split('#').next());
    lines
        .filter_map(|line| line.trim().split_once(' '))
        .filter_map(|(name, seed)| Some((name, seed.parse().ok()?)))
        .collect()
}
