//! `om exec --pg SLICE -- CMD`: a command in the process group of a resource, so that it is stopped with it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::anyhow;

use crate::exit::Outcome;
use crate::session::Session;

pub(crate) fn run(session: &Session, group: &str, command: &[String]) -> Outcome {
    // First the group, then the command: a child that it starts is then in the group too.
    session.backend.join_process_group(group)?;
    let [program, args @ ..] = command else { return Err(anyhow!("expected a command").into()) };
    // The command replaces this process, so that signals and the exit code are its own. exec returns only if it fails.
    let error = Command::new(program).args(args).exec();
    Err(anyhow::Error::from(error).context(format!("cannot run {program}")).into())
}
