//! The circumstances of one action: who asks, where its journal and its log are, how it is given up.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{Cancel, Log};

/// The circumstances of one action.
#[derive(Clone)]
pub struct ExecutionContext {
    /// The session's id, for logs, the audit and the journal.
    pub sid: String,
    /// This boot of the node, see [`boot_id`].
    pub boot: String,
    /// The instance's journal. Its directory exists. One action at a time uses it: the file is locked.
    pub journal: PathBuf,
    /// Whether a reboot undoes all that the action does. Then a power loss makes its journal void too, and nothing waits for
    /// the disk; a process that is killed loses nothing of it all the same.
    pub volatile: bool,
    /// How many members of a parallel subset may act at the same time. At least one does.
    pub parallel: usize,
    /// Takes the lines.
    pub log: Arc<dyn Log>,
    /// Raised to give the action up: what it has changed is undone.
    pub cancel: Cancel,
}

/// What tells one boot of this node from another.
pub fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// How many resources act at the same time where nothing else is said: four for each processor.
pub fn default_parallel() -> usize {
    4 * std::thread::available_parallelism().map_or(1, usize::from)
}
