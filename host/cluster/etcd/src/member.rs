//! The members of the engine: looked at, added, promoted and removed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::NodeName;
use protocol::daemon::{SeatGrant, SeatRequest};
use replica::{NodeRow, SharedKey};
use store::{Store, StoreError, TxnRequest};
use store_etcd::{CallFault, EtcdPeer, EtcdStore, MemberReport};

use crate::plan::{self, JoinerRole, MemberStep, MemberView};
use crate::{Roster, RosterFault, authority, change_roster, read_roster};

/// So many entries may a member lag behind, besides the hundredth: beats are written all the time.
const LAG: u64 = 20;

/// After a promotion, the voters are listed so often until it shows.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// Why a member cannot be added or removed.
#[derive(Debug, thiserror::Error)]
pub enum MemberFault {
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error("the engine does not change its members")]
    Engine(#[from] StoreError),
    #[error("{0} is not a node of the cluster: om cluster status lists them")]
    Unknown(String),
    #[error("{0} is not in the cluster any more: om cluster leave here, and om cluster join to come back")]
    Stranger(String),
    #[error("{node} cannot go: {reason}")]
    Majority { node: String, reason: String },
    /// It may run services.
    #[error(
        "{0} may be running services: its life in the cluster has not ended. If the machine is off, and stays off until its agent \
         was removed, say --i-know-it-is-off"
    )]
    Alive(String),
    #[error("{node}: {member} does not come into step")]
    Late { node: String, member: String },
}

/// A member, and what it says of itself.
pub(crate) struct SeenMember {
    pub(crate) peer: EtcdPeer,
    pub(crate) report: Result<MemberReport, CallFault>,
    pub(crate) view: MemberView,
}

/// How far each learner was, and since when.
pub(crate) type ProgressNotes = BTreeMap<u64, (u64, Instant)>;

/// Asks every member how it is.
pub(crate) async fn look(store: &EtcdStore, notes: &mut ProgressNotes) -> Result<Vec<SeenMember>, StoreError> {
    let peers = store.peers().await?;
    // Ids are not used again: a member that is added anew has another one, and its time begins with it.
    notes.retain(|id, _| peers.iter().any(|peer| peer.id == *id));
    let mut reports = Vec::new();
    for peer in &peers {
        reports.push(match peer.client_addresses.first() {
            Some(address) => store.report_at(address).await,
            None => Err(CallFault::NotSent("it has not started yet".to_owned())),
        });
    }
    // Not the leader's: that may be the member that does not answer.
    let leading = reports.iter().flatten().map(|report| report.raft_applied_index).max().unwrap_or(0);
    let now = Instant::now();
    let seen = peers.into_iter().zip(reports).map(|(peer, report)| {
        let applied = report.as_ref().map_or(0, |report| report.raft_applied_index);
        // In an engine of few entries, LAG alone would let a learner pass that has received nothing yet.
        let in_step = report.is_ok() && applied + applied / 100 + LAG >= leading && applied > 0;
        let note = notes.entry(peer.id).or_insert((applied, now));
        // Any progress begins the time anew: a large snapshot may take longer than STALL.
        if in_step || applied > note.0 {
            *note = (applied, now);
        }
        let view = MemberView {
            id: peer.id,
            name: peer.name.clone(),
            is_learner: peer.is_learner,
            answers: report.is_ok(),
            in_step,
            // One that was in step follows, and is only away.
            stalled: if note.0 > 0 && !peer.name.is_empty() { Duration::ZERO } else { now - note.1 },
        };
        SeenMember { peer, report, view }
    });
    Ok(seen.collect())
}

pub(crate) fn views(seen: &[SeenMember]) -> Vec<MemberView> {
    seen.iter().map(|member| member.view.clone()).collect()
}

/// The addresses at which the engine answers everything: those of the voters.
pub(crate) fn voter_addresses(peers: &[EtcdPeer]) -> Vec<String> {
    let voters = peers.iter().filter(|peer| !peer.is_learner && !peer.name.is_empty());
    voters.filter_map(|peer| peer.client_addresses.first().cloned()).collect()
}

/// Makes the next step towards the voters that are wanted. None: all is as it should be.
pub(crate) async fn step(
    store: &EtcdStore,
    roster: &Roster,
    seen: &[SeenMember],
) -> Result<Option<MemberStep>, StoreError> {
    let step = plan::next_step(&views(seen), roster.nodes.len(), roster.voters);
    match step {
        Some(MemberStep::Promote(id)) => store.promote(id).await.map(drop)?,
        Some(MemberStep::Remove(id)) => store.remove_member(id).await.map(drop)?,
        None => {}
    }
    Ok(step)
}

