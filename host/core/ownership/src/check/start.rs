//! How worlds begin: by the very code that is checked.

use std::collections::BTreeMap;

use orchestrate::{BootTime, FencingToken, StoreRevision};

use super::bounds::{WorldBounds, WorldStart};
use super::store;
use super::world::{SpentFaults, World, WorldMessage, WorldNode, slot, ticks};
use crate::{Generation, NodeMemory, OwnershipReading, RequestOutcome, SentRequest};

impl World {
    pub(super) fn start(bounds: &WorldBounds) -> World {
        let generation = Generation { number: 1, nonce: 1 };
        let memory = NodeMemory { generation: Some(generation), settled: true, ..NodeMemory::default() };
        let node = |index: usize| WorldNode {
            name: format!("n{index}").parse().unwrap(),
            boot: 0,
            memory: memory.clone(),
            daemon: None,
            running: false,
            until: BootTime::BOOT,
            unlimited: false,
            question: None,
        };
        let empty =
            OwnershipReading { revision: StoreRevision(0), generation, nodes: BTreeMap::new(), slots: BTreeMap::new() };
        let mut world = World {
            now: BootTime::after_boot(ticks(100)),
            store: empty,
            copy: None,
            nodes: (0..bounds.nodes).map(node).collect(),
            messages: Vec::new(),
            last_token: FencingToken { generation: 0, revision: StoreRevision(0) },
            spent: SpentFaults::default(),
        };
        world.begin(bounds);
        world
    }

    fn begin(&mut self, bounds: &WorldBounds) {
        for index in 0..self.nodes.len() {
            self.nodes[index].start(bounds);
            self.look(index, bounds);
            self.do_now(index, |node, now| node.daemon.as_mut()?.register(now));
        }
        if bounds.start == WorldStart::CopyBeforeTake {
            self.copy = Some(self.store.clone());
        }
        self.look(0, bounds);
        self.do_now(0, |node, now| node.daemon.as_mut()?.take(&slot(), now));
        self.do_now(0, |node, now| node.daemon.as_mut()?.beat(now));
        let node = &mut self.nodes[0];
        let daemon = node.daemon.as_mut().unwrap();
        assert!(daemon.may_start(&slot(), self.now));
        daemon.started(slot());
        (node.running, node.until) = (true, self.now + ticks(bounds.ticks));
        self.last_token = daemon.token(&slot()).unwrap();
        match bounds.start {
            WorldStart::Running | WorldStart::CopyBeforeTake => {}
            WorldStart::PinnedAway => {
                self.nodes[0].daemon.as_mut().unwrap().pin();
                self.do_now(0, |node, now| node.daemon.as_mut()?.beat(now));
                assert!(self.nodes[0].unlimited);
                self.nodes[0].crash();
                self.spent.pins = 1;
            }
            WorldStart::OldAnswer => self.begin_again(bounds),
            WorldStart::EvictUnderWay => self.begin_eviction(bounds),
            WorldStart::AbandonedBeat => {
                let daemon = self.nodes[0].daemon.as_mut().unwrap();
                let sent = daemon.beat(self.now).unwrap();
                let effects = daemon.answer(&sent, &RequestOutcome::Unknown, self.now);
                self.nodes[0].obey(&effects);
                self.messages.push(WorldMessage { sent, from: 0, awaited: false, outcome: None });
            }
        }
        (1..self.nodes.len()).for_each(|index| self.look(index, bounds));
        if bounds.failsafe {
            self.look(0, bounds);
        }
    }

    /// The first node asserts its slot again, is evicted before it hears the answer, and registers anew.
    fn begin_again(&mut self, bounds: &WorldBounds) {
        let (now, name) = (self.now, self.nodes[0].name.clone());
        let node = &mut self.nodes[0];
        (node.running, node.until) = (false, BootTime::BOOT);
        let daemon = node.daemon.as_mut().unwrap();
        daemon.stopped(&slot());
        daemon.release(&slot(), now).unwrap();
        let sent = daemon.take(&slot(), now).unwrap();
        let outcome = Some(store::apply(&mut self.store, &sent, None));
        self.messages.push(WorldMessage { sent, from: 0, awaited: true, outcome });
        self.look(1, bounds);
        self.now = now + ticks(bounds.ticks);
        self.do_now(1, |node, now| Some(node.daemon.as_mut()?.evict(&name, now)?.0));
        self.look(0, bounds);
        self.do_now(0, |node, now| node.daemon.as_mut()?.register(now));
        self.last_token.revision = self.store.slots[&slot()].revision;
    }

    /// The first node asks for a promise, its deadline passes, and the second one sends an eviction.
    fn begin_eviction(&mut self, bounds: &WorldBounds) {
        self.look(1, bounds);
        self.now = self.now + ticks(bounds.ticks - 1);
        let (all, name) = (self.configured(), self.nodes[0].name.clone());
        let node = &mut self.nodes[0];
        let daemon = node.daemon.as_mut().unwrap();
        node.question = daemon.ask(&all, self.now);
        self.now = self.now + ticks(1);
        daemon.stopped(&slot());
        (node.running, node.until) = (false, BootTime::BOOT);
        let daemon = self.nodes[1].daemon.as_mut().unwrap();
        let (sent, _) = daemon.evict(&name, self.now).unwrap();
        self.nodes[1].obey(&[]);
        self.messages.push(WorldMessage { sent, from: 1, awaited: true, outcome: None });
    }

    /// A request that is applied and answered at once.
    fn do_now(&mut self, index: usize, ask: impl FnOnce(&mut WorldNode, BootTime) -> Option<SentRequest>) {
        let now = self.now;
        let sent = ask(&mut self.nodes[index], now).expect("the start of a world asks for what is possible");
        let outcome = store::apply(&mut self.store, &sent, None);
        let effects = self.nodes[index].daemon.as_mut().unwrap().answer(&sent, &outcome, now);
        self.nodes[index].obey(&effects);
    }

    /// A linearizable read that arrives at once.
    pub(super) fn look(&mut self, index: usize, bounds: &WorldBounds) {
        use super::mutation::RuleMutation::{NoQuarantine, PinExpires, UnpinsFirst};
        let (now, reading) = (self.now, self.store.clone());
        let node = &mut self.nodes[index];
        let Some(daemon) = node.daemon.as_mut() else { return };
        let effects = daemon.observe(reading, now);
        match bounds.mutation {
            Some(NoQuarantine) => daemon.quarantine = None,
            Some(PinExpires) => daemon.peers.values_mut().for_each(|peer| peer.pinned = false),
            Some(UnpinsFirst) => daemon.chain.pin = crate::beat::PinState::Free,
            _ => {}
        }
        node.obey(&effects);
    }
}
