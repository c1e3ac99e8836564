//! `om cluster leave`, `om cluster remove`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use model::ObjectPath;
use protocol::daemon::{ClusterNode, OrderCommand, OrderRequest, StatusDocument};
use protocol::{ConfigChange, ConfigEdit, ConfigTarget};
use serde_json::json;

use super::without_daemon;
use crate::backend::{LeaveProgress, LocalCluster};
use crate::command::{LeaveArgs, RemoveNodeArgs};
use crate::exit::{Failure, Outcome};
use crate::node::{drain_here, left, thaw_here};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{print, warn};

/// What runs here has so long to stop.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was stopped here is looked for on other nodes for so long.
const TAKEOVER: Duration = Duration::from_secs(10);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of the objects that ran here.
#[derive(Debug, Default)]
struct DrainOutcome {
    /// Those that other nodes may run, with the nodes that do.
    shared: BTreeMap<String, Vec<String>>,
    /// Those that are this node's alone.
    own: Vec<String>,
}

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &LeaveArgs) -> Outcome {
    let began = Instant::now();
    let _claim = cluster.claim()?;
    if cluster.is_witness() {
        without_daemon(session, || cluster.go_as_witness())?;
        let document = json!({ "moved": {}, "started": [], "seconds": began.elapsed().as_secs_f64() });
        match structured(args.output.format, &document) {
            Some(text) => print(&text),
            None => session.note("this node is no witness any more"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut outcome = DrainOutcome::default();
    let begun = if args.drain { cluster.leaving()? } else { None };
    if begun.is_none() || cluster.is_in_cluster() {
        if args.drain {
            outcome = empty(session, cluster, begun.clone(), began + args.time.unwrap_or(PATIENCE))?;
        }
        let plan = cluster.plan_leave()?;
        without_daemon(session, || cluster.go(&plan))?;
    }
    if args.drain {
        outcome.own = take_up_again(session, cluster)?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let document = json!({ "moved": outcome.shared, "started": outcome.own, "seconds": seconds });
    if let Some(text) = structured(args.output.format, &document) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    if !outcome.own.is_empty() {
        session.note(&format!("started again, as this node's alone: {}", outcome.own.join(", ")));
    }
    session.note("this node is alone: it has its own store again");
    Ok(ExitCode::SUCCESS)
}

/// Stops what runs here, and takes this node out of the objects that other nodes have, too. Nothing of it is done before it is
/// certain that the cluster does without this node.
fn empty(
    session: &Session,
    cluster: &LocalCluster,
    begun: Option<LeaveProgress>,
    until: Instant,
) -> Result<DrainOutcome, Failure> {
    cluster.check_leave()?;
    let Some(daemon) = session.running_daemon()? else {
        return Err(Failure::failed(
            "--drain needs the daemon, and none runs on this node: om daemon start".to_owned(),
        ));
    };
    let shared = cluster.shared_objects()?;
    let status = daemon.ask(async |client| client.status().await)?;
    let me = &status.daemon.nodename;
    let edits = shared.iter().map(|path| Ok((path, edits_of(session, path, me.as_str())?)));
    let edits: Vec<_> = edits.collect::<Result<_, Failure>>()?;
    let progress = match begun {
        Some(begun) => begun,
        None => {
            let is_shared = |path: &String| shared.iter().any(|shared| shared.to_string() == *path);
            let (shared, own) = left(&status, me).into_iter().partition(is_shared);
            let here = status.cluster.node.get(me);
            LeaveProgress { was_frozen: here.is_some_and(|node| node.status.frozen), own, shared }
        }
    };
    cluster.write_leaving(&progress)?;
    let stuck = drain_here(session, until.saturating_duration_since(Instant::now()))?;
    let stuck = if stuck.is_empty() { slots_left(cluster, until)? } else { stuck };
    if !stuck.is_empty() {
        let text = format!(
            "{} did not stop in time, so this node stays in the cluster, frozen (om {} print status shows why). When the cause is \
             mended: om cluster leave --drain goes on, om node undrain gives it up",
            stuck.join(", "),
            stuck[0]
        );
        return Err(Failure::failed(text));
    }
    let moved = where_they_run(session, &progress.shared)?;
    for (path, nodes) in &moved {
        match &nodes[..] {
            [] => warn(&format!("{path} was stopped here, and no other node runs it: om {path} start")),
            nodes => session.note(&format!("{path} runs on {}", nodes.join(", "))),
        }
    }
    for (path, edits) in edits {
        strike_out(session, cluster, path, edits, until)?;
    }
    Ok(DrainOutcome { shared: moved, own: Vec::new() })
}

/// What has a slot here still, at the end of the time.
fn slots_left(cluster: &LocalCluster, until: Instant) -> Result<Vec<String>, Failure> {
    loop {
        let slots = cluster.own_slots()?;
        if slots.is_empty() || Instant::now() >= until {
            return Ok(slots);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The nodes that run objects which ran here. Those that the cluster starts by itself are waited for.
fn where_they_run(session: &Session, paths: &[String]) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let until = Instant::now() + TAKEOVER;
    loop {
        let status = session.daemon().ask(async |client| client.status().await)?;
        let runs: BTreeMap<String, Vec<String>> =
            paths.iter().map(|path| (path.clone(), nodes_of(&status, path))).collect();
        let is_awaited = |(path, nodes): (&String, &Vec<String>)| nodes.is_empty() && is_automatic(&status, path);
        if !runs.iter().any(is_awaited) || Instant::now() >= until {
            return Ok(runs);
        }
        std::thread::sleep(PAUSE);
    }
}

fn nodes_of(status: &StatusDocument, path: &str) -> Vec<String> {
    let runs = |node: &ClusterNode| {
        let found = node.instance.iter().find(|(known, _)| known.to_string() == path);
        found.and_then(|(_, instance)| instance.status.as_ref()).is_some_and(|status| status.avail.is_up())
    };
    status.cluster.node.iter().filter(|(_, node)| runs(node)).map(|(name, _)| name.to_string()).collect()
}

fn is_automatic(status: &StatusDocument, path: &str) -> bool {
    let found = status.cluster.object.iter().find(|(known, _)| known.to_string() == path);
    found.is_some_and(|(_, object)| object.orchestrate == "ha")
}

/// What takes this node out of the nodes of an object.
fn edits_of(session: &Session, path: &ObjectPath, me: &str) -> Result<Vec<ConfigEdit>, Failure> {
    let target = ConfigTarget::Object(path.clone());
    let mut edits = Vec::new();
    for keyword in ["nodes", "drpnodes"] {
        let written = session.backend.written(&target, keyword)?.unwrap_or_default();
        if written.split_whitespace().any(|word| word == me) {
            edits.push(ConfigEdit::Apply(format!("{keyword}-={me}")));
        }
    }
    if edits.is_empty() {
        let text = format!(
            "{path} may run on this node, and its nodes do not name it as a word: take it out of them first (om {path} \
             set --kw nodes=…)"
        );
        return Err(Failure::failed(text));
    }
    Ok(edits)
}

/// Takes this node out of the nodes of an object, and waits until the cluster knows.
fn strike_out(
    session: &Session,
    cluster: &LocalCluster,
    path: &ObjectPath,
    edits: Vec<ConfigEdit>,
    until: Instant,
) -> Result<(), Failure> {
    let target = ConfigTarget::Object(path.clone());
    session.backend.change_config(&target, &ConfigChange { edits, force: false })?;
    while !cluster.is_in_force(path)? {
        if Instant::now() >= until {
            let text = format!(
                "the cluster does not know yet that {path} is not on this node: om cluster leave --drain goes on"
            );
            return Err(Failure::failed(text));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// What is this node's alone runs again, as before. Returns what was started.
fn take_up_again(session: &Session, cluster: &LocalCluster) -> Result<Vec<String>, Failure> {
    let Some(progress) = cluster.leaving()? else { return Ok(Vec::new()) };
    if !progress.was_frozen {
        thaw_here(session)?;
    }
    let mut started = Vec::new();
    for name in &progress.own {
        let Ok(path) = name.parse::<ObjectPath>() else { continue };
        let request = OrderRequest {
            verb: OrderCommand::Start,
            supersede: true,
            force: false,
            time: None,
            command: session.typed.clone(),
        };
        match session.daemon().ask(async |client| client.order(&path, &request).await) {
            Ok(_) => started.push(name.clone()),
            Err(failure) => warn(&format!("{name} is not started again: {:#}", failure.error)),
        }
    }
    cluster.remove_leaving()?;
    Ok(started)
}

pub(super) fn remove(session: &Session, cluster: &LocalCluster, args: &RemoveNodeArgs) -> Outcome {
    cluster.remove(&args.node, args.i_know_it_is_off)?;
    session.note(&format!("{} is not in the cluster any more", args.node));
    Ok(ExitCode::SUCCESS)
}
