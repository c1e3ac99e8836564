//! `daemon stop`, `daemon restart`.

use std::process::ExitCode;
use std::time::Duration;

use client::ClientError;
use protocol::daemon::StopRequest;

use crate::backend::block_on;
use crate::command::{DaemonRestartArgs, DaemonStopArgs};
use crate::daemon::process::{DaemonProcess, await_change};
use crate::daemon::start;
use crate::exit::{self, Failure, Outcome};
use crate::session::Session;
use crate::terminal::complain;

/// So long may a daemon take to end: what it runs is given the time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same if it stops all services first.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3600);

/// So long may its process take to go away when nothing runs in it any more.
const FAREWELL: Duration = Duration::from_secs(10);

pub(super) fn stop(session: &Session, args: &DaemonStopArgs) -> Outcome {
    let Some(daemon) = DaemonProcess::find(&session.backend.daemon_places()?.socket)? else {
        session.note("no daemon runs on this node: nothing to stop");
        return Ok(ExitCode::SUCCESS);
    };
    // The handle is from before the request. A daemon that another command starts meanwhile is
    // neither waited for nor killed.
    let limit = args.time.unwrap_or(if args.drain { DRAIN_PATIENCE } else { PATIENCE });
    let client = session.daemon().client.within(limit);
    match block_on(client.stop(StopRequest { drain: args.drain, keep: args.keep }))? {
        // Without an answer: it had ended before it could give one.
        Ok(()) | Err(ClientError::NotRunning | ClientError::HungUp(_)) => {}
        Err(ClientError::Silent(_)) => return still_runs(session, &daemon, args, limit),
        // One of another version, or one that is ending already.
        Err(_) if args.force => return kill(session, &daemon),
        Err(error) => return Err(error.into()),
    }
    if !daemon.wait(FAREWELL)? {
        return still_runs(session, &daemon, args, limit);
    }
    session.note(&format!("the daemon has stopped: process {}", daemon.pid));
    Ok(ExitCode::SUCCESS)
}

/// Stops the daemon, if one runs, or waits for the end of one that is stopping. Services go on. Whether one ran.
pub(crate) fn stop_for_a_moment(session: &Session) -> Result<bool, Failure> {
    let socket = session.backend.daemon_places()?.socket;
    await_change(&socket);
    let Some(daemon) = DaemonProcess::find(&socket)? else { return Ok(false) };
    let client = session.daemon().client.within(PATIENCE);
    // One that is stopping already refuses, and is waited for like any other.
    let asked = block_on(client.stop(StopRequest { drain: false, keep: true }))?;
    match (daemon.wait(PATIENCE)?, asked) {
        (true, _) => Ok(true),
        (false, Err(error)) => Err(error.into()),
        (false, Ok(())) => Err(Failure::failed(format!("the daemon, process {}, does not end", daemon.pid))),
    }
}

/// It did not end in time.
fn still_runs(session: &Session, daemon: &DaemonProcess, args: &DaemonStopArgs, limit: Duration) -> Outcome {
    if args.force {
        return kill(session, daemon);
    }
    let (pid, seconds) = (daemon.pid, limit.as_secs());
    complain(&format!("the daemon, process {pid}, still runs after {seconds} s: --force kills it"));
    Ok(ExitCode::from(exit::TIMED_OUT))
}

fn kill(session: &Session, daemon: &DaemonProcess) -> Outcome {
    daemon.kill()?;
    if !daemon.wait(FAREWELL)? {
        return Err(Failure::failed(format!("the daemon, process {}, was killed and does not go away", daemon.pid)));
    }
    session.note(&format!("the daemon was killed: process {}", daemon.pid));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restart(session: &Session, args: &DaemonRestartArgs) -> Outcome {
    let stopped = stop(session, &DaemonStopArgs { drain: false, keep: true, time: args.time, force: args.force })?;
    if stopped != ExitCode::SUCCESS {
        return Ok(stopped);
    }
    start::start(session, args.time)
}
