//! `om cluster join`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{engine_files, seat, without_daemon};
use crate::backend::{JoinOrder, JoinStep, LocalCluster};
use crate::command::JoinArgs;
use crate::exit::{self, Failure, Outcome};
use crate::session::Session;
use crate::terminal::complain;

/// Other nodes that join are waited for, and the engine to come into step.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pause between two questions.
pub(super) const PAUSE: Duration = Duration::from_millis(300);

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &JoinArgs) -> Outcome {
    let began = Instant::now();
    let until = began + args.time.unwrap_or(PATIENCE);
    let _claim = cluster.claim()?;
    let order = JoinOrder {
        node: args.node.clone(),
        token: args.token.clone(),
        seat: seat(&args.seat)?,
        files: engine_files([&args.ca, &args.cert, &args.key]),
        witness: args.witness,
    };
    let step = cluster.ask_in(order, session.running_daemon()?.is_some())?;
    session.note(&format!("let into the cluster {}, whose authority is that of the token", step.grant.cluster));
    if !take_seat(session, cluster, &step, until)? {
        return Ok(ExitCode::from(exit::TIMED_OUT));
    }
    // The daemon runs while the member is waited for, which takes minutes if several nodes join. It stops only while
    // the store changes that it has open.
    let moved = without_daemon(session, || cluster.enter(&step))?;
    if moved > 0 {
        session.note(&format!("objects that moved in: {moved}"));
    }
    loop {
        if let Some(role) = cluster.role()? {
            session.note(&format!("engine: {role}, after {:.1} s", began.elapsed().as_secs_f64()));
            return Ok(ExitCode::SUCCESS);
        }
        if Instant::now() >= until {
            complain("this node is in the cluster, and its engine is not in step yet: om cluster status shows it");
            return Ok(ExitCode::from(exit::TIMED_OUT));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Gets the member of the engine, and says what is waited for. False: it took too long.
fn take_seat(session: &Session, cluster: &LocalCluster, step: &JoinStep, until: Instant) -> Result<bool, Failure> {
    let mut said = String::new();
    loop {
        let reason = match cluster.take_seat(step) {
            Ok(None) => return Ok(true),
            Ok(Some(reason)) => reason,
            // A node of the cluster may be busy, or start again.
            Err(error) if JoinStep::is_transient(&error) && Instant::now() < until => format!("{:#}", error.error),
            Err(error) => return Err(error),
        };
        if reason != said {
            session.note(&format!("waiting: {reason}"));
            said = reason;
        }
        if Instant::now() >= until {
            complain("the join is not complete: om cluster join again goes on with it");
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}
