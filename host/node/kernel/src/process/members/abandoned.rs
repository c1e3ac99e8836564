//! Programs that are still running although the agent that ran them is gone.
//!
//! [`run`](crate::process::run) makes each of its programs the leader of a process group in the agent's own session. A
//! process that such a program has left running on purpose leads no group, or has a session of its own: it is not killed.

use nix::unistd::{getpgid, getsid};
use rustix::process::{Pid, Signal, kill_process_group};

use super::environ::ProcessMarkers;
use super::processes::{MemberProcess, all_gone, argv, pinned};
use crate::KernelError;

/// Kills the programs that carry the markers, with their process groups, and returns once they are gone. The caller must
/// know that the agent that ran them is gone.
pub async fn kill_abandoned(markers: &ProcessMarkers) -> Result<Vec<MemberProcess>, KernelError> {
    let found = pinned(|| Ok(markers.members()?.into_iter().filter(|&pid| leads_only_a_group(pid)).collect()))?;
    let killed = found.iter().map(|&(pid, _)| MemberProcess { pid, argv: argv(pid) }).collect();
    for (pid, _) in &found {
        // A group that is gone already is what is wanted.
        let _ = kill_process_group(*pid, Signal::KILL);
    }
    all_gone(found).await?;
    Ok(killed)
}

/// Whether the process leads a group but no session. nix, not rustix: the number of a session is 0 if its leader is in
/// another pid namespace, and rustix takes that for an error.
fn leads_only_a_group(pid: Pid) -> bool {
    let pid = nix::unistd::Pid::from_raw(pid.as_raw_nonzero().get());
    getpgid(Some(pid)) == Ok(pid) && getsid(Some(pid)).is_ok_and(|session| session != pid)
}
