//! The life of this node in the cluster: its registration, its beats, and the end of the lives of nodes that are silent.

use deadline::SlotToken;
use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, FencingToken, ViewChange};
use ownership::{OwnershipEffect, OwnershipRequest, RequestOutcome, SlotName};
use protocol::daemon::EventKind;
use serde_json::json;
use store::{StoreError, StoreHealth, StoreStatus, TxnOutcome};

use super::member::{ClusterMessage, Departure, REJOIN_GRACE, outcome_of};
use crate::guard::LOOP;
use crate::owner::{Message, Owner};

/// How often the engine is asked how it is.
const EXAMINATION: std::time::Duration = std::time::Duration::from_secs(10);

impl Owner {
    pub(crate) fn take_in_cluster(&mut self, message: ClusterMessage) {
        match message {
            ClusterMessage::Owned { sent, answer } => self.owned(&sent, &answer),
            ClusterMessage::Proven { path, slot, held } => self.release_proven(&path, &slot, &held),
            ClusterMessage::Installed { path, fault } => self.installed(&path, fault),
            ClusterMessage::Flagged { path } => {
                self.sending.remove(&path);
                self.follow_hand(&path);
                self.touch(&path);
            }
            ClusterMessage::TermsFinite => {
                if let Some(member) = &mut self.member {
                    member.ownership.unpin(crate::clock::now());
                }
            }
            ClusterMessage::Roster(nodes) => self.follow_roster(nodes),
            ClusterMessage::Removed => self.note_removal(),
            ClusterMessage::Witness(seen) => {
                if let Some(member) = &mut self.member {
                    member.witness = seen;
                }
            }
            ClusterMessage::Warnings(warnings) => {
                if let Some(member) = &mut self.member {
                    member.warnings = warnings;
                }
            }
            ClusterMessage::Fences(found) => self.fences_read(found),
            ClusterMessage::Fenced { node, done } => self.fenced(&node, done),
            ClusterMessage::Engine(status) => self.examined(status),
            ClusterMessage::Pinged { node, question, answer } => self.pinged(&node, question, answer),
        }
    }

    /// Does what is due for this node's life and for its slots.
    pub(crate) fn tend_member(&mut self, now: BootTime) {
        self.tend_link(now);
        let Some(member) = &mut self.member else { return };
        // What could not be written down before comes first.
        if !member.listed
            || member.removed
            || member.superseded().is_some()
            || (member.fault.is_some() && !member.keep())
        {
            return;
        }
        if let Some(sent) = member.ownership.register(now) {
            self.send_owned(sent);
        }
        self.beat_when_due(now);
        self.tend_fences(now);
        self.end_silent_lives(now);
        self.assert_again(now);
        self.follow_life(now);
        self.say_node(now);
        self.examine_engine(now);
    }

    /// When something becomes due for the membership.
    pub(crate) fn next_member(&self) -> Option<BootTime> {
        let member = self.member.as_ref()?;
        // A life that is silent for long enough is ended then, and not with the next beat.
        let now = crate::clock::now();
        let due = [member.ownership.next_evict(now), self.next_fence(now)];
        due.into_iter().flatten().chain([member.beaten + LOOP]).min()
    }

    fn beat_when_due(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        if now.since(member.beaten) < LOOP {
            return;
        }
        // One that is not answered yet is not followed by another: the next turn looks again.
        member.beaten = now;
        if let Some(sent) = member.ownership.beat(now) {
            self.send_owned(sent);
        }
    }

    /// A slot that was taken counts from the next beat on: it is sent at once.
    pub(super) fn beat_now(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        if let Some(sent) = member.ownership.beat(now) {
            member.beaten = now;
            self.send_owned(sent);
        } else {
            // One is under way: the next one is due as soon as that is answered.
            member.beaten = BootTime::BOOT;
        }
    }

    fn end_silent_lives(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        let peers: Vec<NodeName> = member.ownership.living_peers().cloned().collect();
        for peer in peers {
            let Some(member) = &mut self.member else { return };
            if let Some((sent, _keep)) = member.ownership.evict(&peer, now) {
                self.send_owned(sent);
            }
        }
    }

