//! A process group that is killed when the wait for it is given up.

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills the group when dropped, until it is released.
#[derive(Debug)]
pub(super) struct KillOnDrop(Option<Pid>);

impl KillOnDrop {
    /// The group that `leader` leads.
    pub(super) fn new(leader: Option<u32>) -> KillOnDrop {
        KillOnDrop(leader.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)))
    }

    /// Leaves the group alone. Must be called once its leader was waited for: from then on its number may belong to
    /// another group.
    pub(super) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // A group that is gone already is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
