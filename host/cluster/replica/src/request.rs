//! What was decided or ordered, as transactions. Each compares all that it rests on: the generation, this node's own life, and
//! the revisions of what it changes. So one that is applied late, after its sender has given up, changes nothing that has
//! moved on.

use model::{NodeName, ObjectPath};
use orchestrate::{
    ActionEnd, ActionRecord, InstanceAction, InstanceFailure, IntentId, IntentOutcome, OrderAcceptance, OrderChange,
    SlotStep,
};
use store::TxnRequest;

use crate::row::{
    self, ConfigRow, FailureRow, FlagsRow, IntentRow, MarkRow, NodeRow, ObjectRow, RowClock, SlotRow, SlotWord,
};
use crate::shared::{SharedRow, SharedState};
use crate::{SharedKey, generation_key, key};

/// How an action ended, for the store.
#[derive(Debug, Clone)]
pub struct EndReport {
    pub intent: Option<IntentId>,
    pub record: ActionRecord,
    /// What blocks the instance from now on.
    pub failure: Option<InstanceFailure>,
    /// Whether the instance is frozen from now on.
    pub froze: bool,
    /// How often the instance was cleared when it ended: a failure from before a clear is history.
    pub clears: u64,
}

/// Begins the first generation of a store, if there is none.
pub fn found() -> TxnRequest {
    TxnRequest::new().if_unchanged(generation_key(), 0).put(generation_key(), &b"1"[..])
}

/// Registers this node's life: the same one if it is of this boot, else a new one.
pub fn register(state: &SharedState, me: &NodeName, boot: &str) -> Option<TxnRequest> {
    let known = state.nodes.get(me);
    // The same boot goes on with its life: a daemon that was started again must not free the slots of what runs
    // on.
    if known.is_some_and(|node| node.value.boot == boot && !node.value.evicted) {
        return None;
    }
    let key = SharedKey::Node(me.clone()).to_bytes();
    let row = row::write(&NodeRow::alive(boot));
    Some(guarded(state).if_unchanged(key.clone(), known.map_or(0, |node| node.revision)).put(key, row))
}

/// Freezes or thaws a node. One that is thawed is not drained any more. None: it is so already.
pub fn freeze_node(state: &SharedState, node: &NodeName, frozen: bool) -> Option<TxnRequest> {
    flag_node(state, node, &FlagsRow::new(frozen, state.drain_of(node).filter(|_| frozen)))
}

/// Freezes a node, and stops all that runs on it. `until` is in seconds since 1970. None: it is so already.
pub fn drain_node(state: &SharedState, node: &NodeName, until: u64) -> Option<TxnRequest> {
    flag_node(state, node, &FlagsRow::new(true, Some(until)))
}

/// The drain of a node is over. It stays frozen. None: it is not drained.
pub fn end_drain(state: &SharedState, node: &NodeName) -> Option<TxnRequest> {
    flag_node(state, node, &FlagsRow::new(state.is_frozen(node), None))
}

fn flag_node(state: &SharedState, node: &NodeName, row: &FlagsRow) -> Option<TxnRequest> {
    if (row.frozen, row.drain) == (state.is_frozen(node), state.drain_of(node)) {
        return None;
    }
    let key = SharedKey::NodeFlags(node.clone()).to_bytes();
    let known = state.flags.get(node).map_or(0, |flags| flags.revision);
    Some(guarded(state).if_unchanged(key.clone(), known).put(key, row::write(row)))
}

/// A configuration, for the store.
#[derive(Debug, Clone, Copy)]
pub struct ConfigPublication<'a> {
    pub checksum: &'a str,
    /// The text, where other nodes need it.
    pub text: Option<&'a str>,
    /// The nodes that have an instance by it.
    pub scope: &'a [NodeName],
}

