//! What can happen, and what then happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath, Rid};
use orchestrate::ActionSequence;

use super::World;
use super::fault::Fault;
use super::hand::Hand;
use crate::machine::SimResource;
use crate::store::{StoreAnswer, StoreRequest, StoreState};

/// Something that happens at its time.
#[derive(Debug)]
pub(crate) enum Event {
    DaemonStart {
        node: NodeName,
    },
    PowerOn {
        node: NodeName,
    },
    Decide {
        node: NodeName,
        life: u64,
        at: Duration,
    },
    Refresh {
        node: NodeName,
        life: u64,
        state: Arc<StoreState>,
    },
    Beat {
        node: NodeName,
        life: u64,
    },
    Keeper {
        node: NodeName,
        boot: u64,
    },
    Probe {
        node: NodeName,
        life: u64,
        path: ObjectPath,
    },
    ProbeAll {
        node: NodeName,
        life: u64,
    },
    Status {
        node: NodeName,
        life: u64,
        path: ObjectPath,
        after: ActionSequence,
        samples: BTreeMap<Rid, SimResource>,
    },
    ActionEnd {
        node: NodeName,
        boot: u64,
        life: u64,
        path: ObjectPath,
        sequence: ActionSequence,
    },
    Apply {
        number: u64,
    },
    Answer {
        number: u64,
        answer: StoreAnswer,
    },
    GiveUp {
        number: u64,
    },
    /// A request of a person, which nobody waits for.
    Commit {
        request: Box<StoreRequest>,
    },
    Create {
        path: ObjectPath,
    },
    Fault(Fault),
    Hand(Hand),
    Heal,
    /// Thaw and clear everything that was mended.
    Tidy,
}

impl World {
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::DaemonStart { node } => self.start_daemon(&node),
            Event::PowerOn { node } => self.power_on(&node),
            Event::Decide { node, life, at } => self.decide_now(&node, life, at),
            Event::Refresh { node, life, state } => self.refresh(&node, life, &state),
            Event::Beat { node, life } => self.beat(&node, life),
            Event::Keeper { node, boot } => self.keep(&node, boot),
            Event::Probe { node, life, path } => self.probe(&node, life, &path),
            Event::ProbeAll { node, life } => self.probe_all(&node, life),
            Event::Status { node, life, path, after, samples } if self.is_life(&node, life) => {
                self.status_arrives(&node, &path, after, &samples);
            }
            Event::ActionEnd { node, boot, life, path, sequence } => {
                let machine = &self.nodes[&node].machine;
                let begun = machine.disk.get(&path).and_then(|disk| disk.begun.as_ref());
                let same = begun.is_some_and(|begun| begun.sequence == sequence);
                if machine.on && machine.boot == boot && self.is_life(&node, life) && same {
                    self.action_ends(&node, &path);
                }
            }
            Event::Apply { number } => self.apply(number),
            Event::Answer { number, answer } => self.answer(number, &answer),
            Event::GiveUp { number } => self.give_up_request(number),
            Event::Commit { request } => {
                self.commit(&request);
            }
            Event::Create { path } => self.create(&path),
            Event::Fault(fault) => self.fault(&fault),
            Event::Hand(hand) => self.hand(&hand),
            Event::Heal => self.heal(),
            Event::Tidy => self.tidy(),
            Event::Status { .. } => {}
        }
    }

    fn decide_now(&mut self, name: &NodeName, life: u64, at: Duration) {
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        // An event whose place an earlier one has taken does nothing, as does one of a former life.
        if daemon.life == life && daemon.decide_at == Some(at) {
            daemon.decide_at = None;
            self.decide(name);
        }
    }

    fn refresh(&mut self, name: &NodeName, life: u64, state: &Arc<StoreState>) {
        if self.nodes[name].cut {
            return;
        }
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        // A lower revision than one seen is ignored: it is not a change.
        let newer = daemon.snapshot.as_ref().is_none_or(|known| known.revision <= state.revision);
        if daemon.life != life || !newer {
            return;
        }
        daemon.snapshot = Some(state.clone());
        self.take_configurations(name);
        self.decide_soon(name);
    }
}
