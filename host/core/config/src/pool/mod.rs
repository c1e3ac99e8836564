//! The pools of a node, from which volumes are made: sections `[pool#NAME]` of its configuration.
//!
//! ```text
//!  node.conf ──▶ Pool ──fits──▶ the first that has room ──text──▶ the configuration of an object of kind vol
//!                  ▲              ▲
//!   what it has to give       VolumeRequest: the keywords of a section volume#
//! ```
//!
//! A pool turns a request into sections of disks and file systems whose drivers exist already. So nothing else in the agent knows
//! what a volume is made of.

mod choice;
mod request;
mod section;
mod text;

pub use choice::{NoPoolFits, PoolUsage};
pub use request::{InvalidVolumeRequest, VolumeAccess, VolumeRequest};
pub use section::{Pool, PoolKind};
pub use text::PoolError;

pub(crate) use section::incomplete_pool;
