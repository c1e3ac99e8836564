//! `om daemon run`: the daemon and its API in this process.
//!
//! Input: requests over the socket and by TLS, and signals. Output: the log, a line for each event that an operator should find there.
//! It ends when a request or a signal says so, and leaves the services as they are.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use agent::{Agent, LogSeverity};
use anyhow::Context;
use api::{AccessPlaces, ApiNode, DaemonClaim, serve};
use daemon::{DaemonHandle, DaemonOptions, EventReader, TaskProgram};
use protocol::FailureKind;
use protocol::daemon::{DaemonEvent, EventKind};
use tokio::signal::unix::{SignalKind, signal};

use super::access::LocalAccess;
use super::open_agent;
use super::supervisor::{answer_watchdog, report_ready, report_stopping};
use crate::backend::Reply;
use crate::exit::Failure;
use crate::render::event::{dated_line, words_of};
use crate::render::moment;
use crate::terminal::note;

/// How the daemon is run.
#[derive(Debug)]
pub(crate) struct DaemonRun {
    pub(crate) root: Option<PathBuf>,
    /// Leave the terminal, and say on standard output when it is ready.
    pub(crate) detached: bool,
}

/// What a detached daemon says when it is ready.
pub(crate) const READY: &str = "ready";

/// Runs the daemon to its end.
pub(crate) fn run_daemon(how: &DaemonRun) -> Reply<()> {
    let agent = open_agent(how.root.as_deref())?;
    if how.detached {
        // The child of a shell leads no group, so that this cannot fail; the signals of the terminal are not for it.
        rustix::process::setsid().context("cannot leave the session")?;
    }
    // All paths are absolute by now, and the directory that it was started in may be unmounted.
    std::env::set_current_dir("/").context("cannot leave this directory")?;
    let claim = DaemonClaim::new(&agent.home().run).map_err(|error| Failure::new(FailureKind::Busy, error))?;
    let node = ApiNode {
        places: AccessPlaces { var: agent.home().var.clone(), log: agent.home().log.clone() },
        source: Arc::new(LocalAccess(agent.clone())),
        program: options(how).run_program,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the asynchronous runtime")?;
    let ended = runtime.block_on(async {
        let reporter = agent.clone();
        let running = daemon::start(agent, options(how)).await.context("cannot start the daemon")?;
        let handle = running.handle.clone();
        let log = tokio::spawn(write_log(reporter, handle.events().follow(None)));
        // Claimed before the daemon begins, so that no other one opens the store, and bound only now: a request that
        // comes earlier is refused, rather than left without an answer.
        let socket = claim.listen()?;
        let ready = tokio::spawn(announce(handle.clone(), handle.events().follow(None), how.detached));
        let signals = tokio::spawn(stop_on_signal(handle.clone()).await?);
        let watchdog = tokio::spawn(answer_watchdog(handle.clone()));
        say(&format!("the daemon of {} runs: process {}", handle.node(), std::process::id()));
        serve(socket, handle, node, running.ended()).await;
        [log, ready, signals, watchdog].iter().for_each(tokio::task::JoinHandle::abort);
        say("the daemon has ended");
        anyhow::Ok(())
    });
    // A call of a driver that does not return must not keep the process: what it does is recovered by the next daemon.
    runtime.shutdown_background();
    Ok(ended?)
}

/// A task runs in a process of this very program, also after another version was installed in its place.
fn options(how: &DaemonRun) -> DaemonOptions {
    let root = how.root.iter().flat_map(|root| ["--root".into(), root.clone().into_os_string()]);
    let run_program = TaskProgram { program: "/proc/self/exe".into(), arguments: root.collect() };
    DaemonOptions { run_program: Some(run_program), ..DaemonOptions::default() }
}

/// Says that the daemon is ready, once every instance was looked at. Who has started it waits for that.
async fn announce(handle: DaemonHandle, mut events: EventReader, detached: bool) {
    let state = |status: &protocol::daemon::StatusDocument| {
        status.cluster.node.get(&status.daemon.nodename).is_some_and(|node| node.daemon.state == "running")
    };
    // The events are followed from before this question, so that the moment cannot fall between the two.
    let mut ready = handle.status().await.is_ok_and(|status| state(&status));
    while !ready {
        let Some(event) = events.next().await else { return };
        ready = event.kind == EventKind::DaemonReady;
    }
    report_ready();
    if detached {
        let mut stdout = std::io::stdout();
        let _ = writeln!(stdout, "{READY}").and_then(|()| stdout.flush());
        // The other end reads to the end of this output.
        if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdout(&nowhere);
        }
    }
}

/// Stops the daemon at the first signal. What runs is given the time to end; a second signal changes nothing.
async fn stop_on_signal(handle: DaemonHandle) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let catch = |kind| signal(kind).context("cannot catch signals");
    let (mut interrupt, mut terminate) = (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    // Without a terminal, a hangup means nothing.
    let mut hangup = catch(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => {}
            }
        }
        report_stopping();
        let _ = handle.stop(false).await;
    })
}

/// Writes what an operator should find in the log later. All events are in `om events`.
async fn write_log(agent: Agent, mut events: EventReader) {
    while let Some(event) = events.next().await {
        if is_logged(&event) {
            note(dated_line(&event).trim_end());
            let (agent, event) = (agent.clone(), event.clone());
            // Reads node.conf if it has changed.
            let _ = tokio::task::spawn_blocking(move || report(&agent, &event)).await;
        }
    }
}

/// Sends an event where node.conf sends the logs of objects.
fn report(agent: &Agent, event: &DaemonEvent) {
    let level = match event.kind {
        EventKind::EngineDown | EventKind::InstanceBlocked => LogSeverity::Error,
        EventKind::HookFailed | EventKind::OrderRefused | EventKind::AuditDenied => LogSeverity::Warn,
        _ => LogSeverity::Info,
    };
    agent.report(event.path.as_ref(), level, &words_of(event));
}

fn is_logged(event: &DaemonEvent) -> bool {
    match event.kind {
        // They come with every change, and are in `om mon` and in the logs of the services.
        EventKind::InstanceStatus | EventKind::ObjectStatus | EventKind::InstanceState | EventKind::OrderStep => false,
        EventKind::ExecStart | EventKind::ExecEnd | EventKind::Resync => false,
        _ => true,
    }
}

fn say(text: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    note(&format!("{} {text}", moment::date(now)));
}
