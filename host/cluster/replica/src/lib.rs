//! What the nodes of a cluster share: between the bytes of the store and the values that decisions rest on.
//!
//! ```text
//!  store ── list, changes ──▶ SharedState ──┐
//!                                           ├──▶ view_parts ──▶ orchestrate::View
//!  this node's own instances ───────────────┘
//!
//!  what was decided ──▶ request ──▶ TxnRequest, which compares all that it rests on
//! ```
//!
//! No task runs here and nothing waits: the daemon and tests hand in what they read, and send what they are given.

mod key;
mod record;
pub mod request;
mod row;
mod shared;
mod view;
mod word;

pub use key::{SharedKey, everything, generation_key};
pub use record::{RunningRow, StoredRecord};
pub use row::{FlagsRow, InvalidRow, MarkRow, NodeRow, ObjectRow, RowClock, SlotRow, SlotWord};
pub use shared::{SharedNode, SharedObject, SharedRow, SharedSlot, SharedState};
pub use view::{LocalInstance, LocalNode, generation, object_view, view_parts};
