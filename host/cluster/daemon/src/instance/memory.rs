//! What the daemon remembers of an instance across its own ends: the record, in a file of the instance's state.

use std::path::PathBuf;

use agent::Agent;
use agent::file::durable::{self, FileError};
use agent::state::{FreezeState, InstanceState};
use model::ObjectPath;
use orchestrate::InstanceRecord;
use replica::{RunningRow, StoredRecord};

/// What the daemon remembers of an instance, as its files say when the daemon begins.
pub(crate) struct Memory {
    pub(crate) record: InstanceRecord,
    pub(crate) frozen: bool,
    pub(crate) agreed_frozen: Option<bool>,
    pub(crate) agreed_checksum: Option<String>,
    pub(crate) hand_clears: u64,
    pub(crate) followed: u64,
    /// Whether no daemon has known the instance before.
    pub(crate) is_new: bool,
    /// The action that the last daemon had begun, and that did not end.
    pub(crate) interrupted: Option<RunningRow>,
}

/// Reads what is remembered of an instance. What is torn counts as forgotten: the statuses say how things are. Blocks.
///
/// `late`: the daemon has seen the boot, and the object came after it, so that nothing of the object is started because of it.
pub(crate) fn recall(agent: &Agent, path: &ObjectPath, boot: &str, late: bool) -> Memory {
    let state = InstanceState::of(agent.home(), path);
    let stored = durable::read(&file(agent, path)).ok().flatten();
    let stored: Option<StoredRecord> = stored.and_then(|content| serde_json::from_slice(&content).ok());
    let mut record = stored.as_ref().map_or_else(InstanceRecord::new, |stored| stored.record(boot));
    let same_boot = stored.as_ref().is_some_and(|stored| stored.is_of(boot));
    let last = state.last_action().ok().flatten().unwrap_or_default();
    // A record that is new to this boot would clear up after a boot that its services may have been started since.
    if stored.is_none() && (late || last.number > 0) {
        record.boot = orchestrate::BootPhase::Over;
    }
    // An action that was interrupted is cleared by one of its own.
    if agent.unfinished(path).is_none() {
        record.boot_is_clear();
    }
    Memory {
        record,
        frozen: is_frozen(&state),
        agreed_frozen: stored.as_ref().and_then(|stored| stored.frozen),
        agreed_checksum: stored.as_ref().and_then(|stored| stored.checksum.clone()),
        hand_clears: last.clears,
        followed: if same_boot { stored.as_ref().map_or(0, |stored| stored.followed) } else { 0 },
        is_new: stored.is_none(),
        interrupted: stored.filter(|_| same_boot).and_then(|stored| stored.running),
    }
}

/// Whether the instance is frozen, as its file says. One that cannot be read freezes.
pub(crate) fn is_frozen(state: &InstanceState) -> bool {
    state.frozen().map_or(true, |frozen| frozen != FreezeState::No)
}

/// Writes down what is to be remembered. Blocks until it is on disk.
pub(crate) fn remember(agent: &Agent, path: &ObjectPath, record: &StoredRecord) -> Result<(), FileError> {
    let content = serde_json::to_vec(record).expect("a record is plain data");
    durable::write(&file(agent, path), &content)
}

fn file(agent: &Agent, path: &ObjectPath) -> PathBuf {
    agent.home().state(path).join("record.json")
}
