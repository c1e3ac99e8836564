//! Registration, beats, evictions and the deadline behind which nothing that has a slot runs.

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, NodeStep};

use super::PendingKey;
use crate::store::{StoreAnswer, StoreRequest};
use crate::world::{Event, World};

/// T: a node without a newer beat for so long is lost.
pub(crate) const LOST_AFTER: Duration = Duration::from_secs(6);

/// M: how much earlier than that its services are gone.
pub(crate) const CUT_MARGIN: Duration = Duration::from_millis(1500);

/// How often a node beats.
pub(crate) const LOOP: Duration = Duration::from_secs(1);

impl World {
    /// One round: look at the peers, beat or register.
    pub(crate) fn beat(&mut self, name: &NodeName, life: u64) {
        if !self.is_life(name, life) {
            return;
        }
        // No other node can take over from a single one: once registered, it needs no deadline.
        if self.nodes.len() > 1 || self.nodes[name].daemon.as_ref().is_some_and(|daemon| daemon.incarnation.is_none()) {
            self.schedule(LOOP, Event::Beat { node: name.clone(), life });
        }
        if self.nodes[name].cut {
            return;
        }
        self.look_at_peers(name);
        self.check_own_life(name);
        let Some(daemon) = self.nodes.get(name).and_then(|node| node.daemon.as_ref()) else { return };
        // One at a time: a beat compares the revision of the last one, so a second one under way would be refused.
        if daemon.pending.contains_key(&PendingKey::Membership) {
            return;
        }
        let known = self.store.nodes.get(name).map(|document| (document.incarnation, document.beat));
        let request = match (daemon.incarnation, known) {
            (Some(incarnation), Some((_, beat))) => {
                // A daemon that goes on with the life of its boot has sent none yet.
                let beat = daemon.beat.unwrap_or(beat);
                StoreRequest::Beat { node: name.clone(), incarnation, beat }
            }
            (_, known) => StoreRequest::Register {
                node: name.clone(),
                incarnation: known.map_or(0, |(incarnation, _)| incarnation),
            },
        };
        self.send(name, PendingKey::Membership, request);
    }

    /// The pair of registration and beat counts from when the answer arrived that first showed it.
    fn look_at_peers(&mut self, name: &NodeName) {
        let now = self.clock(name);
        let peers: Vec<_> = self.store.nodes.iter().map(|(peer, it)| (peer.clone(), it.incarnation, it.beat)).collect();
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        for (peer, incarnation, beat) in peers {
            let known = daemon.heard.entry(peer).or_insert((incarnation, beat, now));
            if (known.0, known.1) != (incarnation, beat) {
                *known = (incarnation, beat, now);
            }
        }
    }

    /// A node whose life was ended cuts what it runs, and only then registers anew.
    fn check_own_life(&mut self, name: &NodeName) {
        let document = self.store.nodes.get(name).map(|document| (document.incarnation, document.evicted));
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (kept, Some(daemon)) = (node.machine.incarnation, node.daemon.as_mut()) else { return };
        let lives = |incarnation: Option<u64>| incarnation.is_some() && document == incarnation.map(|it| (it, false));
        if lives(kept) {
            // The same boot: its life goes on, but not the slots of another process.
            let joined = daemon.incarnation != kept;
            daemon.incarnation = kept;
            if joined {
                self.refresh_now(name);
            }
            return;
        }
        daemon.incarnation = None;
        daemon.beat = None;
        daemon.confirmed.clear();
        if kept.is_some() {
            self.cut_all(name);
        }
    }

    /// Everything that has a slot is stopped at once.
    fn cut_all(&mut self, name: &NodeName) {
        let slotted: Vec<ObjectPath> = self.nodes[name].machine.deadlines.keys().cloned().collect();
        slotted.iter().for_each(|path| self.cut(name, path));
        if let Some(node) = self.nodes.get_mut(name) {
            node.machine.incarnation = None;
        }
    }

    pub(crate) fn cut(&mut self, name: &NodeName, path: &ObjectPath) {
        self.note(format_args!("{name} cut {path}"));
        if let Some(node) = self.nodes.get_mut(name) {
            node.machine.cut(path);
            node.machine.deadlines.remove(path);
            if let Some(daemon) = &mut node.daemon {
                daemon.disown(path);
            }
        }
        // An action in its middle would start again what was just stopped.
        self.interrupt(name, path);
        self.probe_soon(name, path);
    }

