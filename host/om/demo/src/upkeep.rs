//! The scene of the daemon: the application is killed, and the daemon starts it again.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::stage::DemoStage;

/// Far longer than a restart takes: a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn upkeep(stage: &DemoStage, address: &str) -> Result<()> {
    stage.say("The daemon keeps the service up: the application may be restarted twice, and is killed")?;
    stage.om(&["web", "set", "--kw", "app#1.restart=2"])?;
    stage.om(&["daemon", "start"])?;
    let first = server(stage, address).context("no process serves the page")?;
    stage.type_out(&format!("kill -9 {first}"))?;
    kill(first, Signal::SIGKILL).with_context(|| format!("cannot kill {first}"))?;
    let second = await_another(stage, first, address)?;
    stage.say(&format!("Process {second} serves the page now"))?;
    stage.om(&["demo", "--fetch", address])?;
    let is_up = "instance.status,path=web,.data.avail=up";
    stage.om(&["events", "--replay", "--filter", is_up, "--wait", "--duration", "30s"])?;
    stage.om(&["web", "explain"])?;
    stage.om(&["mon", "--sections", "threads,services"])?;
    stage.say("The end of the daemon touches no service")?;
    stage.om(&["daemon", "stop"])?;
    stage.om(&["demo", "--fetch", address])?;
    ensure!(server(stage, address) == Some(second), "the end of the daemon ended the application");
    Ok(())
}

/// Ends the daemon that a scene has left behind. Without one this does nothing.
pub(super) fn end_the_daemon(stage: &DemoStage) {
    if is_running(&stage.directory) {
        let _ = stage.ask(&["daemon", "stop", "--force"]);
    }
}

/// Whether a daemon answers in the directory of the demo.
pub(super) fn is_running(directory: &Path) -> bool {
    UnixStream::connect(directory.join("run/daemon.sock")).is_ok()
}

/// The process that serves the page, once it is not the one that was killed.
fn await_another(stage: &DemoStage, killed: Pid, address: &str) -> Result<Pid> {
    let until = Instant::now() + PATIENCE;
    loop {
        stage.check_interrupt()?;
        match server(stage, address) {
            Some(pid) if pid != killed => return Ok(pid),
            _ => ensure!(Instant::now() < until, "the daemon has not started the application again"),
        }
        sleep(Duration::from_millis(20));
    }
}

/// The process of the application, by its command line. Another demo may serve the same address in namespaces of its own.
fn server(stage: &DemoStage, address: &str) -> Option<Pid> {
    let wanted = format!("\0demo\0--serve\0{address}\0{}/", stage.directory.display());
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let serves =
        |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(&wanted));
    pids.find(serves).map(Pid::from_raw)
}