/// Makes an object known to the store, or its new configuration, and the instances of it. None: the store knows all of that.
pub fn publish_config(state: &SharedState, path: &ObjectPath, config: ConfigPublication<'_>) -> Option<TxnRequest> {
    let ConfigPublication { checksum, text, scope } = config;
    let object = state.objects.get(path);
    let known = object.and_then(|object| object.row.as_ref());
    let mut row = known.map_or_else(|| ObjectRow::new(checksum), |row| row.value.clone());
    let shared = ConfigRow::new(checksum, text.unwrap_or_default(), scope.iter().map(NodeName::to_string).collect());
    let held = object.and_then(|object| object.config.as_ref());
    let news = text.filter(|_| held.is_none_or(|held| held.value != shared)).map(|_| shared);
    if let Some(known) = known {
        let complete = scope.iter().all(|node| known.value.instances.contains_key(node.as_str()));
        // Nothing is written that is there already: each write wakes every node of the cluster.
        if known.value.checksum == checksum && complete && news.is_none() {
            return None;
        }
        pin_config(&mut row, known);
    }
    if row.checksum != checksum {
        // 0 means the revision of this very row, which the transaction does not know before it is applied.
        row.checksum = checksum.to_owned();
        row.config_revision = 0;
    }
    for node in scope {
        row.instances.entry(node.to_string()).or_default();
    }
    let request = replace(state, path, known, &row);
    Some(match news {
        Some(news) => request.put(SharedKey::Config(path.clone()).to_bytes(), row::write(&news)),
        None => request,
    })
}

/// Forgets an object: its configuration is gone, and nothing of it is left.
pub fn forget(state: &SharedState, path: &ObjectPath) -> Option<TxnRequest> {
    let known = state.objects.get(path)?.row.as_ref()?;
    let key = SharedKey::Object(path.clone()).to_bytes();
    // With its slots and what nodes said of it: a new object of this path must not begin with the marks of the old
    // one.
    Some(guarded(state).if_unchanged(key, known.revision).delete_range(key::of_object(path)))
}

/// What an accepted order changes.
pub fn accept(
    state: &SharedState,
    path: &ObjectPath,
    acceptance: &OrderAcceptance,
    clock: RowClock<'_>,
) -> Option<TxnRequest> {
    let known = state.objects.get(path)?.row.as_ref()?;
    let mut row = known.value.clone();
    pin_config(&mut row, known);
    acceptance.changes.iter().for_each(|change| row.change(change, clock));
    let request = replace(state, path, Some(known), &row);
    // In the same transaction: otherwise a node could read the order first, and refuse it for being frozen.
    Some(if acceptance.changes.contains(&OrderChange::ThawNodes) { thaw_nodes(state, request) } else { request })
}

/// All nodes are thawed along with the rest of the request.
fn thaw_nodes(state: &SharedState, request: TxnRequest) -> TxnRequest {
    let frozen = state.flags.iter().filter(|(_, flags)| flags.value.frozen);
    frozen.fold(request, |request, (node, flags)| {
        let key = SharedKey::NodeFlags(node.clone()).to_bytes();
        // Each compared: a freeze that an operator gives at the same moment makes the whole request be decided
        // again.
        request.if_unchanged(key.clone(), flags.revision).put(key, row::write(&FlagsRow::new(false, None)))
    })
}

/// The outcome of an order.
pub fn settle(state: &SharedState, path: &ObjectPath, id: IntentId, outcome: &IntentOutcome) -> Option<TxnRequest> {
    change_open(state, path, id, |row| {
        if let Some(intent) = &mut row.intent {
            intent.end(outcome);
        }
    })
}

/// The tombstone of an object that is purged.
pub fn bury(state: &SharedState, path: &ObjectPath, id: IntentId) -> Option<TxnRequest> {
    change_open(state, path, id, |row| row.tombstone = true)
}

/// How an action of this node ended. None: there is nothing that the store should know.
pub fn report(state: &SharedState, path: &ObjectPath, me: &NodeName, report: &EndReport) -> Option<TxnRequest> {
    let known = state.objects.get(path)?.row.as_ref()?;
    let mut row = known.value.clone();
    pin_config(&mut row, known);
    let mark = row.instances.entry(me.to_string()).or_default();
    if let Some(failure) = report.failure.as_ref().filter(|_| mark.clears == report.clears) {
        mark.failure = Some(FailureRow::of(failure));
    }
    // Only ever set here: an action that did not freeze says nothing about a freeze of an operator.
    mark.frozen |= report.froze;
    mark.deleted |= report.record.action == InstanceAction::Delete && report.record.end == ActionEnd::Success;
    if let Some(intent) = row.intent.as_mut().filter(|intent| Some(intent.id()) == report.intent) {
        // A failure from before a clear is history for the order too.
        let stale = known.value.instances.get(me.as_str()).is_some_and(|mark| mark.clears != report.clears);
        if !stale || !matches!(report.record.end, ActionEnd::Failure(_)) {
            intent.note(me, &report.record);
        }
    }
    (row != known.value).then(|| replace(state, path, Some(known), &row))
}

