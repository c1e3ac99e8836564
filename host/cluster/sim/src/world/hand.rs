//! What people do: orders to the cluster, and hands on one node.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{ActionCause, ActionScope, ActionStep, InstanceAction, IntentId, OperatorOrder, OrderVerb, accept};

use super::{Event, World};
use crate::machine::BegunAction;
use crate::scenario::LONGEST_ORDER;
use crate::store::StoreRequest;

/// Something that a person does.
#[derive(Debug, Clone)]
pub(crate) enum Hand {
    Order {
        node: NodeName,
        path: ObjectPath,
        verb: OrderVerb,
        supersede: bool,
    },
    /// Starts or stops one resource on one node.
    Resource {
        node: NodeName,
        path: ObjectPath,
        action: InstanceAction,
    },
    Maintenance {
        path: ObjectPath,
    },
}

impl World {
    /// Draws what people do in the run.
    pub(super) fn schedule_hands(&mut self) {
        for _ in 0..self.scenario.hands {
            let (Some(node), Some(path)) = (self.any_node(), self.any_path()) else { return };
            let hand = match self.random.below(100) {
                0..75 => {
                    let (verb, supersede) = (self.draw_verb(), self.random.percent(40));
                    Hand::Order { node, path, verb, supersede }
                }
                75..88 => Hand::Resource { node, path, action: InstanceAction::Stop },
                88..95 => Hand::Resource { node, path, action: InstanceAction::Start },
                _ => Hand::Maintenance { path },
            };
            let at = Duration::from_millis(self.random.below(self.scenario.turmoil.as_millis() as u64));
            self.schedule_at(at, Event::Hand(hand));
        }
    }

    fn draw_verb(&mut self) -> OrderVerb {
        match self.random.below(100) {
            0..18 => OrderVerb::Start,
            18..34 => OrderVerb::Stop,
            34..42 => OrderVerb::Restart,
            42..48 => OrderVerb::Freeze,
            48..54 => OrderVerb::Thaw,
            54..62 => OrderVerb::Provision,
            62..67 => OrderVerb::Unprovision,
            67..70 => OrderVerb::Purge,
            70..72 => OrderVerb::Delete,
            72..80 => OrderVerb::Switch { to: self.any_node().into_iter().collect() },
            80..83 => OrderVerb::Takeover,
            83..87 => OrderVerb::Giveback,
            87..92 => OrderVerb::Abort,
            _ => OrderVerb::Clear,
        }
    }

    pub(super) fn hand(&mut self, hand: &Hand) {
        if self.healed {
            return;
        }
        self.note(format_args!("{hand:?}"));
        match hand {
            Hand::Order { node, path, verb, supersede } => self.order(node, path, verb.clone(), *supersede),
            Hand::Resource { node, path, action } => self.touch_resource(node, path, *action),
            Hand::Maintenance { path } => {
                let until = self.now + Duration::from_secs(20);
                self.store.edit(path, |document| {
                    document.view.maintenance = Some(orchestrate::BootTime::after_boot(until));
                    true
                });
                self.changed_store();
            }
        }
    }

    /// Gives an order where a daemon has a view. It is committed if the object is still as that view has it.
    pub(super) fn order(&mut self, name: &NodeName, path: &ObjectPath, verb: OrderVerb, supersede: bool) {
        let id = IntentId((u128::from(self.random.next()) << 64) | u128::from(self.random.next()));
        let lifetime = Duration::from_secs(self.random.between(10, LONGEST_ORDER.as_secs()));
        let Ok(view) = self.view(name) else { return };
        let now = self.clock(name);
        let order = OperatorOrder { id, verb, supersede, force: false, lifetime };
        let mut acceptance = match accept(&view, path, name, now, &order) {
            Ok(acceptance) => acceptance,
            Err(refusal) => return self.note(format_args!("refused: {refusal}")),
        };
        let seen = view.objects()[path].intent.as_ref().map(|intent| (intent.id, intent.outcome.is_some()));
        let expires = orchestrate::BootTime::after_boot(self.now + lifetime);
        for change in &mut acceptance.changes {
            // Times in the store are those of the world: each node reads them on its own clock.
            if let orchestrate::OrderChange::Begin(intent) = change {
                intent.expires = expires;
            }
        }
        let request = StoreRequest::Accept { path: path.clone(), seen, acceptance: Box::new(acceptance) };
        let delay = Duration::from_micros(self.random.between(500, 30_000));
        self.schedule(delay, Event::Commit { request: Box::new(request) });
    }

    /// A person starts or stops one resource on a node, as `om <path> instance stop --rid` does.
    fn touch_resource(&mut self, name: &NodeName, path: &ObjectPath, action: InstanceAction) {
        let now = self.clock(name);
        let index = self.random.next() as usize;
        let Some(node) = self.nodes.get_mut(name) else { return };
        let Some(daemon) = node.daemon.as_ref() else { return };
        let Some(rules) = self.scenario.objects.get(path) else { return };
        // Where other nodes may run it, the agent starts nothing without the slot.
        let allowed = action == InstanceAction::Stop || !rules.has_slots() || daemon.owns(path);
        let Some(disk) = node.machine.disk.get_mut(path) else { return };
        let Some(rid) = rules.resources.keys().nth(index % rules.resources.len().max(1)) else { return };
        if !allowed || disk.begun.is_some() || disk.ended.is_some() || disk.rules.is_none() {
            return;
        }
        let scope = ActionScope::Resources(BTreeSet::from([rid.clone()]));
        let step = ActionStep { action, scope, cause: ActionCause::Hand, leader: false, freeze: false, token: None };
        let sequence = disk.record.begin(&step, now);
        disk.begun = Some(BegunAction { sequence, step: step.clone() });
        self.checks.by_hand(name, path, &step);
        let (boot, life) = (self.nodes[name].machine.boot, self.life(name));
        let took = Duration::from_millis(self.random.between(5, 500));
        let event = Event::ActionEnd { node: name.clone(), boot, life, path: path.clone(), sequence };
        self.schedule(took, event);
        self.touch(name, path);
    }
}
