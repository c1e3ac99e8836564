//! A program as a driver describes it, and everything that is checked before it is started.

use std::path::PathBuf;

use driver::LogSeverity;
use grant::Permit;
use grant::op::ProgramTerms;
use kernel::cgroup::Cgroup;
use kernel::process::{CapabilityBounds, CheckedProgram, ProgramLaunch, ResourceLimit, UserAccount, runs_as_root};

use super::supervision::shared_group;
use super::{arguments, confinement, environment, exports, limits};
use crate::argument::absolute;
use crate::{CallContext, CapabilityError};

/// A program to run, as `command` of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessCommand {
    /// An absolute path.
    pub program: String,
    /// The arguments, without the program's own name.
    pub args: Vec<String>,
    /// Variables besides those that the host sets.
    pub env: Vec<(String, String)>,
    /// The working directory. None means `/`.
    pub cwd: Option<String>,
    /// The content of the program's standard input.
    pub stdin: Vec<u8>,
    /// The user to run as.
    pub user: Option<String>,
    /// The group to run as.
    pub group: Option<String>,
    /// Such as `umask` and `limit.nofile`.
    pub settings: Vec<(String, String)>,
    /// How long the program may take before it is killed. 0 means until the deadline.
    pub timeout_ms: u64,
}

/// Checks a command against the resource's keywords and the permit, and turns it into a launch. `place` makes the operation that
/// the permit would be for if the command named the real path of the program. A `tracked` program
/// counts as a process of the resource.
pub(crate) fn prepare<O: grant::Operation>(
    context: &CallContext,
    permit: &Permit<O>,
    place: impl FnOnce(&O, PathBuf) -> O,
    command: &ProcessCommand,
    tracked: bool,
) -> Result<ProgramLaunch, CapabilityError> {
    let account = account_of(command)?;
    let bounds: CapabilityBounds = permit
        .caps()
        .join("+")
        .parse()
        .map_err(|error: kernel::process::UnknownCapability| CapabilityError::Invalid(error.to_string()))?;
    let program = judged(context, permit, place, command, account.as_ref())?;
    let directory = command.cwd.as_deref().map(absolute).transpose()?;
    let mut launch = ProgramLaunch {
        files: confinement::files_of(context, bounds, &program, command, account.as_ref()),
        program,
        args: command.args.clone(),
        env: environment::of(context, permit, &command.env, tracked, account.as_ref())?,
        cwd: directory.unwrap_or_else(|| PathBuf::from("/")),
        account,
        // Fixed, so that the umask of the agent's own environment decides nothing.
        umask: 0o022,
        limits: Vec::new(),
        bounds,
        cgroup: match (tracked, command.is_shared()) {
            (false, _) => None,
            (true, true) => shared_group(context).map(Cgroup::at),
            (true, false) => context.cgroup().map(Cgroup::at),
        },
    };
    for (name, value) in &command.settings {
        apply(&mut launch, name, value)?;
    }
    // What serves the whole object is no program of this resource.
    if tracked && !command.is_shared() {
        limits::enforce(context, launch.cgroup.as_ref());
    }
    Ok(launch)
}

/// Judges a program by the places to which its name and its directory lead, and by what its arguments lead to. Returns the file that was
/// judged.
pub(super) fn judged<O: grant::Operation>(
    context: &CallContext,
    permit: &Permit<O>,
    place: impl FnOnce(&O, PathBuf) -> O,
    command: &ProcessCommand,
    account: Option<&UserAccount>,
) -> Result<CheckedProgram, CapabilityError> {
    let asked = absolute(&command.program)?;
    // Checked for the user that it runs as: that user's own program is fine then, and for root it is not.
    let program = CheckedProgram::open(&asked, account.map(|account| account.uid))?;
    let directory = command.cwd.as_deref().map(absolute).transpose()?;
    let elsewhere = directory.as_deref().and_then(|cwd| kernel::path::real_place(cwd).filter(|real| real != cwd));
    let there = place(permit.op(), program.real().to_owned());
    if program.real() != asked || elsewhere.is_some() {
        // Both at once: a line that follows one link follows the other.
        let in_place = elsewhere.and_then(|real| there.in_directory(&real));
        context.judge_place(in_place.as_deref().unwrap_or(&there))?;
    }
    let as_root = account.map_or_else(runs_as_root, |account| account.uid.is_root());
    arguments::judge(context, permit.access(), &there, command, as_root)?;
    exports::judge(context, &there, command, &program)?;
    Ok(program)
}

