//! Programs that an agent ran and did not live to see the end of.
//!
//! [`run`](crate::process::run) makes each of its programs the leader of a process group in the agent's own session. What such a
//! program has left running on purpose leads no group, or has a session of its own: it is no leftover, and lives on.

use nix::unistd::{getpgid, getsid};
use rustix::process::{Pid, Signal, kill_process_group};

use super::environ::ProcessMarkers;
use super::processes::{MemberProcess, all_gone, argv, pinned};
use crate::KernelError;

/// Kills the programs that carry the markers, with their process groups, and returns once they are gone. To be called only
/// when the agent that ran them is known to be gone.
pub async fn kill_abandoned(markers: &ProcessMarkers) -> Result<Vec<MemberProcess>, KernelError> {
    let found = pinned(|| Ok(markers.members()?.into_iter().filter(|&pid| leads_only_a_group(pid)).collect()))?;
    let ended = found.iter().map(|&(pid, _)| MemberProcess { pid, argv: argv(pid) }).collect();
    for (pid, _) in &found {
        // Nobody left to kill is what we want.
        let _ = kill_process_group(*pid, Signal::KILL);
    }
    all_gone(found).await?;
    Ok(ended)
}

/// The session's number may be 0: its leader is gone, or in another process namespace. rustix takes that for a mistake.
fn leads_only_a_group(pid: Pid) -> bool {
    let pid = nix::unistd::Pid::from_raw(pid.as_raw_nonzero().get());
    getpgid(Some(pid)) == Ok(pid) && getsid(Some(pid)).is_ok_and(|session| session != pid)
}
