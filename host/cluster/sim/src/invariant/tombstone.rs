//! Nothing is deleted from a node without a tombstone in the store.

use model::{NodeName, ObjectPath};

use super::Checks;
use crate::store::StoreState;

impl Checks {
    pub(crate) fn deletes(&mut self, store: &StoreState, node: &NodeName, path: &ObjectPath) {
        if !store.objects.get(path).is_some_and(|document| document.view.tombstone) {
            self.violate("tombstone", format!("{path} was deleted from {node}"));
        }
    }
}
