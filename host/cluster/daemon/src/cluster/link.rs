//! The direct link to the other daemons: who is there, and the promises of all while the engine is away.
//!
//! Each second every other node is pinged. While no beat is acknowledged, the ping also asks whether that node will leave this one's
//! life alone: when all have promised it, the services of this node go on as if a beat had been acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use agent::Directories;
use agent::file::durable;
use model::NodeName;
use orchestrate::{BootTime, StoreRevision};
use ownership::{FailsafeQuestion, Generation};
use peer::{EndpointError, PeerBook, PeerEndpoint, PeerPin};
use protocol::daemon::{DaemonThread, EngineOutage, PingAnswer, PingRequest, PromiseQuestion};
use replica::{PeerRow, publication};

use super::member::{ClusterMessage, Membership};
use crate::guard::{LOOP, VALIDITY};
use crate::owner::{Message, Owner, SentRequest};

/// Without an acknowledged beat for so long, the others are asked for promises.
pub(crate) const ENGINE_SILENCE: Duration = LOOP.saturating_mul(2);

/// What was heard so long ago still counts.
const RECENT: Duration = Duration::from_millis(2_500);

/// The address at which other daemons are asked.
const PING: &str = "/peer/ping";

/// This node's end of the link, and what is known of the other ends.
pub(crate) struct LinkState {
    endpoint: PeerEndpoint,
    /// Where the book of the other ends is kept.
    file: PathBuf,
    tended: BootTime,
    peers: BTreeMap<NodeName, LinkedPeer>,
    /// Whether something about the link is on its way to the store.
    publishing: bool,
}

/// Another end.
#[derive(Debug, Default)]
struct LinkedPeer {
    /// When its last ping came.
    heard: Option<BootTime>,
    /// When it last answered one of ours, and whether it saw our beats then.
    answered: Option<BootTime>,
    sees_beat: bool,
    /// When it last promised.
    promised: Option<BootTime>,
    /// Whether a ping is under way.
    asked: bool,
}

/// Opens this node's end of the link, with what it knew when it ran last. Blocks.
pub(crate) fn open_endpoint(home: &Directories, me: &NodeName) -> Result<PeerEndpoint, EndpointError> {
    let known = durable::read(&book_file(home)).ok().flatten().unwrap_or_default();
    PeerEndpoint::open(&home.var.join("certificate").join("peer"), me, PeerBook::of_bytes(&known))
}

fn book_file(home: &Directories) -> PathBuf {
    home.var.join("daemon").join("peers")
}

impl LinkState {
    pub(crate) fn new(endpoint: PeerEndpoint, home: &Directories) -> LinkState {
        let (file, tended, peers) = (book_file(home), BootTime::BOOT, BTreeMap::new());
        LinkState { endpoint, file, tended, peers, publishing: false }
    }
}

impl Membership {
    /// Whether the engine has acknowledged nothing for so long that the others are asked.
    pub(crate) fn is_engine_away(&self, now: BootTime) -> bool {
        now.since(self.acknowledged) >= ENGINE_SILENCE
    }
}

impl Owner {
    /// Pings all others, and says where this node is reached.
    pub(super) fn tend_link(&mut self, now: BootTime) {
        let Some(member) = self.member.as_mut().filter(|member| now.since(member.link.tended) >= LOOP) else { return };
        member.link.tended = now;
        self.publish_link();
        let question = self.ask_promises(now);
        for node in self.others() {
            self.ping(node, question.clone());
        }
    }

    /// The nodes that may end this one's life, and those that belong to the cluster besides.
    fn others(&self) -> BTreeSet<NodeName> {
        let members = self.shared.members.iter().flat_map(|members| members.value.names());
        members.chain(self.cluster.nodes.iter().cloned()).filter(|node| *node != self.me).collect()
    }

