//! How requests change the store.

use std::sync::Arc;

use model::{NodeName, ObjectPath};
use orchestrate::{
    ConfigState, FencingToken, InstanceView, NodeIncarnation, NodeState, SlotState, SlotStep, SlotView, StoreRevision,
};

use super::request::RecordRequest;
use super::{NodeDocument, ObjectDocument, StoreAnswer, StoreRequest, StoreState};

/// The store was never restored: all is of one generation.
pub(crate) const GENERATION: u64 = 1;

impl StoreState {
    /// Applies a request if what it rests on still holds.
    pub(crate) fn apply(&mut self, request: &StoreRequest) -> StoreAnswer {
        let revision = self.revision + 1;
        if !self.change(request, revision) {
            return StoreAnswer::Refused;
        }
        // Only now: as in etcd, a transaction that writes nothing has no revision.
        self.revision = revision;
        StoreAnswer::Applied(revision)
    }

    fn change(&mut self, request: &StoreRequest, revision: u64) -> bool {
        match request {
            StoreRequest::Register { node, incarnation } => self.register(node, *incarnation, revision),
            StoreRequest::Beat { node, incarnation, beat } => self.beat(node, *incarnation, *beat, revision),
            StoreRequest::Evict { by, by_incarnation, node, incarnation, beat } => {
                self.lives(by, *by_incarnation) && self.evict(node, *incarnation, *beat, revision)
            }
            StoreRequest::Slot { node, incarnation, path, step } => {
                self.lives(node, *incarnation) && self.slot(node, path, step, revision)
            }
            StoreRequest::Publish { node, path, number, instance } => self.publish(node, path, *number, instance),
            StoreRequest::Record(record) => self.record(record),
            StoreRequest::Settle { path, id, outcome } => self.edit(path, |document| {
                let open = document.view.open_intent().is_some_and(|intent| intent.id == *id);
                document.view.end_intent(*id, outcome.clone());
                open
            }),
            StoreRequest::Bury { path, id } => self.edit(path, |document| {
                let open = document.view.open_intent().is_some_and(|intent| intent.id == *id);
                document.view.tombstone |= open;
                open
            }),
            StoreRequest::Accept { path, seen, acceptance } => {
                let thaws_nodes = StoreRequest::thaws_nodes(acceptance);
                let applied = self.edit(path, |document| {
                    let intent = document.view.intent.as_ref();
                    let now = intent.map(|intent| (intent.id, intent.outcome.is_some()));
                    let same = now == *seen || !acceptance.rests_on_intent();
                    if same && !document.view.tombstone {
                        acceptance.changes.iter().for_each(|change| change.apply(&mut document.view));
                    }
                    same
                });
                if applied && thaws_nodes {
                    self.nodes.values_mut().for_each(|node| node.frozen = false);
                }
                applied
            }
            StoreRequest::EndDrain { node, incarnation } => self.end_drain(node, *incarnation),
        }
    }

    /// Whether the sender's life has not ended.
    fn lives(&self, node: &NodeName, incarnation: u64) -> bool {
        self.nodes.get(node).is_some_and(|document| document.incarnation == incarnation && !document.evicted)
    }

    fn register(&mut self, node: &NodeName, incarnation: u64, revision: u64) -> bool {
        let known = self.nodes.get(node);
        if known.map_or(0, |document| document.incarnation) != incarnation {
            return false;
        }
        let fresh = NodeDocument {
            incarnation: revision,
            evicted: false,
            beat: revision,
            state: NodeState::Idle,
            // What persons and the node's load decide is not of one life.
            frozen: known.is_some_and(|document| document.frozen),
            score: known.map_or(50, |document| document.score),
            load: known.map_or(100, |document| document.load),
            drain: known.and_then(|document| document.drain),
        };
        self.nodes.insert(node.clone(), fresh);
        true
    }

    fn beat(&mut self, node: &NodeName, incarnation: u64, beat: u64, revision: u64) -> bool {
        let lives = self.lives(node, incarnation);
        match self.nodes.get_mut(node) {
            Some(document) if lives && document.beat == beat => {
                document.beat = revision;
                true
            }
            _ => false,
        }
    }

    fn evict(&mut self, node: &NodeName, incarnation: u64, beat: u64, revision: u64) -> bool {
        match self.nodes.get_mut(node) {
            Some(document) if document.incarnation == incarnation && document.beat == beat && !document.evicted => {
                // Another one: the slots of the life are free (`gone`), and its late requests are refused
                // (`lives`).
                document.incarnation = revision;
                document.evicted = true;
                true
            }
            _ => false,
        }
    }

