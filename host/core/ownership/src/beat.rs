//! Beats, and the pin that a beat may carry.

use orchestrate::{BootTime, StoreRevision};

use crate::slot::ClaimState;
use crate::{GuardFinding, Ownership, OwnershipEffect, OwnershipRequest, RequestGuard, RequestOutcome, SentRequest};

/// The chain of this node's beats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct BeatChain {
    /// The revision of the last one. None: it must be read first.
    pub(crate) previous: Option<StoreRevision>,
    pub(crate) in_flight: bool,
    pub(crate) pin: PinState,
}

/// Whether beats say that the services go on while the daemon is away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PinState {
    #[default]
    Free,
    /// Beats are pinned from now on.
    Pinned,
    /// A former process pinned. Beats stay pinned until everything that runs has a deadline and its addresses have one.
    Returning,
}

impl Ownership {
    /// The next beat. One is in flight at a time.
    pub fn beat(&mut self, now: BootTime) -> Option<SentRequest> {
        // A second one would be chained to the same beat, and refused.
        let previous = self.chain.previous.filter(|_| !self.chain.in_flight)?;
        let (pinned, members) = (self.chain.pin != PinState::Free, self.members);
        let sent = self.sent(OwnershipRequest::Beat { previous, pinned, members }, now)?;
        self.chain.in_flight = true;
        Some(sent)
    }

    /// The daemon wants to go and leave its services running: beats are pinned from now on. `PinHolds` says when it may.
    pub fn pin(&mut self) {
        if self.chain.pin == PinState::Free {
            self.chain.pin = PinState::Pinned;
        }
    }

    /// The addresses have a finite lifetime again: only now a beat without a pin may be sent.
    pub fn unpin(&mut self, now: BootTime) {
        if self.chain.pin != PinState::Free && self.all_live(now) {
            self.chain.pin = PinState::Free;
        }
    }

    pub(crate) fn beaten(
        &mut self,
        sent: &SentRequest,
        outcome: &RequestOutcome,
        now: BootTime,
        effects: &mut Vec<OwnershipEffect>,
    ) {
        self.chain.in_flight = false;
        match outcome {
            RequestOutcome::Applied(revision) => {
                self.chain.previous = Some(*revision);
                self.extend(sent.sent, effects);
                let pinned = matches!(sent.request, OwnershipRequest::Beat { pinned: true, .. });
                match self.chain.pin {
                    PinState::Pinned if pinned && self.all_live(now) => effects.push(OwnershipEffect::PinHolds),
                    PinState::Returning if self.all_live(now) => effects.push(OwnershipEffect::EndPin),
                    PinState::Free | PinState::Pinned | PinState::Returning => {}
                }
            }
            // An earlier beat of this life was applied late: go on from it, at once.
            RequestOutcome::Refused(findings) => self.follow_chain(sent, findings),
            // It may be applied later: then the next beat is refused, and goes on from what the refusal found.
            RequestOutcome::Unknown => {}
        }
    }

    fn follow_chain(&mut self, sent: &SentRequest, findings: &[GuardFinding]) {
        let guards = sent.guards();
        let found = guards.iter().zip(findings).find_map(|(guard, finding)| match (guard, finding) {
            (RequestGuard::Beat(..), GuardFinding::Beat(found)) => Some(*found),
            _ => None,
        });
        self.chain.previous = found.or(self.chain.previous);
    }

    /// A beat, or a promise of all, that was sent then is good: what is confirmed may run on.
    pub(crate) fn extend(&mut self, sent: BootTime, effects: &mut Vec<OwnershipEffect>) {
        let validity = self.timing.validity;
        for (slot, claim) in &mut self.claims {
            if claim.state == ClaimState::Confirmed {
                // A promise of all and a beat may be answered in any order: neither shortens what the other one
                // gave.
                claim.until = claim.until.max(Some(sent + validity));
                effects.push(OwnershipEffect::Extend { slot: slot.clone(), token: claim.token, sent, validity });
            }
        }
    }

    /// Whether all that runs here is confirmed and has a deadline that has not passed.
    fn all_live(&self, now: BootTime) -> bool {
        self.running.iter().all(|slot| self.claims.get(slot).is_some_and(|claim| claim.is_live(now)))
    }
}
