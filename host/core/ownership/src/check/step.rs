//! Every step that is possible in a world.

use orchestrate::{BootTime, StoreRevision};

use super::bounds::{StoreRestore, WorldBounds};
use super::mutation::RuleMutation;
use super::store;
use super::world::{World, WorldMessage, WorldNode, slot, ticks};
use crate::beat::PinState;
use crate::slot::{ClaimState, SlotClaim};
use crate::{Ownership, OwnershipReading, OwnershipRequest, RequestOutcome, SentRequest};

/// A step: what it was, of which node or request, and where it leads.
pub(super) struct WorldStep {
    pub(super) what: &'static str,
    pub(super) of: usize,
    pub(super) world: World,
    pub(super) violation: Option<&'static str>,
}

/// What makes the next worlds of one.
struct StepMaker<'a> {
    world: &'a World,
    bounds: &'a WorldBounds,
    steps: Vec<WorldStep>,
}

impl World {
    pub(super) fn steps(&self, bounds: &WorldBounds) -> Vec<WorldStep> {
        let mut maker = StepMaker { world: self, bounds, steps: Vec::new() };
        maker.add("tick", 9, |world| {
            world.tick();
            Some(())
        });
        (0..self.messages.len()).for_each(|index| maker.deliver(index));
        for index in 0..self.nodes.len() {
            maker.faults(index);
            maker.requests(index);
            maker.services(index);
            maker.failsafe(index);
            maker.pins(index);
        }
        maker.restore();
        maker.steps
    }

    fn tick(&mut self) {
        self.now = self.now + ticks(1);
        for node in &mut self.nodes {
            // The keeper cuts by itself, and says so.
            if node.running && !node.unlimited && self.now >= node.until {
                node.running = false;
                if let Some(daemon) = &mut node.daemon {
                    daemon.stopped(&slot());
                }
            }
        }
    }
}

