//! A new engine, made of what one node has, when a majority of the members is lost for good; and a new member of an engine that
//! answers, for a node whose own data are lost.
//!
//! ```text
//!  a voter's data ────────▶ etcd apart, as the only member ──┐                                  ┌─▶ etcd, as always
//!  a follower's file ─────▶ a new etcd apart, filled by copy ─┼─▶ next generation, without lives ┤
//!  nothing (from files) ──▶ a new etcd apart ────────────────┘                                  └─▶ daemons begin new lives
//! ```
//!
//! - Apart means on loopback: before the generation has changed, no daemon may reach it. A request that rests on what the lost
//!   members knew would be applied else.
//! - The generation is what makes it safe: every request of before compares the old one.
//! - What was there is kept aside. A step that was interrupted is done again.

mod accept;
mod anew;
mod plan;
mod seat;

pub use accept::{EngineComparison, EngineWord, accept_generation, compare_engine};
pub use anew::{RecoveryWay, begin_from_files, end_recovery, recover};
pub use plan::{OtherMember, RecoveryPlan, plan_recovery};
pub use seat::{may_seat_again, seat_again};

use std::path::PathBuf;

use store::StoreError;
use store::copy::FillError;
use store_etcd::DataFileFault;

use crate::{FileFault, ProcessFault, RosterFault};

/// Why no new engine is made.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryFault {
    #[error(
        "this node has no member of an engine that om manages: recover on a node that has one; om cluster rebuild gives this node \
         a member again"
    )]
    Seat,
    #[error(
        "the engine answers at {0}: nothing is to be recovered. A member that is lost is replaced by om cluster rebuild on its node"
    )]
    Answers(String),
    #[error("this node's member was removed from the engine: om cluster leave, and om cluster join to come back")]
    Removed,
    #[error("{other} has applied {theirs} entries, this node {ours}: recover on that node, or less would be kept")]
    Behind { other: String, theirs: u64, ours: u64 },
    #[error(
        "the data of this node's member are of no use: recover on another node that has a member, or om cluster rebuild --from-files"
    )]
    Data(#[from] DataFileFault),
    #[error("the data of this node's member hold no cluster that om cluster init made")]
    Empty,
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("cannot run the new engine (see {})", .1.display())]
    Process(#[source] ProcessFault, PathBuf),
    #[error("the new engine does not answer (see {})", .0.display())]
    Silent(PathBuf, #[source] Option<StoreError>),
    #[error("the new engine is not filled")]
    Fill(#[from] FillError),
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error("the engine does not do it")]
    Store(#[from] StoreError),
}
