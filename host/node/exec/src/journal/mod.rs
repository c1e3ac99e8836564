//! The undo journal: what an action set out to do, and how far it got.
//!
//! One preallocated file an instance, locked by whoever acts on it. `frame` says how records are told from what is torn
//! or damaged, `record` what they say, `file` writes them, `story` reads them.
//!
//! What is synced: the header before anything is done; the begin of a step whose effect survives a reboot before it is
//! done (concurrent ones share a sync); and the end of an action that had any such step. All else is only written: a
//! killed process loses nothing that it wrote, and after a power loss the other effects are gone too.

mod file;
mod frame;
mod record;
mod story;

pub(crate) use file::set_apart;
pub use file::{Journal, JournalError};
pub(crate) use record::{JournalHeader, JournalRecord, PlannedStep, RecordedVerb};
pub use story::{JournalTail, JournalledAction, JournalledStep};
