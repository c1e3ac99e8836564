//! `wit/process.wit`: programs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use driver::Level;
use grant::op::{KillProcesses, RunProgram, SeeProcesses, StartProgram};
use grant::{Access, Permit};
use kernel::cgroup::Cgroup;
use kernel::process::{Account, Bounds, Launch, Limit, Listener, Program, RunError, signal_of};
pub use kernel::process::{Output, Piped};

use crate::argument::absolute;
use crate::supervision::{members, output_file, output_path};
use crate::{Effect, Error, Scope, environment};

/// What to run, as `command` of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// An absolute path.
    pub program: String,
    /// Without the program's own name.
    pub args: Vec<String>,
    /// Added to what the host sets.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub cwd: Option<String>,
    /// Written to the program's standard input.
    pub stdin: Vec<u8>,
    /// The user to run as.
    pub user: Option<String>,
    /// The group to run as.
    pub group: Option<String>,
    /// `umask`, `limit.nofile`…
    pub settings: Vec<(String, String)>,
    /// After this long it is killed. 0: at the deadline.
    pub timeout_ms: u64,
}

/// A process of this resource, as `process-info` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its number.
    pub pid: u32,
    /// Its arguments.
    pub argv: Vec<String>,
}

/// Runs a program to its end.
pub async fn run(scope: &Scope, command: Command) -> Result<Output, Error> {
    let run = scope.change_async(exec(&command)?, |permit| async move {
        let level = match permit.access() {
            Access::Read => Level::Debug,
            Access::Mutate => Level::Info,
        };
        // What only looks leaves nothing behind, and is no process of the resource.
        let tracked = permit.access() == Access::Mutate;
        let launch = prepare(scope, &permit, permit.op().program.clone(), &command, tracked)?;
        let timeout = timeout_of(scope, command.timeout_ms);
        scope.say(level, &format!("run: {}", shown(&command)));
        let mut on_line = |line: &str| scope.say(level, &format!("| {line}"));
        let cgroup = launch.cgroup.clone();
        let result = match kernel::process::run(launch, &command.stdin, timeout, &mut on_line).await {
            Err(RunError::Kernel(error)) => return Err(error.into()),
            // It ran, and may have changed something before it was killed.
            Err(RunError::TimedOut(_)) => {
                scope.note_killed();
                Err(Error::TimedOut)
            }
            Ok(output) => Ok(output),
        };
        // Nothing happens where the program left something running.
        cgroup.iter().for_each(Cgroup::remove);
        Ok(if tracked { Effect::Touched(result) } else { Effect::Nothing(result) })
    });
    run.await?
}

/// Runs two programs at once, of which the second reads what the first writes. Each takes a permit of its own.
pub async fn pipe(scope: &Scope, source: Command, sink: Command) -> Result<Piped, Error> {
    if !source.stdin.is_empty() {
        return Err(Error::Invalid("the first program of a pipe has no standard input".to_owned()));
    }
    let piped = scope.change_async(exec(&source)?, |one| async move {
        let access = one.access();
        let piped = scope.change_async(exec(&sink)?, |other| async move {
            let access = other.access();
            piped(scope, (&one, &source), (&other, &sink)).await.map(|result| effect(access, result))
        });
        piped.await.map(|result| effect(access, result))
    });
    piped.await?
}

fn exec(command: &Command) -> Result<RunProgram, Error> {
    Ok(RunProgram { program: absolute(&command.program)?, args: command.args.clone(), user: command.user.clone() })
}

fn effect<T>(access: Access, result: T) -> Effect<T> {
    if access == Access::Mutate { Effect::Touched(result) } else { Effect::Nothing(result) }
}

/// They ran, whatever the result inside says.
async fn piped(
    scope: &Scope,
    (one, source): (&Permit<RunProgram>, &Command),
    (other, sink): (&Permit<RunProgram>, &Command),
) -> Result<Result<Piped, Error>, Error> {
    let launch = |permit: &Permit<RunProgram>, command: &Command| {
        let tracked = permit.access() == Access::Mutate;
        prepare(scope, permit, permit.op().program.clone(), command, tracked)
    };
    let (from, to) = (launch(one, source)?, launch(other, sink)?);
    let cgroup = to.cgroup.clone().or_else(|| from.cgroup.clone());
    let changes = [one, other].iter().any(|permit| permit.access() == Access::Mutate);
    let level = if changes { Level::Info } else { Level::Debug };
    scope.say(level, &format!("run: {} | {}", shown(source), shown(sink)));
    let timeout = timeout_of(scope, source.timeout_ms).min(timeout_of(scope, sink.timeout_ms));
    let listener = Listener {
        on_line: &mut |line: &str| scope.say(level, &format!("| {line}")),
        on_bytes: &mut |bytes| scope.progress(bytes, None, "bytes"),
    };
    let result = match kernel::process::pipe(from, to, &sink.stdin, timeout, listener).await {
        Err(RunError::Kernel(error)) => return Err(error.into()),
        Err(RunError::TimedOut(_)) => Err(Error::TimedOut),
        Ok(piped) => Ok(piped),
    };
    cgroup.iter().for_each(Cgroup::remove);
    Ok(result)
}