    /// Sends a request of ownership, when what must be remembered of it is written down.
    pub(super) fn send_owned(&mut self, sent: ownership::SentRequest) {
        let Some(member) = &mut self.member else { return };
        if !member.keep() {
            // Nothing has left, but ownership counts it as sent: an answer in doubt lets it be sent again.
            let effects = member.ownership.answer(&sent, &RequestOutcome::Unknown, crate::clock::now());
            self.follow_effects(effects);
            let now = crate::clock::now();
            match &sent.request {
                OwnershipRequest::Evict { node, .. } => self.evict_answered(node, &RequestOutcome::Unknown),
                // Its object would count as under way for ever.
                OwnershipRequest::Take { slot, .. } => self.slot_settled(&slot.path, &RequestOutcome::Unknown, now),
                OwnershipRequest::Release { slot, .. } => self.slot_settled(&slot.path, &RequestOutcome::Unknown, now),
                _ => {}
            }
            return;
        }
        let txn = replica::ownership_txn(&sent);
        let (store, mail) = (self.store.clone(), self.mail.clone());
        tokio::spawn(async move {
            let answer = store.txn(txn).await;
            let _ = mail.send(Message::Cluster(ClusterMessage::Owned { sent, answer }));
        });
    }

    fn owned(&mut self, sent: &ownership::SentRequest, answer: &Result<TxnOutcome, StoreError>) {
        let now = crate::clock::now();
        self.note_engine(answer);
        let (outcome, applied) = outcome_of(sent, answer);
        // A beat changes nothing that a decision rests on.
        if !matches!(sent.request, OwnershipRequest::Beat { .. }) {
            self.node.written = self.node.written.max(applied);
        }
        let Some(member) = &mut self.member else { return };
        // A refusal is an answer, too.
        if answer.is_ok() {
            member.acknowledged = member.acknowledged.max(sent.sent);
        }
        let effects = member.ownership.answer(sent, &outcome, now);
        self.follow_effects(effects);
        match &sent.request {
            OwnershipRequest::Register { .. } if applied.is_some() => {
                if let Some(member) = &mut self.member {
                    let former = member.registered.replace(sent.generation.number);
                    // In a new generation, what ran before is waited for by the quarantine.
                    if former.is_none_or(|former| former == sent.generation.number) {
                        member.rejoin = Some(now + REJOIN_GRACE);
                    }
                }
                self.add_event(EventKind::NodeRegistered, None, json!({ "life": applied }));
                self.beat_now(now);
            }
            // An earlier beat was applied late: on from there at once.
            OwnershipRequest::Beat { .. } if matches!(outcome, RequestOutcome::Refused(_)) => self.beat_now(now),
            OwnershipRequest::Evict { node, .. } => {
                if applied.is_some() {
                    self.add_event(EventKind::NodeEvicted, None, json!({ "node": node.to_string() }));
                }
                self.evict_answered(node, &outcome);
            }
            OwnershipRequest::Take { slot, .. } => self.take_answered(&slot.clone(), now),
            OwnershipRequest::Release { slot, .. } => self.slot_settled(&slot.path, &outcome, now),
            _ => {}
        }
        self.follow_life(now);
    }

    /// What the store shows of who may run what.
    pub(crate) fn observe(&mut self) {
        let now = crate::clock::now();
        let Some(reading) = replica::ownership_reading(&self.shared) else { return };
        self.find_running();
        let Some(member) = &mut self.member else { return };
        member.listed = true;
        member.meet(&reading.nodes, &self.me);
        let effects = member.ownership.observe(reading, now);
        self.follow_effects(effects);
        self.follow_life(now);
    }

    pub(super) fn follow_effects(&mut self, effects: Vec<OwnershipEffect>) {
        let now = crate::clock::now();
        let mut extended = false;
        for effect in effects {
            match effect {
                OwnershipEffect::Keep => {
                    // An error is not lost: `send_owned` keeps again, and sends nothing without.
                    let _ = self.member.as_mut().map(|member| member.keep());
                }
                OwnershipEffect::Extend { slot, token, sent, .. } => {
                    extended = true;
                    self.guard.extend(&slot.path.to_string(), token_of(token), sent.since_boot(), now.since_boot());
                }
                OwnershipEffect::Cut { slot } => self.cut_slot(&slot, now),
                OwnershipEffect::PinHolds => {
                    if let Some(member) = &mut self.member
                        && matches!(member.departure, Departure::Announced { .. })
                    {
                        member.departure = Departure::Known;
                    }
                }
                OwnershipEffect::EndPin => self.end_pin(),
            }
        }
        // Once for all slots, as each publication writes the whole page.
        if extended {
            self.guard.publish();
            self.refresh_terms();
        }
        self.follow_live(now);
    }

    /// The slot is another node's: what runs of it is cut at once.
    fn cut_slot(&mut self, slot: &SlotName, now: BootTime) {
        let path = &slot.path;
        // The page first: the keeper cuts by it, whatever becomes of the action that is cancelled here.
        let is_new = self.guard.forfeit(&path.to_string(), now.since_boot());
        if let Some(instance) = self.instances.get(path) {
            instance.acting.iter().for_each(|acting| acting.cancel.cancel());
        }
        if is_new {
            self.log(path, "its slot is not this node's any more: what is left of it is cut");
            self.read_held(path);
            self.touch(path);
        }
    }

