//! What a node of several does besides: it keeps its life in the store, owns slots, says how it is, and follows what others say.
//!
//! ```text
//!              ┌─ observe ◀── the store's changes
//!  Membership ─┼─ beat, register, evict, take, release ──▶ store ──Owned──▶ answer
//!              └─ effects ──▶ memory on disk and in /run, deadlines of the guard, cuts
//!
//!  this node's state, instances, configurations ──said──▶ store ──▶ the views of the others
//!
//!  a node that is lost is ended from outside, where cluster.conf has a fence ──▶ its life ends at once
//!
//!  pings, promises while the store is away ◀── link ──▶ the other daemons
//! ```
//!
//! `ownership` decides all of it; here is what it needs of the world. A node alone has no [`Membership`].

mod address;
mod agree;
mod document;
mod fence;
mod life;
mod link;
mod member;
mod memory;
mod operator;
mod outage;
mod paths;
mod reach;
mod roster;
mod say;
mod slot;

pub(crate) use address::follow_address;
pub(crate) use link::{LinkState, open_endpoint};
pub(crate) use member::{ClusterMessage, Membership};
