//! What the acceptance of an order changes. The store commits these changes together; a view shows them after.

use super::{Intent, IntentOutcome};
use crate::{IntentId, ObjectView};

/// An order that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAcceptance {
    pub id: IntentId,
    pub changes: Vec<OrderChange>,
    /// How it ended, if the changes are all that it asks for.
    pub outcome: Option<IntentOutcome>,
}

/// One of the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderChange {
    /// The order before it ends.
    End {
        id: IntentId,
        outcome: IntentOutcome,
    },
    Begin(Intent),
    /// The target of an order that failed is given up.
    Forget,
    /// Failures and attempts are forgotten, and nothing else is.
    Clear,
    /// Every instance is frozen.
    Freeze,
    /// Every instance is thawed.
    Thaw,
    /// So are its nodes.
    ThawNodes,
    Tombstone,
    /// The deletion is given up.
    Unbury,
}

impl OrderAcceptance {
    /// Whether the changes rest on the object's intent, so that they are committed only if it is still as it was viewed. Of
    /// freezes and thaws, the last one committed counts.
    pub fn rests_on_intent(&self) -> bool {
        self.changes.iter().any(|change| !matches!(change, OrderChange::Freeze | OrderChange::Thaw))
    }
}

impl OrderChange {
    /// Changes an object. What concerns nodes is not its own.
    pub fn apply(&self, object: &mut ObjectView) {
        match self {
            OrderChange::End { id, outcome } => object.end_intent(*id, outcome.clone()),
            OrderChange::Begin(intent) => object.intent = Some(intent.clone()),
            OrderChange::Forget => object.intent = None,
            OrderChange::Clear => object.clear(),
            OrderChange::Freeze => object.set_frozen(true),
            OrderChange::Thaw => object.set_frozen(false),
            OrderChange::ThawNodes => {}
            OrderChange::Tombstone => object.tombstone = true,
            OrderChange::Unbury => object.tombstone = false,
        }
    }
}

impl ObjectView {
    /// Ends an intent, if it is the present one and has not ended. An outcome is never replaced.
    pub fn end_intent(&mut self, id: IntentId, outcome: IntentOutcome) {
        if let Some(intent) = self.intent.as_mut().filter(|intent| intent.id == id) {
            intent.outcome.get_or_insert(outcome);
        }
    }

    fn clear(&mut self) {
        for instance in self.instances.values_mut() {
            instance.failure = None;
            instance.clears += 1;
        }
        if let Some(intent) = &mut self.intent {
            intent.clear();
        }
    }

    fn set_frozen(&mut self, frozen: bool) {
        self.instances.values_mut().for_each(|instance| instance.frozen = frozen);
    }
}
