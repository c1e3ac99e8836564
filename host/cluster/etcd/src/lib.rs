//! The members of etcd that Hostler manages.
//!
//! ```text
//!  om cluster init, join, leave ──▶ Preflight ──▶ ClusterPlace (files) ──▶ EtcdProgram ──▶ etcd, in a group of its own
//!                                                      ▲                                    ▲
//!  daemon: EngineUpkeep ── adopts or starts ───────────┘                                    │
//!             └─ the leader's only: members ──▶ plan::next_step ──▶ promote, remove ────────┘
//!
//!  store: cluster/roster       the nodes and where they are reached
//!         cluster/token/<id>   who may join: hashed, until when, how often
//!         cluster/pki/         certificates: who trusts whom, what comes next, what is revoked
//! ```
//!
//! - What voters there should be is decided in [`plan`], from values alone.
//! - A joiner never makes itself a voter: a daemon beside a voter does, when the joiner is in step.
//! - Each step of a join may be done again. What was done stands in the roster, and in a file of the joiner.
//! - The process of etcd outlives the daemon, which finds it again.

mod admission;
mod archive;
mod authority;
mod eviction;
mod file;
mod member;
mod place;
pub mod plan;
mod preflight;
mod process;
mod program;
mod recovery;
mod roster;
mod status;
mod token;
mod upkeep;

pub use admission::{AdmissionDesk, AdmissionRefusal};
pub use archive::{ArchiveFault, back_up, move_in, move_out, restore, take_over};
pub use authority::{
    AuthorityFault, CertificateLine, CertificateReport, RotationLine, RotationPhase, begin_rotation,
    report_certificates,
};
pub use eviction::{SeenNode, is_in_force, look_at_node, remove_silent_member};
pub use file::FileFault;
pub use member::{MemberFault, check_leave, leave, remove_node};
pub use place::{ClusterPlace, EngineSeat, LocalSeat, WitnessSeat};
pub use preflight::{Finding, Preflight, own_address};
pub use process::{EngineProcess, ProcessFault};
pub use program::{EtcdProgram, ProgramFault};
pub use recovery::{
    EngineComparison, EngineWord, OtherMember, RecoveryFault, RecoveryPlan, RecoveryWay, accept_generation,
    begin_from_files, compare_engine, end_recovery, may_seat_again, plan_recovery, recover, seat_again,
};
pub use roster::{Roster, RosterFault, RosterNode, change_roster, read_roster};
pub use status::cluster_status;
/// The engine, as it is asked here.
pub use store_etcd::EtcdStore as EngineStore;
pub use token::{JoinToken, TokenFault, TokenLine, checksum, create_token, list_tokens, revoke_token};
pub use upkeep::{EngineUpkeep, UpkeepNews, UpkeepRoster, WitnessView};
