//! Between the rows of the store and `ownership`: what a reading shows, a request as a transaction, and what came of it.

use model::NodeName;
use orchestrate::{NodeIncarnation, SlotState, StoreRevision};
use ownership::{
    GuardFinding, NodeReading, OwnershipReading, OwnershipRequest, RequestGuard, RequestOutcome, SentRequest, SlotName,
    SlotReading,
};
use store::{ComparedKey, StoreError, TxnOutcome, TxnRequest};

use crate::row::{self, BeatRow, GenerationRow, InvalidRow, NodeRow, SlotRow, SlotWord};
use crate::shared::{SharedSlot, SharedState};
use crate::{SharedKey, generation_key};

/// What the store shows of who may run what. None: its first generation has not begun.
pub fn ownership_reading(state: &SharedState) -> Option<OwnershipReading> {
    let nodes = state.nodes.iter().map(|(name, row)| {
        let beat = state.beats.get(name);
        let reading = NodeReading {
            life: StoreRevision(row.revision),
            alive: !row.value.evicted,
            boot: row.value.boot.clone(),
            beat: StoreRevision(beat.map_or(0, |beat| beat.revision)),
            pinned: beat.is_some_and(|beat| beat.value.pinned),
            members: StoreRevision(beat.map_or(0, |beat| beat.value.members)),
        };
        (name.clone(), reading)
    });
    let slots = state.objects.iter().flat_map(|(path, object)| {
        // A slot whose owner is not the name of a node is left out, so no decision rests on it, and none takes it.
        let slot = move |(index, slot): (&usize, &SharedSlot)| {
            Some((SlotName { path: path.clone(), index: *index }, slot_reading(slot.revision, &slot.value)?))
        };
        object.slots.iter().filter_map(slot)
    });
    Some(OwnershipReading {
        revision: StoreRevision(state.revision),
        generation: state.generation.as_ref()?.value.generation(),
        nodes: nodes.collect(),
        slots: slots.collect(),
    })
}

/// None: the owner's name is none.
fn slot_reading(revision: u64, row: &SlotRow) -> Option<SlotReading> {
    Some(SlotReading {
        revision: StoreRevision(revision),
        owner: row.owner.parse().ok()?,
        incarnation: NodeIncarnation { generation: row.generation, revision: StoreRevision(row.incarnation) },
        state: row.state.into(),
    })
}

/// A request as a transaction: each guard is a compare, in the same order.
pub fn ownership_txn(sent: &SentRequest) -> TxnRequest {
    // In the order of the guards: `finding` reads a refusal by position.
    let guarded = sent.guards().iter().fold(TxnRequest::new(), compare);
    let beat = |pinned, members: StoreRevision| row::write(&BeatRow::new(pinned, members.0));
    match &sent.request {
        // The first beat comes with the life: every other one compares the beat before it.
        OwnershipRequest::Register { boot, members, .. } => guarded
            .put(node_key(&sent.node), row::write(&NodeRow::alive(boot)))
            .put(beat_key(&sent.node), beat(false, *members)),
        OwnershipRequest::Beat { pinned, members, .. } => guarded.put(beat_key(&sent.node), beat(*pinned, *members)),
        // Put and not deleted: the life must be known by a revision that grows, and an absent key has none.
        OwnershipRequest::Evict { node, life, beat } => {
            // Only a fence compares no beat.
            guarded.put(node_key(node), row::write(&NodeRow::evicted(life.0, beat.is_none())))
        }
        OwnershipRequest::Take { slot, .. } => guarded.put(slot_key(slot), slot_row(sent, SlotWord::Held)),
        OwnershipRequest::Release { slot, state, .. } => {
            let word = if *state == SlotState::Blocked { SlotWord::Blocked } else { SlotWord::Released };
            guarded.put(slot_key(slot), slot_row(sent, word))
        }
    }
}

fn compare(request: TxnRequest, guard: &RequestGuard) -> TxnRequest {
    match guard {
        RequestGuard::Generation(generation) => {
            request.if_value(generation_key(), GenerationRow::of(*generation).to_bytes())
        }
        RequestGuard::Life(node, life) => request.if_unchanged(node_key(node), life.0),
        RequestGuard::LifeGone(node, life) => request.if_changed(node_key(node), life.0),
        RequestGuard::Beat(node, beat) => request.if_unchanged(beat_key(node), beat.0),
        RequestGuard::Slot(slot, revision) => request.if_unchanged(slot_key(slot), revision.0),
    }
}

fn slot_row(sent: &SentRequest, word: SlotWord) -> Vec<u8> {
    // 0 is the revision of no registration, so a slot with it is free for all.
    let life = sent.life.unwrap_or(StoreRevision(0)).0;
    row::write(&SlotRow::of(&sent.node, (sent.generation.number, life), word))
}