    fn ask_promises(&mut self, now: BootTime) -> Option<FailsafeQuestion> {
        let members: BTreeSet<NodeName> = self.shared.members.as_ref()?.value.names().collect();
        let member = self.member.as_mut()?;
        if !member.is_engine_away(now) {
            return None;
        }
        member.ownership.ask(&members, now)
    }

    fn ping(&mut self, node: NodeName, question: Option<FailsafeQuestion>) {
        let Some(member) = &mut self.member else { return };
        let peer = member.link.peers.entry(node.clone()).or_default();
        if std::mem::replace(&mut peer.asked, true) {
            return;
        }
        let asked = question.as_ref().map(|question| PromiseQuestion {
            generation: question.generation.number,
            nonce: question.generation.nonce,
            life: question.life.0,
        });
        let (links, mail) = (member.link.endpoint.links().clone(), self.mail.clone());
        tokio::spawn(async move {
            let answer = links.ask(&node, PING, &PingRequest { question: asked }, LOOP).await.ok();
            let _ = mail.send(Message::Cluster(ClusterMessage::Pinged { node, question, answer }));
        });
    }

    pub(super) fn pinged(&mut self, node: &NodeName, question: Option<FailsafeQuestion>, answer: Option<PingAnswer>) {
        let now = crate::clock::now();
        let Some(member) = &mut self.member else { return };
        let peer = member.link.peers.entry(node.clone()).or_default();
        peer.asked = false;
        let Some(answer) = answer else { return };
        (peer.answered, peer.sees_beat) = (Some(now), answer.sees_beat);
        if let Some(question) = question.filter(|_| answer.promised) {
            peer.promised = Some(now);
            let effects = member.ownership.promised(&question, node);
            self.follow_effects(effects);
        }
    }

    /// Another daemon is there, and may want a promise. The same task sends evictions, so that it never does both.
    pub(crate) fn answer_ping(&mut self, from: NodeName, ping: &PingRequest) -> PingAnswer {
        let now = crate::clock::now();
        let Some(member) = &mut self.member else { return PingAnswer::default() };
        member.link.peers.entry(from.clone()).or_default().heard = Some(now);
        let beat = member.ownership.heard(&from).is_some_and(|at| now.since(at) < VALIDITY);
        let sees_beat = beat && !member.is_engine_away(now);
        let question = ping.question.map(|question| FailsafeQuestion {
            asker: from,
            generation: Generation { number: question.generation, nonce: question.nonce },
            life: StoreRevision(question.life),
            asked: BootTime::BOOT,
        });
        PingAnswer { sees_beat, promised: question.is_some_and(|question| member.ownership.promise(&question, now)) }
    }

    /// Says where this node is reached, and that it may end the lives of others from now on.
    fn publish_link(&mut self) {
        let Some(member) = self.member.as_ref().filter(|member| !member.link.publishing) else { return };
        let Some(life) = self.node.life else { return };
        let identity = member.link.endpoint.identity();
        let row = member.link.endpoint.address();
        let row = row.map(|address| PeerRow::new(address.to_string(), identity.certificate().to_owned()));
        let of_peer = row.and_then(|row| publication::publish_peer(&self.shared, &self.me, life, &row));
        let joins = || publication::join_members(&self.shared, &self.me, life);
        let Some(txn) = of_peer.or_else(joins).or_else(|| self.removal(life)) else { return };
        if let Some(member) = &mut self.member {
            member.link.publishing = true;
        }
        self.send(SentRequest::Link, txn);
    }

    pub(crate) fn link_said(&mut self) {
        if let Some(member) = &mut self.member {
            member.link.publishing = false;
        }
    }

    /// A node whose life has ended, and that does not belong to the cluster any more, is not asked for promises.
    fn removal(&self, life: u64) -> Option<store::TxnRequest> {
        let members = self.shared.members.iter().flat_map(|members| members.value.names());
        let mut gone = members.filter(|node| !self.cluster.nodes.contains(node));
        gone.find_map(|node| publication::remove_member(&self.shared, &self.me, life, &node))
    }

