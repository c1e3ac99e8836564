//! What the daemon costs: how soon it is ready, its memory, its idle time on a processor, and how soon a killed application
//! runs again. Run by `make bench`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use agent::{Agent, Directories, ObjectFiles};
use daemon::{DaemonOptions, RunningDaemon, start};
use protocol::daemon::{EventKind, OrderCommand, OrderRequest};

/// The services of the large node, and the resources of each.
const SERVICES: usize = 1000;
const RESOURCES: usize = 10;
/// How long the idle daemon is watched.
const IDLE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|verb| verb == agent::COMPILE_VERB) {
        return if agent::compile_child().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        println!("| the daemon of one node | |");
        println!("|---|---|");
        restart().await;
        large().await;
    });
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// A killed application is started again.
async fn restart() {
    let root = tempfile::tempdir().expect("a directory is made");
    let text =
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 1000\nrestart = 100\nrestart_delay = 0\n";
    create(root.path(), "web", text);
    let daemon = ready(root.path()).await.0;
    order(&daemon, OrderCommand::Start).await;
    row("memory with one service", format!("{:.1} MB", resident_mb()));
    let mut times = Vec::new();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let Some(pid) = process(root.path()) else { break };
        let mut events = daemon.handle.events().follow(None);
        let killed = Instant::now();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        while events.next().await.is_some_and(|event| event.kind != EventKind::InstanceRestart) {}
        let noticed = killed.elapsed();
        while process(root.path()).is_none_or(|other| other == pid) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push((noticed, killed.elapsed()));
    }
    times.sort_unstable();
    if let (Some(median), Some(worst)) = (times.get(times.len() / 2), times.last()) {
        let text = format!("{:.1?}, runs again after {:.1?} (worst {:.1?})", median.0, median.1, worst.1);
        row("a killed application is noticed after", text);
    }
    order(&daemon, OrderCommand::Stop).await;
    end(daemon).await;
}

/// Many services.
async fn large() {
    let root = tempfile::tempdir().expect("a directory is made");
    let resources: String = (0..RESOURCES).map(|number| format!("[fs#{number}]\ntype = flag\n")).collect();
    for number in 0..SERVICES {
        create(root.path(), &format!("svc{number}"), &format!("[DEFAULT]\nnodes = n1\n{resources}"));
    }
    let (daemon, first) = ready(root.path()).await;
    row(
        &format!("ready with {SERVICES} services of {RESOURCES} resources, for the first time"),
        format!("{first:.2?}"),
    );
    let settled = settle().await;
    row("nothing more to do after", format!("{settled:.1?}"));
    end(daemon).await;
    let (daemon, again) = ready(root.path()).await;
    row("the same, started again", format!("{again:.2?}"));
    settle().await;
    row("memory", format!("{:.1} MB", resident_mb()));
    let before = processor_time();
    tokio::time::sleep(IDLE).await;
    let share = (processor_time() - before).as_secs_f64() / IDLE.as_secs_f64();
    row("idle", format!("{:.2} % of a processor", share * 100.0));
    let asked = Instant::now();
    let _ = daemon.handle.status().await;
    row("the whole status", format!("{:.1?}", asked.elapsed()));
    end(daemon).await;
}

fn row(name: &str, value: String) {
    println!("| {name} | {value} |");
}

fn create(root: &Path, name: &str, text: &str) {
    let path = name.parse().expect("this is the path of an object");
    ObjectFiles::of(&Directories::under(root)).create(&path, text).expect("an object is made");
}

fn agent_of(root: &Path) -> Agent {
    let mut home = Directories::under(root);
    home.cache = std::env::temp_dir().join("hostler-daemon-bench");
    Agent::open(home, &"n1".parse().expect("this is the name of a node")).expect("the agent opens")
}

/// Starts the daemon, and says how long it took until it was ready.
async fn ready(root: &Path) -> (RunningDaemon, Duration) {
    let begun = Instant::now();
    let daemon = start(agent_of(root), DaemonOptions::default()).await.expect("the daemon starts");
    let mut events = daemon.handle.events().follow(Some(0));
    while events.next().await.is_some_and(|event| event.kind != EventKind::DaemonReady) {}
    (daemon, begun.elapsed())
}

async fn end(daemon: RunningDaemon) {
    let _ = daemon.handle.stop(false).await;
    daemon.ended().await;
}

async fn order(daemon: &RunningDaemon, verb: OrderCommand) {
    let mut events = daemon.handle.events().follow(None);
    let order = OrderRequest { verb, supersede: false, force: false, time: None, command: "bench".to_owned() };
    let path = "web".parse().expect("this is the path of an object");
    let _ = daemon.handle.order(path, order, "root".to_owned()).await;
    while events.next().await.is_some_and(|event| event.kind != EventKind::OrderEnd) {}
}

/// Waits until this process does hardly anything any more.
async fn settle() -> Duration {
    let begun = Instant::now();
    loop {
        let before = processor_time();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if processor_time() - before < Duration::from_millis(20) || begun.elapsed() > Duration::from_secs(60) {
            return begun.elapsed();
        }
    }
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// A process of the application, by the control group of its object.
fn process(root: &Path) -> Option<rustix::process::Pid> {
    let path = "web".parse().expect("this is the path of an object");
    first_in(&agent_of(root).control_group_of(&path)?)
}

fn first_in(directory: &Path) -> Option<rustix::process::Pid> {
    let text = std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    let here = text.lines().next().and_then(|line| rustix::process::Pid::from_raw(line.parse().ok()?));
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    here.or_else(|| below.map(|entry| first_in(&entry.path())).find_map(|found| found))
}
