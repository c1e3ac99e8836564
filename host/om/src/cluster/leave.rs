//! `om cluster leave`, `om cluster remove`.

use std::process::ExitCode;

use super::without_daemon;
use crate::backend::LocalCluster;
use crate::command::RemoveNodeArgs;
use crate::exit::Outcome;
use crate::session::Session;

pub(super) fn run(session: &Session, cluster: &LocalCluster) -> Outcome {
    let _claim = cluster.claim()?;
    let plan = cluster.plan_leave()?;
    without_daemon(session, || cluster.go(&plan))?;
    session.note("this node is alone: it has its own store again");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(session: &Session, cluster: &LocalCluster, args: &RemoveNodeArgs) -> Outcome {
    cluster.remove(&args.node, args.i_know_it_is_off)?;
    session.note(&format!("{} is not in the cluster any more", args.node));
    Ok(ExitCode::SUCCESS)
}
