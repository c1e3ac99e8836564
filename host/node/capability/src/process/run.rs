//! Programs that are run to their end: one, or two joined by a pipe.

use std::path::PathBuf;

use driver::LogSeverity;
use grant::op::RunProgram;
use grant::{Access, Permit};
use kernel::cgroup::{Cgroup, TemporaryGroup};
use kernel::process::{PipeListener, PipeOutput, ProgramLaunch, ProgramOutput, RunError};

use super::command::{ProcessCommand, details, prepare, shown, terms};
use super::supervised::hold_what_is_left;
use super::supervision::output_path;
use crate::argument::absolute;
use crate::{CallContext, CapabilityError, Effect};

/// Runs a program to its end.
pub async fn run(context: &CallContext, command: ProcessCommand) -> Result<ProgramOutput, CapabilityError> {
    if command.is_recorded() && !command.stdin.is_empty() {
        return Err(CapabilityError::Invalid("a program with output = file has no standard input".to_owned()));
    }
    let admitted = context.admit(exec(&command)?)?.noting_all(details(&command));
    let run = admitted.waiting(|permit| async move {
        let level = match permit.access() {
            Access::Read => LogSeverity::Debug,
            Access::Mutate => LogSeverity::Info,
        };
        let (launch, looking) = prepared(context, &permit, &command)?;
        let timeout = context.timeout(command.timeout_ms);
        context.say(level, &format!("run: {}", shown(&command)));
        let details = command.severity_of_output(level);
        let mut on_line = |line: &str| context.say(details, &format!("| {line}"));
        let cgroup = launch.cgroup.clone();
        let ran = match command.is_recorded() {
            true => {
                let output = output_path(context);
                kernel::process::run_recorded(launch, &output, timeout, &mut on_line).await
            }
            false => kernel::process::run(launch, &command.stdin, timeout, &mut on_line).await,
        };
        let was_killed = matches!(ran, Err(RunError::TimedOut(_)));
        let result = match ran {
            Err(RunError::Kernel(error)) => return Err(error.into()),
            // An effect, not an error: the program ran, and may have changed something before it was killed.
            Err(RunError::TimedOut(_)) => {
                context.note_killed();
                Err(CapabilityError::TimedOut)
            }
            Ok(output) => Ok(output),
        };
        // The kernel refuses to remove a group in which the program left something running. That is wanted.
        cgroup.iter().filter(|_| looking.is_none()).for_each(Cgroup::remove);
        end(looking).await;
        hold_what_is_left(context, was_killed).await;
        Ok(Effect::by(permit.access(), result))
    });
    run.await?
}

/// Runs two programs at once, the second of which reads the output of the first. Each needs a permit of its own.
pub async fn pipe(
    context: &CallContext,
    source: ProcessCommand,
    sink: ProcessCommand,
) -> Result<PipeOutput, CapabilityError> {
    if !source.stdin.is_empty() {
        return Err(CapabilityError::Invalid("the first program of a pipe has no standard input".to_owned()));
    }
    let admitted = context.admit(exec(&source)?)?.noting_all(details(&source));
    let piped = admitted.waiting(|one| async move {
        let access = one.access();
        // Within the first, so that either both programs run or none does.
        let admitted = context.admit(exec(&sink)?)?.noting_all(details(&sink));
        let piped = admitted.waiting(|other| async move {
            let access = other.access();
            piped(context, (&one, &source), (&other, &sink)).await.map(|result| Effect::by(access, result))
        });
        piped.await.map(|result| Effect::by(access, result))
    });
    piped.await?
}

fn exec(command: &ProcessCommand) -> Result<RunProgram, CapabilityError> {
    let program = absolute(&command.program)?;
    Ok(RunProgram { program, args: command.args.clone(), terms: terms(command)? })
}

/// Makes the launch of a program. One that only reads leaves nothing behind: it does not count as a process of the resource, and what
/// it leaves running ends with its group.
fn prepared(
    context: &CallContext,
    permit: &Permit<RunProgram>,
    command: &ProcessCommand,
) -> Result<(ProgramLaunch, Option<TemporaryGroup>), CapabilityError> {
    let tracked = permit.access() == Access::Mutate;
    let mut launch = prepare(context, permit, at_place, command, tracked)?;
    let slice = context.paths().instance.slice.directory().filter(|_| !tracked);
    // Beside the slice, whose groups the daemon watches: a look must not be the reason of the next one.
    let looking = slice.map(|slice| TemporaryGroup::within(&slice.with_extension("looks")));
    if let Some(looking) = &looking {
        launch.cgroup = looking.group();
    }
    Ok((launch, looking))
}

async fn end(looking: Option<TemporaryGroup>) {
    if let Some(looking) = looking {
        looking.end().await;
    }
}

fn at_place(op: &RunProgram, program: PathBuf) -> RunProgram {
    RunProgram { program, ..op.clone() }
}

/// Runs both. The outer error means that they did not run; the inner result is theirs.
async fn piped(
    context: &CallContext,
    (one, source): (&Permit<RunProgram>, &ProcessCommand),
    (other, sink): (&Permit<RunProgram>, &ProcessCommand),
) -> Result<Result<PipeOutput, CapabilityError>, CapabilityError> {
    let ((from, looks), (to, shows)) = (prepared(context, one, source)?, prepared(context, other, sink)?);
    // What changes something runs in the group of the resource.
    let changing = [(&to, &shows), (&from, &looks)].into_iter().find(|(_, looking)| looking.is_none());
    let cgroup = changing.and_then(|(launch, _)| launch.cgroup.clone());
    let changes = [one, other].iter().any(|permit| permit.access() == Access::Mutate);
    let level = if changes { LogSeverity::Info } else { LogSeverity::Debug };
    context.say(level, &format!("run: {} | {}", shown(source), shown(sink)));
    // The shorter one, because neither program makes sense without the other.
    let timeout = context.timeout(source.timeout_ms).min(context.timeout(sink.timeout_ms));
    let listener = PipeListener {
        on_line: &mut |line: &str| context.say(level, &format!("| {line}")),
        on_bytes: &mut |bytes| context.progress(bytes, None, "bytes"),
    };
    let result = match kernel::process::pipe(from, to, &sink.stdin, timeout, listener).await {
        Err(RunError::Kernel(error)) => return Err(error.into()),
        Err(RunError::TimedOut(_)) => {
            context.note_killed();
            Err(CapabilityError::TimedOut)
        }
        Ok(piped) => Ok(piped),
    };
    cgroup.iter().for_each(Cgroup::remove);
    end(looks).await;
    end(shows).await;
    hold_what_is_left(context, matches!(result, Err(CapabilityError::TimedOut))).await;
    Ok(result)
}
