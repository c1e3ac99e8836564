//! The files that a program may touch: those that the grants of its driver are about, those in its arguments, and what every program
//! reads. The kernel holds it to them by Landlock, where it has that.

use std::path::{Path, PathBuf};

use grant::DriverTrust;
use kernel::process::{
    CapabilityBounds, CheckedProgram, FileAccess, FileRule, UserAccount, landlock_version, public_files, runs_as_root,
};

use super::ProcessCommand;
use crate::CallContext;

/// Directories in which a program makes no file because an argument names one that is not there yet.
const SYSTEM: [&str; 14] = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/usr", "/var",
];

/// The files of a program. None: it is not confined to any, because it may do what the agent may, or because it is a program of the
/// agent's own drivers for root's own objects.
pub(super) fn files_of(
    context: &CallContext,
    bounds: CapabilityBounds,
    program: &CheckedProgram,
    command: &ProcessCommand,
    account: Option<&UserAccount>,
) -> Option<Vec<FileRule>> {
    let is_foreign = context.templates().is_some_and(|templates| templates.trust == DriverTrust::ThirdParty);
    // Landlock refuses mount(2) to every program under it, whatever its rules say (landlock.rst of the kernel, "Filesystem
    // topology modification").
    if bounds.may_mount() || (!is_foreign && context.is_of_root()) || landlock_version().is_none() {
        return None;
    }
    let rule = |path: PathBuf, access| FileRule { path, access };
    let named: Vec<PathBuf> = command.args.iter().filter_map(|arg| paths_in(arg)).collect();
    let own: Vec<PathBuf> = named.iter().cloned().chain([program.real().to_owned()]).collect();
    // A capability may stand for root's ownership as well.
    let as_root = account.map_or_else(runs_as_root, |account| account.uid.is_root());
    let mut rules = public_files(as_root || bounds != CapabilityBounds::NONE, &own);
    rules.push(rule(program.real().to_owned(), FileAccess::Read));
    let granted = context.grants().files().into_iter();
    rules.extend(granted.map(|(path, writes)| rule(path, if writes { FileAccess::Write } else { FileAccess::Read })));
    rules.extend(command.cwd.iter().map(|cwd| rule(cwd.into(), FileAccess::Read)));
    // For writing, whatever the program does with them: a grant allows the words of the command line, and `arguments`
    // has judged where they lead.
    rules.extend(named.into_iter().map(|path| rule(path, FileAccess::Write)));
    Some(rules)
}

/// The path in an argument: all of it, or what stands behind the host or the option before it. A file that is not there yet is made in
/// its directory.
fn paths_in(arg: &str) -> Option<PathBuf> {
    let path = Path::new(&arg[arg.find('/')?..]);
    if path.exists() {
        return Some(path.to_owned()).filter(|path| path.as_os_str() != "/");
    }
    let directory = path.parent().filter(|directory| !SYSTEM.iter().any(|system| *directory == Path::new(system)))?;
    Some(directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_a_file_or_the_directory_in_which_it_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().display().to_string();
        let check = |arg: &str, expected: Option<&Path>| assert_eq!(paths_in(arg).as_deref(), expected, "{arg}");
        check(&text, Some(dir.path()));
        check(&format!("--out={text}"), Some(dir.path()));
        check(&format!("n2:{text}"), Some(dir.path()));
        check(&format!("{text}/new"), Some(dir.path()));
        check("/etc/none-such", None);
        check("/none-such", None);
        check("/", None);
        check("-v", None);
    }
}
