//! The deadlines of this node's slots, and the keeper that they are written down for.
//!
//! ```text
//!  slot taken ─confirm─▶ NodeGuard ──page──▶ keeper
//!  beat ───────extend──▶    │     ◀─report──
//!                           └──lifetimes of addresses──▶ kernel
//! ```
//!
//! On a node alone, a beat is the owner's own: it says that the owner works. In a cluster it is one that the store has acknowledged.
//! Without a keeper (`watchdog = off`) nothing of this does anything.

mod follow;
mod page;
mod policy;
mod process;

pub(crate) use follow::{GuardTasks, refresh};
pub(crate) use page::{LOOP, NodeGuard, VALIDITY};
pub(crate) use policy::GuardPolicy;
pub(crate) use process::{KeeperNews, keep_running};
