//! Slots: taking, asserting again, and giving up.

use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, FencingToken, SlotState, StoreRevision};

use crate::{Ownership, OwnershipEffect, OwnershipRequest, RequestOutcome, SentRequest, SlotName};

/// What this process knows of a slot that it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SlotClaim {
    pub(crate) token: FencingToken,
    pub(crate) state: ClaimState,
    /// Until when what runs in it may run. None: no beat was acknowledged since it was taken.
    pub(crate) until: Option<BootTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ClaimState {
    Confirmed,
    /// A release was sent: the token is dead, and only another take gives the slot back.
    Releasing,
}

impl SlotClaim {
    pub(crate) fn is_live(&self, now: BootTime) -> bool {
        self.state == ClaimState::Confirmed && self.until.is_some_and(|until| now < until)
    }
}

impl Ownership {
    /// Whether the slot is confirmed and a beat since then is still good: then something may be started in it.
    pub fn may_start(&self, slot: &SlotName, now: BootTime) -> bool {
        self.life.is_some() && self.claims.get(slot).is_some_and(|claim| claim.is_live(now))
    }

    /// The token of a slot that is confirmed.
    pub fn token(&self, slot: &SlotName) -> Option<FencingToken> {
        self.claims.get(slot).filter(|claim| claim.state == ClaimState::Confirmed).map(|claim| claim.token)
    }

    /// The slots in which something may be started now, with their tokens.
    pub fn live(&self, now: BootTime) -> impl Iterator<Item = (&SlotName, FencingToken)> {
        let live = self.claims.iter().filter(move |(_, claim)| self.life.is_some() && claim.is_live(now));
        live.map(|(slot, claim)| (slot, claim.token))
    }

    /// The slot of an object that is this node's, confirmed or as it reads.
    pub fn slot_of(&self, path: &ObjectPath) -> Option<SlotName> {
        let confirmed =
            self.claims.iter().filter(|(_, claim)| claim.state == ClaimState::Confirmed).map(|(slot, _)| slot);
        let read = self.unconfirmed();
        confirmed.chain(read).chain(&self.running).find(|slot| slot.path == *path).cloned()
    }

    /// Whether the slot is confirmed, whether or not a beat since then is still good.
    pub fn is_confirmed(&self, slot: &SlotName) -> bool {
        self.token(slot).is_some()
    }

    /// The deadline has passed and what ran was cut, or the caller cannot act on the token for another reason: it is dead. Only
    /// another take gives the slot back.
    pub fn forfeit(&mut self, slot: &SlotName) {
        self.give_up(slot);
    }

    /// Takes a slot that is free, or whose owner's life has ended; or this life's own, which is only read or whose release was sent.
    pub fn take(&mut self, slot: &SlotName, now: BootTime) -> Option<SentRequest> {
        let confirmed = self.claims.get(slot).is_some_and(|claim| claim.state == ClaimState::Confirmed);
        if confirmed || (self.is_quarantined(now) && !self.running.contains(slot)) {
            return None;
        }
        let (seen, gone) = self.ground(slot)?;
        self.sent(OwnershipRequest::Take { slot: slot.clone(), seen, gone }, now)
    }

    /// On what a take rests. None: the slot is another's, or blocked.
    fn ground(&self, slot: &SlotName) -> Option<(StoreRevision, Option<(NodeName, StoreRevision)>)> {
        let reading = self.reading.as_ref()?;
        let Some(found) = reading.slots.get(slot) else { return Some((StoreRevision(0), None)) };
        // Revisions of another generation cannot be compared with those of this one: its holder has had the
        // quarantine instead.
        let former = found.incarnation.generation != reading.generation.number;
        let own = found.owner == self.me && Some(found.incarnation) == self.incarnation();
        match found.state {
            SlotState::Blocked => None,
            SlotState::Released => Some((found.revision, None)),
            // One's own is taken again: the new token makes every release that may still be under way fail.
            SlotState::Held if own || former => Some((found.revision, None)),
            SlotState::Held => {
                let life = found.incarnation.revision;
                let present = reading.nodes.get(&found.owner).map(|node| node.life);
                (present != Some(life)).then(|| (found.revision, Some((found.owner.clone(), life))))
            }
        }
    }

