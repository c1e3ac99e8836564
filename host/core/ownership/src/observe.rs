//! What a reading changes.

use model::NodeName;
use orchestrate::{BootTime, SlotState, StoreRevision};

use crate::beat::PinState;
use crate::peer::PeerWatch;
use crate::{NodeReading, Ownership, OwnershipEffect, OwnershipReading, SlotName};

impl Ownership {
    /// Takes in a linearizable read, or a change that a watch brought, that arrived at `arrived`.
    pub fn observe(&mut self, reading: OwnershipReading, arrived: BootTime) -> Vec<OwnershipEffect> {
        let mut effects = Vec::new();
        // The engine of before, which answers somewhere still: nothing may rest on it.
        if self.generation().is_some_and(|known| reading.generation.number < known.number) {
            return effects;
        }
        self.follow_generation(&reading, arrived, &mut effects);
        // It was asked for before something that is known already: it is not a change.
        if reading.revision < self.seen {
            return effects;
        }
        self.seen = reading.revision;
        self.follow_own(reading.nodes.get(&self.me), arrived, &mut effects);
        for (node, found) in &reading.nodes {
            if *node != self.me {
                self.watch(node, found, arrived, &mut effects);
            }
        }
        self.reading = Some(reading);
        self.follow_slots(arrived, &mut effects);
        effects
    }

    fn follow_generation(&mut self, reading: &OwnershipReading, now: BootTime, effects: &mut Vec<OwnershipEffect>) {
        if self.memory.generation != Some(reading.generation) {
            self.begin_generation(reading.generation, now, effects);
        } else if self.reading.is_none() {
            // A process that begins, in a generation that this node knows. One that had not waited waits from the beginning.
            self.quarantine = self.quarantine.or((!self.memory.settled).then(|| now + self.timing.patience));
        }
        if !self.memory.settled && !self.is_quarantined(now) {
            self.memory.settled = true;
            effects.push(OwnershipEffect::Keep);
        }
    }

    fn follow_own(&mut self, own: Option<&NodeReading>, now: BootTime, effects: &mut Vec<OwnershipEffect>) {
        let mine = own.filter(|own| own.alive && own.boot == self.boot);
        match (self.life, mine) {
            (Some(life), Some(own)) if own.life == life => {}
            (Some(_), _) => return self.lose_life(effects),
            // A registration of this boot was applied, though its answer was lost.
            (None, Some(own)) => self.begin_life(own.life, effects),
            (None, None) => {
                // It runs in no life at all: of an earlier process, whose life has ended.
                if !self.is_quarantined(now) {
                    self.cut_all(effects);
                }
                return;
            }
        }
        let Some(own) = mine else { return };
        // The first reading of a process. From then on it knows by itself what it has sent, and whether it pins.
        if self.chain.previous.is_none() {
            self.chain.previous = Some(own.beat);
            if own.pinned && self.chain.pin == PinState::Free {
                self.chain.pin = PinState::Returning;
            }
        }
    }

    fn watch(&mut self, node: &NodeName, found: &NodeReading, arrived: BootTime, effects: &mut Vec<OwnershipEffect>) {
        self.remember(node, found, effects);
        if !found.alive {
            self.peers.remove(node);
            return;
        }
        let pair = (found.life, found.beat);
        match self.peers.get_mut(node).filter(|peer| peer.pair() == pair) {
            // The time of its silence goes on, as nothing of the pair has moved.
            Some(peer) => peer.pinned = found.pinned,
            None => {
                self.peers.insert(node.clone(), PeerWatch::begin(found, arrived));
            }
        }
    }

    /// Keeps what a promise will rest on.
    fn remember(&mut self, node: &NodeName, found: &NodeReading, effects: &mut Vec<OwnershipEffect>) {
        if self.life.is_none() {
            return;
        }
        let boot = &mut self.memory.boot;
        let before = (boot.known.get(node).copied(), boot.evicts.get(node).copied());
        if found.alive {
            boot.known.insert(node.clone(), found.life);
        } else {
            boot.known.remove(node);
        }
        // A newer beat than the one that the eviction compared: it can never be applied.
        if boot.evicts.get(node).is_some_and(|evict| evict.life == found.life && found.beat > evict.beat) {
            boot.evicts.remove(node);
        }
        if before != (boot.known.get(node).copied(), boot.evicts.get(node).copied()) {
            // A promise that was given must hold for a process that begins again as well: it is kept before
            // anything is answered.
            effects.push(OwnershipEffect::Keep);
        }
    }

    /// What runs here in a slot that is another's, or nobody's any more, must go.
    fn follow_slots(&mut self, now: BootTime, effects: &mut Vec<OwnershipEffect>) {
        let lost = self.claims.iter().filter(|(slot, claim)| !self.holds(slot, claim.token.revision));
        let lost: Vec<SlotName> = lost.map(|(slot, _)| slot.clone()).collect();
        lost.iter().for_each(|slot| self.give_up(slot));
        if self.life.is_some() {
            let foreign =
                self.running.iter().filter(|slot| !self.claims.contains_key(*slot) && self.is_foreign(slot, now));
            effects.extend(foreign.map(|slot| OwnershipEffect::Cut { slot: slot.clone() }));
        }
    }

    /// Whether the slot was read as not this life's. In a new generation, what nobody has taken yet is still to be claimed.
    fn is_foreign(&self, slot: &SlotName, now: BootTime) -> bool {
        let found = self.reading.as_ref().and_then(|reading| reading.slots.get(slot));
        let generation = self.generation().map(|generation| generation.number);
        let present = found.is_some_and(|found| Some(found.incarnation.generation) == generation);
        if present { !self.reads_as_own(slot) } else { !self.is_quarantined(now) }
    }

    /// Whether no node has taken the slot in this generation.
    pub(crate) fn is_unclaimed(&self, slot: &SlotName) -> bool {
        let Some(reading) = &self.reading else { return false };
        let found = reading.slots.get(slot);
        found.is_none_or(|found| found.incarnation.generation != reading.generation.number)
    }

    /// Whether the reading still shows the slot as it was taken, or is older than the take.
    fn holds(&self, slot: &SlotName, token: StoreRevision) -> bool {
        let found = self.reading.as_ref().and_then(|reading| reading.slots.get(slot));
        found.is_some_and(|found| found.revision <= token)
    }

    /// Whether the slot is this life's as it was read. That is enough to go on until the old deadline, and for nothing more.
    pub(crate) fn reads_as_own(&self, slot: &SlotName) -> bool {
        let found = self.reading.as_ref().and_then(|reading| reading.slots.get(slot));
        found.is_some_and(|found| {
            found.owner == self.me && found.state == SlotState::Held && Some(found.incarnation) == self.incarnation()
        })
    }
}
