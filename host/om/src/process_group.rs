//! `om exec --pg SLICE -- CMD`: a command among the processes of a resource, so that it ends with them.

use std::os::unix::process::CommandExt;
use std::path::{Component, Path};
use std::process::Command;

use agent::node::paths;
use anyhow::{Context, anyhow};

use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(crate) fn run(session: &Session, group: &str, command: &[String]) -> Outcome {
    if !Path::new(group).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(
            anyhow!("{group:?} is not a process group: expected its path below the slice of all services").into()
        );
    }
    let home = session.agent.home();
    let Some(slice) = paths::control_group(home) else {
        return Err(Failure::not_supported("om exec --pg, which needs control groups"));
    };
    // With or without the slice that all of them are below.
    let inside = Path::new(group).strip_prefix(paths::slice_of(home)).unwrap_or(Path::new(group));
    let procs = slice.join(inside).join("cgroup.procs");
    // 0 is whoever writes it.
    std::fs::write(&procs, "0").with_context(|| format!("cannot join the process group {}", inside.display()))?;
    let [program, args @ ..] = command else { return Err(anyhow!("expected a command").into()) };
    let error = Command::new(program).args(args).exec();
    Err(anyhow::Error::from(error).context(format!("cannot run {program}")).into())
}
