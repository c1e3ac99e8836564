//! The undo journal: what an action set out to do, and how far it got.
//!
//! Two preallocated files an instance, locked by the process that acts on it: one on disk, and one below the run directory
//! for actions that a reboot undoes, which must survive a kill of the process and nothing else. `frame` says how records are
//! told from what is torn or damaged, `record` what they say, `file` writes them, `story` reads them.
//!
//! What is synced: the header before anything is done; the begin of a step whose effect survives a reboot before it is
//! done (concurrent ones share a sync); and the end of an action that had any such step. All else is only written, and of an
//! action without any such step all is: a killed process loses nothing that it wrote, and after a power loss the other
//! effects are gone too. Such an action has a file of its own, as one that is overwritten without a sync could, after a power
//! loss, be half the new story and half the one before, which may have been about effects that are still there.

mod file;
mod frame;
mod record;
mod story;

pub(crate) use file::set_apart;
pub use file::{Journal, JournalError};
pub(crate) use record::{JournalHeader, JournalRecord, PlannedStep, RecordedVerb};
pub use story::{JournalTail, JournalledAction, JournalledStep};
