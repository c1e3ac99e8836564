//! Worlds that differ only in what nobody can tell apart are one: revisions count by their order, times by their distance from
//! now, and what can have no effect any more is forgotten.

use std::collections::BTreeMap;

use orchestrate::{BootTime, StoreRevision};

use super::bounds::{StoreRestore, WorldBounds};
use super::explore::digest;
use super::mutation::RuleMutation;
use super::store;
use super::world::{World, slot, ticks};
use crate::{Ownership, OwnershipReading, OwnershipRequest, RequestGuard, RequestOutcome};

/// The time that every world calls now.
const NOW: u64 = 100;

impl World {
    pub(super) fn canonize(&mut self, bounds: &WorldBounds) {
        self.forget(bounds);
        self.idealize(bounds);
        // Any of them may be applied next, so their order tells nothing.
        self.messages.sort_by_cached_key(digest);
        let mut revisions = BTreeMap::from([(StoreRevision(0), 0)]);
        self.each_revision(&mut |revision| {
            revisions.entry(*revision).or_insert(0);
        });
        for (rank, place) in (0..).zip(revisions.values_mut()) {
            *place = rank;
        }
        self.each_revision(&mut |revision| *revision = StoreRevision(revisions[revision]));
        let fast = u64::from(bounds.mutation == Some(RuleMutation::FastClock));
        // What is further back than any deadline lasts is all alike.
        let (now, cap) = (self.now, ticks(bounds.ticks + fast));
        self.each_time(&mut |time| {
            let past = now.since(*time).min(cap);
            let ahead = time.since(now);
            *time = BootTime::after_boot(ticks(NOW) + ahead - if ahead.is_zero() { past } else { ticks(0) });
        });
        self.now = BootTime::after_boot(ticks(NOW));
    }

    /// What can have no effect any more.
    fn forget(&mut self, bounds: &WorldBounds) {
        let may_return = bounds.restore != StoreRestore::Never && !self.spent.restored;
        let (store, now, mutation) = (&self.store, self.now, bounds.mutation);
        if !may_return {
            // One that is awaited stays: its refusal is an answer.
            self.messages.retain(|message| {
                let dead = !message.awaited && {
                    let mut probe = store.clone();
                    matches!(store::apply(&mut probe, &message.sent, mutation), RequestOutcome::Refused(_))
                        && can_only_fail(store, &message.sent.guards())
                };
                !dead
            });
        }
        // Only the answer to a beat asks when it was sent.
        for message in &mut self.messages {
            if !message.awaited || !matches!(message.sent.request, OwnershipRequest::Beat { .. }) {
                message.sent.sent = now;
            }
        }
        for node in &mut self.nodes {
            if !node.is_active(now) {
                node.until = BootTime::BOOT;
            }
            let validity = ticks(bounds.ticks + 1);
            node.question = node.question.take().filter(|question| now.since(question.asked) < validity);
            if node.question.is_none()
                && let Some(daemon) = &mut node.daemon
            {
                daemon.round = None;
            }
            // Only promises read them.
            if !bounds.failsafe {
                node.memory.boot.known.clear();
                node.memory.boot.evicts.clear();
            }
            if let Some(daemon) = &mut node.daemon {
                daemon.forget(now, bounds);
            }
        }
    }

    /// Nodes whose faults are not looked at always have a good deadline.
    fn idealize(&mut self, bounds: &WorldBounds) {
        let until = self.now + ticks(bounds.ticks);
        for node in self.nodes.iter_mut().skip(1) {
            let Some(daemon) = &mut node.daemon else { continue };
            if daemon.life.is_none() || daemon.generation() != Some(self.store.generation) {
                continue;
            }
            for claim in daemon.claims.values_mut().filter(|claim| claim.state == crate::slot::ClaimState::Confirmed) {
                claim.until = Some(until);
                if node.running {
                    node.until = until;
                }
            }
            daemon.chain.previous = None;
        }
    }

    fn each_revision(&mut self, each: &mut impl FnMut(&mut StoreRevision)) {
        for store in [Some(&mut self.store), self.copy.as_mut()].into_iter().flatten() {
            revisions_of(store, each);
        }
        each(&mut self.last_token.revision);
        for node in &mut self.nodes {
            let boot = &mut node.memory.boot;
            boot.life.iter_mut().for_each(&mut *each);
            boot.known.values_mut().for_each(&mut *each);
            boot.evicts
                .values_mut()
                .for_each(|evict| [&mut evict.life, &mut evict.beat].into_iter().for_each(&mut *each));
            node.question.iter_mut().for_each(|question| each(&mut question.life));
            if let Some(daemon) = &mut node.daemon {
                daemon.each_revision(each);
            }
        }
        for message in &mut self.messages {
            message.sent.life.iter_mut().for_each(&mut *each);
            request_revisions(&mut message.sent.request, each);
            match &mut message.outcome {
                Some(RequestOutcome::Applied(revision)) => each(revision),
                Some(RequestOutcome::Refused(findings)) => {
                    findings.iter_mut().for_each(|finding| finding_revisions(finding, each))
                }
                Some(RequestOutcome::Unknown) | None => {}
            }
        }
    }