/// As whom and where the program runs, as far as a grant must say so: a group that is one of the user's own needs none.
pub(super) fn terms(command: &ProcessCommand) -> Result<ProgramTerms, CapabilityError> {
    let ProcessCommand { user, group, cwd, .. } = command;
    let is_own = |group: &String| UserAccount::owns_group(user.as_deref(), group);
    let cwd = cwd.as_deref().map(absolute).transpose()?;
    Ok(ProgramTerms {
        user: user.clone(),
        group: match group {
            Some(group) if !is_own(group)? => Some(group.clone()),
            _ => None,
        },
        cwd: cwd.filter(|cwd| cwd.as_os_str() != "/"),
    })
}

/// What the audit shows of a program beside its line: as whom and where it runs, and the names of its variables.
pub(super) fn details(command: &ProcessCommand) -> Vec<(&'static str, String)> {
    let named = |name, value: &Option<String>| value.clone().map(|value| (name, value));
    let variables: Vec<&str> = command.env.iter().map(|(name, _)| name.as_str()).collect();
    let variables = (!variables.is_empty()).then(|| ("env", variables.join(" ")));
    let parts = [named("user", &command.user), named("group", &command.group), named("cwd", &command.cwd), variables];
    parts.into_iter().flatten().collect()
}

/// The setting of a program that serves the whole object.
const SHARED: &str = "shared";

impl ProcessCommand {
    /// Whether the program serves the whole object, so that it is not undone with the resource that happened to start it.
    pub(crate) fn is_shared(&self) -> bool {
        self.settings.iter().any(|(name, value)| name == SHARED && value == "true")
    }
}

/// The setting for the output of a program: `debug` where its lines are details, such as the names of many files; `file` where the
/// program leaves others running that go on writing.
const OUTPUT: &str = "output";

impl ProcessCommand {
    /// The severity of the lines of the program's output, where nothing is asked for.
    pub(super) fn severity_of_output(&self, usual: LogSeverity) -> LogSeverity {
        if self.has_output("debug") { LogSeverity::Debug } else { usual }
    }

    /// Whether the output goes to the file of the resource, where what the program leaves running can go on writing.
    pub(super) fn is_recorded(&self) -> bool {
        self.has_output("file")
    }

    fn has_output(&self, word: &str) -> bool {
        self.settings.iter().any(|(name, value)| name == OUTPUT && value == word)
    }
}

fn apply(launch: &mut ProgramLaunch, name: &str, value: &str) -> Result<(), CapabilityError> {
    match name.strip_prefix("limit.") {
        Some(limit) => {
            launch
                .limits
                .push(ResourceLimit::parse(limit, value).map_err(|error| CapabilityError::Invalid(error.to_string()))?);
        }
        None if name == "umask" => {
            let umask = u32::from_str_radix(value, 8).ok().filter(|umask| *umask <= 0o777);
            launch.umask =
                umask.ok_or_else(|| CapabilityError::Invalid(format!("{value:?} is not a umask: expected octal")))?;
        }
        // Says only whose process it is, see `ProcessCommand::is_shared`.
        None if name == SHARED => {}
        None if name == OUTPUT && matches!(value, "debug" | "file") => {}
        None => {
            return Err(CapabilityError::Invalid(format!(
                "there is no setting {name:?}: expected umask, shared, output = debug or file, or limit.NAME"
            )));
        }
    }
    Ok(())
}

/// The account to run as. The grant names the user, and the group if it is none of the user's.
fn account_of(command: &ProcessCommand) -> Result<Option<UserAccount>, CapabilityError> {
    Ok(match (&command.user, &command.group) {
        (Some(user), group) => Some(UserAccount::find(user, group.as_deref())?),
        (None, Some(group)) => Some(UserAccount::own_with_group(group)?),
        (None, None) => None,
    })
}

/// The command as a person would type it.
pub(super) fn shown(command: &ProcessCommand) -> String {
    as_typed(std::iter::once(&command.program).chain(&command.args))
}

/// Joins words as a person would type them in a shell.
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
    fn commands_are_shown_as_a_person_would_type_them() {
        let check = |program: &str, args: &[&str], expected: &str| {
            let args = args.iter().map(|&arg| arg.to_owned()).collect();
            assert_eq!(
                shown(&ProcessCommand { program: program.to_owned(), args, ..ProcessCommand::default() }),
                expected
            );
        };
        check("/sbin/e2fsck", &["-p", "/dev/loop3"], "/sbin/e2fsck -p /dev/loop3");
        check("/bin/sh", &["-c", "echo $A", "it's", ""], r"/bin/sh -c 'echo $A' 'it'\''s' ''");
    }
}
