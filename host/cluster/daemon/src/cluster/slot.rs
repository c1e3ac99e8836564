//! The slots of this node: taken, asserted again, and given up once nothing of them is left.

use model::ObjectPath;
use orchestrate::{ActionStep, BootTime, InstanceAction, SlotStep};
use ownership::{RequestOutcome, SlotName};

use super::life::token_of;
use super::member::ClusterMessage;
use crate::owner::{Message, Owner};

/// After a request that failed, or a proof that did, the next one comes so much later.
const RETRY: std::time::Duration = std::time::Duration::from_secs(1);

impl Owner {
    /// Does what the orchestrator decided about a slot.
    pub(crate) fn send_owned_slot(&mut self, path: &ObjectPath, step: &SlotStep) {
        let now = crate::clock::now();
        match step {
            SlotStep::Take { index, .. } | SlotStep::Reassert { index, .. } => {
                self.take_slot(&SlotName { path: path.clone(), index: *index }, now);
            }
            SlotStep::Release { index, .. } => self.prove_down(&SlotName { path: path.clone(), index: *index }),
        }
    }

    fn take_slot(&mut self, slot: &SlotName, now: BootTime) {
        // Decided again when it is gone.
        if self.sending.contains(&slot.path) || self.slot_obstacle(&slot.path).is_some() {
            return;
        }
        let Some(sent) = self.member.as_mut().and_then(|member| member.ownership.take(slot, now)) else { return };
        self.sending.insert(slot.path.clone());
        self.send_owned(sent);
    }

    /// What runs here and is this node's own as it reads is asserted again: after a restart of the daemon, or a lost answer. So is
    /// what runs here since an earlier generation of the engine.
    pub(super) fn assert_again(&mut self, now: BootTime) {
        let Some(member) = &self.member else { return };
        let running: Vec<SlotName> = member
            .ownership
            .unconfirmed()
            .filter(|slot| member.ownership.running().any(|running| running == *slot))
            .chain(member.ownership.reclaimable(now))
            .cloned()
            .collect();
        for slot in running {
            if !self.retries.contains_key(&slot.path) {
                self.take_slot(&slot, now);
            }
        }
    }

    pub(super) fn take_answered(&mut self, slot: &SlotName, now: BootTime) {
        let path = &slot.path;
        self.sending.remove(path);
        self.touch(path);
        let token = self.member.as_ref().and_then(|member| member.ownership.token(slot));
        match token {
            Some(token) => {
                if self.guard.admit(&path.to_string(), token_of(token), now.since_boot()) {
                    self.note_running(path);
                    self.read_held(path);
                    self.beat_now(now);
                } else {
                    // Its former deadline has passed, and the cut is not proven yet.
                    self.member.iter_mut().for_each(|member| member.ownership.forfeit(slot));
                }
            }
            None => {
                self.retries.insert(path.clone(), now + RETRY);
            }
        }
    }

    /// Gives a slot up if the host itself sees that nothing of it is left.
    fn prove_down(&mut self, slot: &SlotName) {
        let path = slot.path.clone();
        // Nothing is begun meanwhile: what the host sees must still be so when the slot is given up.
        self.sending.insert(path.clone());
        let (agent, mail, slot) = (self.agent.clone(), self.mail.clone(), slot.clone());
        tokio::spawn(async move {
            let held = agent.held(&path).await;
            let _ = mail.send(Message::Cluster(ClusterMessage::Proven { path, slot, held }));
        });
    }

    pub(super) fn release_proven(&mut self, path: &ObjectPath, slot: &SlotName, held: &[String]) {
        let now = crate::clock::now();
        self.sending.remove(path);
        self.touch(path);
        // Looked at once more: another process may have begun an action meanwhile.
        let down = self.instances.get(path).is_some_and(|instance| {
            let status = instance.local.status.as_ref();
            !instance.is_busy() && status.is_some_and(orchestrate::StatusView::is_down)
        });
        if !held.is_empty() || !down {
            if !held.is_empty() {
                self.log(path, &format!("its slot is kept: {} is still held", held.join(", ")));
            }
            self.retries.insert(path.clone(), now + RETRY);
            return;
        }
        // Before the release is sent: from its first sending on the token is dead, and nothing may extend it.
        self.guard.release(&path.to_string());
        let Some(member) = &mut self.member else { return };
        member.ownership.stopped(slot);
        if let Some(sent) = member.ownership.release(slot, now) {
            self.sending.insert(path.clone());
            self.send_owned(sent);
        }
        self.follow_live(now);
    }

