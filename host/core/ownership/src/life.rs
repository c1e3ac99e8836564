//! Registration, the end of a life, and of a generation.

use orchestrate::{BootTime, StoreRevision};

use crate::beat::BeatChain;
use crate::{Generation, Ownership, OwnershipEffect, OwnershipRequest, RequestOutcome, SentRequest};

impl Ownership {
    /// Begins a life. Not while something runs that an earlier life started: that must be cut first. In a new generation what
    /// runs goes on until its old deadline.
    pub fn register(&mut self, now: BootTime) -> Option<SentRequest> {
        let reading = self.reading.as_ref()?;
        let may = self.running.is_empty() || self.is_quarantined(now);
        if self.life.is_some() || self.registering || !may {
            return None;
        }
        // Compared when it is applied: of two registrations of this boot that are under way, one of a former
        // process, only one begins a life.
        let seen = reading.nodes.get(&self.me).map_or(StoreRevision(0), |node| node.life);
        let (boot, members) = (self.boot.clone(), self.members);
        let request = OwnershipRequest::Register { seen, boot, members };
        self.registering = true;
        Some(SentRequest { request, generation: reading.generation, node: self.me.clone(), life: None, sent: now })
    }

    pub(crate) fn registered(&mut self, outcome: &RequestOutcome, effects: &mut Vec<OwnershipEffect>) {
        self.registering = false;
        // Unless it was applied, the next reading tells: it may be a former request of this boot that began the life.
        if let RequestOutcome::Applied(revision) = outcome {
            self.begin_life(*revision, effects);
            self.chain.previous = Some(*revision);
        }
    }

    /// This boot's life is that of the store: registered by this process, or found by it.
    pub(crate) fn begin_life(&mut self, life: StoreRevision, effects: &mut Vec<OwnershipEffect>) {
        self.life = Some(life);
        // Where it is the same, a process that begins again goes on with what was read in it: its promises rest on
        // that.
        if self.memory.boot.life != Some(life) {
            self.memory.boot.life = Some(life);
            // What was read before says nothing after.
            self.memory.boot.known.clear();
            effects.push(OwnershipEffect::Keep);
        }
    }

    /// Another node ended this life: nothing counts any more, and what runs must go before another life begins.
    pub(crate) fn lose_life(&mut self, effects: &mut Vec<OwnershipEffect>) {
        self.end_life();
        effects.push(OwnershipEffect::Keep);
        self.cut_all(effects);
    }

    pub(crate) fn cut_all(&self, effects: &mut Vec<OwnershipEffect>) {
        effects.extend(self.running.iter().map(|slot| OwnershipEffect::Cut { slot: slot.clone() }));
    }

    fn end_life(&mut self) {
        self.life = None;
        self.registering = false;
        self.memory.boot.life = None;
        self.memory.boot.known.clear();
        self.chain = BeatChain::default();
        self.round = None;
        let slots: Vec<_> = self.claims.keys().cloned().collect();
        slots.iter().for_each(|slot| self.give_up(slot));
    }

    /// The store was restored, or made anew. What runs goes on until its old deadline, and not beyond: no beat extends it until it
    /// is taken again.
    pub(crate) fn begin_generation(
        &mut self,
        generation: Generation,
        now: BootTime,
        effects: &mut Vec<OwnershipEffect>,
    ) {
        self.end_life();
        self.claims.clear();
        // Tokens of the new generation are greater than all of the old one.
        self.given_up.clear();
        self.peers.clear();
        self.promises.clear();
        // They compare the old generation, and can never be applied any more.
        self.memory.boot.evicts.clear();
        self.memory.generation = Some(generation);
        self.memory.settled = false;
        self.quarantine = Some(now + self.timing.patience);
        self.seen = StoreRevision(0);
        // Its rows are of the old generation: only a reading tells of the new one.
        self.reading = None;
        effects.push(OwnershipEffect::Keep);
    }

    pub(crate) fn is_quarantined(&self, now: BootTime) -> bool {
        self.quarantine.is_some_and(|until| now < until)
    }
}