/// What a person changed on this node without the daemon: the freeze of an instance, or a clear.
pub fn mark(
    state: &SharedState,
    path: &ObjectPath,
    me: &NodeName,
    change: impl FnOnce(&mut MarkRow),
) -> Option<TxnRequest> {
    let known = state.objects.get(path)?.row.as_ref()?;
    let mut row = known.value.clone();
    pin_config(&mut row, known);
    change(row.instances.entry(me.to_string()).or_default());
    (row != known.value).then(|| replace(state, path, Some(known), &row))
}

/// A change of a slot. `life` is the revision of this node's registration.
pub fn slot(state: &SharedState, path: &ObjectPath, me: &NodeName, step: &SlotStep) -> Option<TxnRequest> {
    let life = state.nodes.get(me)?.revision;
    let slots = &state.objects.get(path)?.slots;
    // A release compares the token and not what was read last: after another take, this node has nothing to give
    // up.
    let (index, seen, word) = match step {
        SlotStep::Take { index, seen } => (*index, seen.map_or(0, |seen| seen.0), SlotWord::Held),
        SlotStep::Reassert { index, seen } => (*index, seen.0, SlotWord::Held),
        SlotStep::Release { index, token } => (*index, token.revision.0, SlotWord::Released),
    };
    let key = SharedKey::Slot(path.clone(), index).to_bytes();
    let mut request = guarded(state)
        .if_unchanged(SharedKey::Node(me.clone()).to_bytes(), life)
        .if_unchanged(key.clone(), seen)
        .put(key, row::write(&SlotRow::of(me, (crate::generation(state), life), word)));
    // Another's slot is taken only if its life has ended, which must still be so when this is applied.
    let owner = slots.get(&index).filter(|slot| slot.revision == seen && slot.value.state == SlotWord::Held);
    if let (SlotStep::Take { .. }, Some(owner)) = (step, owner)
        && owner.value.owner != me.as_str()
        && let Ok(node) = owner.value.owner.parse()
    {
        request = request.if_changed(SharedKey::Node(node).to_bytes(), owner.value.incarnation);
    }
    Some(request)
}

/// A transaction that holds only in this generation of the store.
pub(crate) fn guarded(state: &SharedState) -> TxnRequest {
    match &state.generation {
        // By its value: in a restored store its revision may be the same.
        Some(row) => TxnRequest::new().if_value(generation_key(), row.value.to_bytes()),
        None => TxnRequest::new().if_unchanged(generation_key(), 0),
    }
}

fn replace(
    state: &SharedState,
    path: &ObjectPath,
    known: Option<&SharedRow<ObjectRow>>,
    row: &ObjectRow,
) -> TxnRequest {
    let key = SharedKey::Object(path.clone()).to_bytes();
    guarded(state).if_unchanged(key.clone(), known.map_or(0, |row| row.revision)).put(key, row::write(row))
}

fn change_open(
    state: &SharedState,
    path: &ObjectPath,
    id: IntentId,
    change: impl FnOnce(&mut ObjectRow),
) -> Option<TxnRequest> {
    let known = state.objects.get(path)?.row.as_ref()?;
    // An order that has ended stays as it ended: two nodes may settle it at the same time.
    known.value.intent.as_ref().filter(|intent| intent.id() == id && intent.is_open())?;
    let mut row = known.value.clone();
    pin_config(&mut row, known);
    change(&mut row);
    Some(replace(state, path, Some(known), &row))
}

/// From here on, the revision of the row is no longer that of the configuration.
fn pin_config(row: &mut ObjectRow, known: &SharedRow<ObjectRow>) {
    if row.config_revision == 0 {
        row.config_revision = known.revision;
    }
}

impl ObjectRow {
    fn change(&mut self, change: &OrderChange, clock: RowClock<'_>) {
        match change {
            OrderChange::End { id, outcome } => {
                if let Some(intent) = self.intent.as_mut().filter(|intent| intent.id() == *id) {
                    intent.end(outcome);
                }
            }
            OrderChange::Begin(intent) => self.intent = Some(IntentRow::of(intent, clock)),
            OrderChange::Forget => self.intent = None,
            OrderChange::Clear => {
                self.instances.values_mut().for_each(MarkRow::clear);
                self.intent.iter_mut().for_each(IntentRow::clear);
            }
            OrderChange::Freeze => self.instances.values_mut().for_each(|mark| mark.frozen = true),
            OrderChange::Thaw => self.instances.values_mut().for_each(|mark| mark.frozen = false),
            // The nodes have rows of their own.
            OrderChange::ThawNodes => {}
            OrderChange::Tombstone => self.tombstone = true,
            OrderChange::Unbury => self.tombstone = false,
        }
    }
}

