//! A run of a task in a process of its own. It goes on when the daemon ends, is killed or is replaced by another version, and writes its
//! record by itself.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use agent::{ActionRequest, Agent, CancelSignal, RequestOrigin};
use model::{ObjectPath, Rid};
use plan::Action;
use tokio::process::{Child, Command};

/// How long a run waits for an action of another process.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(600);

/// The variable that says on whose behalf a command acts.
pub const ORIGIN_VARIABLE: &str = "HOSTLER_ORIGIN";

/// The exit code of `om` where another process keeps the lock.
const BUSY: i32 = 5;

/// The program that carries out a run: `om`, with the options that come before its command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskProgram {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunEnd {
    Done,
    /// It did not begin: the task runs already, or another action keeps the instance.
    Busy,
    Failed(String),
}

/// Runs a task, and waits for its end.
pub(crate) async fn run_apart(
    program: &TaskProgram,
    agent: &Agent,
    path: &ObjectPath,
    rid: &Rid,
    cancel: &CancelSignal,
) -> RunEnd {
    let mut child = match command(program, path, rid).spawn() {
        Ok(child) => child,
        Err(error) => return RunEnd::Failed(format!("cannot run {}: {error}", program.program.display())),
    };
    let code = tokio::select! {
        ended = child.wait() => ended.ok().and_then(|status| status.code()),
        () = cancel.cancelled() => end(&mut child, agent, path, rid).await,
    };
    match code {
        Some(0) => RunEnd::Done,
        Some(BUSY) => RunEnd::Busy,
        Some(code) => RunEnd::Failed(format!("failed with exit code {code}: see the log of {path}")),
        None => {
            // Nobody else has written down how it ended, and stopped what it left running.
            let request = ActionRequest {
                wait: Some(LOCK_WAIT),
                ..ActionRequest::new(Action::Stop, RequestOrigin::Daemon, "recover (a run was killed)".to_owned())
            };
            match agent.recover(path, request).await {
                Ok(_) => RunEnd::Failed("its process was killed".to_owned()),
                Err(error) => RunEnd::Failed(format!("its process was killed: {}", agent::chain(&error))),
            }
        }
    }
}

fn command(program: &TaskProgram, path: &ObjectPath, rid: &Rid) -> Command {
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).arg(path.to_string()).args(["run", "--local", "--rid", &rid.to_string()]);
    // Under another name, `om` takes it for that of an object.
    command.arg0("om");
    command.args(["--waitlock", &format!("{}s", LOCK_WAIT.as_secs())]);
    command.env(ORIGIN_VARIABLE, RequestOrigin::Scheduler.as_str());
    // What it prints is in the object's log, too. A pipe would break with the daemon.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A signal to the daemon's group is not for it.
    command.process_group(0);
    command
}

/// Asks the run to end, as a stop does, and waits until it has.
async fn end(child: &mut Child, agent: &Agent, path: &ObjectPath, rid: &Rid) -> Option<i32> {
    let (looking, object) = (agent.clone(), path.clone());
    let runs = tokio::task::spawn_blocking(move || looking.task_runs(&object)).await.unwrap_or_default();
    let own = runs.iter().find(|run| run.rid == *rid && Some(run.holder.pid) == child.id());
    own.into_iter().for_each(|run| agent.ask_run_to_end(path, run));
    child.wait().await.ok().and_then(|status| status.code())
}
