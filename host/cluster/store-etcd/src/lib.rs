//! etcd behind the trait `Store`.
//!
//! ```text
//!   EtcdStore ── list, txn, compact ──▶ MemberGroup ── one member after the other ──▶ EtcdMember ──▶ etcd
//!             └─ watch ──▶ EtcdFeed, on a connection of its own                          │
//!                                        MarkGuard ◀── the header of every answer ───────┘
//! ```
//!
//! What etcd does where one would guess wrong decides how this is built:
//!
//! - Nothing that is asked of a member is waited for without a limit: a frozen member takes a connection and a request, and
//!   never answers. A read is then asked of the next member. A transaction is not: it may still be applied, so it is reported
//!   as such, and the next request goes to another member. Only what never left this process was not applied.
//! - A refusal of etcd is no proof that nothing was applied: the transaction that reaches the quota is applied, and answered
//!   with "database space exceeded".
//! - Error codes are not to be trusted (a lost leader comes as Unavailable, Unknown or Cancelled): every failure that is not
//!   known by its text is the loss of that member.
//! - A member is *proven* before it is used, and again after each failure: it must answer a linearizable read, and must be the
//!   engine that was seen before. No id changes when an engine is wiped or restored, so [`EngineMark`] compares the cluster, the
//!   generation that Hostler writes, and the revision; what falls behind the highest mark seen is refused.
//! - A watch is no proof of life: a member that is cut off is silent, and a cancelled watch leaves its stream open. The feed asks
//!   for progress when it hears nothing, and ends at a cancellation, so that its reader lists again.

mod admin;
mod data_file;
mod fault;
mod feed;
mod group;
mod mark;
mod member;
mod pace;
mod report;
mod rpc;
mod settings;
mod store;
mod wire;

pub use admin::EtcdPeer;
pub use data_file::{DataFileFault, DataFileSource, EtcdDataFile};
pub use fault::{CallFault, EtcdFault};
pub use mark::{EngineMark, MarkFault};
pub use report::{EtcdVersion, MemberReport};
pub use settings::{EtcdLimits, EtcdSettings, EtcdTls, GenerationReader};
pub use store::EtcdStore;