impl StepMaker<'_> {
    fn mutates(&self, mutation: RuleMutation) -> bool {
        self.bounds.mutation == Some(mutation)
    }

    /// Adds a step, unless it is not possible.
    fn add(&mut self, what: &'static str, of: usize, step: impl FnOnce(&mut World) -> Option<()>) {
        let mut world = self.world.clone();
        if step(&mut world).is_none() {
            return;
        }
        // Before it is made canonical, which forgets what can have no effect.
        let violation = world.violation();
        world.canonize(self.bounds);
        self.steps.push(WorldStep { what, of, world, violation });
    }

    /// Adds the sending of a request. That of another node than the first may be applied and answered at once.
    fn send(&mut self, what: &'static str, index: usize, ask: impl FnOnce(&mut World) -> Option<SentRequest>) {
        let bounds = *self.bounds;
        if index == 0 || !bounds.quick_peers {
            return self.queue(what, index, ask);
        }
        self.add(what, index, |world| {
            let sent = ask(world)?;
            let outcome = Some(store::apply(&mut world.store, &sent, bounds.mutation));
            let message = WorldMessage { sent, from: index, awaited: true, outcome };
            world.note_take(&message);
            world.answer(&message, &bounds);
            Some(())
        });
    }

    fn queue(&mut self, what: &'static str, index: usize, ask: impl FnOnce(&mut World) -> Option<SentRequest>) {
        if self.world.messages.len() < self.bounds.messages {
            self.add(what, index, |world| {
                let sent = ask(world)?;
                world.keep(index);
                world.messages.push(WorldMessage { sent, from: index, awaited: true, outcome: None });
                Some(())
            });
        }
    }

    fn deliver(&mut self, index: usize) {
        let bounds = *self.bounds;
        let message = &self.world.messages[index];
        let from = message.from;
        if message.outcome.is_some() {
            self.add("answer arrives at", from, |world| {
                let message = world.messages.remove(index);
                world.answer(&message, &bounds);
                Some(())
            });
            return;
        }
        let name = name_of(&message.sent.request);
        if message.awaited {
            self.add("gives up", from, |world| {
                world.messages[index].awaited = false;
                let (sent, now) = (world.messages[index].sent.clone(), world.now);
                let node = &mut world.nodes[from];
                let effects = node.daemon.as_mut()?.answer(&sent, &RequestOutcome::Unknown, now);
                node.obey(&effects);
                Some(())
            });
        } else if self.world.messages.len() == bounds.messages {
            // One that is never applied is as good as lost, but takes up room.
            self.add("is lost", from, |world| {
                world.messages.remove(index);
                Some(())
            });
        }
        let mut world = self.world.clone();
        // Also of one that was given up, at any later step: that is what the rules have to withstand.
        let outcome = store::apply(&mut world.store, &self.world.messages[index].sent, bounds.mutation);
        world.messages[index].outcome = Some(outcome);
        let message = world.messages[index].clone();
        let violation = world.note_take(&message).or(world.violation());
        if !message.awaited {
            world.messages.remove(index);
        }
        world.canonize(&bounds);
        self.steps.push(WorldStep { what: name, of: from, world, violation });
    }

    fn faults(&mut self, index: usize) {
        let bounds = *self.bounds;
        // The others are ideal takers, unless their promises matter.
        let faulty = index == 0 || bounds.failsafe;
        if self.world.nodes[index].daemon.is_none() {
            self.add("daemon starts on", index, |world| {
                world.nodes[index].start(&bounds);
                Some(())
            });
        } else if faulty && self.world.spent.crashes < bounds.crashes {
            let keeps_peers = self.mutates(RuleMutation::PromiseForgotten);
            self.add("daemon crashes on", index, |world| {
                world.spent.crashes += 1;
                let peers = world.nodes[index].daemon.as_ref().map(|daemon| daemon.peers.clone());
                world.abandon(index);
                world.nodes[index].crash();
                if keeps_peers {
                    world.nodes[index].start(&bounds);
                    world.nodes[index].daemon.as_mut()?.peers = peers?;
                }
                Some(())
            });
        }
        if faulty && self.world.spent.reboots < bounds.reboots {
            self.add("reboot of", index, |world| {
                world.spent.reboots += 1;
                world.abandon(index);
                let node = &mut world.nodes[index];
                node.crash();
                node.boot += 1;
                node.memory.boot = crate::BootMemory::default();
                (node.running, node.unlimited, node.until) = (false, false, BootTime::BOOT);
                Some(())
            });
        }
    }

    fn requests(&mut self, index: usize) {
        let bounds = *self.bounds;
        if self.world.nodes[index].daemon.is_none() {
            return;
        }
        // The first node looks before whatever it sends, and after a start.
        let blind = self.world.nodes[0].daemon.as_ref().is_some_and(|daemon| daemon.chain.previous.is_none());
        if index > 0 || blind {
            self.add("looks", index, |world| {
                world.look(index, &bounds);
                Some(())
            });
        }
        if !self.world.has(index, |request| matches!(request, OwnershipRequest::Register { .. })) {
            self.send("sends register", index, |world| {
                world.look(index, &bounds);
                let now = world.now;
                world.nodes[index].daemon.as_mut()?.register(now)
            });
        }
        if index == 0 {
            self.send("sends beat", index, |world| {
                let now = world.now;
                let node = &mut world.nodes[index];
                node.daemon.as_mut()?.beat(now)
            });
        }
        if !self.world.has(index, |request| matches!(request, OwnershipRequest::Take { .. })) {
            let anyhow = self.mutates(RuleMutation::TakeWithoutLife);
            self.send("sends take", index, |world| {
                world.look(index, &bounds);
                let now = world.now;
                let daemon = world.nodes[index].daemon.as_mut()?;
                daemon.take(&slot(), now).or_else(|| anyhow.then(|| take_anyhow(daemon, now))?)
            });
        }
        if self.mutates(RuleMutation::ReadSuffices) {
            self.add("reads the slot as its own, and believes it", index, |world| {
                world.look(index, &bounds);
                world.believe(index)
            });
        }
        if bounds.releases {
            self.send("sends release", index, |world| {
                let now = world.now;
                world.nodes[index].daemon.as_mut()?.release(&slot(), now)
            });
        }
        if index > 0 {
            let first = self.world.nodes[0].name.clone();
            self.send("sends evict", index, |world| {
                let now = world.now;
                Some(world.nodes[index].daemon.as_mut()?.evict(&first, now)?.0)
            });
        }
    }

    fn services(&mut self, index: usize) {
        let (now, bounds) = (self.world.now, *self.bounds);
        let node = &self.world.nodes[index];
        let Some(daemon) = &node.daemon else { return };
        if !node.running && daemon.may_start(&slot(), now) {
            self.add("starts the service", index, |world| {
                let node = &mut world.nodes[index];
                let daemon = node.daemon.as_mut()?;
                daemon.started(slot());
                node.until = daemon.claims.get(&slot())?.until?;
                node.running = true;
                Some(())
            });
        } else if bounds.releases && node.running && !node.unlimited {
            self.add("stops the service", index, |world| {
                let node = &mut world.nodes[index];
                node.daemon.as_mut()?.stopped(&slot());
                (node.running, node.until) = (false, BootTime::BOOT);
                node.obey(&[]);
                Some(())
            });
        }
    }

    fn failsafe(&mut self, index: usize) {
        let bounds = *self.bounds;
        if !bounds.failsafe || index != 0 {
            return;
        }
        let only_some = self.mutates(RuleMutation::AsksOnlySome);
        self.add("asks for promises", 0, |world| {
            let (now, mut all) = (world.now, world.configured());
            if !world.nodes[0].running {
                return None;
            }
            if only_some {
                all.pop_last();
            }
            let node = &mut world.nodes[0];
            let question = node.daemon.as_mut()?.ask(&all, now)?;
            if all.len() < 2 {
                let own = node.name.clone();
                let effects = node.daemon.as_mut()?.promised(&question, &own);
                node.obey(&effects);
            }
            node.question = Some(question);
            Some(())
        });
        let careless = self.mutates(RuleMutation::PromiseWhileEvicting);
        for other in 1..self.world.nodes.len() {
            self.add("promises", other, |world| {
                let (now, question) = (world.now, world.nodes[0].question.clone()?);
                let peer = &mut world.nodes[other];
                let daemon = peer.daemon.as_mut()?;
                if careless {
                    daemon.memory.boot.evicts.clear();
                }
                if !daemon.promise(&question, now) {
                    return None;
                }
                let by = peer.name.clone();
                let effects = world.nodes[0].daemon.as_mut()?.promised(&question, &by);
                world.nodes[0].obey(&effects);
                Some(())
            });
        }
    }

    fn pins(&mut self, index: usize) {
        let (bounds, pins) = (*self.bounds, self.world.spent.pins);
        let node = &self.world.nodes[index];
        if index == 0 && pins < bounds.pins && node.running && node.daemon.is_some() {
            let first = self.mutates(RuleMutation::UnlimitedBeforePin);
            self.add("wants to pin", 0, |world| {
                world.spent.pins += 1;
                world.nodes[0].daemon.as_mut()?.pin();
                world.nodes[0].unlimited |= first;
                Some(())
            });
        }
        if index == 0 && node.daemon.as_ref().is_some_and(|daemon| daemon.chain.pin != PinState::Free) {
            self.add("makes its addresses finite", 0, |world| {
                let now = world.now;
                let node = &mut world.nodes[0];
                let daemon = node.daemon.as_mut()?;
                let live = daemon.claims.get(&slot()).is_some_and(|claim| claim.is_live(now));
                if node.running && !live {
                    return None;
                }
                node.unlimited = false;
                daemon.unpin(now);
                Some(())
            });
        }
        let away = &self.world.nodes[0];
        let pinned = self.world.store.nodes.get(&away.name).is_some_and(|node| node.pinned);
        if index > 0 && self.world.spent.hands < bounds.hands && pinned && away.daemon.is_none() {
            self.queue("operator saw all stopped; sends evict", index, |world| {
                world.spent.hands += 1;
                let away = &mut world.nodes[0];
                (away.running, away.unlimited) = (false, false);
                let name = away.name.clone();
                let shown = world.store.nodes.get(&name).map(|node| (node.life, node.beat))?;
                let now = world.now;
                Some(world.nodes[index].daemon.as_mut()?.evict_by_hand(&name, shown, now)?.0)
            });
        }
    }

    fn restore(&mut self) {
        let restore = self.bounds.restore;
        if restore == StoreRestore::Never || self.world.spent.restored {
            return;
        }
        match &self.world.copy {
            None => self.add("backup", 9, |world| {
                world.copy = Some(world.store.clone());
                Some(())
            }),
            Some(_) => self.add("restore", 9, |world| {
                let copy = world.copy.take()?;
                world.spent.restored = true;
                world.store = restored(copy, restore);
                // Answers of the old engine do not arrive any more.
                world.messages.retain(|message| message.outcome.is_none());
                Some(())
            }),
        }
    }
}

