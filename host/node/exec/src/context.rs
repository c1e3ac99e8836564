//! The context of one execution: its session, its journal, its log, and the signal that gives it up.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use driver::{CancelSignal, LogSink};

/// The context of one execution.
#[derive(Clone)]
pub struct ExecutionContext {
    /// The session's id, for logs, the audit and the journal.
    pub sid: String,
    /// The kernel's id of this boot of the node.
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

/// How many resources act at the same time unless the operator says otherwise: four for each processor.
pub fn default_parallel() -> usize {
    // Asked once: the answer takes a dozen reads, of the control groups that may limit this process.
    static PROCESSORS: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    4 * *PROCESSORS
}
