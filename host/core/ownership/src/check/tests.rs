//! The rules hold, and each mutation of them is found.

use super::bounds::WorldBounds;
use super::explore::search;
use super::mutation::RuleMutation;

/// How many states a short run looks at in each world.
const SHORT: usize = 3000;
/// Each mutation is found within so many.
const ENOUGH: usize = 200_000;
/// Those that take too many for a short run.
const LONG: [RuleMutation; 3] =
    [RuleMutation::ReleaseWithoutToken, RuleMutation::RegisterWithoutLife, RuleMutation::ReadSuffices];

/// How many states a long run looks at. Known when it is built, as this crate reads nothing from outside.
fn asked_for() -> Option<usize> {
    option_env!("HOSTLER_MODEL_STATES")?.parse().ok()
}

#[test]
#[expect(clippy::print_stderr, reason = "a long run says how far it came")]
fn rules_hold_in_every_world() {
    for (name, bounds) in WorldBounds::all() {
        let report = search(&bounds, asked_for().unwrap_or(SHORT));
        eprintln!("{name}: {} states, {}", report.states, if report.exhausted { "all of them" } else { "not all" });
        if let Some(violation) = report.violation {
            panic!("{name}: {violation}");
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "what is not found is shown with what was")]
fn every_mutation_is_found() {
    let mut missed = Vec::new();
    let is_short = |(mutation, _): &(RuleMutation, WorldBounds)| asked_for().is_some() || !LONG.contains(mutation);
    for (mutation, bounds) in RuleMutation::all().into_iter().filter(is_short) {
        let report = search(&WorldBounds { mutation: Some(mutation), ..bounds }, ENOUGH);
        eprintln!("{mutation:?}: {} states: {}", report.states, report.violation.as_deref().unwrap_or("NOT FOUND"));
        if report.violation.is_none() {
            missed.push(mutation);
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