fn restored(copy: OwnershipReading, restore: StoreRestore) -> OwnershipReading {
    let mut store = copy;
    if restore == StoreRestore::NewGeneration {
        store.generation = crate::Generation { number: store.generation.number + 1, nonce: 2 };
        // As in the recovery of an engine, which leaves the lives of nodes out of the copy.
        store.nodes.clear();
    }
    store
}

/// What a take would be that compares no life.
fn take_anyhow(daemon: &Ownership, now: BootTime) -> Option<SentRequest> {
    let found = daemon.reading.as_ref()?.slots.get(&slot())?;
    if found.owner == daemon.me {
        return None;
    }
    daemon.sent(OwnershipRequest::Take { slot: slot(), seen: found.revision, gone: None }, now)
}

fn name_of(request: &OwnershipRequest) -> &'static str {
    match request {
        OwnershipRequest::Register { .. } => "store applies register of",
        OwnershipRequest::Beat { .. } => "store applies beat of",
        OwnershipRequest::Evict { .. } => "store applies evict of",
        OwnershipRequest::Take { .. } => "store applies take of",
        OwnershipRequest::Release { .. } => "store applies release of",
    }
}

impl World {
    fn has(&self, index: usize, is: impl Fn(&OwnershipRequest) -> bool) -> bool {
        self.messages.iter().any(|message| message.from == index && message.awaited && is(&message.sent.request))
    }

