//! What the store must know of an object before anything is decided about it: its configuration, how its last action ended,
//! what a person marked by hand, and the orders that wait. Each turn sends what is first among what is missing.

use std::sync::Arc;

use model::ObjectPath;
use orchestrate::{ConfigState, StoreRevision, ViewChange};
use replica::object_view;
use replica::request::{self, ConfigPublication};
use store::TxnRequest;

use super::Owner;
use super::shared::SentRequest;
use crate::instance::{Instance, LoadedConfig, ReadState};

impl Owner {
    /// Brings the store and the view up to date for all objects that something has changed for.
    pub(super) fn keep_up(&mut self) {
        for path in std::mem::take(&mut self.dirty) {
            self.view_again(&path);
            if self.settle_record(&path) {
                self.view_again(&path);
            }
            self.send_missing(&path);
            self.unreported.insert(path.clone());
            self.changes.push(ViewChange::Object(path));
        }
    }

    fn send_missing(&mut self, path: &ObjectPath) {
        let waits = self.sending.contains(path) || self.awaited.contains_key(path) || self.retries.contains_key(path);
        if waits || self.shared_lost {
            return;
        }
        let Some(instance) = self.instances.get(path) else {
            // It is gone, and so is what was ordered about it.
            self.send_order(path);
            return;
        };
        // First, as the instance is busy until the store has it.
        if let Some(report) = &instance.ended {
            match request::report(&self.shared, path, &self.me, report) {
                Some(txn) => self.send(SentRequest::Report(path.clone()), txn),
                None => self.reported(path),
            }
            return;
        }
        let missing = if self.member.is_some() { self.agree(path) } else { self.missing_upkeep(path, instance) };
        if let Some(txn) = missing {
            self.send(SentRequest::Upkeep(path.clone()), txn);
            return;
        }
        if self.sending.contains(path) {
            return;
        }
        let unsaid = self.instances.get(path).and_then(|instance| self.unsaid_instance(path, instance));
        if let Some(txn) = unsaid {
            self.send(SentRequest::Upkeep(path.clone()), txn);
            return;
        }
        // Last, as an order is accepted by a view that has all of the above.
        self.send_order(path);
    }

    fn missing_upkeep(&self, path: &ObjectPath, instance: &Instance) -> Option<TxnRequest> {
        if instance.missing || self.is_of_another(path, instance) {
            return self.forgetting(path, instance);
        }
        let loaded = instance.loaded.as_ref().filter(|loaded| loaded.is_here())?;
        let scope = std::slice::from_ref(&self.me);
        let config = ConfigPublication { checksum: &loaded.checksum, text: None, scope };
        if let Some(txn) = request::publish_config(&self.shared, path, config) {
            return Some(txn);
        }
        let row = &self.shared.objects.get(path)?.row.as_ref()?.value;
        let mark = row.instances.get(self.me.as_str())?;
        // Set by hand, or at the last run of the daemon: the file says how it is.
        if mark.frozen != instance.frozen {
            let frozen = instance.frozen;
            return request::mark(&self.shared, path, &self.me, |mark| mark.frozen = frozen);
        }
        None
    }

    /// Whether what the store knows is of an object that was deleted, and the configuration is of a new one with its name. The
    /// order that deleted the former must not reach the new one.
    pub(crate) fn is_of_another(&self, path: &ObjectPath, instance: &Instance) -> bool {
        let row = self.shared.objects.get(path).and_then(|object| object.row.as_ref());
        let Some(row) = row.map(|row| &row.value).filter(|row| row.tombstone) else { return false };
        let deleted = row.instances.get(self.me.as_str()).is_some_and(|mark| mark.deleted);
        let changed = instance.loaded.as_ref().is_some_and(|loaded| loaded.checksum != row.checksum);
        deleted || (changed && !instance.is_busy())
    }

    /// A configuration that is gone takes the object with it, when nothing more is to be done for it.
    fn forgetting(&self, path: &ObjectPath, instance: &Instance) -> Option<TxnRequest> {
        let view = self.views.get(path);
        let open = view.is_some_and(|view| view.open_intent().is_some());
        if open || instance.is_busy() {
            return None;
        }
        request::forget(&self.shared, path)
    }

    /// Draws what follows from new statuses for what is remembered. Returns whether something does.
    fn settle_record(&mut self, path: &ObjectPath) -> bool {
        let Some(instance) = self.instances.get(path) else { return false };
        let (Some(rules), Some(view)) = (&instance.local.rules, self.views.get(path)) else { return false };
        let Some(mut own) = view.instances.get(&self.me).cloned() else { return false };
        own.settle_record(rules);
        let changes = own.record != instance.local.record;
        if changes {
            self.remember(path, |record| *record = own.record);
        }
        changes
    }

    /// Makes the view of an object anew.
    pub(super) fn view_again(&mut self, path: &ObjectPath) {
        let Some(shared) = self.shared.objects.get(path) else {
            self.views.remove(path);
            // While its file is read, the object may be there again.
            let is_over =
                |instance: &Instance| instance.missing && !instance.is_busy() && instance.loading == ReadState::Idle;
            if self.instances.get(path).is_some_and(is_over) {
                self.instances.remove(path);
                self.decisions.remove(path);
                self.groups.retain(|_, owner| owner != path);
            }
            return;
        };
        let of_another = self.instances.get(path).is_some_and(|instance| self.is_of_another(path, instance));
        if let (Some(instance), Some(row)) = (self.instances.get_mut(path), &shared.row) {
            let revision = if row.value.config_revision == 0 { row.revision } else { row.value.config_revision };
            instance.local.config = match !of_another && instance.loaded.as_ref().is_some_and(LoadedConfig::is_here) {
                true => instance.config_state(&row.value.checksum, StoreRevision(revision)),
                false => ConfigState::Missing,
            };
        }
        let local = self.instances.get(path).map(|instance| &instance.local);
        match object_view(&self.shared, path, &self.node, local) {
            Some(view) => self.views.insert(path.clone(), Arc::new(view)),
            None => self.views.remove(path),
        };
    }
}
