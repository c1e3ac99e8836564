//! How a cluster is: its nodes, the members of its engine, and what a loss would mean.

use protocol::daemon::{ClusterNodeLine, EngineMemberLine, EngineReport};
use store_etcd::{EtcdStore, EtcdVersion};

use crate::member::{self, MemberFault, ProgressNotes, SeenMember, chain};
use crate::token::now;
use crate::{Roster, RosterFault, authority, plan, read_roster};

/// Asks the engine and each of its members.
pub async fn cluster_status(store: &EtcdStore) -> Result<EngineReport, MemberFault> {
    let roster = read_roster(store).await?.ok_or(RosterFault::None)?;
    let seen = member::look(store, &mut ProgressNotes::new()).await?;
    let alarms = store.alarms().await?;
    let certificates = authority::warnings_of(&authority::read_pki(store).await?, &roster, now());
    let views = member::views(&seen);
    let mark = store.mark();
    let line = |member: &SeenMember| line(member, &roster);
    let mut members: Vec<EngineMemberLine> = seen.iter().map(line).collect();
    members.sort_by(|a, b| (a.role != "voter", &a.name).cmp(&(b.role != "voter", &b.name)));
    let node = |node: &crate::RosterNode| ClusterNodeLine {
        node: node.name.to_string(),
        address: node.address.to_string(),
        state: match (node.joined, node.witness) {
            (false, _) => "joining",
            (true, false) => "joined",
            (true, true) => "witness",
        }
        .to_owned(),
    };
    Ok(EngineReport {
        managed: roster.is_managed(),
        nodes: roster.nodes.iter().map(node).collect(),
        voters: plan::wanted_voters(roster.nodes.len(), roster.voters),
        revision: mark.revision,
        generation: mark.generation,
        loss: plan::loss(&views, roster.nodes.len()),
        advice: [advice(&seen, &alarms, &roster), certificates].concat(),
        cluster: roster.name,
        id: roster.id,
        members,
        alarms,
    })
}

fn line(member: &SeenMember, roster: &Roster) -> EngineMemberLine {
    let SeenMember { peer, report, .. } = member;
    let report_of = report.as_ref().ok();
    let node = plan::node_of(&peer.name);
    let address = peer.client_addresses.first().or(peer.peer_addresses.first());
    // A member that has never started has no name: it is not down, it has yet to come.
    let state = match (report_of, peer.name.is_empty()) {
        (Some(_), _) => "up",
        (None, true) => "new",
        (None, false) => "down",
    };
    EngineMemberLine {
        node: roster.node(node).map_or_else(String::new, |node| node.name.to_string()),
        name: peer.name.clone(),
        id: format!("{:x}", peer.id),
        address: address.cloned().unwrap_or_default(),
        role: if peer.is_learner { "learner" } else { "voter" }.to_owned(),
        state: state.to_owned(),
        leads: report_of.is_some_and(|report| report.is_leader()),
        version: report_of.map(|report| report.version.to_string()),
        revision: report_of.map_or(0, |report| report.mark.revision),
        applied: report_of.map_or(0, |report| report.raft_applied_index),
        bytes: report_of.map_or(0, |report| report.bytes),
        bytes_in_use: report_of.map_or(0, |report| report.bytes_in_use),
        fault: report.as_ref().err().map(|error| chain(error)),
    }
}

fn advice(seen: &[SeenMember], alarms: &[String], roster: &Roster) -> Vec<String> {
    let mut advice = Vec::new();
    if alarms.iter().any(|alarm| alarm == "nospace") {
        advice.push("the engine is full: no failover is possible until it has room again".to_owned());
    }
    if alarms.iter().any(|alarm| alarm == "corrupt") {
        advice.push("members of the engine hold different data: restore the one that is wrong from another".to_owned());
    }
    let mut versions: Vec<EtcdVersion> =
        seen.iter().filter_map(|member| Some(member.report.as_ref().ok()?.version)).collect();
    versions.sort();
    versions.dedup();
    if let Some((version, text)) = versions.first().and_then(|version| Some((version, version.advice()?))) {
        advice.push(format!("etcd {version}: {text}"));
    }
    let open: Vec<&str> = roster.nodes.iter().filter(|node| !node.joined).map(|node| node.name.as_str()).collect();
    if !open.is_empty() {
        advice.push(format!("the join of {} is not complete: run om cluster join there again", open.join(", ")));
    }
    advice
}
