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
use peer::{EndpointError, PeerBook, PeerEndpoint};
use protocol::daemon::{PingAnswer, PingRequest, PromiseQuestion};

use super::member::ClusterMessage;
use crate::guard::{LOOP, VALIDITY};
use crate::owner::{Message, Owner};

/// What was heard so long ago still counts.
pub(super) const RECENT: Duration = Duration::from_millis(2_500);

/// The address at which other daemons are asked.
const PING: &str = "/peer/ping";

/// This node's end of the link, and what is known of the other ends.
pub(crate) struct LinkState {
    pub(super) endpoint: PeerEndpoint,
    /// Where the book of the other ends is kept.
    pub(super) file: PathBuf,
    tended: BootTime,
    pub(super) peers: BTreeMap<NodeName, LinkedPeer>,
    /// Whether something about the link is on its way to the store.
    pub(super) publishing: bool,
    /// Whether the engine was noted as away. None: nothing was noted yet.
    pub(super) noted: Option<bool>,
}

/// Another end.
#[derive(Debug, Default)]
pub(super) struct LinkedPeer {
    /// When its last ping came.
    pub(super) heard: Option<BootTime>,
    /// When it last answered one of ours, and whether it saw our beats then.
    pub(super) answered: Option<BootTime>,
    pub(super) sees_beat: bool,
    /// When it last promised.
    pub(super) promised: Option<BootTime>,
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
        LinkState { endpoint, file, tended, peers, publishing: false, noted: None }
    }
}

impl Owner {
    /// Pings all others, and says where this node is reached.
    pub(super) fn tend_link(&mut self, now: BootTime) {
        self.note_outage(now);
        let Some(member) = self.member.as_mut().filter(|member| now.since(member.link.tended) >= LOOP) else { return };
        member.link.tended = now;
        self.publish_link();
        let question = self.ask_promises(now);
        for node in self.others() {
            self.ping(node, question.clone());
        }
    }

    /// The nodes that may end this one's life, and those that belong to the cluster besides.
    pub(super) fn others(&self) -> BTreeSet<NodeName> {
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
        // One at a time: a node that does not answer must not cost another task each second.
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
        self.note_generation(node, answer.generation);
        let Some(member) = &mut self.member else { return };
        let peer = member.link.peers.entry(node.clone()).or_default();
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
        // Without the engine, a beat that was seen a while ago says nothing of whether they still arrive there.
        let sees_beat = beat && !member.is_engine_away(now);
        let question = ping.question.map(|question| FailsafeQuestion {
            asker: from,
            generation: Generation { number: question.generation, nonce: question.nonce },
            life: StoreRevision(question.life),
            // It is on the asker's clock, and nothing here rests on it: a promise counts from now.
            asked: BootTime::BOOT,
        });
        let promised = question.is_some_and(|question| member.ownership.promise(&question, now));
        PingAnswer { sees_beat, promised, generation: member.generation() }
    }
}