    pub(super) fn slot_settled(&mut self, path: &ObjectPath, outcome: &RequestOutcome, now: BootTime) {
        self.sending.remove(path);
        self.touch(path);
        if *outcome == RequestOutcome::Unknown {
            self.retries.insert(path.clone(), now + RETRY);
        }
    }

    /// What may be started in now, for the views.
    pub(crate) fn follow_live(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        // Both must know it: what the store has confirmed has no deadline in the keeper's page before a beat.
        let guarded =
            |slot: &SlotName, token| self.guard.is_live(&slot.path.to_string(), token_of(token), now.since_boot());
        let live = member.ownership.live(now).filter(|(slot, token)| guarded(slot, *token));
        let live = live.map(|(slot, token)| (slot.clone(), token)).collect();
        if live == member.live {
            return;
        }
        let before = std::mem::replace(&mut member.live, live);
        let paths: Vec<ObjectPath> = before
            .iter()
            .filter(|(slot, token)| member.live.get(slot) != Some(token))
            .chain(member.live.iter().filter(|(slot, token)| before.get(slot) != Some(token)))
            .map(|(slot, _)| slot.path.clone())
            .collect();
        for path in paths {
            let own = self.member.iter().flat_map(|member| &member.live).filter(|(slot, _)| slot.path == path);
            let confirmed = own.map(|(slot, token)| (slot.index, token.revision.0)).collect();
            if let Some(instance) = self.instances.get_mut(&path) {
                instance.local.confirmed = confirmed;
            }
            self.touch(&path);
        }
    }

    /// Whether an action that starts something may begin now: the slot is this node's, by a beat that is still good.
    pub(crate) fn may_begin(&mut self, path: &ObjectPath, step: &ActionStep) -> bool {
        // A provision on a node that does not lead leaves nothing up.
        let starts = match step.action {
            InstanceAction::Start => true,
            InstanceAction::Provision => step.leader,
            _ => false,
        };
        let has_slots =
            self.instances.get(path).and_then(|it| it.local.rules.as_ref()).is_some_and(|it| it.has_slots());
        let now = crate::clock::now();
        self.follow_live(now);
        let Some(member) = self.member.as_mut().filter(|_| starts && has_slots) else { return true };
        let Some(slot) = member.live.keys().find(|slot| slot.path == *path).cloned() else { return false };
        member.ownership.started(slot);
        true
    }

    /// Whatever runs of an object that has a slot here counts as running in it.
    pub(crate) fn note_running(&mut self, path: &ObjectPath) {
        let Some(member) = &mut self.member else { return };
        let Some(instance) = self.instances.get(path) else { return };
        let has_slots = instance.local.rules.as_ref().is_some_and(|rules| rules.has_slots());
        let runs = instance.local.status.as_ref().is_some_and(|status| !status.is_down());
        if has_slots
            && (runs || instance.acting.is_some())
            && let Some(slot) = member.ownership.slot_of(path)
        {
            member.ownership.started(slot);
        }
    }

    /// The objects that run here in a slot, on a node of several.
    pub(crate) fn slots_held(&self) -> Vec<String> {
        self.member.iter().flat_map(|member| member.ownership.running()).map(|slot| slot.path.to_string()).collect()
    }

    /// What was cut is not running any more.
    pub(crate) fn note_gone(&mut self, path: &ObjectPath) {
        let Some(member) = &mut self.member else { return };
        let slots: Vec<SlotName> = member.ownership.running().filter(|slot| slot.path == *path).cloned().collect();
        slots.iter().for_each(|slot| member.ownership.stopped(slot));
    }

    /// The deadline of a slot has passed: its token is dead.
    pub(crate) fn forfeit_slot(&mut self, path: &ObjectPath) {
        let Some(member) = &mut self.member else { return };
        if let Some(slot) = member.ownership.slot_of(path) {
            member.ownership.forfeit(&slot);
        }
    }
}