/// Whether a learner is there that becomes a voter when it is in step.
pub(crate) fn is_short_of_voters(roster: &Roster, seen: &[SeenMember]) -> bool {
    let learners = seen.iter().filter(|member| member.peer.is_learner).count();
    let follows = seen.iter().any(|member| member.peer.is_learner && member.view.answers);
    follows && seen.len() - learners < plan::wanted_voters(roster.nodes.len(), roster.voters)
}

/// Gives a node that joins its member, or says what it has to wait for. To ask again is harmless.
pub(crate) async fn add(store: &EtcdStore, roster: &Roster, request: &SeatRequest) -> Result<SeatGrant, MemberFault> {
    let seen = look(store, &mut ProgressNotes::new()).await?;
    if let Some(member) = seen.iter().find(|member| member.peer.peer_addresses.contains(&request.peer)) {
        // etcd reports no name until a member has started for the first time (rpc.proto, Member.name), so an empty
        // one is the learner that an earlier, lost answer was about.
        if member.peer.name.is_empty() || member.peer.name == request.name {
            return Ok(granted(&seen.iter().map(|member| member.peer.clone()).collect::<Vec<_>>(), request));
        }
        // A former life of this node, whose data is gone.
        plan::may_remove(&views(&seen), member.peer.id)
            .map_err(|reason| MemberFault::Majority { node: request.node.clone(), reason })?;
        // The joiner asks again, and is then judged by the members that are left.
        store.remove_member(member.peer.id).await?;
        return Ok(wait(format!("{}, of which the data is gone, is removed first", member.peer.name)));
    }
    match plan::role_of_joiner(&views(&seen), roster.nodes.len(), roster.voters) {
        JoinerRole::Client => Ok(SeatGrant::Client),
        // etcd refuses a second learner ("too many learner members", before 3.6 without an option).
        JoinerRole::After(learner) => Ok(wait(format!("{learner} becomes a voter first"))),
        JoinerRole::Learner => match store.add_learner(&request.peer).await {
            Ok(peers) => Ok(granted(&peers, request)),
            // Whatever was refused or lost: the list of members shows it the next time.
            Err(error) => Ok(wait(match chain(&error) {
                // etcd wants it so, also of a learner, which costs no majority.
                text if text.contains("unhealthy cluster") => {
                    "the engine takes a member when its own have been in contact for 5 s".to_owned()
                }
                text => format!("the engine does not take a member yet: {text}"),
            })),
        },
    }
}

fn granted(peers: &[EtcdPeer], request: &SeatRequest) -> SeatGrant {
    let name = |peer: &EtcdPeer| {
        let is_own = peer.peer_addresses.contains(&request.peer);
        if is_own { request.name.clone() } else { peer.name.clone() }
    };
    let member = |peer: &EtcdPeer| Some((name(peer), peer.peer_addresses.first()?.clone()));
    SeatGrant::Learner { members: peers.iter().filter_map(member).collect() }
}

fn wait(reason: String) -> SeatGrant {
    SeatGrant::Wait { reason }
}

/// Checks that the rest of the engine would have a majority without the member of a node. Changes nothing.
pub async fn check_leave(store: &EtcdStore, node: &NodeName) -> Result<(), MemberFault> {
    let seen = look(store, &mut ProgressNotes::new()).await?;
    let own = seen.iter().find(|member| plan::node_of(&member.peer.name) == node.as_str());
    let Some(own) = own else { return Ok(()) };
    let voters = seen.iter().filter(|member| !member.peer.is_learner).count();
    // A learner is promoted first.
    if voters == 1 && seen.len() > 1 {
        return Ok(());
    }
    plan::may_remove(&views(&seen), own.peer.id)
        .map_err(|reason| MemberFault::Majority { node: node.to_string(), reason })
}

/// Takes a node out of the cluster that asks for it itself, after its daemon has stopped.
pub async fn leave(store: &EtcdStore, node: &NodeName) -> Result<(), MemberFault> {
    // The member before the roster: a command that is killed in between finds the node in the roster and can be
    // repeated. A member without a node in the roster would vote on, and no command would know it.
    remove_member_of(store, node).await?;
    strike_out(store, node, |_| Ok(())).await
}

/// Takes a node out of the cluster that is gone. Unless its life has ended, an operator must know that it is off.
pub async fn remove_node(store: &EtcdStore, node: &NodeName, is_off: bool) -> Result<(), MemberFault> {
    let roster = read_roster(store).await?.ok_or(RosterFault::None)?;
    if roster.node(node.as_str()).is_none() {
        return Err(MemberFault::Unknown(node.to_string()));
    }
    let judge = |row: Option<&NodeRow>| match row {
        Some(row) if !row.evicted && !is_off => Err(MemberFault::Alive(node.to_string())),
        _ => Ok(()),
    };
    // Judged twice: here before the member is removed, and in `strike_out` again for the row that its transaction
    // compares, as the node may come back in between.
    let found = node_row(store, node).await?.0;
    judge(found.as_ref())?;
    remove_member_of(store, node).await?;
    strike_out(store, node, judge).await
}

