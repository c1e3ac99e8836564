//! `daemon start`, `daemon run`: the daemon in a session of its own, or in the foreground.
//!
//! `start` runs `om daemon run --detached` and reads its standard output: `ready`, or the end of the process. All that the
//! daemon says is in its log, so the reason of an early end is read there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::io::AsyncReadExt;

use crate::backend::{self, DaemonPlaces, DaemonRun, READY, block_on};
use crate::daemon::process::DaemonProcess;
use crate::exit::{self, Failure, Outcome};
use crate::session::Session;
use crate::terminal::complain;

/// Every driver of every service is asked before the daemon is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the start of a daemon went.
enum StartEnd {
    Ready,
    Ended(ExitStatus),
    StillStarting,
}

pub(crate) fn start(session: &Session, limit: Option<Duration>) -> Outcome {
    let DaemonPlaces { socket, log } = session.backend.daemon_places()?;
    if let Some(running) = DaemonProcess::find(&socket)? {
        session.note(&format!("the daemon runs already: process {}", running.pid));
        return Ok(ExitCode::SUCCESS);
    }
    let (file, before) = open(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let limit = limit.unwrap_or(PATIENCE);
    let (pid, end) = block_on(launch(session, file, limit))??;
    match end {
        StartEnd::Ready => {
            session.note(&format!("the daemon has started: process {pid}"));
            Ok(ExitCode::SUCCESS)
        }
        StartEnd::StillStarting => {
            let seconds = limit.as_secs();
            complain(&format!("the daemon, process {pid}, is not ready after {seconds} s, and goes on starting"));
            Ok(ExitCode::from(exit::TIMED_OUT))
        }
        StartEnd::Ended(status) => {
            let said = since(&log, before).unwrap_or_default();
            let said = if said.trim().is_empty() { String::new() } else { format!(":\n{}", said.trim_end()) };
            Err(Failure::failed(format!("the daemon ended while it started ({}){said}", words(status))))
        }
    }
}

/// A log that is longer is set aside when the next daemon starts.
const LONG: u64 = 10 << 20;

/// The log, and how long it is.
fn open(log: &Path) -> std::io::Result<(File, u64)> {
    if let Some(directory) = log.parent() {
        std::fs::create_dir_all(directory)?;
    }
    if std::fs::metadata(log).is_ok_and(|old| old.len() > LONG) {
        // Only before a start: the log is the standard error of a daemon that runs, which would
        // go on writing to the old file.
        std::fs::rename(log, log.with_extension("log.1"))?;
    }
    let file = OpenOptions::new().append(true).create(true).open(log)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// What was written to the log since it was that long.
fn since(log: &Path, before: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(before))?;
    let mut said = Vec::new();
    file.read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

async fn launch(session: &Session, log: File, limit: Duration) -> anyhow::Result<(u32, StartEnd)> {
    let om = std::env::current_exe().context("cannot find this program")?;
    let mut command = std::process::Command::new(om);
    // Called by another name, such as svcmgr, it would read its words differently.
    command.arg0("om");
    // Also where the environment says it, so that a list of processes shows whose daemon this is.
    let variable = || std::env::var_os("HOSTLER_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from);
    if let Some(root) = session.global.root.clone().or_else(variable) {
        command.arg("--root").arg(std::path::absolute(root).context("cannot determine the agent's directories")?);
    }
    // Its standard error is the log from the first moment: a panic, and an error from before its own
    // first line, are found there, too.
    command.args(["daemon", "run", "--detached"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = tokio::process::Command::from(command).spawn().context("cannot run om")?;
    let pid = child.id().unwrap_or_default();
    let mut output = child.stdout.take().context("the daemon has no output")?;
    let watch = async {
        let mut said = String::new();
        output.read_to_string(&mut said).await.context("cannot read what the daemon says")?;
        // It closes its output when it is ready. Without that word, it has ended, or is about to.
        match said.trim() == READY {
            true => Ok(StartEnd::Ready),
            false => Ok(StartEnd::Ended(child.wait().await.context("cannot wait for the daemon")?)),
        }
    };
    // When the time is over the child is dropped, which does not kill it: it goes on starting.
    let end: anyhow::Result<StartEnd> = tokio::time::timeout(limit, watch).await.unwrap_or(Ok(StartEnd::StillStarting));
    Ok((pid, end?))
}

fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

pub(crate) fn run(session: &Session, detached: bool) -> Outcome {
    let how = DaemonRun { root: session.global.root.clone(), detached };
    backend::run_daemon(&how)?;
    Ok(ExitCode::SUCCESS)
}
