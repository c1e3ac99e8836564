//! `om node fence`: another node is ended from outside, or it is tried whether it could be.

use std::process::ExitCode;

use etcd::SeenNode;
use model::NodeName;
use protocol::FailureKind;
use protocol::daemon::{EvictRequest, FenceDocument, FenceTryDocument};
use serde_json::json;

use crate::backend::{LocalCluster, block_on};
use crate::cluster::confirm_by_name;
use crate::command::FenceArgs;
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{print, warn};

pub(super) fn fence(session: &Session, args: &FenceArgs) -> Outcome {
    // It is this node that must reach the device.
    session.backend.daemon_places()?;
    let cluster = LocalCluster::open(session.global.root.as_deref(), &session.typed)?;
    let name: NodeName = args.node.parse().map_err(|error| {
        let text = format!("{:?} is not the name of a node: {error}", args.node);
        Failure::message(FailureKind::Invalid, text)
    })?;
    if args.test {
        let done = cluster.test_fences(&name)?;
        return Ok(report(session, args, &done, false));
    }
    cluster.check_fence(&name)?;
    // Its life before it is ended: what comes back after that is another one, and stays.
    let seen = cluster.look_at_node(name.as_str()).map(|(_, seen)| seen).map_err(|error| {
        warn(&format!("{:#}: it can be ended, but no other node takes over upon that", error.error));
    });
    if !args.confirm {
        confirm_by_name(name.as_str(), "--confirm")?;
    }
    let done = cluster.fence(&name)?;
    let evicted = match seen {
        Ok(seen) if done.proof => evict(session, &cluster, (&name, &seen))?,
        _ => false,
    };
    Ok(report(session, args, &done, evicted))
}

/// Tells the cluster what was proven. False: the node has begun another life meanwhile.
fn evict(session: &Session, cluster: &LocalCluster, (name, seen): (&NodeName, &SeenNode)) -> Result<bool, Failure> {
    let now = cluster.look_at_node(name.as_str())?.1;
    // Another node may have ended the same life by time meanwhile.
    if now.life != seen.life && (now.alive || now.ended != seen.life) {
        warn(&format!("{name} has begun another life since: the fence says nothing of it"));
        return Ok(false);
    }
    let request = EvictRequest { life: now.life, beat: now.beat, fenced: true };
    Ok(block_on(session.daemon().client.evict(name, &request))??)
}

fn report(session: &Session, args: &FenceArgs, done: &FenceDocument, evicted: bool) -> ExitCode {
    let mut document = json!(done);
    document["evicted"] = json!(evicted);
    match structured(args.output.format, &document) {
        Some(text) => print(&text),
        None => lines(done, evicted).iter().for_each(|line| session.note(line)),
    }
    if done.succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lines(done: &FenceDocument, evicted: bool) -> Vec<String> {
    let node = &done.node;
    let line = |tried: &FenceTryDocument| {
        let FenceTryDocument { rid, driver, level, seconds, .. } = tried;
        let words = match (&tried.error, tried.proof || done.test) {
            (Some(error), _) => format!("failed: {error}"),
            (None, true) => tried.text.clone(),
            (None, false) => format!("no proof: {}", tried.text),
        };
        format!("{rid} ({driver}, level {level}): {words}, after {seconds:.1} s")
    };
    let sum = match (done.test, done.succeeded, evicted) {
        (true, true, _) => format!("{node} could be ended"),
        (true, false, _) => format!("not every fence of {node} could be tried"),
        (false, true, true) => format!("{node} has ended, and so has its life: other nodes may take what it had"),
        (false, true, false) => format!("{node} has ended"),
        (false, false, _) => format!("{node} may go on: nothing is taken from it"),
    };
    done.tries.iter().map(line).chain([sum]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_try_by_try() {
        let tried = |rid: &str, proof, text: &str, error: Option<&str>| FenceTryDocument {
            rid: rid.to_owned(),
            driver: "fence.command".to_owned(),
            level: 1,
            proof,
            text: text.to_owned(),
            error: error.map(str::to_owned),
            seconds: 0.25,
        };
        let tries =
            vec![tried("fence#n2", false, "", Some("/off exited with 1")), tried("fence#pdu", true, "off", None)];
        let done =
            FenceDocument { node: "n2".to_owned(), test: false, proof: true, succeeded: true, seconds: 0.5, tries };
        let expected = [
            "fence#n2 (fence.command, level 1): failed: /off exited with 1, after 0.2 s",
            "fence#pdu (fence.command, level 1): off, after 0.2 s",
            "n2 has ended, and so has its life: other nodes may take what it had",
        ];
        assert_eq!(lines(&done, true), expected);
        let failed = FenceDocument { proof: false, succeeded: false, ..done };
        assert_eq!(lines(&failed, false).last().unwrap(), "n2 may go on: nothing is taken from it");
    }
}