/// Removes the member of a node from the engine. A learner is promoted first if the node has the only voter.
async fn remove_member_of(store: &EtcdStore, node: &NodeName) -> Result<(), MemberFault> {
    let majority = |reason| MemberFault::Majority { node: node.to_string(), reason };
    let mut notes = ProgressNotes::new();
    let mut seen = look(store, &mut notes).await?;
    let own = |seen: &[SeenMember]| {
        seen.iter().find(|member| plan::node_of(&member.peer.name) == node.as_str()).map(|member| member.peer.id)
    };
    let Some(id) = own(&seen) else { return Ok(()) };
    // Counted with those that do not answer: they belong to the majority all the same.
    let voters = seen.iter().filter(|member| !member.peer.is_learner).count();
    let is_voter = seen.iter().any(|member| member.peer.id == id && !member.peer.is_learner);
    if is_voter && voters == 1 && seen.len() > 1 {
        seen = promote_another(store, node, &mut notes).await?;
    }
    plan::may_remove(&views(&seen), id).map_err(majority)?;
    let others: Vec<EtcdPeer> = seen.into_iter().map(|member| member.peer).filter(|peer| peer.id != id).collect();
    // Asked of the others: a member that is removed ends, perhaps before it answers.
    store.set_members(&voter_addresses(&others));
    let removed = store.remove_member(id).await;
    // An error of etcd may hide that the change was applied: kubeadm believed one after a promotion, and tried for
    // ever (kubeadm #3317). The list shows it.
    if removed.is_err() && store.peers().await?.iter().any(|peer| peer.id == id) {
        removed?;
    }
    Ok(())
}

async fn promote_another(
    store: &EtcdStore,
    node: &NodeName,
    notes: &mut ProgressNotes,
) -> Result<Vec<SeenMember>, MemberFault> {
    for _ in 0..TRIES {
        let seen = look(store, notes).await?;
        let voters = seen.iter().filter(|member| !member.peer.is_learner).count();
        if voters > 1 {
            return Ok(seen);
        }
        // As if a third node were there.
        if let Some(MemberStep::Promote(id)) = plan::next_step(&views(&seen), 3, 3) {
            // Whether it was, the list shows.
            let _ = store.promote(id).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let seen = look(store, notes).await?;
    let learner = seen.iter().find(|member| member.peer.is_learner).map(|member| member.peer.name.clone());
    Err(MemberFault::Late { node: node.to_string(), member: learner.unwrap_or_default() })
}

async fn node_row(store: &EtcdStore, node: &NodeName) -> Result<(Option<NodeRow>, u64), MemberFault> {
    let key = SharedKey::Node(node.clone()).to_bytes();
    let found = store.get(&key).await?;
    let revision = found.mod_revision();
    let row = found.entry.map(|entry| crate::roster::parse(&entry.key, &entry.value)).transpose()?;
    Ok((row, revision))
}

/// Takes a node from the roster, and ends its life in the same transaction, with what was read of it.
async fn strike_out(
    store: &EtcdStore,
    node: &NodeName,
    judge: impl Fn(Option<&NodeRow>) -> Result<(), MemberFault>,
) -> Result<(), MemberFault> {
    let (row, revision) = node_row(store, node).await?;
    judge(row.as_ref())?;
    let beat = SharedKey::Beat(node.clone()).to_bytes();
    // A beat that comes after this shows that the node lives, and makes the transaction fail.
    let beaten = store.get(&beat).await?.mod_revision();
    let key = SharedKey::Node(node.clone()).to_bytes();
    // Not removed: a life is known to have ended by the revision of this row.
    let revocation = authority::revoke_node(store, node).await?;
    let ended = row.map(|row| serde_json::to_vec(&NodeRow { evicted: true, ..row }).unwrap_or_default());
    let along = |request: TxnRequest| {
        let mut request = request.if_unchanged(key.clone(), revision).if_unchanged(beat.clone(), beaten);
        if let Some(ended) = &ended {
            request = request.put(key.clone(), ended.clone());
        }
        request = revocation.along(request);
        // Its key counts no more, either.
        let said =
            [SharedKey::NodeFlags, SharedKey::NodeInfo, SharedKey::Peer, SharedKey::Fence].map(|key| key(node.clone()));
        said.iter().fold(request, |request, key| request.delete(key.to_bytes()))
    };
    change_roster(store, along, |roster| {
        roster.nodes.retain(|known| known.name != *node);
        Ok::<_, RosterFault>(())
    })
    .await?;
    Ok(())
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        text += &format!(": {this}");
        cause = this.source();
    }
    text
}
