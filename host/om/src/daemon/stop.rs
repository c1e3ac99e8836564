//! `daemon stop`, `daemon restart`.

use std::process::ExitCode;
use std::time::Duration;

use client::ClientError;
use protocol::daemon::StopRequest;

use crate::backend::block_on;
use crate::command::{DaemonRestartArgs, DaemonStopArgs};
use crate::daemon::process::DaemonProcess;
use crate::daemon::start;
use crate::exit::{self, Failure, Outcome};
use crate::session::Session;
use crate::terminal::complain;

/// So long may a daemon take to end: what it runs is given a moment.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn stop(session: &Session, args: &DaemonStopArgs) -> Outcome {
    let Some(daemon) = DaemonProcess::find(session.daemon().client.socket())? else {
        session.note("no daemon runs on this node: nothing to stop");
        return Ok(ExitCode::SUCCESS);
    };
    match block_on(session.daemon().client.stop(StopRequest { drain: args.drain }))? {
        Ok(()) => {}
        // It ended before it could answer.
        Err(ClientError::NotRunning | ClientError::HungUp(_)) => {}
        Err(_) if args.force => return kill(session, &daemon),
        // The client's words name `restart --force`, which is not what was asked.
        Err(ClientError::Silent(limit)) => {
            let (pid, seconds) = (daemon.pid, limit.as_secs());
            let text = format!("the daemon, process {pid}, did not answer within {seconds} s: --force kills it");
            return Err(Failure::failed(text));
        }
        Err(error) => return Err(error.into()),
    }
    let limit = args.time.unwrap_or(PATIENCE);
    match daemon.wait(limit)? {
        true => {
            session.note(&format!("the daemon has stopped: process {}", daemon.pid));
            Ok(ExitCode::SUCCESS)
        }
        false if args.force => kill(session, &daemon),
        false => {
            let (pid, seconds) = (daemon.pid, limit.as_secs());
            complain(&format!("the daemon, process {pid}, still runs after {seconds} s: --force kills it"));
            Ok(ExitCode::from(exit::TIMED_OUT))
        }
    }
}

fn kill(session: &Session, daemon: &DaemonProcess) -> Outcome {
    daemon.kill()?;
    if !daemon.wait(PATIENCE)? {
        return Err(Failure::failed(format!("the daemon, process {}, was killed and does not go away", daemon.pid)));
    }
    session.note(&format!("the daemon was killed: process {}", daemon.pid));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restart(session: &Session, args: &DaemonRestartArgs) -> Outcome {
    let stopped = stop(session, &DaemonStopArgs { drain: false, time: args.time, force: args.force })?;
    if stopped != ExitCode::SUCCESS {
        return Ok(stopped);
    }
    start::start(session, args.time)
}