    /// The keeper, which no death of the daemon stops.
    pub(crate) fn keep(&mut self, name: &NodeName, boot: u64) {
        let node = &self.nodes[name];
        // The timer of a former boot: its time means nothing on a clock that has begun anew.
        if node.machine.boot != boot || !node.machine.on {
            return;
        }
        let now = node.machine.clock(self.now);
        let over = node.machine.deadlines.iter().filter(|(_, deadline)| **deadline <= now);
        let over: Vec<ObjectPath> = over.map(|(path, _)| path.clone()).collect();
        over.iter().for_each(|path| self.cut(name, path));
        let Some(machine) = self.nodes.get_mut(name).map(|node| &mut node.machine) else { return };
        machine.keeper = None;
        if let Some(next) = machine.deadlines.values().min().copied() {
            self.schedule_keeper(name, next);
        }
    }

    /// An acknowledged beat extends what this life has confirmed, from when it was sent.
    pub(super) fn extend_deadlines(&mut self, name: &NodeName, sent: Duration) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        // The others count from when they see the beat, which is never before it was sent.
        let deadline = node.machine.clock(sent) + (LOST_AFTER - CUT_MARGIN);
        let (machine, Some(daemon)) = (&mut node.machine, node.daemon.as_mut()) else { return };
        let returns = daemon.deadline <= machine.clock(self.now);
        daemon.deadline = daemon.deadline.max(deadline);
        for (path, _) in daemon.confirmed.keys() {
            let known = machine.deadlines.entry(path.clone()).or_insert(deadline);
            *known = deadline.max(*known);
        }
        self.schedule_keeper(name, deadline);
        // Without a living deadline no slot was taken (`send_slot`), and a beat wakes no decision (`commit`).
        if returns {
            self.decide_soon(name);
        }
    }

    /// One timer: when it fires it looks for the next deadline.
    pub(super) fn schedule_keeper(&mut self, name: &NodeName, deadline: BootTime) {
        let Some(machine) = self.nodes.get_mut(name).map(|node| &mut node.machine) else { return };
        if machine.keeper.is_some_and(|armed| armed <= deadline) {
            return;
        }
        machine.keeper = Some(deadline);
        let (at, boot) = (machine.global(deadline), machine.boot);
        self.schedule_at(at, Event::Keeper { node: name.clone(), boot });
    }

    /// What a membership request brought.
    pub(super) fn membership_answer(
        &mut self,
        name: &NodeName,
        request: &StoreRequest,
        answer: &StoreAnswer,
        sent: Duration,
    ) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (machine, Some(daemon)) = (&mut node.machine, node.daemon.as_mut()) else { return };
        match (request, answer) {
            (StoreRequest::Register { .. }, StoreAnswer::Applied(revision)) => {
                machine.incarnation = Some(*revision);
                daemon.incarnation = Some(*revision);
                daemon.beat = Some(*revision);
                self.refresh_now(name);
            }
            (StoreRequest::Beat { incarnation, .. }, StoreAnswer::Applied(revision))
                // The life may have ended while its beat was under way.
                if daemon.incarnation == Some(*incarnation) =>
            {
                daemon.beat = Some(*revision);
                self.extend_deadlines(name, sent);
            }
            // The else branch shows the present revision.
            (StoreRequest::Beat { .. }, _) => {
                daemon.beat = self.store.nodes.get(name).map(|document| document.beat);
                self.check_own_life(name);
            }
            _ => {}
        }
    }

    pub(crate) fn follow_node_step(&mut self, name: &NodeName, step: &NodeStep) {
        let Some(by_incarnation) = self.nodes[name].daemon.as_ref().and_then(|daemon| daemon.incarnation) else {
            return;
        };
        match step {
            NodeStep::Evict { node, incarnation, beat } => {
                let request = StoreRequest::Evict {
                    by: name.clone(),
                    by_incarnation,
                    node: node.clone(),
                    incarnation: incarnation.revision.0,
                    beat: beat.0,
                };
                self.send(name, PendingKey::Eviction(node.clone()), request);
            }
            NodeStep::EndDrain { left } => {
                self.note(format_args!("{name} ends its drain with {} left", left.len()));
                let request = StoreRequest::EndDrain { node: name.clone(), incarnation: by_incarnation };
                self.send(name, PendingKey::Drain, request);
            }
        }
    }
}
