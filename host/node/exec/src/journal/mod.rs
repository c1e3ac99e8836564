//! The undo journal: what an action set out to do, and how far it got.
//!
//! There are two preallocated files per instance, locked by the action that uses them: one on disk, and one below the run directory
//! for actions that a reboot undoes, which must survive a kill of the process and nothing else.
//!
//! ```text
//!   record: what is said ──frame: length, checksums──▶ file: locked, appended, synced ──story: read again──▶ JournalledAction
//! ```
//!
//! Three things are synced to the disk: the header, before anything is done; the begin of a step whose effect survives a reboot,
//! before it acts (concurrent steps share a sync); and the end of an action that had such a step. All else is only written, and
//! an action without such a step syncs nothing: a process that is killed loses nothing that it wrote, and a power loss takes the
//! other effects away too. Such an action has a file of its own: one that is overwritten without a sync could, after a power loss,
//! hold half of the new action and half of an earlier one, whose effects may still be there.

mod file;
mod frame;
mod record;
mod story;

pub(crate) use file::set_apart;
pub use file::{Journal, JournalError};
pub(crate) use record::{JournalHeader, JournalRecord, PlannedStep, RecordedVerb};
pub use story::{JournalTail, JournalledAction, JournalledStep};
