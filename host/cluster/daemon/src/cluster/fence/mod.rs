//! The fences of other nodes: a node that is lost while it has slots is ended from outside, where `cluster.conf` says how. When that is
//! proven, its life is ended at once.
//!
//! ```text
//!  silent for half of the time that a life lasts ──▶ begin_fence ──▶ store: by this node alone
//!  orchestrate: Step::Fence, of a life that has ended ──▶│                        │
//!                                     evict_fenced ◀── proof ◀── the agent's drivers
//! ```
//!
//! The engine is asked before: so a node that was cut off from the majority ends no other one.

mod proof;
mod read;

pub(super) use read::FoundFences;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent::fence::FenceWork;
use model::NodeName;
use orchestrate::BootTime;
use protocol::daemon::{EventKind, FenceDocument};
use replica::publication::{begin_fence, fail_fence};
use serde_json::json;

use super::link::RECENT;
use super::member::ClusterMessage;
use crate::guard::VALIDITY;
use crate::owner::{Message, Owner, SentRequest};

/// A daemon that is started again sends beats before that.
const SILENCE: Duration = VALIDITY.checked_div(2).unwrap();

/// What this node knows of fences.
#[derive(Default)]
pub(crate) struct FenceWatch {
    /// The nodes that the fences of `cluster.conf` end.
    nodes: BTreeSet<NodeName>,
    /// What an operator should know of them.
    pub(crate) warning: Option<String>,
    read: Option<BootTime>,
    /// The fences that this process does, and the registrations that it does them for.
    running: BTreeMap<NodeName, u64>,
    /// What they have proven, of which the store does not know yet, and when it was last sent there.
    proven: BTreeMap<NodeName, (u64, Option<BootTime>)>,
}

impl Owner {
    /// Begins the fences that are due, and says what was proven.
    pub(super) fn tend_fences(&mut self, now: BootTime) {
        self.read_fences(now);
        self.press_proofs(now);
        for (node, due) in self.fences_due() {
            if due <= now {
                self.begin_fence(&node);
            }
        }
    }

    /// When the next fence begins, if nothing more is heard. What is past is left out: something else is in its way.
    pub(super) fn next_fence(&self, now: BootTime) -> Option<BootTime> {
        self.fences_due().into_iter().map(|(_, due)| due).filter(|due| *due > now).min()
    }

    /// The other nodes that have slots and that a fence can end, and when each is lost, if nothing more is heard of it.
    fn fences_due(&self) -> Vec<(NodeName, BootTime)> {
        let Some(member) = &self.member else { return Vec::new() };
        let due = |node: &NodeName| {
            let silent = member.ownership.heard(node)? + SILENCE;
            // One whose daemon answers is not lost: it cuts by itself what it may not run any more.
            let answered = member.link.peers.get(node).and_then(|peer| peer.answered);
            Some((node.clone(), answered.map_or(silent, |at| silent.max(at + RECENT))))
        };
        let pinned = |node: &NodeName| self.shared.beats.get(node).is_some_and(|beat| beat.value.pinned);
        let nodes = member.fences.nodes.iter().filter(|node| {
            !member.fences.running.contains_key(*node) && !pinned(node) && self.has_slot(node) && !self.is_tried(node)
        });
        nodes.filter_map(due).collect()
    }

    fn has_slot(&self, node: &NodeName) -> bool {
        let Some(life) = self.shared.life(node) else { return false };
        let slots = self.shared.objects.values().flat_map(|object| object.slots.values());
        let mut own = slots.filter(|slot| slot.value.owner == node.as_str() && slot.value.incarnation == life);
        own.any(|slot| slot.value.state != replica::SlotWord::Released)
    }

    /// Whether the fence of its present life goes on elsewhere, or has failed.
    fn is_tried(&self, node: &NodeName) -> bool {
        self.shared.fence_of(node).is_some_and(|fence| fence.failed.is_some() || fence.by != self.me.as_str())
    }

    /// Ends a node, unless another one does it, or it was tried already.
    pub(crate) fn begin_fence(&mut self, node: &NodeName) {
        let now = crate::clock::now();
        let (Some(life), false) = (self.node.life, self.is_tried(node)) else { return };
        let Some(member) = self.member.as_mut().filter(|member| !member.is_engine_away(now)) else { return };
        let known = member.fences.nodes.contains(node) && !member.fences.proven.contains_key(node);
        let Some(registration) = self.shared.nodes.get(node).filter(|_| known) else { return };
        if member.fences.running.contains_key(node) {
            return;
        }
        let Some(txn) = begin_fence(&self.shared, &self.me, life, node) else { return };
        member.fences.running.insert(node.clone(), registration.revision);
        self.send(SentRequest::FenceBegin(node.clone()), txn);
    }

    /// The store knows that this node does it, or it does not.
    pub(crate) fn fence_begun(&mut self, node: NodeName, applied: bool) {
        let Some(member) = &mut self.member else { return };
        if !applied {
            // Whatever was in its way: the next turn looks again.
            member.fences.running.remove(&node);
            return;
        }
        let (agent, mail) = (self.agent.clone(), self.mail.clone());
        tokio::spawn(async move {
            let done = agent.fence(&node, FenceWork::Fence).await.map_err(|error| agent::chain(&error));
            let _ = mail.send(Message::Cluster(ClusterMessage::Fenced { node, done }));
        });
    }

    pub(super) fn fenced(&mut self, node: &NodeName, done: Result<FenceDocument, String>) {
        let Some(member) = &mut self.member else { return };
        let Some(life) = member.fences.running.remove(node) else { return };
        let tries = done.as_ref().map(|done| json!(done.tries)).unwrap_or_default();
        if done.as_ref().is_ok_and(|done| done.proof) {
            member.fences.proven.insert(node.clone(), (life, None));
            self.add_event(EventKind::NodeFenced, None, json!({ "node": node.to_string(), "tries": tries }));
            return self.press_proofs(crate::clock::now());
        }
        let why = match done {
            Ok(done) => words_of_failure(&done),
            Err(error) => error,
        };
        let data = json!({ "node": node.to_string(), "reason": why, "tries": tries });
        self.add_event(EventKind::NodeFenceFailed, None, data);
        let Some(life) = self.node.life else { return };
        if let Some(txn) = fail_fence(&self.shared, &self.me, life, (node, &why)) {
            self.send(SentRequest::FenceEnd, txn);
        }
    }

    /// What is said of the fence of a node.
    pub(super) fn fence_word(&self, node: &NodeName) -> Option<&'static str> {
        if self.shared.is_fenced(node) {
            return Some("fenced");
        }
        let fence = self.shared.fence_of(node)?;
        Some(if fence.failed.is_some() { "fence failed" } else { "fencing" })
    }
}

/// Why each fence has proven nothing, in one line.
fn words_of_failure(done: &FenceDocument) -> String {
    let word = |done: &protocol::daemon::FenceTryDocument| {
        let text = done.error.as_deref().unwrap_or(if done.text.is_empty() { "no proof" } else { &done.text });
        format!("{}: {text}", done.rid)
    };
    done.tries.iter().map(word).collect::<Vec<_>>().join("; ")
}
