//! The store: what it reports of its changes, and what is sent to it. One request at a time is under way about an object.

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{SlotStep, ViewChange};
use protocol::daemon::EventKind;
use replica::{SharedKey, SharedObject, SharedState, everything};
use serde_json::json;
use store::{KeyQuery, RevisionChange, StoreError, TxnOutcome, TxnRequest};

use super::order::AcceptedOrder;
use super::{Message, Owner};
use crate::{Asked, RequestError};
use protocol::FailureKind;

/// How long a store that does not answer is left alone at most, before it is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// After a request that failed, the next one is tried so much later.
const RETRY: Duration = Duration::from_secs(1);

/// What a request to the store is for.
pub(crate) enum SentRequest {
    /// The life of this node begins.
    Registration,
    /// A configuration, an outcome, a mark: whether it was applied is seen in the store.
    Upkeep(ObjectPath),
    /// The end of an action.
    Report(ObjectPath),
    Slot(ObjectPath, SlotStep),
    Order(ObjectPath, Box<AcceptedOrder>),
    NodeFlags(Asked<bool>),
    /// What this node says of itself.
    NodeInfo,
    /// Where this node is reached, and who may end the lives of others.
    Link,
    /// The drain of this node is over.
    DrainEnd,
    /// The fence of a node begins, by this one.
    FenceBegin(NodeName),
    /// It has proven nothing.
    FenceEnd,
}

impl SentRequest {
    fn path(&self) -> Option<&ObjectPath> {
        match self {
            SentRequest::Upkeep(path)
            | SentRequest::Report(path)
            | SentRequest::Slot(path, _)
            | SentRequest::Order(path, _) => Some(path),
            SentRequest::Registration
            | SentRequest::NodeFlags(_)
            | SentRequest::NodeInfo
            | SentRequest::Link
            | SentRequest::FenceBegin(_)
            | SentRequest::FenceEnd
            | SentRequest::DrainEnd => None,
        }
    }
}

impl Owner {
    pub(crate) fn send(&mut self, request: SentRequest, txn: TxnRequest) {
        self.send_after(|| {}, request, txn);
    }

    /// Sends a request when something that may block is done.
    pub(super) fn send_after(&mut self, first: impl FnOnce() + Send + 'static, request: SentRequest, txn: TxnRequest) {
        if let Some(path) = request.path() {
            self.sending.insert(path.clone());
        }
        let (store, mail) = (self.store.clone(), self.mail.clone());
        tokio::spawn(async move {
            let _ = tokio::task::spawn_blocking(first).await;
            let outcome = store.txn(txn).await;
            let _ = mail.send(Message::Answered { request, outcome });
        });
    }

    pub(super) fn answered(&mut self, request: SentRequest, outcome: Result<TxnOutcome, StoreError>) {
        if let Some(path) = request.path().cloned() {
            self.sending.remove(&path);
            self.touch(&path);
            if outcome.is_err() {
                self.retries.insert(path, crate::clock::now() + RETRY);
            }
        }
        let applied = match &outcome {
            Ok(TxnOutcome::Applied { revision }) => Some(*revision),
            Ok(TxnOutcome::Refused { .. }) | Err(_) => None,
        };
        // The watch may have been faster than the answer: then there is nothing to wait for.
        if let (Some(path), Some(revision)) =
            (request.path(), applied.filter(|revision| *revision > self.shared.revision))
        {
            self.awaited.insert(path.clone(), revision);
        }
        // What this node has written it must not decide without.
        self.node.written = self.node.written.max(applied);
        self.note_engine(&outcome);
        match request {
            SentRequest::Registration => self.registered(applied),
            SentRequest::Upkeep(_) => {}
            SentRequest::Report(path) => {
                if applied.is_some() {
                    self.reported(&path);
                }
            }
            SentRequest::Slot(path, step) => self.slot_answered(&path, &step, applied),
            SentRequest::Order(path, order) => self.order_answered(&path, *order, outcome),
            SentRequest::NodeInfo => self.node_said(applied.is_some()),
            SentRequest::Link => self.link_said(),
            // Unless the store knows it, it is decided again.
            SentRequest::DrainEnd if applied.is_none() => self.follow_drain(),
            SentRequest::DrainEnd | SentRequest::FenceEnd => {}
            SentRequest::FenceBegin(node) => self.fence_begun(node, applied.is_some()),
            SentRequest::NodeFlags(answer) => {
                let _ = answer.send(outcome.map(|_| applied.is_some()).map_err(|error| failure(&error)));
            }
        }
    }

    fn registered(&mut self, revision: Option<u64>) {
        match revision {
            Some(revision) => self.node.life = Some(revision),
            // Another process of this node was faster, or the store failed: the next turn tries again.
            None => self.register(),
        }
        self.changes.push(ViewChange::Cluster);
    }

    /// Registers this node's life, unless it goes on. On a node of several, the membership does.
    pub(crate) fn register(&mut self) {
        if self.member.is_some() {
            return;
        }
        match replica::request::register(&self.shared, &self.me, &self.node.boot) {
            Some(txn) => self.send(SentRequest::Registration, txn),
            None => {
                self.node.life = self.shared.nodes.get(&self.me).map(|node| node.revision);
                self.changes.push(ViewChange::Cluster);
            }
        }
    }