/// Starts a program that outlives the call. Returns its pid once it is executing.
pub async fn spawn(scope: &Scope, command: Command) -> Result<u32, Error> {
    if !command.stdin.is_empty() {
        return Err(Error::Invalid("a spawned program has no standard input".to_owned()));
    }
    let op =
        StartProgram { program: absolute(&command.program)?, args: command.args.clone(), user: command.user.clone() };
    let spawned = scope.change_async(op, |permit| async move {
        let launch = prepare(scope, &permit, permit.op().program.clone(), &command, true)?;
        if launch.cgroup.is_none() {
            if launch.account.as_ref().is_some_and(|account| !account.is_own()) {
                return Err(Error::Other(
                    "without control groups, only programs of the agent's own user can be supervised".to_owned(),
                ));
            }
            scope.say(Level::Warn, "supervised by environment: weaker, as there are no control groups here");
        }
        let output = output_path(scope);
        scope.say(Level::Info, &format!("spawn: {} (output: {})", shown(&command), output.display()));
        if let Some(group) = &launch.cgroup {
            scope.say(Level::Info, &format!("process group {}", crate::supervision::name_of(group.path())));
        }
        let pid = kernel::process::start(launch, output_file(&output)?).await?;
        Ok(Effect::Touched(pid.as_raw_nonzero().get().unsigned_abs()))
    });
    spawned.await
}

/// The processes of this resource.
pub async fn running(scope: &Scope) -> Result<Vec<ProcessInfo>, Error> {
    let members = members(scope);
    let found = scope.look(SeeProcesses, move |_| Ok(members.list()?)).await?;
    let info = |member: kernel::process::Member| ProcessInfo {
        pid: member.pid.as_raw_nonzero().get().unsigned_abs(),
        argv: member.argv,
    };
    Ok(found.into_iter().map(info).collect())
}

/// Ends all processes of this resource. Returns how many there were.
pub async fn terminate(scope: &Scope, signal: &str, grace_ms: u64) -> Result<u32, Error> {
    let signal =
        signal_of(signal).ok_or_else(|| Error::Invalid(format!("{signal:?} is no signal to end a process with")))?;
    let members = members(scope);
    let ended = scope.change_async(KillProcesses, |_| async move {
        let count = members.end(signal, Duration::from_millis(grace_ms)).await?;
        if let Some(cgroup) = &scope.paths().cgroup {
            Cgroup::at(cgroup).remove();
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(if count > 0 { Effect::Touched(count) } else { Effect::Nothing(0) })
    });
    ended.await
}

pub(crate) fn prepare<O: grant::Operation>(
    scope: &Scope,
    permit: &Permit<O>,
    program: PathBuf,
    command: &Command,
    tracked: bool,
) -> Result<Launch, Error> {
    let account = account_of(scope, command)?;
    let bounds: Bounds = permit
        .caps()
        .join("+")
        .parse()
        .map_err(|error: kernel::process::UnknownCapability| Error::Invalid(error.to_string()))?;
    let mut launch = Launch {
        program: Program::open(&program, account.as_ref().map(|account| account.uid))?,
        args: command.args.clone(),
        env: environment::of(scope, &command.env, tracked)?
            .into_iter()
            .map(|(name, value)| (name, OsString::from(value)))
            .collect(),
        cwd: command.cwd.as_deref().map_or(Ok(PathBuf::from("/")), absolute)?,
        account,
        umask: 0o022,
        limits: Vec::new(),
        bounds,
        cgroup: scope.paths().cgroup.as_ref().filter(|_| tracked).map(Cgroup::at),
    };
    for (name, value) in &command.settings {
        apply(&mut launch, name, value)?;
    }
    Ok(launch)
}

fn apply(launch: &mut Launch, name: &str, value: &str) -> Result<(), Error> {
    match name.strip_prefix("limit.") {
        Some(limit) => {
            launch.limits.push(Limit::parse(limit, value).map_err(|error| Error::Invalid(error.to_string()))?);
        }
        None if name == "umask" => {
            let umask = u32::from_str_radix(value, 8).ok().filter(|umask| *umask <= 0o777);
            launch.umask = umask.ok_or_else(|| Error::Invalid(format!("{value:?} is no umask: expected octal")))?;
        }
        None => return Err(Error::Invalid(format!("there is no setting {name:?}: expected umask or limit.NAME"))),
    }
    Ok(())
}

/// The grant names the user. A group that goes with it must be what the resource's own keyword says, lest a driver choose
/// `disk` or `shadow`.
fn account_of(scope: &Scope, command: &Command) -> Result<Option<Account>, Error> {
    if let Some(group) = &command.group {
        let mut keywords = scope.call().keywords.iter();
        if !keywords.any(|keyword| keyword.name == "group" && keyword.values.contains(group)) {
            return Err(Error::Denied(format!("group {group}, which is not what the resource's keyword `group` says")));
        }
    }
    Ok(match (&command.user, &command.group) {
        (Some(user), group) => Some(Account::find(user, group.as_deref())?),
        (None, Some(group)) => Some(Account::own_with_group(group)?),
        (None, None) => None,
    })
}

fn timeout_of(scope: &Scope, timeout_ms: u64) -> Duration {
    match timeout_ms {
        0 => scope.remaining(),
        milliseconds => Duration::from_millis(milliseconds).min(scope.remaining()),
    }
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    as_typed(std::iter::once(&command.program).chain(&command.args))
}

/// Words as a person would type them.
pub fn as_typed<'w>(words: impl IntoIterator<Item = &'w String>) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c));
    let quoted = words
        .into_iter()
        .map(|word| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_one_would_type_them() {
        let check = |program: &str, args: &[&str], expected: &str| {
            let args = args.iter().map(|&arg| arg.to_owned()).collect();
            assert_eq!(shown(&Command { program: program.to_owned(), args, ..Command::default() }), expected);
        };
        check("/sbin/e2fsck", &["-p", "/dev/loop3"], "/sbin/e2fsck -p /dev/loop3");
        check("/bin/sh", &["-c", "echo $A", "it's", ""], r"/bin/sh -c 'echo $A' 'it'\''s' ''");
    }
}