    fn each_time(&mut self, each: &mut impl FnMut(&mut BootTime)) {
        self.messages.iter_mut().for_each(|message| each(&mut message.sent.sent));
        for node in &mut self.nodes {
            if node.until != BootTime::BOOT {
                each(&mut node.until);
            }
            node.question.iter_mut().for_each(|question| each(&mut question.asked));
            if let Some(daemon) = &mut node.daemon {
                daemon.each_time(each);
            }
        }
    }
}

impl Ownership {
    fn forget(&mut self, now: BootTime, bounds: &WorldBounds) {
        // Each step that needs a reading looks first (`shell`).
        self.reading = None;
        self.seen = StoreRevision(0);
        self.given_up.clear();
        self.promises.retain(|_, promise| now < promise.until);
        for claim in self.claims.values_mut() {
            claim.until = claim.until.filter(|until| now < *until);
        }
        if !bounds.failsafe {
            self.memory.boot.known.clear();
            self.memory.boot.evicts.clear();
        }
        // Only the first node's silence matters.
        self.peers.retain(|name, _| name.as_str() == "n0");
    }

    fn each_revision(&mut self, each: &mut impl FnMut(&mut StoreRevision)) {
        let boot = &mut self.memory.boot;
        boot.life.iter_mut().for_each(&mut *each);
        boot.known.values_mut().for_each(&mut *each);
        boot.evicts.values_mut().for_each(|evict| [&mut evict.life, &mut evict.beat].into_iter().for_each(&mut *each));
        self.life.iter_mut().for_each(&mut *each);
        self.chain.previous.iter_mut().for_each(&mut *each);
        self.claims.values_mut().for_each(|claim| each(&mut claim.token.revision));
        self.peers.values_mut().for_each(|peer| [&mut peer.life, &mut peer.beat].into_iter().for_each(&mut *each));
        self.promises.values_mut().for_each(|promise| each(&mut promise.life));
        self.round.iter_mut().for_each(|round| each(&mut round.question.life));
    }

    fn each_time(&mut self, each: &mut impl FnMut(&mut BootTime)) {
        self.claims.values_mut().filter_map(|claim| claim.until.as_mut()).for_each(&mut *each);
        self.peers.values_mut().for_each(|peer| each(&mut peer.since));
        self.promises.values_mut().for_each(|promise| each(&mut promise.until));
        self.quarantine.iter_mut().for_each(&mut *each);
        self.round.iter_mut().for_each(|round| each(&mut round.question.asked));
    }
}

/// Whether a guard names a revision that is gone: none comes back.
fn can_only_fail(store: &OwnershipReading, guards: &[RequestGuard]) -> bool {
    let zero = StoreRevision(0);
    guards.iter().any(|guard| match guard {
        RequestGuard::Generation(generation) => *generation != store.generation,
        RequestGuard::Life(node, life) => store.nodes.get(node).map_or(zero, |node| node.life) != *life,
        RequestGuard::Beat(node, beat) => store.nodes.get(node).map_or(zero, |node| node.beat) != *beat,
        RequestGuard::Slot(name, revision) => {
            *name == slot() && store.slots.get(name).map_or(zero, |slot| slot.revision) != *revision
        }
        RequestGuard::LifeGone(..) => false,
    })
}

fn revisions_of(store: &mut OwnershipReading, each: &mut impl FnMut(&mut StoreRevision)) {
    each(&mut store.revision);
    for node in store.nodes.values_mut() {
        each(&mut node.life);
        each(&mut node.beat);
    }
    for slot in store.slots.values_mut() {
        each(&mut slot.revision);
        each(&mut slot.incarnation.revision);
    }
}

fn request_revisions(request: &mut OwnershipRequest, each: &mut impl FnMut(&mut StoreRevision)) {
    match request {
        OwnershipRequest::Register { seen, .. } => each(seen),
        OwnershipRequest::Beat { previous, .. } => each(previous),
        OwnershipRequest::Evict { life, beat, .. } => {
            each(life);
            beat.iter_mut().for_each(each);
        }
        OwnershipRequest::Take { seen, gone, .. } => {
            each(seen);
            gone.iter_mut().for_each(|(_, life)| each(life));
        }
        OwnershipRequest::Release { token, .. } => each(&mut token.revision),
    }
}

fn finding_revisions(finding: &mut crate::GuardFinding, each: &mut impl FnMut(&mut StoreRevision)) {
    match finding {
        crate::GuardFinding::Generation(_) => {}
        crate::GuardFinding::Life(revision) | crate::GuardFinding::Beat(revision) => each(revision),
        crate::GuardFinding::Slot(found) => found.iter_mut().for_each(|slot| {
            each(&mut slot.revision);
            each(&mut slot.incarnation.revision);
        }),
    }
}
