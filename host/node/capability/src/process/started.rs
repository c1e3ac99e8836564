//! The programs that this process has started and that outlive the calls of their drivers: whether they have exited since, with which
//! status, and what they wrote last. Of programs that an earlier agent started, only the record of holdings is left.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grant::op::SeeProcesses;
use kernel::process::StartedProgram;
use model::{ObjectPath, Rid};
use tokio::sync::watch;

use crate::{CallContext, CapabilityError, Effect};

/// How many of its last lines are reported of a program that has exited.
const LINES: usize = 10;

/// How much of the output is read for them.
const TAIL: u64 = 16 << 10;

/// How long a line may be.
const LINE: usize = 500;

/// The end of a program that was started, as `program-exit` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramExit {
    /// The exit status, or 128 plus the number of the signal that killed it.
    pub status: i32,
    /// The last lines that it wrote.
    pub last_lines: Vec<String>,
}

impl ProgramExit {
    /// `: ` and the last line that it wrote. Empty if it wrote nothing.
    pub fn last_words(&self) -> String {
        self.last_lines
            .iter()
            .rev()
            .find(|line| !line.trim().is_empty())
            .map_or(String::new(), |line| format!(": {line}"))
    }
}

/// A program that a resource has started last.
#[derive(Debug, Clone)]
pub struct WatchedProgram {
    /// Its first process.
    pub pid: u32,
    /// When it was started.
    pub since: Instant,
    /// The exit status once it has exited. Closed without one if that cannot be learnt.
    exit: watch::Receiver<Option<i32>>,
    output: PathBuf,
    /// Where its own output begins in the file.
    from: u64,
}

impl WatchedProgram {
    /// Waits until it exits, at most so long. None: it runs on, as far as is known.
    pub async fn exit_within(&self, patience: Duration) -> Option<ProgramExit> {
        let mut exit = self.exit.clone();
        let status = match tokio::time::timeout(patience, exit.wait_for(Option::is_some)).await {
            Ok(Ok(status)) => (*status)?,
            // Nothing watches it any more, or it runs.
            Ok(Err(_)) | Err(_) => return None,
        };
        let (output, from) = (self.output.clone(), self.from);
        let last_lines = tokio::task::spawn_blocking(move || last_lines(&output, from).unwrap_or_default()).await;
        Some(ProgramExit { status, last_lines: last_lines.unwrap_or_default() })
    }
}

/// The programs that the resources of all objects have started last.
#[derive(Debug, Default)]
pub struct StartedPrograms(Mutex<BTreeMap<(ObjectPath, Rid), WatchedProgram>>);

impl StartedPrograms {
    /// The program that a resource has started last, if this process started it.
    pub fn of(&self, object: &ObjectPath, rid: &Rid) -> Option<WatchedProgram> {
        self.with(|programs| programs.get(&(object.clone(), rid.clone())).cloned())
    }

    /// Watches a program from now on, for as long as it runs.
    pub(super) fn watch(&self, context: &CallContext, program: StartedProgram, (output, from): (PathBuf, u64)) {
        let (sender, exit) = watch::channel(None);
        let watched = WatchedProgram { pid: program.pid, since: Instant::now(), exit, output, from };
        let subject = context.subject();
        self.with(|programs| {
            // Of what has ended and nothing asks about, or what belongs to a runtime that has ended.
            programs.retain(|_, known| known.exit.has_changed().is_ok());
            programs.insert((subject.object.clone(), subject.rid.clone()), watched);
        });
        tokio::spawn(async move {
            let status = program.exit().await;
            let _ = sender.send(status);
            // What is known of it stays for those who ask soon.
            tokio::time::sleep(REMEMBERED).await;
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<(ObjectPath, Rid), WatchedProgram>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long the end of a program is remembered.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Waits until a program exits that this call has started, at most so long. None: it runs.
pub async fn watch(context: &CallContext, pid: u32, patience_ms: u64) -> Result<Option<ProgramExit>, CapabilityError> {
    let subject = context.subject();
    let started: Arc<StartedPrograms> = Arc::clone(&context.services().started);
    let watched = started.of(&subject.object, &subject.rid).filter(|watched| watched.pid == pid);
    let watched = watched
        .ok_or_else(|| CapabilityError::Invalid(format!("the process {pid} is not the one that spawn started last")))?;
    let patience = Duration::from_millis(patience_ms);
    let exit = context
        .admit(SeeProcesses)?
        .waiting(|_| async move { Ok(Effect::Nothing(watched.exit_within(patience).await)) });
    exit.await
}

/// The last lines of a file, from that place on.
fn last_lines(path: &Path, from: u64) -> std::io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // An output that was cut meanwhile is shorter than it was.
    let from = if from > length { 0 } else { from };
    let start = from.max(length.saturating_sub(TAIL));
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    // The first line may be half of one.
    let lines = text.lines().skip(usize::from(start > from));
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    Ok(last.iter().map(|line| line.chars().take(LINE).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_those_of_this_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let check = |content: &str, from: u64, expected: &[&str]| {
            std::fs::write(&path, content).unwrap();
            assert_eq!(last_lines(&path, from).unwrap(), expected, "{from} {}", content.len());
        };
        check("", 0, &[]);
        check("old\nnew\n\nnewer", 4, &["new", "newer"]);
        check("cut\n", 400, &["cut"]);
        let many: String = (0..5000).map(|number| format!("line {number}\n")).collect();
        check(
            &many,
            0,
            &(4990..5000)
                .map(|number| format!("line {number}"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
    }
}