    /// The daemon is back, and all that it left running has a deadline again.
    fn end_pin(&mut self) {
        let terms = self.guard.terms();
        let (agent, mail) = (self.agent.clone(), self.mail.clone());
        tokio::spawn(async move {
            // Before the beat without a pin: once that is acknowledged, another node may end this life, and an
            // address without an end would outlive it.
            crate::guard::refresh(&agent, terms).await;
            let _ = mail.send(Message::Cluster(ClusterMessage::TermsFinite));
        });
    }

    /// What a former process of this boot left running, as the keeper's page says. The store says which slot of the object it is.
    fn find_running(&mut self) {
        let Some(member) = self.member.as_mut().filter(|member| !member.listed) else { return };
        for (object, _) in self.guard.table.slots() {
            let Ok(path) = object.parse::<ObjectPath>() else { continue };
            let slots = self.shared.objects.get(&path).map(|object| &object.slots);
            let own = slots.into_iter().flatten().find(|(_, slot)| slot.value.owner == self.me.as_str());
            // Without a slot that names this node, whatever runs is cut by the first reading, under any index.
            let index = own.map_or(0, |(index, _)| *index);
            member.ownership.started(SlotName { path, index });
        }
    }

    /// Takes over into the view what has changed of this node's life and of the others'.
    pub(super) fn follow_life(&mut self, now: BootTime) {
        let Some(member) = &self.member else { return };
        let life = member.ownership.incarnation().map(|incarnation| incarnation.revision.0);
        let heard = |name: &NodeName| Some((name.clone(), member.ownership.heard(name)?));
        self.node.heard = self.shared.nodes.keys().filter_map(heard).collect();
        let rejoin = member.rejoin.filter(|until| *until > now);
        if (self.node.life, self.node.rejoin) == (life, rejoin) {
            return;
        }
        if self.node.life != life {
            // Whatever this node says bears its life.
            let paths: Vec<ObjectPath> = self.instances.keys().cloned().collect();
            paths.iter().for_each(|path| self.touch(path));
        }
        (self.node.life, self.node.rejoin) = (life, rejoin);
        self.changes.push(ViewChange::Cluster);
    }

    fn examine_engine(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        if member.examined.is_some_and(|at| now.since(at) < EXAMINATION) {
            return;
        }
        member.examined = Some(now);
        let (store, mail) = (self.store.clone(), self.mail.clone());
        tokio::spawn(async move {
            let status = store.status().await;
            let _ = mail.send(Message::Cluster(ClusterMessage::Engine(status)));
        });
    }

    /// An engine that is full still acknowledges beats for a while, but no node can take over any more.
    fn examined(&mut self, status: Result<StoreStatus, StoreError>) {
        let Some(member) = &mut self.member else { return };
        let Ok(status) = status else { return };
        self.engine_name = status.engine;
        let alarm = match status.health {
            StoreHealth::Serving => None,
            StoreHealth::ReadsOnly(fault) => Some(format!("failover is not possible: {fault}")),
        };
        if member.alarm == alarm {
            return;
        }
        member.alarm.clone_from(&alarm);
        match alarm {
            Some(reason) => self.add_event(EventKind::EngineDown, None, json!({ "reason": reason })),
            None => self.add_event(EventKind::EngineUp, None, json!({})),
        }
    }

    /// Whether a daemon that was asked to end may go. The others learn first that its services go on; if they cannot be told,
    /// the services keep their deadlines.
    pub(crate) fn may_depart(&mut self) -> bool {
        let now = crate::clock::now();
        let Some(member) = &mut self.member else { return true };
        if member.ownership.running().next().is_none() {
            return true;
        }
        match member.departure {
            Departure::None => {
                member.ownership.pin();
                member.departure = Departure::Announced { at: now };
                self.beat_now(now);
                false
            }
            Departure::Announced { at } if now.since(at) < crate::guard::VALIDITY / 2 => false,
            Departure::Announced { .. } => {
                member.departure = Departure::Unknown;
                true
            }
            Departure::Known | Departure::Unknown => true,
        }
    }

    /// Whether what runs goes on without a deadline when the daemon ends.
    pub(crate) fn leaves_pinned(&self) -> bool {
        self.member.as_ref().is_none_or(|member| member.departure == Departure::Known)
    }
}

pub(super) fn token_of(token: FencingToken) -> SlotToken {
    SlotToken { generation: token.generation, revision: token.revision.0 }
}
