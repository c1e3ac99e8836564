//! What a recovery would make the new engine of, and what would be lost: nothing is changed here.

use std::path::PathBuf;
use std::time::Duration;

use replica::{GenerationRow, generation_key};
use serde::{Deserialize, Serialize};
use store::Store;
use store_etcd::{EngineMark, EtcdDataFile};

use super::RecoveryFault;
use super::anew::RecoveryProgress;
use crate::member::chain;
use crate::plan::node_of;
use crate::roster::{KEY, parse};
use crate::{ClusterPlace, EngineSeat, LocalSeat, Roster, file};

/// An election takes its time, and an engine in the middle of one has its majority: it is asked for so long.
const ELECTION: Duration = Duration::from_millis(2_500);

/// Whether voters take connections is looked at so often, with such pauses, and each has so long.
const PROBES: usize = 2;
const PROBE_PAUSE: Duration = Duration::from_millis(200);
const PROBE_PATIENCE: Duration = Duration::from_millis(600);

/// What a new engine would be made of.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryPlan {
    pub cluster: String,
    /// This node's member, and whether it has voted.
    pub member: String,
    pub voter: bool,
    /// What it has.
    pub revision: u64,
    pub generation: u64,
    /// The other members, which are lost.
    pub others: Vec<OtherMember>,
    #[serde(skip)]
    pub(super) seat: LocalSeat,
    #[serde(skip)]
    pub(super) engine: EngineSeat,
    /// A recovery was interrupted when the new engine had begun to answer: only what comes behind that is missing.
    #[serde(skip)]
    pub(super) answers: bool,
}

/// Another member, as this node's data know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherMember {
    pub node: String,
    pub name: String,
    pub voter: bool,
    /// Its process answers, though it has no majority either.
    pub answers: bool,
    /// Why it does not.
    pub fault: Option<String>,
}

impl RecoveryPlan {
    /// Where this node is reached.
    pub fn address(&self) -> std::net::IpAddr {
        self.seat.address
    }
}

/// A member as etcd keeps it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptMember {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "peerURLs")]
    peers: Vec<String>,
    #[serde(default, rename = "clientURLs")]
    clients: Vec<String>,
    #[serde(default)]
    is_learner: bool,
}

/// Looks whether the engine has lost its majority, and what this node has of it. `known` are the addresses of the voters that this
/// node knows.
pub async fn plan_recovery(place: &ClusterPlace, known: &[String]) -> Result<RecoveryPlan, RecoveryFault> {
    let seat = place.seat()?.ok_or(RecoveryFault::Seat)?;
    let engine = seat.engine.clone().ok_or(RecoveryFault::Seat)?;
    let own = seat.client_address().unwrap_or_default();
    let addresses: Vec<String> =
        known.iter().chain([&own].into_iter().filter(|own| !known.contains(own))).cloned().collect();
    // A linearizable read needs a majority, so one answer proves that there is one.
    let answers = answering(place, &addresses).await;
    let begun: Option<RecoveryProgress> = file::read(&place.recovery_file())?;
    if let Some(address) = answers.as_ref().filter(|_| begun.is_none()) {
        return Err(RecoveryFault::Answers(address.clone()));
    }
    let data = EtcdDataFile::read(&place.data(&engine))?;
    let members = data.members.iter().map(|member| serde_json::from_slice::<KeptMember>(member));
    let members: Vec<KeptMember> = members.filter_map(Result::ok).collect();
    let peer = seat.peer_address().unwrap_or_default();
    // By the address as well: data from before the first start of the member do not know its name.
    let is_own = |member: &KeptMember| member.name == engine.name || member.peers.contains(&peer);
    let voter = !members.iter().find(|member| is_own(member)).ok_or(RecoveryFault::Removed)?.is_learner;
    let mut others = Vec::new();
    for member in members.iter().filter(|member| !is_own(member)) {
        others.push(other(place, member, data.applied).await?);
    }
    // A member that goes on alone knows itself only. The command was interrupted behind that, and reports whom it
    // has lost all the same.
    if let Some(begun) = begun.filter(|_| others.is_empty()) {
        others = begun.others;
    }
    let roster: Roster = parse(KEY, data.get(KEY).ok_or(RecoveryFault::Empty)?)?;
    let generation = data.get(&generation_key()).and_then(|row| GenerationRow::read(&generation_key(), row).ok());
    Ok(RecoveryPlan {
        cluster: roster.name,
        member: engine.name.clone(),
        voter,
        revision: data.revision,
        generation: generation.map_or(0, |row| row.number),
        others,
        answers: answers.is_some_and(|address| address == own),
        seat,
        engine,
    })
}

