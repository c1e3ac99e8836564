//! What the nodes of a cluster share: between the bytes of the store and the values that decisions rest on.
//!
//! ```text
//!  store ── list, changes ──▶ SharedState ──┐
//!                                           ├──▶ view_parts ──▶ orchestrate::View
//!  this node's own instances ───────────────┘
//!
//!  what was decided ──▶ request ──▶ TxnRequest, which compares all that it rests on
//!  who may run what ──▶ ownership: the same for beats, lives and slots of several nodes
//!  what a node says to the others ──▶ publication: its state, its instances, the configurations that were changed on it
//! ```
//!
//! No task runs here and nothing waits: the daemon and tests hand in what they read, and send what they are given.

mod key;
mod ownership;
pub mod publication;
mod record;
pub mod request;
mod row;
mod shared;
mod view;
mod word;

pub use key::{SharedKey, everything, generation_key};
pub use ownership::{ownership_outcome, ownership_reading, ownership_txn};
pub use record::{RunningRow, StoredRecord};
pub use row::{
    ActionRow, BeatRow, ConfigRow, FenceRow, FlagsRow, GenerationRow, InfoRow, InstanceRow, InvalidRow, MarkRow,
    MembersRow, NodeRow, NodeWord, ObjectRow, PeerRow, RowClock, SlotRow, SlotWord, StatusRow,
};
pub use shared::{SharedNode, SharedObject, SharedRow, SharedSlot, SharedState};
pub use view::{LocalInstance, LocalNode, generation, object_view, view_parts};
