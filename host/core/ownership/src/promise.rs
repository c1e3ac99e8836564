//! Failsafe: while the store is away, the other nodes promise not to end this node's life. All of them must, for each could.

use std::collections::BTreeSet;

use model::NodeName;
use orchestrate::{BootTime, NodeIncarnation, StoreRevision};

use crate::{Generation, Ownership, OwnershipEffect};

/// So many rounds fit into the time for which a beat is good: answers that are lost cost one of them.
const ROUNDS: u32 = 6;

/// The question of a node whether another one will leave its life alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FailsafeQuestion {
    pub asker: NodeName,
    pub generation: Generation,
    pub life: StoreRevision,
    /// When it was asked, on the asker's clock. The answer bears it.
    pub asked: BootTime,
}

impl FailsafeQuestion {
    /// The life that it is about.
    pub fn incarnation(&self) -> NodeIncarnation {
        NodeIncarnation { generation: self.generation.number, revision: self.life }
    }
}

/// Questions that are under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FailsafeRound {
    pub(crate) question: FailsafeQuestion,
    pub(crate) missing: BTreeSet<NodeName>,
}

/// A promise that this node gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GivenPromise {
    pub(crate) life: StoreRevision,
    pub(crate) until: BootTime,
}

impl GivenPromise {
    pub(crate) fn holds(&self, life: StoreRevision, now: BootTime) -> bool {
        self.life == life && now < self.until
    }
}

impl Ownership {
    /// Asks all configured nodes but this one, whether they can be reached or not: each could end this life. A node that holds
    /// nothing asks too, so that its life goes on. A round that not all have answered soon gives way to the next one, whose answers
    /// count for longer.
    pub fn ask(&mut self, configured: &BTreeSet<NodeName>, now: BootTime) -> Option<FailsafeQuestion> {
        let patience = self.timing.validity / ROUNDS;
        if self.round.as_ref().is_some_and(|round| now.since(round.question.asked) < patience) {
            return None;
        }
        let (generation, life) = (self.generation()?, self.life?);
        let question = FailsafeQuestion { asker: self.me.clone(), generation, life, asked: now };
        let missing = configured.iter().filter(|node| **node != self.me).cloned().collect();
        self.round = Some(FailsafeRound { question: question.clone(), missing });
        Some(question)
    }

    /// A node said yes. When all have, it is as good as a beat that was sent when the first was asked.
    pub fn promised(&mut self, question: &FailsafeQuestion, by: &NodeName) -> Vec<OwnershipEffect> {
        let mut effects = Vec::new();
        let Some(round) = self.round.as_mut().filter(|round| round.question == *question) else { return effects };
        round.missing.remove(by);
        if round.missing.is_empty() {
            self.round = None;
            self.extend(question.asked, &mut effects);
        }
        effects
    }

    /// Whether this node promises not to end that life for as long as an observer waits, on its own clock.
    pub fn promise(&mut self, question: &FailsafeQuestion, now: BootTime) -> bool {
        let boot = &self.memory.boot;
        let registered = self.life.is_some() && self.generation() == Some(question.generation);
        // Read as alive since this node's own registration. An eviction that it sent before compares its former
        // life, and is refused.
        let known = boot.known.get(&question.asker) == Some(&question.life);
        // An eviction that was sent may still be applied.
        let evicting = boot.evicts.get(&question.asker).is_some_and(|evict| evict.life == question.life);
        if !registered || !known || evicting {
            return false;
        }
        // From now on, which is later than the asker counts from: the promise outlasts what it gives.
        let until = now + self.timing.patience;
        self.promises.insert(question.asker.clone(), GivenPromise { life: question.life, until });
        true
    }
}