impl MarkRow {
    /// Forgets the failure, and what was tried.
    pub fn clear(&mut self) {
        self.failure = None;
        self.clears += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use orchestrate::{
        BootTime, ConfigState, FencingToken, InstanceRecord, IntentGoal, NodeIncarnation, ObjectView, OperatorOrder,
        OrderVerb, SlotStanding, StoreRevision, View, accept as accept_order,
    };
    use store::{KeyQuery, MemoryStore, Store, TxnOutcome};

    use super::*;
    use crate::view::{LocalInstance, LocalNode};
    use crate::{everything, object_view, view_parts};

    /// A store, and one node that reads it anew after each write.
    struct Node {
        store: Arc<MemoryStore>,
        state: SharedState,
        local: LocalNode,
    }

    impl Node {
        async fn join(store: &Arc<MemoryStore>, name: &str) -> Node {
            let local = LocalNode {
                name: name.parse().unwrap(),
                boot: "b1".to_owned(),
                ready: true,
                life: None,
                drain: None,
                score: 1,
                load: 1,
                max_parallel: 4,
                written: None,
                heard: BTreeMap::new(),
                rejoin: None,
            };
            let mut node = Node { store: Arc::clone(store), state: SharedState::default(), local };
            let _ = node.send(found()).await;
            node.read().await;
            let request = register(&node.state, &node.local.name, "b1").unwrap();
            node.local.life = node.send(request).await;
            node
        }

        async fn read(&mut self) {
            let listing = self.store.list(&KeyQuery::current(everything())).await.unwrap();
            self.state = SharedState::of(&listing).unwrap();
        }

        /// The revision, if it was applied.
        async fn send(&mut self, request: TxnRequest) -> Option<u64> {
            let outcome = self.store.txn(request).await.unwrap();
            self.read().await;
            match outcome {
                TxnOutcome::Applied { revision } => Some(revision),
                TxnOutcome::Refused { .. } => None,
            }
        }

        fn object(&self, path: &ObjectPath, confirmed: &[(usize, u64)]) -> ObjectView {
            let local = LocalInstance {
                config: ConfigState::Loaded(StoreRevision(0)),
                rules: None,
                record: InstanceRecord::new(),
                status: None,
                running: None,
                order_seen: BootTime::BOOT,
                confirmed: confirmed.iter().copied().collect(),
            };
            object_view(&self.state, path, &self.local, Some(&local)).unwrap()
        }

        fn view(&self) -> View {
            let parts = view_parts(&self.state, &self.local, BTreeMap::new(), BootTime::BOOT);
            View::new(parts, &self.local.name).unwrap()
        }
    }

    fn web() -> ObjectPath {
        "web".parse().unwrap()
    }

    fn publish(node: &Node, checksum: &str) -> Option<TxnRequest> {
        let scope = [node.local.name.clone()];
        publish_config(&node.state, &web(), ConfigPublication { checksum, text: None, scope: &scope })
    }

    #[tokio::test]
    async fn a_slot_is_owned_by_one_and_a_request_that_comes_late_changes_nothing() {
        let store = Arc::new(MemoryStore::default());
        let (mut n1, mut n2) = (Node::join(&store, "n1").await, Node::join(&store, "n2").await);
        n1.read().await;
        let request = publish(&n1, "c1").unwrap();
        n1.send(request).await.unwrap();
        n2.read().await;
        let take = SlotStep::Take { index: 0, seen: None };
        let [one, two] = [&n1, &n2].map(|node| slot(&node.state, &web(), &node.local.name, &take).unwrap());
        let token = n1.send(one).await.unwrap();
        assert_eq!(n2.send(two).await, None, "the slot is taken");
        let standing = |node: &Node, confirmed: &[(usize, u64)]| {
            let object = node.object(&web(), confirmed);
            let nodes = node.view().nodes().clone();
            format!("{:?}", object.slots[0].standing(&node.local.name, &nodes))
        };
        assert!(standing(&n1, &[(0, token)]).starts_with("Own"));
        assert!(standing(&n1, &[]).starts_with("Unconfirmed"));
        assert!(standing(&n2, &[]).starts_with("Foreign"));

        // n1 reasserts: the release that it had sent under the former token changes nothing any more.
        let former = FencingToken { generation: 1, revision: StoreRevision(token) };
        let release = slot(&n1.state, &web(), &n1.local.name, &SlotStep::Release { index: 0, token: former }).unwrap();
        let again = SlotStep::Reassert { index: 0, seen: StoreRevision(token) };
        let reassert = slot(&n1.state, &web(), &n1.local.name, &again).unwrap();
        assert!(n1.send(reassert).await.unwrap() > token);
        assert_eq!(n1.send(release).await, None);
        // A new life of n1 voids its slots.
        let request = register(&n1.state, &n1.local.name, "b2").unwrap();
        n1.local.life = n1.send(request).await;
        assert!(standing(&n1, &[]).starts_with("Orphan"));
        assert!(matches!(
            n1.object(&web(), &[]).slots[0].standing(&n1.local.name, n1.view().nodes()),
            SlotStanding::Orphan(_)
        ));
        let life = NodeIncarnation { generation: 1, revision: StoreRevision(n1.local.life.unwrap()) };
        assert_eq!(n1.view().nodes()[&n1.local.name].incarnation, Some(life));
    }

    #[tokio::test]
    async fn an_order_is_kept_with_what_was_done_for_it_and_its_configuration_keeps_its_revision() {
        let store = Arc::new(MemoryStore::default());
        let mut n1 = Node::join(&store, "n1").await;
        let me = n1.local.name.clone();
        let request = publish(&n1, "c1").unwrap();
        let config = n1.send(request).await.unwrap();
        let order = OrderAcceptance {
            id: IntentId(9),
            changes: vec![
                OrderChange::Freeze,
                OrderChange::Begin(orchestrate::Intent {
                    id: IntentId(9),
                    goal: IntentGoal::Stopped,
                    expires: BootTime::after_boot(Duration::from_secs(60)),
                    records: BTreeMap::new(),
                    outcome: None,
                }),
            ],
            outcome: None,
        };
        let clock = RowClock { boot: "b1", now: BootTime::BOOT };
        let request = accept(&n1.state, &web(), &order, clock).unwrap();
        n1.send(request).await.unwrap();
        let failed = EndReport {
            intent: Some(IntentId(9)),
            record: ActionRecord {
                sequence: orchestrate::ActionSequence(1),
                action: InstanceAction::Stop,
                end: ActionEnd::Failure("it hangs".to_owned()),
            },
            failure: None,
            froze: false,
            clears: 0,
        };
        let request = report(&n1.state, &web(), &me, &failed).unwrap();
        n1.send(request).await.unwrap();
        let object = n1.object(&web(), &[]);
        assert_eq!(object.config, StoreRevision(config));
        assert!(object.instances[&me].frozen);
        let intent = object.open_intent().unwrap();
        assert_eq!((intent.id, intent.records[&me].len()), (IntentId(9), 1));
        let request = settle(&n1.state, &web(), IntentId(9), &IntentOutcome::Done).unwrap();
        n1.send(request).await.unwrap();
        assert!(settle(&n1.state, &web(), IntentId(9), &IntentOutcome::Abortion).is_none(), "it has ended");
        assert_eq!(n1.object(&web(), &[]).intent.unwrap().outcome, Some(IntentOutcome::Done));
        assert!(publish(&n1, "c1").is_none());
        let request = publish(&n1, "c2").unwrap();
        let config = n1.send(request).await.unwrap();
        assert_eq!(n1.object(&web(), &[]).config, StoreRevision(config));
        let request = forget(&n1.state, &web()).unwrap();
        n1.send(request).await.unwrap();
        assert!(n1.state.objects.is_empty());
    }

    #[tokio::test]
    async fn an_order_for_what_nobody_knows_is_refused() {
        let store = Arc::new(MemoryStore::default());
        let n1 = Node::join(&store, "n1").await;
        let order = OperatorOrder {
            id: IntentId(1),
            verb: OrderVerb::Start,
            supersede: false,
            force: false,
            lifetime: Duration::from_secs(1),
        };
        let refused = accept_order(&n1.view(), &web(), &n1.local.name, BootTime::BOOT, &order);
        assert_eq!(refused.unwrap_err().to_string(), "web does not exist");
    }
}
