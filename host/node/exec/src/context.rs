//! The context of one execution: its session, its journal, its log, and the signal that gives it up.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{CancelSignal, LogSink};

/// The context of one execution.
#[derive(Clone)]
pub struct ExecutionContext {
    /// The session's id, for logs, the audit and the journal.
    pub sid: String,
    /// This boot of the node, see [`boot_id`].
    pub boot: String,
    /// The instance's journal. One action at a time uses it: the file is locked.
    pub journal: PathBuf,
    /// Whether a reboot undoes all that the action does. Then a power loss makes its journal void too, and nothing waits for
    /// the disk; a process that is killed loses nothing of it all the same.
    pub volatile: bool,
    /// How many members of a parallel subset may act at the same time. At least one does.
    pub parallel: usize,
    /// Takes the lines of the action.
    pub log: Arc<dyn LogSink>,
    /// Raised to give the action up. Its changes are then undone.
    pub cancel: CancelSignal,
}

/// The id of this boot of the node, from the kernel.
pub fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// How many resources act at the same time unless the operator says otherwise: four for each processor.
pub fn default_parallel() -> usize {
    4 * std::thread::available_parallelism().map_or(1, usize::from)
}