    fn slot(&mut self, node: &NodeName, path: &ObjectPath, step: &SlotStep, revision: u64) -> bool {
        let incarnation_of = |owner: &NodeName| self.nodes.get(owner).map_or(0, |document| document.incarnation);
        let own = incarnation_of(node);
        let lives: Vec<(NodeName, u64)> =
            self.nodes.keys().map(|owner| (owner.clone(), incarnation_of(owner))).collect();
        let gone = |slot: &SlotView| {
            let life = lives.iter().find(|(owner, _)| *owner == slot.owner).map(|(_, life)| *life);
            life != Some(slot.incarnation.revision.0)
        };
        let held = |index| SlotView {
            index,
            revision: StoreRevision(revision),
            state: SlotState::Held,
            owner: node.clone(),
            incarnation: NodeIncarnation { generation: GENERATION, revision: StoreRevision(own) },
            confirmed: false,
        };
        self.edit(path, |document| {
            let slots = &mut document.view.slots;
            let place = |slots: &[SlotView], index| slots.iter().position(|slot| slot.index == index);
            match step {
                SlotStep::Take { index, seen: None } => {
                    let vacant = place(slots, *index).is_none();
                    if vacant {
                        slots.push(held(*index));
                    }
                    vacant
                }
                SlotStep::Take { index, seen: Some(seen) } => {
                    replace(slots, *index, *seen, held(*index), |slot| slot.state == SlotState::Released || gone(slot))
                }
                SlotStep::Reassert { index, seen } => replace(slots, *index, *seen, held(*index), |slot| {
                    slot.owner == *node && slot.incarnation.revision.0 == own && slot.state == SlotState::Held
                }),
                SlotStep::Release { index, token: FencingToken { revision: seen, .. } } => {
                    let released = SlotView { state: SlotState::Released, ..held(*index) };
                    replace(slots, *index, *seen, released, |slot| slot.owner == *node)
                }
            }
        })
    }

    fn publish(&mut self, node: &NodeName, path: &ObjectPath, number: (u64, u64), instance: &InstanceView) -> bool {
        self.edit(path, |document| {
            if document.published.get(node).is_some_and(|known| *known >= number) {
                return false;
            }
            document.published.insert(node.clone(), number);
            let Some(known) = document.view.instances.get_mut(node) else { return false };
            // What the store owns stays as it is.
            let (frozen, failure, clears) = (known.frozen, known.failure.take(), known.clears);
            *known = InstanceView { frozen, failure, clears, ..instance.clone() };
            true
        })
    }

    fn record(&mut self, request: &RecordRequest) -> bool {
        self.edit(&request.path, |document| {
            let Some(instance) = document.view.instances.get_mut(&request.node) else { return false };
            if instance.clears != request.clears {
                return false;
            }
            if request.failure.is_some() {
                instance.failure = request.failure.clone();
            }
            instance.frozen |= request.froze;
            if request.record.action == orchestrate::InstanceAction::Delete
                && request.record.end == orchestrate::ActionEnd::Success
            {
                instance.config = ConfigState::Missing;
                instance.status = None;
            }
            let intent = document.view.intent.as_mut().filter(|intent| Some(intent.id) == request.intent);
            if let Some(intent) = intent {
                intent.note(&request.node, request.record.clone());
            }
            true
        })
    }

    fn end_drain(&mut self, node: &NodeName, incarnation: u64) -> bool {
        let lives = self.lives(node, incarnation);
        match self.nodes.get_mut(node) {
            Some(document) if lives && document.drain.is_some() => {
                document.drain = None;
                true
            }
            _ => false,
        }
    }

    /// Changes a document, and says whether something was changed.
    pub(crate) fn edit(&mut self, path: &ObjectPath, change: impl FnOnce(&mut ObjectDocument) -> bool) -> bool {
        self.objects.get_mut(path).is_some_and(|document| change(Arc::make_mut(document)))
    }
}

fn replace(
    slots: &mut [SlotView],
    index: usize,
    seen: StoreRevision,
    with: SlotView,
    may: impl FnOnce(&SlotView) -> bool,
) -> bool {
    let found = slots.iter_mut().find(|slot| slot.index == index);
    match found {
        Some(slot) if slot.revision == seen && may(slot) => {
            *slot = with;
            true
        }
        _ => false,
    }
}
