//! Every order that was accepted ends once, and what it says of the services is true.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use orchestrate::{IntentGoal, IntentId, IntentOutcome, View};

use super::Checks;
use crate::store::{StoreRequest, StoreState};
use crate::world::SimNode;

#[derive(Debug, Default)]
pub(super) struct OutcomeMemory {
    accepted: BTreeMap<IntentId, ObjectPath>,
    ended: BTreeMap<IntentId, &'static str>,
}

impl Checks {
    /// A commit about an object.
    pub(crate) fn committed(&mut self, store: &StoreState, path: &ObjectPath, request: &StoreRequest) {
        if let StoreRequest::Accept { acceptance, .. } = request {
            for change in &acceptance.changes {
                match change {
                    orchestrate::OrderChange::Begin(intent) => {
                        self.outcome.accepted.insert(intent.id, path.clone());
                    }
                    orchestrate::OrderChange::End { id, outcome } => self.ends(*id, outcome),
                    _ => {}
                }
            }
        }
        let intent = store.objects.get(path).and_then(|document| document.view.intent.as_ref());
        if let Some((id, outcome)) = intent.and_then(|intent| Some((intent.id, intent.outcome.as_ref()?))) {
            self.ends(id, outcome);
        }
    }

    fn ends(&mut self, id: IntentId, outcome: &IntentOutcome) {
        let known = *self.outcome.ended.entry(id).or_insert(outcome.as_str());
        if known != outcome.as_str() {
            self.violate("outcome", format!("{id} ended as {known}, then as {}", outcome.as_str()));
        }
    }

    /// An outcome is about to be written. A stop that is done has left nothing running where the node still lives.
    pub(crate) fn settles(
        &mut self,
        nodes: &BTreeMap<NodeName, SimNode>,
        view: &View,
        path: &ObjectPath,
        id: IntentId,
        outcome: &IntentOutcome,
    ) {
        let object = &view.objects()[path];
        let Some(intent) = object.intent.as_ref().filter(|intent| intent.id == id) else { return };
        let (IntentGoal::Stopped, IntentOutcome::Done, Some(rules)) = (&intent.goal, outcome, &object.rules) else {
            return;
        };
        for (name, node) in nodes {
            let begun = node.machine.disk.get(path).is_some_and(|disk| disk.begun.is_some() || disk.ended.is_some());
            if node.machine.runs(path, rules) && !begun && nodes.len() == 1 {
                self.violate("outcome", format!("{path} is stopped, and runs on {name}"));
            }
        }
    }

    /// Long after the last order, each has ended.
    pub(crate) fn ended_orders(&mut self, store: &StoreState, path: &ObjectPath) {
        let orders = self.outcome.accepted.iter().filter(|(_, of)| *of == path);
        let open: Vec<IntentId> = orders.map(|(id, _)| *id).filter(|id| !self.outcome.ended.contains_key(id)).collect();
        for id in open {
            let intent = store.objects.get(path).and_then(|document| document.view.intent.clone());
            self.violate("outcome", format!("{path}: the order {id} has not ended: {intent:?}"));
        }
    }
}
