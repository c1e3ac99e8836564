//! Who may run what in a cluster, without leases: beats, incarnations and tokens.
//!
//! ```text
//!            ┌─ observe(reading) ◀── linearizable reads ──┐
//!  Ownership ┼─ register, beat, evict, take, release ────▶│ store
//!            └─ answer(sent, outcome) ◀───────────────────┘
//!     └─▶ effects: what must be kept before anything is sent, extended deadlines, what must be cut
//! ```
//!
//! Pure: no clock, no input or output. Each function says what may be sent now, or what an answer means; the caller does it
//! when it likes. Nobody is obliged to act in time, so a process that was paused anywhere is only late.
//!
//! - A node's *life* begins with its registration and ends with its eviction or its next registration. The revision of the key
//!   is its incarnation; the key is never deleted, so "gone" is another revision, never an absent key.
//! - A *beat* is chained to the one before, so it proves that the node hears the store, and no older one can undo it. Its
//!   acknowledgement extends what runs, counted from when the beat was *sent*.
//! - An observer that saw one pair of life and beat for longer than any deadline can last, counted from the *arrival* of the
//!   answer that showed it first, may end that life, if both are still so.
//! - A *token* is the revision of a slot that this process of this life has taken, or asserted again. What is only read never
//!   suffices. From the moment when a release is sent the token is dead.
//! - While the store is away, all other nodes may promise not to end a life: a promise of each of them is as good as a beat.
//! - A restored store begins another *generation*, which every request compares.
//!
//! Any request may be applied at any later time, also after its sender gave up, restarted or rebooted: that is why each one
//! compares the generation, its sender's life, and the revisions that it rests on. The rules were found by a model checker
//! (`check`), which also runs this very code, and finds each mutation of it.

mod beat;
#[cfg(test)]
mod check;
mod effect;
mod life;
mod observe;
mod peer;
mod promise;
mod reading;
mod record;
mod request;
mod slot;
mod state;

pub use effect::OwnershipEffect;
pub use promise::FailsafeQuestion;
pub use reading::{Generation, NodeReading, OwnershipReading, SlotName, SlotReading};
pub use record::{BootMemory, NodeMemory, SentEvict};
pub use request::{GuardFinding, OwnershipRequest, RequestGuard, RequestOutcome, SentRequest};
pub use state::{Ownership, OwnershipTiming};
