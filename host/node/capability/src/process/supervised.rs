//! Programs that outlive the call: started, found again, stopped.

use std::time::Duration;

use driver::{LogSeverity, Verb};
use grant::DriverTrust;
use grant::op::{KillProcesses, SeeProcesses, StartProgram};
use holding::{Holding, ProcessHolding};
use kernel::cgroup::Cgroup;
use kernel::process::{FirstProcess, ResourceProcesses, signal_of};

use super::command::{ProcessCommand, details, prepare, shown, terms};
use super::environment::marks;
use super::leftovers::{told, what_is_left};
use super::supervision::{held_group, members, name_of, output_file, output_path};
use crate::argument::absolute;
use crate::{CallContext, CapabilityError, Effect};

/// A process of this resource, as `process-info` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    pub pid: u32,
    /// The program and its arguments. Empty if the process has just exited.
    pub argv: Vec<String>,
}

/// Starts a program that outlives the call. Returns its pid once it is executing.
pub async fn spawn(context: &CallContext, command: ProcessCommand) -> Result<u32, CapabilityError> {
    if !command.stdin.is_empty() {
        return Err(CapabilityError::Invalid("a spawned program has no standard input".to_owned()));
    }
    let program = absolute(&command.program)?;
    let op = StartProgram { program, args: command.args.clone(), terms: terms(&command)? };
    let ledger = context.ledger();
    let admitted = context.admit(op)?.noting_all(details(&command));
    let spawned = admitted.waiting(|permit| async move {
        let at_place = |op: &StartProgram, program| StartProgram { program, ..op.clone() };
        let launch = prepare(context, &permit, at_place, &command, true)?;
        if launch.cgroup.is_none() {
            // Without a group, processes are found by their environment, and that counts only for the agent's own user.
            if launch.account.as_ref().is_some_and(|account| !account.is_own()) {
                return Err(CapabilityError::Other(
                    "without control groups, only programs of the agent's own user can be supervised".to_owned(),
                ));
            }
            context.say(LogSeverity::Warn, "supervised by environment: weaker, as there are no control groups here");
        }
        let output = output_path(context);
        context.say(LogSeverity::Info, &format!("spawn: {} (output: {})", shown(&command), output.display()));
        if let Some(group) = &launch.cgroup {
            context.say(LogSeverity::Info, &format!("process group {}", name_of(group.path())));
        }
        // Once: whatever the resource starts later is in the same group.
        let held = group_holding(context);
        let note = if command.is_shared() { None } else { Some(ledger.intend_again(held.clone())?) };
        let file = output_file(&output)?;
        let from = file.metadata().map_or(0, |file| file.len());
        let program = kernel::process::start(launch, file).await?;
        let pid = program.pid;
        if !command.is_shared() {
            context.services().started.watch(context, program, (output, from));
        }
        if let Some(note) = note {
            // With the moment of its start, as the number alone may be another process's later.
            // None if it has exited already.
            let first = FirstProcess::of(pid).map(|first| (first.pid, first.started));
            note.held(ProcessHolding { first, ..held });
        }
        Ok(Effect::Touched(pid))
    });
    spawned.await
}

/// What the processes of this resource are held as.
pub(super) fn group_holding(context: &CallContext) -> ProcessHolding {
    let group = context.cgroup().map(|group| group.to_string_lossy().into_owned());
    ProcessHolding { group, marks: marks(context), first: None, of_trigger: false }
}

/// Records what a program of a task has left running, or one of a driver that the site installed: a stop of the instance ends it. A
/// driver that comes with the agent accounts for its programs itself. What was killed with the program has ended.
pub(super) async fn hold_what_is_left(context: &CallContext, was_killed: bool) {
    let is_foreign = context.templates().is_some_and(|templates| templates.trust == DriverTrust::ThirdParty);
    if context.verb() != Verb::Run && !is_foreign {
        return;
    }
    let Some(group) = context.cgroup().map(Cgroup::at) else { return };
    let left = what_is_left(&ResourceProcesses::Cgroup(group), was_killed).await;
    if left.is_empty() {
        return;
    }
    let held = group_holding(context);
    if let Ok(Some(note)) = context.ledger().intend_once(held.clone()) {
        note.held(held);
    }
    context.say(LogSeverity::Warn, &told(&left));
}

/// Lists the processes of this resource. In a start, they are held from then on.
pub async fn running(context: &CallContext) -> Result<Vec<ProcessInfo>, CapabilityError> {
    let members = members(context);
    let held = (context.verb() == Verb::Start).then(|| (context.ledger(), group_holding(context)));
    let listed = context.admit(SeeProcesses)?.blocking(move |_| {
        let found = members.list()?;
        if let Some((ledger, held)) = held.filter(|_| !found.is_empty())
            && let Some(note) = ledger.intend_once(held.clone())?
        {
            note.held(held);
        }
        Ok(Effect::Nothing(found))
    });
    let found = listed.await?;
    let info = |member: kernel::process::MemberProcess| ProcessInfo {
        pid: member.pid.as_raw_nonzero().get().unsigned_abs(),
        argv: member.argv,
    };
    Ok(found.into_iter().map(info).collect())
}

/// Stops all processes of this resource: sends `signal` to each, and kills those that are left after `grace_ms`. Returns how
/// many there were.
pub async fn terminate(context: &CallContext, signal: &str, grace_ms: u64) -> Result<u32, CapabilityError> {
    let signal = signal_of(signal)
        .ok_or_else(|| CapabilityError::Invalid(format!("{signal:?} is not a signal that stops a process")))?;
    let (ledger, members) = (context.ledger(), members(context));
    let held = held_group(context).unwrap_or_else(|| group_holding(context));
    let stopped = context.admit(KillProcesses)?.waiting(|_| async move {
        let count = members.stop(signal, Duration::from_millis(grace_ms)).await?;
        if let Some(cgroup) = &held.group {
            // A group that a new process has entered meanwhile stays: the kernel refuses to remove it.
            Cgroup::at(cgroup).remove();
        }
        if members.list().is_ok_and(|left| left.is_empty()) {
            let gone = Holding::from(held);
            ledger.released(|held| held.is_same(&gone));
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Effect::of(count > 0, count))
    });
    stopped.await
}
