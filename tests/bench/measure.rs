//! Stop watches: how long something takes, and how much memory it takes at most.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// The first word by which this program is asked to print the peak memory of a command.
pub(crate) const PEAK: &str = "--peak-memory-of";

/// The durations of several runs of something, and its peak memory.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    sorted: Vec<Duration>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
}

impl Sample {
    /// At least one run.
    pub(crate) fn new(mut runs: Vec<Duration>, memory: Option<u64>) -> Sample {
        runs.sort_unstable();
        Sample { sorted: runs, memory }
    }

    pub(crate) fn median(&self) -> Duration {
        self.sorted[self.sorted.len() / 2]
    }

    pub(crate) fn min(&self) -> Duration {
        self.sorted[0]
    }

    pub(crate) fn max(&self) -> Duration {
        self.sorted[self.sorted.len() - 1]
    }
}

/// The duration of each run of `work`, after a tenth as many runs that are not counted.
pub(crate) fn timed(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    for _ in 0..runs / 10 {
        work()?;
    }
    let run = |_| {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed())
    };
    (0..runs).map(run).collect()
}

/// The duration of each run of a command, from its spawn to its exit.
pub(crate) fn command(runs: usize, command: impl Fn() -> Command) -> Result<Sample> {
    let times = timed(runs, || succeed(&mut command()))?;
    Ok(Sample::new(times, Some(peak(&command())?)))
}

/// The duration of each run of two commands that take turns, so that a machine that is busy for a while is as busy for both.
pub(crate) fn in_turn(runs: usize, one: impl Fn() -> Command, other: impl Fn() -> Command) -> Result<(Sample, Sample)> {
    let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
    for run in 0..runs + runs / 10 {
        for (command, times) in [(&mut one(), &mut of_one), (&mut other(), &mut of_other)] {
            let start = Instant::now();
            succeed(command)?;
            // The first tenth only warms the caches.
            if run >= runs / 10 {
                times.push(start.elapsed());
            }
        }
    }
    Ok((Sample::new(of_one, Some(peak(&one())?)), Sample::new(of_other, Some(peak(&other())?))))
}

/// Runs a command that must succeed. Its output goes to /dev/null.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// The peak memory of a command, its own children included. The kernel reports it for all children together, hence a process
/// in between.
pub(crate) fn peak(command: &Command) -> Result<u64> {
    let mut child = Command::new(std::env::current_exe()?);
    child.arg(PEAK).arg(command.get_program()).args(command.get_args());
    command.get_envs().for_each(|(name, value)| {
        child.env(name, value.unwrap_or_default());
    });
    let output = child.output().context("cannot run a child")?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The process in between: runs the command and prints its peak memory in bytes.
pub(crate) fn peak_child(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().context("expected a command")?;
    succeed(Command::new(program).args(arguments))?;
    let kibibytes = u64::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())?;
    crate::print(&format!("{}\n", kibibytes << 10));
    Ok(())
}

/// The peak memory of this process while `work` is done, in bytes.
pub(crate) fn own_peak<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    // See proc_pid_clear_refs(5).
    std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak memory")?;
    let done = work()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok((done, kibibytes << 10))
}