    /// Takes over who is reached where, and who may end whose life.
    pub(crate) fn follow_link(&mut self) {
        let Some(member) = &mut self.member else { return };
        let others = self.shared.peers.iter().filter(|(node, _)| **node != self.me);
        let pins = others.map(|(node, row)| {
            let PeerRow { address, certificate, .. } = row.value.clone();
            (node.clone(), PeerPin { address, certificate })
        });
        if member.link.endpoint.book().learn(pins) {
            // What is not kept is learned from the store again.
            let _ = durable::write(&member.link.file, &member.link.endpoint.book().to_bytes());
        }
        let members = self.shared.members.as_ref().map(|members| &members.value);
        let list = members.map_or(0, |members| members.list);
        // Who is in no list ends nobody's life: no holder would ask it.
        let since = members.and_then(|members| members.since(&self.me)).unwrap_or(u64::MAX);
        member.ownership.set_members(StoreRevision(list), StoreRevision(since));
    }

    /// The rows of `om mon` about the paths to other nodes.
    pub(crate) fn link_threads(&self) -> Vec<DaemonThread> {
        let Some(member) = &self.member else { return Vec::new() };
        let now = crate::clock::now();
        let others: Vec<NodeName> = self.others().into_iter().collect();
        let row = |id: &str, detail: &str, state: &dyn Fn(&NodeName) -> &'static str| DaemonThread {
            id: id.to_owned(),
            state: "running".to_owned(),
            detail: detail.to_owned(),
            peers: others.iter().map(|node| (node.clone(), state(node).to_owned())).collect(),
        };
        let recent = |at: Option<BootTime>| at.is_some_and(|at| now.since(at) < RECENT);
        let word = |is_up: bool| if is_up { "up" } else { "down" };
        let peer = |node: &NodeName| member.link.peers.get(node);
        let away = member.is_engine_away(now);
        let beat_heard = |node: &NodeName| {
            let heard = member.ownership.heard(node).is_some_and(|at| now.since(at) < VALIDITY);
            word(heard && !away)
        };
        // Whether the other one sees it, only itself can say.
        let beat_seen = |node: &NodeName| match peer(node).filter(|peer| recent(peer.answered)) {
            Some(peer) => word(peer.sees_beat),
            None => "unknown",
        };
        let heard = |node: &NodeName| word(peer(node).is_some_and(|peer| recent(peer.heard)));
        let answered = |node: &NodeName| word(peer(node).is_some_and(|peer| recent(peer.answered)));
        let address = member.link.endpoint.address().map(|address| address.to_string()).unwrap_or_default();
        vec![
            row("hb#1.rx", &self.engine_name, &beat_heard),
            row("hb#1.tx", &self.engine_name, &beat_seen),
            row("hb#2.rx", &address, &heard),
            row("hb#2.tx", &address, &answered),
        ]
    }

    /// How this node does without the engine, while it is away.
    pub(crate) fn outage(&self) -> Option<EngineOutage> {
        let now = crate::clock::now();
        let member = self.member.as_ref().filter(|member| member.is_engine_away(now))?;
        let members: BTreeSet<NodeName> = self.shared.members.iter().flat_map(|it| it.value.names()).collect();
        let promised = |node: &NodeName| {
            let peer = member.link.peers.get(node);
            peer.and_then(|peer| peer.promised).is_some_and(|at| now.since(at) < RECENT)
        };
        let silent: Vec<String> =
            members.iter().filter(|node| **node != self.me && !promised(node)).map(NodeName::to_string).collect();
        let failsafe = silent.is_empty() && members.contains(&self.me);
        let until = self.guard.terms().into_iter().map(|(_, until)| until).min();
        let left = until.map(|until| deadline::hard_deadline(until).saturating_sub(now.since_boot()).as_secs());
        Some(EngineOutage {
            seconds: now.since(member.acknowledged).as_secs(),
            nodes: members.len(),
            silent,
            failsafe,
            cut_in: left.filter(|_| !failsafe),
        })
    }
}
