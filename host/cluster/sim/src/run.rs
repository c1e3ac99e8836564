//! Runs: one seed, one schedule, one trace.

use crate::Random;
use crate::invariant::Violation;
use crate::mutation::Mutation;
use crate::scenario::Scenario;
use crate::world::World;

/// What became of a run.
#[derive(Debug)]
pub struct ScheduleReport {
    pub seed: u64,
    /// The digest of all that happened.
    pub digest: u64,
    pub events: u64,
    pub violations: Vec<Violation>,
    /// What happened, if it was asked for.
    pub lines: Vec<String>,
}

/// How a run is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScheduleOptions {
    pub mutation: Option<Mutation>,
    /// Whether what happens is kept as text.
    pub verbose: bool,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, options: ScheduleOptions) -> ScheduleReport {
    let mut random = Random::new(seed);
    let scenario = Scenario::draw(&mut random);
    let mut world = World::new(scenario, random, options.mutation, options.verbose);
    world.run();
    ScheduleReport {
        seed,
        digest: world.trace.digest(),
        events: world.trace.events(),
        violations: world.checks.violations.clone(),
        lines: world.trace.lines().to_vec(),
    }
}