    pub(crate) fn taken(
        &mut self,
        slot: &SlotName,
        sent: &SentRequest,
        outcome: &RequestOutcome,
        effects: &mut Vec<OwnershipEffect>,
    ) {
        match outcome {
            RequestOutcome::Applied(revision) => {
                let token = FencingToken { generation: sent.generation.number, revision: *revision };
                self.confirm(slot, token, sent);
            }
            RequestOutcome::Refused(findings) => {
                self.note_slot(slot, sent, findings);
                // Mine: it is asserted again, with what was found. Another's: what runs must go.
                if !self.reads_as_own(slot) {
                    self.give_up(slot);
                    if self.running.contains(slot) {
                        effects.push(OwnershipEffect::Cut { slot: slot.clone() });
                    }
                }
            }
            // It may be ours now or later: the next reading shows it, and then it is asserted again or released.
            RequestOutcome::Unknown => {}
        }
    }

    fn confirm(&mut self, slot: &SlotName, token: FencingToken, sent: &SentRequest) {
        // A late answer, to a take that a release or another take has overtaken.
        let dead = self.given_up.get(slot).is_some_and(|dead| token <= *dead);
        let older = self.claims.get(slot).is_some_and(|claim| token <= claim.token);
        if dead || older {
            return;
        }
        let until = self.claims.get(slot).and_then(|claim| claim.until);
        self.claims.insert(slot.clone(), SlotClaim { token, state: ClaimState::Confirmed, until });
        // Until the watch brings it, decisions would otherwise rest on the slot as it was before.
        if let (Some(incarnation), Some(reading)) = (sent.incarnation(), self.reading.as_mut()) {
            let found = crate::SlotReading {
                revision: token.revision,
                owner: self.me.clone(),
                incarnation,
                state: SlotState::Held,
            };
            reading.slots.insert(slot.clone(), found);
        }
    }

    /// Gives a slot up, when nothing of it is left here. Repeated until it is answered. One that is this life's own as it reads,
    /// and is not wanted, needs no token for that.
    pub fn release(&mut self, slot: &SlotName, now: BootTime) -> Option<SentRequest> {
        if self.running.contains(slot) {
            return None;
        }
        let token = match self.claims.get(slot) {
            Some(claim) => claim.token,
            None if self.reads_as_own(slot) => {
                let revision = self.reading.as_ref()?.slots.get(slot)?.revision;
                FencingToken { generation: self.generation()?.number, revision }
            }
            None => return None,
        };
        let request = OwnershipRequest::Release { slot: slot.clone(), token, state: SlotState::Released };
        let sent = self.sent(request, now)?;
        // Before the answer: the release may be applied while this node waits for it, and another one may take the
        // slot at once.
        if let Some(claim) = self.claims.get_mut(slot) {
            claim.state = ClaimState::Releasing;
            claim.until = None;
        }
        self.bury(slot, token);
        Some(sent)
    }

    pub(crate) fn released(
        &mut self,
        slot: &SlotName,
        token: FencingToken,
        sent: &SentRequest,
        outcome: &RequestOutcome,
    ) {
        match outcome {
            RequestOutcome::Applied(revision) => {
                if let Some(found) = self.reading.as_mut().and_then(|reading| reading.slots.get_mut(slot)) {
                    (found.revision, found.state) = (*revision, SlotState::Released);
                }
            }
            RequestOutcome::Refused(findings) => self.note_slot(slot, sent, findings),
            RequestOutcome::Unknown => return,
        }
        // Whatever was found, this token is not the slot's any more.
        if self.claims.get(slot).is_some_and(|claim| claim.token == token) {
            self.claims.remove(slot);
        }
    }

    /// The token is dead, whatever comes.
    pub(crate) fn give_up(&mut self, slot: &SlotName) {
        if let Some(claim) = self.claims.remove(slot) {
            self.bury(slot, claim.token);
        }
    }

    fn bury(&mut self, slot: &SlotName, token: FencingToken) {
        let dead = self.given_up.entry(slot.clone()).or_insert(token);
        *dead = (*dead).max(token);
    }
}