    /// The memory is kept before anything is sent.
    fn keep(&mut self, index: usize) {
        let node: &mut WorldNode = &mut self.nodes[index];
        if let Some(daemon) = &node.daemon {
            node.memory = daemon.memory().clone();
        }
    }

    /// Nobody waits for the requests of a process that is gone.
    fn abandon(&mut self, index: usize) {
        self.messages.retain(|message| message.from != index || message.outcome.is_none());
        self.messages.iter_mut().filter(|message| message.from == index).for_each(|message| message.awaited = false);
    }

    fn answer(&mut self, message: &WorldMessage, bounds: &WorldBounds) {
        let now = self.now;
        let node = &mut self.nodes[message.from];
        let Some(daemon) = node.daemon.as_mut() else { return };
        let Some(outcome) = &message.outcome else { return };
        let mut sent = message.sent.clone();
        match bounds.mutation {
            Some(RuleMutation::DeadlineFromAnswer) => sent.sent = now,
            Some(RuleMutation::LateAnswerCounts) if sent.life.is_some() && daemon.life.is_some() => {
                sent.life = daemon.life
            }
            _ => {}
        }
        daemon.shell();
        let claims = daemon.claims.clone();
        let effects = daemon.answer(&sent, outcome, now);
        if bounds.mutation == Some(RuleMutation::KeepsTokens) && daemon.life.is_none() {
            daemon.claims = claims;
        }
        let beaten = matches!((&sent.request, outcome), (OwnershipRequest::Beat { .. }, RequestOutcome::Applied(_)));
        if bounds.mutation == Some(RuleMutation::ReleaseResumes) && beaten {
            for claim in daemon.claims.values_mut() {
                (claim.state, claim.until) = (ClaimState::Confirmed, Some(sent.sent + daemon.timing.validity));
            }
        }
        if bounds.mutation == Some(RuleMutation::UnconfirmedExtends) && beaten && node.running {
            node.until = node.until.max(sent.sent + daemon.timing.validity);
        }
        node.obey(&effects);
    }

    /// Takes the slot for its own because it reads so.
    fn believe(&mut self, index: usize) -> Option<()> {
        let daemon = self.nodes[index].daemon.as_mut()?;
        let known = daemon.claims.contains_key(&slot());
        let token = daemon.reading.as_ref()?.slots.get(&slot())?.revision;
        if known || !daemon.reads_as_own(&slot()) {
            return None;
        }
        let token = orchestrate::FencingToken { generation: daemon.generation()?.number, revision: token };
        daemon.claims.insert(slot(), SlotClaim { token, state: ClaimState::Confirmed, until: None });
        Some(())
    }

    /// Each token must be greater than the one before.
    fn note_take(&mut self, message: &WorldMessage) -> Option<&'static str> {
        let Some(RequestOutcome::Applied(revision)) = message.outcome else { return None };
        if !matches!(message.sent.request, OwnershipRequest::Take { .. }) {
            return None;
        }
        let token = orchestrate::FencingToken { generation: message.sent.generation.number, revision };
        let grows = token > self.last_token;
        self.last_token = token;
        (!grows).then_some("a token did not grow")
    }
}

impl Ownership {
    /// An empty reading, for answers: what was read is forgotten after each step, because each step that needs it looks first.
    pub(super) fn shell(&mut self) {
        if let (None, Some(generation)) = (&self.reading, self.memory.generation) {
            let (nodes, slots) = Default::default();
            self.reading = Some(OwnershipReading { revision: StoreRevision(0), generation, nodes, slots });
        }
    }
}
