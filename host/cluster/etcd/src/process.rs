//! The process of this node's member. It outlives the process that started it, and is found again by its number and its start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::KernelError;
use kernel::cgroup::Cgroup;
use kernel::process::{self, CapabilityBounds, CheckedProgram, ProgramLaunch, look};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::authority::fingerprints;
use crate::program::LaunchMode;
use crate::{ClusterPlace, EngineSeat, EtcdProgram, FileFault, LocalSeat, ProgramFault, file};

/// The group of etcd, below that of all services: no action ever touches it.
const GROUP: &str = "hostler-etcd.slice";

/// etcd has so long to end by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// The pause between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The score by which the kernel spares it when memory runs out.
const OOM_SCORE: &str = "-500";

/// A log that is longer is set aside when etcd starts.
const LONG_LOG: u64 = 10 << 20;

/// A running member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineProcess {
    pub pid: u32,
    started: u64,
    /// The fingerprints of the authorities that it has read. None are known of one that a command started which was killed.
    #[serde(default)]
    pub(crate) trusts: Vec<String>,
}

/// Why the member cannot be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ProcessFault {
    #[error(transparent)]
    Program(#[from] ProgramFault),
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("the data of this node's member are gone from {}: om cluster rebuild makes it anew from the others", .0.display())]
    Lost(PathBuf),
    #[error("cannot start etcd")]
    Start(#[source] KernelError),
    #[error("etcd, process {0}, does not end")]
    Stuck(u32),
}

impl EngineProcess {
    /// The member that runs. None: none does.
    pub fn find(place: &ClusterPlace) -> Result<Option<EngineProcess>, FileFault> {
        let noted: Option<EngineProcess> = file::read(&place.process_file())?;
        // The search is for the moment between the start and the note of it.
        Ok(noted.filter(EngineProcess::lives).or_else(|| search(&place.data_directory())))
    }

    pub(crate) fn lives(&self) -> bool {
        // A number alone is used again by the kernel: the start in ticks since the boot tells the two processes
        // apart, proc_pid_stat(5) field 22.
        look(self.pid).is_some_and(|found| found.started == self.started)
    }

    /// Starts the member of this node, unless it runs.
    pub async fn ensure(
        place: &ClusterPlace,
        seat: &LocalSeat,
        engine: &EngineSeat,
    ) -> Result<EngineProcess, ProcessFault> {
        match EngineProcess::find(place)? {
            Some(found) => Ok(found),
            // With an empty directory etcd would begin again under the name and address of a member that the
            // others know, without the votes that it has given.
            None if engine.begun && !place.has_data(engine) => Err(ProcessFault::Lost(place.data(engine))),
            None => EngineProcess::start(place, seat, engine, LaunchMode::Usual).await,
        }
    }

    /// Starts the member of this node. None runs.
    pub(crate) async fn start(
        place: &ClusterPlace,
        seat: &LocalSeat,
        engine: &EngineSeat,
        mode: LaunchMode,
    ) -> Result<EngineProcess, ProcessFault> {
        let program = EtcdProgram::find(engine.program.as_deref())?;
        let data = place.data(engine);
        file::make_directory(&data)?;
        file::make_directory(&place.log)?;
        let log = place.engine_log();
        if std::fs::metadata(&log).is_ok_and(|old| old.len() > LONG_LOG) {
            file::move_to(&log, &log.with_extension("log.1"))?;
        }
        // What cannot be read now is as good as not trusted: it starts again when that counts.
        let trusts = fingerprints(&place.engine_certificates()).unwrap_or_default();
        let output = process::open_output(&log).map_err(ProcessFault::Start)?;
        let launch = ProgramLaunch {
            program: CheckedProgram::open(&program.path, None).map_err(ProcessFault::Start)?,
            args: program.arguments(place, seat, engine, mode),
            // Empty: etcd takes each option from a variable ETCD_* as well, and would report to the NOTIFY_SOCKET
            // of the daemon's unit.
            env: Vec::new(),
            cwd: "/".into(),
            account: None,
            umask: 0o077,
            limits: Vec::new(),
            bounds: CapabilityBounds::Unbounded,
            cgroup: place.group.as_ref().map(|group| Cgroup::at(group.join(GROUP))),
            files: None,
        };
        let pid = process::start(launch, output).await.map_err(ProcessFault::Start)?.pid;
        // Not every user may: then etcd is as good as any other process to the kernel.
        let _ = std::fs::write(format!("/proc/{pid}/oom_score_adj"), OOM_SCORE);
        let started = look(pid).map_or(0, |found| found.started);
        let process = EngineProcess { pid, started, trusts };
        file::write(&place.process_file(), &process)?;
        Ok(process)
    }

    /// Ends the member that runs, if one does.
    pub async fn stop(place: &ClusterPlace) -> Result<(), ProcessFault> {
        if let Some(process) = EngineProcess::find(place)? {
            // At TERM a leader hands its lead over, which spares the others the wait for an election.
            for signal in [Signal::TERM, Signal::KILL] {
                process.signal(signal);
                if process.ended().await {
                    break;
                }
            }
            if process.lives() {
                return Err(ProcessFault::Stuck(process.pid));
            }
        }
        if let Some(group) = &place.group {
            // Fails while another process is in it, and the next start uses it as it is.
            Cgroup::at(group.join(GROUP)).remove();
        }
        Ok(file::remove(&place.process_file())?)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        // One that has ended meanwhile is what is wanted.
        let _ = pid.map(|pid| kill_process(pid, signal));
    }

    fn of(pid: u32) -> Option<EngineProcess> {
        look(pid).map(|found| EngineProcess { pid, started: found.started, trusts: Vec::new() })
    }

    /// Waits for its end, as long as that may take.
    async fn ended(&self) -> bool {
        let until = tokio::time::Instant::now() + FAREWELL;
        while self.lives() {
            if tokio::time::Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }
}

/// The process of a member whose data is in this directory. It was started by a command that was killed before it had noted that.
fn search(data: &Path) -> Option<EngineProcess> {
    let option = format!("--data-dir={}/", data.display()).into_bytes();
    let is_member = |pid: &u32| {
        // A process that exits in the middle of the search has an empty one.
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word.starts_with(&option))
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    EngineProcess::of(pids.find(is_member)?)
}
