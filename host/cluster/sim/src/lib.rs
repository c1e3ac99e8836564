//! A deterministic simulator around the orchestrator: virtual time, nodes with clocks of their own, a store whose requests may
//! be applied long after they were given up, faults drawn by seed, and what must hold in every run.
//!
//! ```text
//!  seed ─▶ Scenario ─▶ World ─ event by event ─▶ Trace
//!                       │  daemons decide by `orchestrate`, as the real one does
//!                       └─ after each event the invariants look
//! ```
//!
//! [`run_tenure`] is another world, of one slot: there the rows of the store, the rules of ownership and the deadlines are the real ones.
//!
//! The same seed gives the same trace, which the tests check by running each seed twice.

mod daemon;
mod invariant;
mod machine;
mod mutation;
mod random;
mod run;
mod scenario;
mod store;
mod tenure;
mod trace;
mod world;

pub use invariant::Violation;
pub use mutation::Mutation;
pub use random::Random;
pub use run::{ScheduleOptions, ScheduleReport, run};
pub use scenario::{FaultRates, Scenario};
pub use tenure::{TenurePlan, TenureReport, TenureWeakness, run_tenure};
pub use trace::Trace;
