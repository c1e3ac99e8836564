//! `om node freeze`, `thaw` and `drain`: orders about nodes, which the daemon of any of them takes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use model::status::State;
use model::{NodeName, ObjectPath};
use protocol::daemon::{NodeOrder, NodeOrderRequest, StatusDocument};

use crate::backend::RemoteDaemon;
use crate::command::{DrainArgs, NodeOrderArgs};
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::object::nodes::named;
use crate::session::Session;

/// How often it is looked whether a drain is over.
const LOOK: Duration = Duration::from_millis(200);

/// A drain that this daemon has ordered is seen by it after so long.
const SEEN: Duration = Duration::from_secs(2);

/// Freezes or thaws. The flag of a node is the daemon's: without one there are no automatic actions to prevent.
pub(super) fn order(session: &Session, args: &NodeOrderArgs, verb: NodeOrder) -> Outcome {
    let daemon = session.daemon();
    let nodes = nodes(&daemon, args)?;
    Ok(each(&nodes, |node| {
        let changed = give(&daemon, node, &NodeOrderRequest { verb, time: None })?;
        let whom = if args.node.is_some() { format!("node {node}") } else { "the node".to_owned() };
        session.note(&match (changed, verb) {
            (true, NodeOrder::Thaw) => format!("{whom} is thawed"),
            (true, _) => format!("{whom} is frozen"),
            (false, NodeOrder::Thaw) => format!("{whom} is not frozen"),
            (false, _) => format!("{whom} is frozen already"),
        });
        Ok(())
    })
    .into())
}

/// Empties nodes.
pub(super) fn drain(session: &Session, args: &DrainArgs) -> Outcome {
    let daemon = session.daemon();
    let nodes = nodes(&daemon, &args.nodes)?;
    let order = NodeOrderRequest { verb: NodeOrder::Drain, time: Some(args.time.as_secs()) };
    let began = Instant::now();
    let code = each(&nodes, |node| {
        give(&daemon, node, &order)?;
        session.note(&format!("{node}: it is drained, for {} s at most", args.time.as_secs()));
        Ok(())
    });
    if code != 0 || !args.wait {
        return Ok(ExitCode::from(code));
    }
    let status = until_over(&daemon, &nodes, began)?;
    Ok(each(&nodes, |node| match left(&status, node) {
        left if left.is_empty() => {
            session.note(&format!("{node}: nothing is left"));
            Ok(())
        }
        left => Err(Failure::failed(format!("{node}: the drain is over, and this is left: {}", left.join(" ")))),
    })
    .into())
}

/// Empties this node before it leaves its cluster, within a time. Returns what is left.
pub(crate) fn drain_here(session: &Session, time: Duration) -> Result<Vec<String>, Failure> {
    let daemon = session.daemon();
    let me = daemon.ask(async |client| client.status().await)?.daemon.nodename;
    let began = Instant::now();
    give(&daemon, &me, &NodeOrderRequest { verb: NodeOrder::Drain, time: Some(time.as_secs().max(1)) })?;
    let status = until_over(&daemon, &[me.clone()].into(), began)?;
    Ok(left(&status, &me))
}

/// Lets this node start services again.
pub(crate) fn thaw_here(session: &Session) -> Result<(), Failure> {
    let daemon = session.daemon();
    let me = daemon.ask(async |client| client.status().await)?.daemon.nodename;
    give(&daemon, &me, &NodeOrderRequest { verb: NodeOrder::Thaw, time: None })?;
    Ok(())
}

fn give(daemon: &RemoteDaemon, node: &NodeName, order: &NodeOrderRequest) -> Result<bool, Failure> {
    daemon.ask(async |client| client.order_node(node, order).await)
}

/// The nodes that are named, or this one.
fn nodes(daemon: &RemoteDaemon, args: &NodeOrderArgs) -> Result<BTreeSet<NodeName>, Failure> {
    let status = daemon.ask(async |client| client.status().await)?;
    match &args.node {
        Some(text) => named(text, &status),
        None => Ok([status.daemon.nodename].into()),
    }
}

/// Waits until no node is drained any more.
fn until_over(daemon: &RemoteDaemon, nodes: &BTreeSet<NodeName>, began: Instant) -> Result<StatusDocument, Failure> {
    let mut seen = BTreeMap::new();
    loop {
        let status = daemon.ask(async |client| client.status().await)?;
        for node in nodes {
            let drains = status.cluster.node.get(node).is_some_and(|node| node.status.drain.is_some());
            *seen.entry(node.clone()).or_insert(false) |= drains;
        }
        let drains = |node: &NodeName| status.cluster.node.get(node).is_some_and(|node| node.status.drain.is_some());
        // The order is acknowledged before the node shows it, and a node with nothing to move may be done before the
        // first look. So one that was never seen to drain counts as done after a while.
        let begun = seen.values().all(|seen| *seen) || began.elapsed() > SEEN;
        if begun && !nodes.iter().any(drains) {
            return Ok(status);
        }
        std::thread::sleep(LOOK);
    }
}

/// What still runs on a node.
pub(crate) fn left(status: &StatusDocument, node: &NodeName) -> Vec<String> {
    let instances = status.cluster.node.get(node).map(|node| &node.instance);
    let runs = |(path, instance): (&ObjectPath, &protocol::daemon::InstanceSummary)| {
        let avail = instance.status.as_ref().map(|status| status.avail);
        avail.filter(|avail| matches!(avail, State::Up | State::Warn)).map(|_| path.to_string())
    };
    instances.into_iter().flatten().filter_map(runs).collect()
}
