//! Several nodes and one slot, on the real rows of the store (`replica`), the real rules of ownership and the real table of deadlines:
//! who runs it, and when, whatever becomes of requests and answers.
//!
//! ```text
//!  seed, plan ─▶ TenureWorld ── each node's loop: look, register, beat, evict, take, start ──▶ requests
//!                     │                                                                          │
//!                     │   applied at once, late, at any later time or never; answered or not ◀──┘
//!                     └── after each event: the slot runs on one node at most
//! ```
//!
//! The orchestrator has no part here: each node wants the slot, so that every hole in the rules is tried.

mod node;
mod plan;
mod world;

pub use plan::{TenurePlan, TenureWeakness};
pub use world::{TenureReport, run_tenure};
