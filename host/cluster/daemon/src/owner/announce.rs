//! Events: what has changed since the last turn.

use model::{ObjectPath, status::State};
use orchestrate::{ActionEnd, Reason};
use protocol::daemon::EventKind;
use serde_json::{Value, json};

use super::Owner;
use super::order::order_document;
use crate::instance::running_word;

impl Owner {
    /// Adds an event that happens now.
    pub(crate) fn add_event(&self, kind: EventKind, path: Option<&ObjectPath>, data: Value) {
        self.events.add(crate::clock::wall(), kind, path, data);
    }

    /// Tells what has changed in the instances and the orders that this turn was about.
    pub(super) fn announce(&mut self) {
        for path in std::mem::take(&mut self.unreported) {
            self.announce_state(&path);
            self.announce_status(&path);
            self.announce_order(&path);
            if !self.instances.contains_key(&path) && self.last_reports.remove(&path).is_some() {
                self.add_event(EventKind::ObjectDeleted, Some(&path), Value::Null);
            }
        }
    }

    fn announce_state(&mut self, path: &ObjectPath) {
        let state = self.state_word(path);
        let Some(instance) = self.instances.get_mut(path) else { return };
        if instance.state != state {
            instance.state.clone_from(&state);
            instance.updated_at = crate::clock::wall();
            self.add_event(EventKind::InstanceState, Some(path), json!({ "state": state }));
        }
    }

    fn announce_status(&mut self, path: &ObjectPath) {
        let Some(status) = self.instances.get(path).and_then(|instance| instance.status.as_ref()) else { return };
        let now = ReportedStatus {
            avail: status.sums.avail,
            overall: status.sums.overall,
            provisioned: status.sums.provisioned.to_string(),
            frozen: self.instances[path].frozen,
        };
        let before = self.last_reports.get(path);
        if before == Some(&now) {
            return;
        }
        if before.is_none() {
            self.add_event(EventKind::ObjectCreated, Some(path), Value::Null);
        }
        let data = json!({
            "avail": now.avail.to_string(),
            "overall": now.overall.to_string(),
            "provisioned": now.provisioned,
            "frozen": now.frozen,
        });
        self.add_event(EventKind::InstanceStatus, Some(path), data.clone());
        // With one node, the object is as its instance is.
        self.add_event(EventKind::ObjectStatus, Some(path), data);
        self.last_reports.insert(path.clone(), now);
    }

    fn announce_order(&mut self, path: &ObjectPath) {
        let Some(intent) = self.views.get(path).and_then(|view| view.intent.clone()) else { return };
        let id = intent.id.to_string();
        if self.past_orders.iter().any(|past| past.id == id) {
            return;
        }
        let records: Vec<_> =
            intent.records.iter().flat_map(|(node, records)| records.iter().map(move |it| (node, it))).collect();
        let reported = self.reported_steps.get(&intent.id.0).copied().unwrap_or(0);
        for (node, record) in records.iter().skip(reported) {
            let error = match &record.end {
                ActionEnd::Failure(text) => Some(text.clone()),
                _ => None,
            };
            let data = json!({
                "id": id,
                "node": node.to_string(),
                "action": record.action.as_str(),
                "error": error,
                "interrupted": record.end == ActionEnd::Interruption,
            });
            self.add_event(EventKind::OrderStep, Some(path), data);
        }
        self.reported_steps.insert(intent.id.0, records.len());
        if intent.outcome.is_some() {
            self.reported_steps.remove(&intent.id.0);
            self.end_order(path, order_document(path, &intent, Vec::new()));
        }
    }

    /// What is done with an instance, in the words of OpenSVC's instance monitor.
    pub(super) fn state_word(&self, path: &ObjectPath) -> String {
        let Some(instance) = self.instances.get(path) else { return "n/a".to_owned() };
        if let Some(running) = &instance.local.running {
            return running_word(running.action).to_owned();
        }
        let own = self.views.get(path).and_then(|view| view.instances.get(&self.me));
        if let Some(failure) = own.and_then(|own| own.failure.as_ref()) {
            return format!("{} failed", failure.action.as_str());
        }
        let reasons = self.decisions.get(path).map_or(&[][..], |decision| decision.reasons.as_slice());
        let word = reasons.iter().find_map(|reason| match reason {
            Reason::WaitParents { .. } => Some("wait parents"),
            Reason::WaitChildren { .. } => Some("wait children"),
            Reason::WaitLeader { .. } => Some("wait leader"),
            Reason::WaitNonLeader { .. } => Some("wait non-leader"),
            Reason::WaitPrior { .. } => Some("wait priors"),
            Reason::SlotBlocked { .. } => Some("blocked"),
            Reason::Fencing { .. } => Some("fencing"),
            Reason::FenceFailed { .. } => Some("fence failed"),
            _ => None,
        });
        match (word, self.node.ready) {
            (Some(word), _) => word.to_owned(),
            (None, true) => "idle".to_owned(),
            (None, false) => "init".to_owned(),
        }
    }
}

/// The status of an instance, as it was last reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportedStatus {
    avail: State,
    overall: State,
    provisioned: String,
    frozen: bool,
}