/// The address at which a majority answers, if one does. All are asked at the same time, for as long as an election may take.
async fn answering(place: &ClusterPlace, addresses: &[String]) -> Option<String> {
    if !may_have_majority(addresses).await {
        return None;
    }
    let files = place.engine_files();
    let asked: Vec<_> = addresses
        .iter()
        .map(|address| {
            let (address, files) = (address.clone(), files.clone());
            tokio::spawn(async move {
                // One store for each address: a store with several would answer for whichever of them works.
                let until = tokio::time::Instant::now() + ELECTION;
                let store = ClusterPlace::open(vec![address.clone()], Some(files));
                loop {
                    if store.get(&generation_key()).await.is_ok() {
                        return Some(address);
                    }
                    if tokio::time::Instant::now() >= until {
                        return None;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
        })
        .collect();
    let mut answers = None;
    for task in asked {
        answers = answers.or(task.await.ok().flatten());
    }
    answers
}

/// Whether so many of the voters take connections that they could be a majority. If not, no election need be waited for.
async fn may_have_majority(voters: &[String]) -> bool {
    for _ in 0..PROBES {
        let asked: Vec<_> = voters.iter().map(|address| tokio::spawn(takes_connections(address.clone()))).collect();
        let mut reached = 0;
        for task in asked {
            reached += usize::from(task.await.unwrap_or(true));
        }
        if reached * 2 > voters.len() {
            return true;
        }
        // One that is being started takes none for a moment.
        tokio::time::sleep(PROBE_PAUSE).await;
    }
    false
}

/// What cannot be asked counts as one that does.
async fn takes_connections(address: String) -> bool {
    let parsed = address.rsplit_once('/').and_then(|(_, at)| at.parse::<std::net::SocketAddr>().ok());
    let Some(at) = parsed else { return true };
    let connected = tokio::time::timeout(PROBE_PATIENCE, tokio::net::TcpStream::connect(at)).await;
    connected.is_ok_and(|connected| connected.is_ok())
}

/// How another member is. One that has more is the one to recover from.
async fn other(place: &ClusterPlace, member: &KeptMember, ours: u64) -> Result<OtherMember, RecoveryFault> {
    let store = ClusterPlace::open(member.clients.clone(), Some(place.engine_files()));
    let report = match member.clients.first() {
        Some(address) => store.report_at(address).await.map_err(|fault| chain(&fault)),
        None => Err("it has never started".to_owned()),
    };
    if let Ok(report) = &report
        // A member answers this without a majority, about itself.
        && report.raft_applied_index > ours
    {
        let theirs = report.raft_applied_index;
        return Err(RecoveryFault::Behind { other: member.name.clone(), theirs, ours });
    }
    Ok(OtherMember {
        node: node_of(&member.name).to_owned(),
        name: member.name.clone(),
        voter: !member.is_learner,
        answers: report.is_ok(),
        fault: report.err(),
    })
}

/// The highest generation that this node remembers, whatever its engine says.
pub(super) fn remembered(place: &ClusterPlace) -> u64 {
    let text = std::fs::read_to_string(place.own_store().join("generation")).ok();
    let of_life = text.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let of_life = of_life.and_then(|document| document["number"].as_u64());
    of_life.unwrap_or(0).max(remembered_mark(place).generation)
}

/// The engine that the daemon of this node saw last, and how far. What cannot be read says nothing.
pub(super) fn remembered_mark(place: &ClusterPlace) -> EngineMark {
    let text = std::fs::read_to_string(place.own_store().join("mark")).unwrap_or_default();
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    match (next(), next(), next()) {
        (Some(cluster), Some(generation), Some(revision)) => EngineMark { cluster, generation, revision },
        _ => EngineMark::default(),
    }
}

/// The file of what this node knows of the other daemons: where each of them is reached.
pub(super) fn book(place: &ClusterPlace) -> PathBuf {
    place.own_store().join("peers")
}
