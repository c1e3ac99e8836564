//! What a daemon does with an answer of the store, and without one.

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{SlotStep, StoreRevision};

use super::PendingKey;
use super::step::deletes;
use crate::store::{StoreAnswer, StoreRequest};
use crate::world::{InFlight, World};

impl World {
    /// An answer arrives in the life that asked.
    pub(crate) fn answered(&mut self, sent: &InFlight, answer: &StoreAnswer) {
        let name = &sent.sender;
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        if daemon.pending.get(&sent.key) != Some(&sent.number) {
            return;
        }
        daemon.pending.remove(&sent.key);
        if let StoreAnswer::Applied(revision) = answer
            // The nodes are not sent a beat (`commit`): a view that has to be as new as one would wait for the
            // next change.
            && sent.key != PendingKey::Membership
        {
            daemon.written = daemon.written.max(Some(StoreRevision(*revision)));
        }
        match &sent.request {
            StoreRequest::Register { .. } | StoreRequest::Beat { .. } => {
                self.membership_answer(name, &sent.request, answer, sent.at);
            }
            StoreRequest::Slot { path, step, incarnation, .. } => {
                self.slot_answer(name, path, step, *incarnation, answer)
            }
            StoreRequest::Record(record) => self.record_answer(name, &record.path, answer),
            _ => {}
        }
        if sent.key != PendingKey::Membership {
            self.refresh_now(name);
        }
    }

    fn slot_answer(&mut self, name: &NodeName, path: &ObjectPath, step: &SlotStep, life: u64, answer: &StoreAnswer) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (machine, Some(daemon)) = (&mut node.machine, node.daemon.as_mut()) else { return };
        let StoreAnswer::Applied(revision) = answer else { return };
        match step {
            // The slot of a life that ended while the request was under way is void.
            SlotStep::Take { index, .. } | SlotStep::Reassert { index, .. } if daemon.incarnation == Some(life) => {
                daemon.confirmed.insert((path.clone(), *index), *revision);
                let deadline = daemon.deadline;
                machine.deadlines.insert(path.clone(), deadline);
                self.schedule_keeper(name, deadline);
            }
            SlotStep::Release { .. } => {
                machine.deadlines.remove(path);
            }
            _ => {}
        }
    }

    /// The store knows how the action ended. If the instance was cleared meanwhile, its failure is history already.
    fn record_answer(&mut self, name: &NodeName, path: &ObjectPath, answer: &StoreAnswer) {
        let clears = self.store.objects.get(path).and_then(|document| document.view.instances.get(name));
        let clears = clears.map_or(0, |instance| instance.clears);
        let Some(machine) = self.nodes.get_mut(name).map(|node| &mut node.machine) else { return };
        let Some(disk) = machine.disk.get_mut(path) else { return };
        match answer {
            StoreAnswer::Applied(_) => {
                if disk.ended.take().is_some_and(|ended| deletes(&ended)) {
                    machine.disk.remove(path);
                    machine.resources.remove(path);
                    self.checks.deletes(&self.store, name, path);
                }
                self.touch(name, path);
                self.probe_soon(name, path);
            }
            StoreAnswer::Refused => {
                if let Some(ended) = &mut disk.ended {
                    ended.clears = clears;
                    if let orchestrate::ActionEnd::Failure(_) = ended.end {
                        ended.end = orchestrate::ActionEnd::Interruption;
                    }
                }
            }
        }
    }

    /// No answer came. What was sent may still be applied: decide from a fresh read.
    pub(crate) fn give_up(&mut self, sent: &InFlight) {
        let revision = StoreRevision(self.store.revision);
        let Some(node) = self.nodes.get_mut(&sent.sender) else { return };
        let (cut, Some(daemon)) = (node.cut, node.daemon.as_mut()) else { return };
        if daemon.life != sent.life || daemon.pending.get(&sent.key) != Some(&sent.number) {
            return;
        }
        daemon.pending.remove(&sent.key);
        match &sent.request {
            // Taken or released, or not: what the next reading shows as its own is asserted again before it
            // counts.
            StoreRequest::Slot { path, .. } => daemon.disown(path),
            StoreRequest::Publish { path, .. } => {
                daemon.unpublished.insert(path.clone());
            }
            _ => {}
        }
        // What was sent may be in the store up to here, and a view from before it could send it again. A node that
        // is cut off could not read that far, and would decide nothing.
        if !cut {
            daemon.written = daemon.written.max(Some(revision));
        }
        self.refresh_after(&sent.sender, Duration::from_millis(5));
    }
}