/// What became of a request. An error of which it is not certain that nothing was applied, and never will be, is unknown.
pub fn ownership_outcome(sent: &SentRequest, outcome: &Result<TxnOutcome, StoreError>) -> RequestOutcome {
    match outcome {
        Ok(TxnOutcome::Applied { revision }) => RequestOutcome::Applied(StoreRevision(*revision)),
        Ok(TxnOutcome::Refused { compared, .. }) => {
            // What the compares found, so that the next decision needs no read, and rests on nothing older than
            // this refusal.
            let findings: Result<Vec<_>, InvalidRow> =
                sent.guards().iter().zip(compared).map(|(guard, found)| finding(guard, found)).collect();
            // A row that cannot be read says nothing that may be relied on.
            findings.map_or(RequestOutcome::Unknown, RequestOutcome::Refused)
        }
        Err(_) => RequestOutcome::Unknown,
    }
}

fn finding(guard: &RequestGuard, found: &ComparedKey) -> Result<GuardFinding, InvalidRow> {
    let revision = StoreRevision(found.mod_revision());
    let value = found.entry.as_ref().map(|entry| &entry.value[..]);
    Ok(match guard {
        RequestGuard::Generation(_) => {
            let row = value.map(|value| GenerationRow::read(&found.key, value)).transpose()?;
            GuardFinding::Generation(row.unwrap_or_default().generation())
        }
        RequestGuard::Life(..) | RequestGuard::LifeGone(..) => GuardFinding::Life(revision),
        RequestGuard::Beat(..) => GuardFinding::Beat(revision),
        RequestGuard::Slot(..) => {
            let row: Option<SlotRow> = value.map(|value| row::read(&found.key, value)).transpose()?;
            GuardFinding::Slot(row.and_then(|row| slot_reading(revision.0, &row)))
        }
    })
}

fn node_key(node: &NodeName) -> Vec<u8> {
    SharedKey::Node(node.clone()).to_bytes()
}

fn beat_key(node: &NodeName) -> Vec<u8> {
    SharedKey::Beat(node.clone()).to_bytes()
}

