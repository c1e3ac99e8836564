//! An exhaustive check of this crate's own code in small bounds: two or three nodes, one slot, a store that may apply any request
//! at any later step, lost answers, crashes, reboots, pins, promises, restored stores. Every order of every step is tried.
//!
//! ```text
//!  WorldBounds ─▶ start ─ every step that is possible ─▶ World, as few distinct ones as can be (canon) ─▶ violation?
//! ```
//!
//! Time goes in ticks. A deadline lasts as many of them as an observer waits at least, which is the tightest that is sound. A
//! pause needs no state of its own: nobody is ever obliged to act, only the keeper cuts by itself.
//!
//! Each mutation breaks one rule, and must be found. `HOSTLER_MODEL_STATES` sets how many states are looked at in each world; without
//! it the tests look at a few thousand, and leave out the mutations that take longest.

mod bounds;
mod canon;
mod explore;
mod mutation;
mod start;
mod step;
mod store;
mod tests;
mod world;
