//! A process group that does not outlive whoever waits for it.

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills the group when dropped, until it is released.
#[derive(Debug)]
pub(super) struct KillOnDrop(Option<Pid>);

impl KillOnDrop {
    /// The group that `leader` leads.
    pub(super) fn new(leader: Option<u32>) -> KillOnDrop {
        KillOnDrop(leader.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)))
    }

    /// Lets it live. To be called once its leader was waited for: from then on the number may belong to others.
    pub(super) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Nobody left to kill is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