fn slot_key(slot: &SlotName) -> Vec<u8> {
    SharedKey::Slot(slot.path.clone(), slot.index).to_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use orchestrate::BootTime;
    use ownership::{Generation, NodeMemory, Ownership, OwnershipEffect, OwnershipTiming};
    use store::{KeyQuery, MemoryStore, StoreFault};

    use super::*;
    use crate::everything;

    /// A node, its clock, and the store that it shares with another one.
    struct OwnerNode<'a> {
        store: &'a MemoryStore,
        ownership: Ownership,
    }

    fn at(seconds: u64) -> BootTime {
        BootTime::after_boot(Duration::from_secs(seconds))
    }

    fn web() -> SlotName {
        SlotName { path: "web".parse().unwrap(), index: 0 }
    }

    impl<'a> OwnerNode<'a> {
        fn join(store: &'a MemoryStore, name: &str) -> Self {
            let _ = store.apply(&crate::request::found());
            let timing = OwnershipTiming { validity: Duration::from_secs(5), patience: Duration::from_secs(6) };
            let generation = Some(Generation { number: 1, nonce: 0 });
            let memory = NodeMemory { generation, settled: true, ..NodeMemory::default() };
            let ownership = Ownership::new(name.parse().unwrap(), "b1".to_owned(), timing, memory, []);
            let mut node = Self { store, ownership };
            node.look(0);
            let sent = node.ownership.register(at(0)).unwrap();
            node.send(&sent, 0);
            node
        }

        fn look(&mut self, now: u64) -> Vec<OwnershipEffect> {
            let listing = self.store.entries(&KeyQuery::current(everything())).unwrap();
            let state = SharedState::of(&listing).unwrap();
            self.ownership.observe(ownership_reading(&state).unwrap(), at(now))
        }

        fn send(&mut self, sent: &SentRequest, now: u64) -> Vec<OwnershipEffect> {
            let outcome = ownership_outcome(sent, &self.store.apply(&ownership_txn(sent)));
            self.ownership.answer(sent, &outcome, at(now))
        }

        fn take(&mut self, now: u64) {
            self.look(now);
            if let Some(sent) = self.ownership.take(&web(), at(now)) {
                self.send(&sent, now);
            }
            let beat = self.ownership.beat(at(now)).unwrap();
            self.send(&beat, now);
        }
    }

    #[test]
    fn slot_goes_to_another_node_when_its_owner_is_silent() {
        let store = MemoryStore::new();
        let (mut n1, mut n2) = (OwnerNode::join(&store, "n1"), OwnerNode::join(&store, "n2"));
        n1.take(1);
        assert!(n1.ownership.may_start(&web(), at(1)));
        n1.ownership.started(web());
        n2.take(1);
        assert!(!n2.ownership.may_start(&web(), at(1)), "it is n1's");

        // A beat that n1 gave up is applied after its life was ended: it is refused, and n1 learns of it by the next one.
        let late = n1.ownership.beat(at(2)).unwrap();
        n1.ownership.answer(&late, &RequestOutcome::Unknown, at(4));
        let (evict, _) = n2.ownership.evict(&"n1".parse().unwrap(), at(7)).unwrap();
        n2.send(&evict, 7);
        assert!(matches!(store.apply(&ownership_txn(&late)).unwrap(), TxnOutcome::Refused { .. }));
        n2.take(7);
        assert!(n2.ownership.may_start(&web(), at(7)));
        let beat = n1.ownership.beat(at(8)).unwrap();
        assert!(n1.send(&beat, 8).contains(&OwnershipEffect::Cut { slot: web() }));

        // It comes back, and may not have the slot.
        n1.ownership.stopped(&web());
        n1.look(9);
        let register = n1.ownership.register(at(9)).unwrap();
        n1.send(&register, 9);
        n1.take(9);
        assert!(!n1.ownership.may_start(&web(), at(9)));
        // Until it is given up.
        let release = n2.ownership.release(&web(), at(9)).unwrap();
        n2.send(&release, 9);
        n1.take(10);
        assert!(n1.ownership.may_start(&web(), at(10)));
    }

    #[test]
    fn request_of_an_earlier_generation_is_refused_whatever_the_revisions_are() {
        let store = MemoryStore::new();
        let mut n1 = OwnerNode::join(&store, "n1");
        n1.look(1);
        let take = n1.ownership.take(&web(), at(1)).unwrap();
        let next = Generation { number: 2, nonce: 9 };
        store.apply(&TxnRequest::new().put(generation_key(), GenerationRow::of(next).to_bytes())).unwrap();
        let effects = n1.send(&take, 1);
        assert_eq!(effects, [OwnershipEffect::Keep]);
        assert_eq!(n1.ownership.memory().generation, Some(next));
    }

    #[test]
    fn a_fence_is_done_by_one_node_and_its_proof_stands_in_the_end_of_the_life() {
        let store = MemoryStore::new();
        let (mut n1, mut n2) = (OwnerNode::join(&store, "n1"), OwnerNode::join(&store, "n2"));
        OwnerNode::join(&store, "n3");
        let name = |text: &str| text.parse::<NodeName>().unwrap();
        let state = || SharedState::of(&store.entries(&KeyQuery::current(everything())).unwrap()).unwrap();
        let begin = |state: &SharedState, by: &str| {
            crate::publication::begin_fence(state, &name(by), state.life(&name(by)).unwrap(), &name("n1"))
        };
        let before = state();
        let life = before.life(&name("n1")).unwrap();
        let applied = |txn: TxnRequest| matches!(store.apply(&txn), Ok(TxnOutcome::Applied { .. }));
        // Two that begin at once: one of them does it, and who comes later knows.
        assert!(applied(begin(&before, "n2").unwrap()));
        assert!(!applied(begin(&before, "n3").unwrap()));
        assert_eq!(begin(&state(), "n3"), None);
        assert_eq!(state().fence_of(&name("n1")).unwrap().failed, None);
        // The proof ends that life, whatever beat was under way.
        n2.look(1);
        let beat = n1.ownership.beat(at(1)).unwrap();
        n1.send(&beat, 1);
        let (sent, _) = n2.ownership.evict_fenced(&name("n1"), (StoreRevision(life), StoreRevision(0)), at(2)).unwrap();
        n2.send(&sent, 2);
        assert!(state().is_fenced(&name("n1")) && state().life(&name("n1")).is_none());
        assert_eq!(state().nodes[&name("n1")].value.ended, life);
        // Another life has nothing of it.
        OwnerNode::join(&store, "n1");
        assert!(!state().is_fenced(&name("n1")) && state().fence_of(&name("n1")).is_none());
        // One that failed is shown to all, and may be tried again by hand only: who asks sees that it was tried.
        assert!(applied(begin(&state(), "n3").unwrap()));
        let now = state();
        let failed = crate::publication::fail_fence(
            &now,
            &name("n3"),
            now.life(&name("n3")).unwrap(),
            (&name("n1"), "no answer"),
        );
        assert!(applied(failed.unwrap()));
        assert_eq!(state().fence_of(&name("n1")).unwrap().failed.as_deref(), Some("no answer"));
    }

    #[test]
    fn error_is_no_proof_that_nothing_was_applied() {
        let store = MemoryStore::new();
        let mut n1 = OwnerNode::join(&store, "n1");
        let beat = n1.ownership.beat(at(1)).unwrap();
        let error = Err(StoreError::MaybeApplied(StoreFault::new(store::FaultKind::Full)));
        assert_eq!(ownership_outcome(&beat, &error), RequestOutcome::Unknown);
    }
}