    fn slot_answered(&mut self, path: &ObjectPath, step: &SlotStep, applied: Option<u64>) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        if let (SlotStep::Take { index, .. } | SlotStep::Reassert { index, .. }, Some(revision)) = (step, applied) {
            instance.local.confirmed.insert(*index, revision);
            self.guard_slot(path, revision);
        }
    }

    /// Says it once when the store stops taking changes, and once when it does again.
    pub(crate) fn note_engine(&mut self, outcome: &Result<TxnOutcome, StoreError>) {
        match outcome {
            Ok(_) => {
                if self.engine_fault.take().is_some() {
                    self.add_event(EventKind::EngineUp, None, json!({}));
                }
            }
            Err(error) => {
                let text = agent::chain(error);
                if self.engine_fault.as_ref() != Some(&text) {
                    self.add_event(EventKind::EngineDown, None, json!({ "reason": text }));
                    self.engine_fault = Some(text);
                }
            }
        }
    }

    pub(super) fn follow(&mut self, change: &RevisionChange) {
        let seen = change.revision;
        self.awaited.retain(|_, revision| *revision > seen);
        match self.shared.apply(change) {
            Ok(keys) => {
                keys.into_iter().for_each(|key| self.concern(key));
                self.observe_if_member();
            }
            Err(error) => self.unreadable(&error),
        }
    }

    fn observe_if_member(&mut self) {
        if self.member.is_some() {
            self.observe();
        }
    }

    fn concern(&mut self, key: SharedKey) {
        match key {
            SharedKey::Object(path)
            | SharedKey::Slot(path, _)
            | SharedKey::Config(path)
            | SharedKey::Instance(path, _) => {
                if !self.instances.contains_key(&path) {
                    self.read(&path);
                }
                self.touch(&path);
            }
            SharedKey::Fence(node) => self.changes.push(ViewChange::Node(node)),
            SharedKey::Node(node) | SharedKey::NodeInfo(node) => {
                // What its instances said counts for its life alone.
                let with = |object: &SharedObject| object.instances.contains_key(&node);
                let paths = self.shared.objects.iter().filter(|(_, object)| with(object)).map(|(path, _)| path.clone());
                self.dirty.extend(paths);
                self.changes.push(ViewChange::Node(node));
            }
            SharedKey::NodeFlags(node) => {
                if node == self.me {
                    self.follow_drain();
                }
                self.changes.push(ViewChange::Node(node));
            }
            // Who lives is the membership's.
            SharedKey::Beat(_) => {}
            SharedKey::Peer(_) | SharedKey::Members => self.follow_link(),
            SharedKey::Generation => self.changes.push(ViewChange::Cluster),
        }
    }

    pub(super) fn list_again(&mut self, error: &StoreError) {
        self.add_event(EventKind::EngineDown, None, json!({ "reason": agent::chain(error) }));
        let (store, mail) = (self.store.clone(), self.mail.clone());
        tokio::spawn(async move { follow_store(&*store, &mail, StoreStart::Founded).await });
    }

    pub(super) fn listed(&mut self, state: SharedState) {
        let seen = state.revision;
        let generation = |state: &SharedState| state.generation.as_ref().map(|row| row.value.generation());
        if generation(&self.shared) != generation(&state) {
            // Another life of the engine has revisions of its own, which may be lower.
            self.awaited.clear();
            self.node.written = None;
        }
        self.awaited.retain(|_, revision| *revision > seen);
        self.shared = state;
        self.shared_lost = false;
        // What the store knows and no file does.
        let unknown: Vec<ObjectPath> =
            self.shared.objects.keys().filter(|path| !self.instances.contains_key(*path)).cloned().collect();
        if self.member.is_some() && self.scanned {
            unknown.iter().for_each(|path| self.read(path));
        }
        let paths: Vec<ObjectPath> = self.shared.objects.keys().chain(self.views.keys()).cloned().collect();
        paths.iter().for_each(|path| self.touch(path));
        self.changes.push(ViewChange::Cluster);
        self.follow_link();
        self.follow_drain();
        self.observe_if_member();
    }

    fn unreadable(&mut self, error: &replica::InvalidRow) {
        let text = agent::chain(error);
        self.add_event(EventKind::EngineDown, None, json!({ "reason": text }));
        self.engine_fault = Some(text);
        // Without the whole state nothing may be decided.
        self.view = None;
        self.shared_lost = true;
    }
}

/// Whether the first generation of the store is known to have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreStart {
    Founded,
    Unknown,
}

/// Lists all that the store holds, and follows it from there, until the owner is gone or the watch is lost.
pub(crate) async fn follow_store(
    store: &dyn store::Store,
    mail: &tokio::sync::mpsc::UnboundedSender<Message>,
    start: StoreStart,
) {
    let mut wait = Duration::from_millis(100);
    let state = loop {
        // Refused where another node was faster. Whatever became of it, the list shows.
        if start == StoreStart::Unknown {
            let _ = store.txn(replica::request::found()).await;
        }
        match list(store).await {
            Ok(state) => break state,
            Err(_) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    };
    // The next revision: what changes between the list and the watch must be in one of the two.
    let from = state.revision + 1;
    if mail.send(Message::Listed(state)).is_err() {
        return;
    }
    let lost = match store.watch(everything(), from).await {
        Err(error) => error,
        Ok(mut feed) => loop {
            match feed.next().await {
                Ok(change) => {
                    if mail.send(Message::Changed(change)).is_err() {
                        return;
                    }
                }
                Err(error) => break error,
            }
        },
    };
    let _ = mail.send(Message::WatchLost(lost));
}

/// Lists all that the store holds.
pub(crate) async fn list(store: &dyn store::Store) -> Result<SharedState, String> {
    let listing = store.list(&KeyQuery::current(everything())).await.map_err(|error| agent::chain(&error))?;
    SharedState::of(&listing).map_err(|error| agent::chain(&error))
}

/// A refusal of the store, as an answer to the request.
pub(super) fn failure(error: &StoreError) -> RequestError {
    RequestError::new(FailureKind::Failed, format!("the daemon's store refused it: {}", agent::chain(error)))
}
