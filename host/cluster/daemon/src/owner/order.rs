//! Orders: accepted by the orchestrator, committed to the store, and acknowledged when they are durable.

use std::time::Duration;

use agent::Agent;
use model::ObjectPath;
use orchestrate::{
    ActionEnd, BootTime, Intent, IntentGoal, IntentId, IntentOutcome, OperatorOrder, OrderAcceptance, OrderChange,
    OrderRefusal, OrderVerb, accept,
};
use protocol::FailureKind;
use protocol::daemon::{
    EventKind, OrderCommand, OrderDocument, OrderReceipt, OrderRequest, OrderState, OrderStep, ReasonDocument,
};
use replica::{RowClock, request};
use serde_json::json;
use store::{StoreError, TxnOutcome};

use super::probe::can_look;
use super::shared::{SentRequest, failure};
use super::{Message, Owner};
use crate::instance::{Instance, LoadedConfig, ReadState};
use crate::{Asked, RequestError};

/// How long an order may take that does not say.
const LIFETIME: Duration = Duration::from_secs(3600);
/// How long an order waits for a look at what it is about.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// How many ended orders are remembered.
const PAST: usize = 200;

/// An order that waits for its turn.
pub(crate) struct WaitingOrder {
    pub(crate) order: OperatorOrder,
    pub(crate) by: String,
    pub(crate) command: String,
    pub(crate) since: BootTime,
    pub(crate) answer: Asked<OrderReceipt>,
}

/// An order that was accepted, and is being written down.
pub(crate) struct AcceptedOrder {
    waiting: WaitingOrder,
    acceptance: OrderAcceptance,
}

impl Owner {
    pub(super) fn take_order(
        &mut self,
        path: ObjectPath,
        request: OrderRequest,
        by: String,
        answer: Asked<OrderReceipt>,
    ) {
        if let Some(refusal) = self.engine_refusal() {
            let _ = answer.send(Err(refusal));
            return;
        }
        let order = OperatorOrder {
            id: IntentId(uuid::Uuid::new_v4().as_u128()),
            verb: verb(request.verb),
            supersede: request.supersede,
            force: request.force,
            lifetime: request.time.map_or(LIFETIME, Duration::from_secs),
        };
        let waiting = WaitingOrder { order, by, command: request.command, since: crate::clock::now(), answer };
        if rests_on_status(&waiting.order.verb) {
            self.probe_soon(&path);
            let (mail, path) = (self.mail.clone(), path.clone());
            tokio::spawn(async move {
                tokio::time::sleep(LOOK_PATIENCE).await;
                let _ = mail.send(Message::Waited(path));
            });
        }
        self.orders.entry(path.clone()).or_default().push_back(waiting);
        // An order about what was made a moment ago: its file is read first.
        if self.instances.get(&path).is_none_or(|instance| instance.missing || self.is_of_another(&path, instance)) {
            self.read(&path);
        }
        self.touch(&path);
    }

    /// Sends the first of the orders that wait about an object.
    pub(super) fn send_order(&mut self, path: &ObjectPath) {
        if !self.orders.contains_key(path) {
            return;
        }
        // An order right after `create` waits until the configuration is read and in the store, instead of being
        // refused as unknown.
        let is_known = |instance: &Instance| {
            let here = instance.loaded.as_ref().is_some_and(LoadedConfig::is_here);
            let published = instance.missing || !here || self.views.contains_key(path);
            instance.loading == ReadState::Idle && published && !self.is_of_another(path, instance)
        };
        if !self.instances.get(path).is_none_or(is_known) || !self.node.ready {
            return;
        }
        if self.orders.get(path).and_then(|queue| queue.front()).is_some_and(|first| self.awaits_look(path, first)) {
            return;
        }
        let Some(queue) = self.orders.get_mut(path) else { return };
        let Some(waiting) = queue.pop_front() else {
            self.orders.remove(path);
            return;
        };
        // Another node may have what this one has not received yet.
        let elsewhere = self.member.is_some() && self.shared.objects.contains_key(path);
        let gone = !elsewhere && self.instances.get(path).is_none_or(|instance| instance.missing);
        match self.accept_order(path, &waiting.order) {
            // What is left of it in the store takes no new orders, but one that has not ended can be given up.
            Ok(_) if gone && waiting.order.verb != OrderVerb::Abort => {
                self.refuse_order(path, waiting, &OrderRefusal::Unknown(path.clone()));
            }
            Ok(acceptance) => self.commit_order(path, waiting, acceptance),
            Err(refusal) => self.refuse_order(path, waiting, &refusal),
        }
    }

    /// Whether an order is to be decided upon a look that began after it came, and not upon one of long ago. A look that does not end
    /// keeps none waiting for long: a stop must be possible where something hangs.
    fn awaits_look(&self, path: &ObjectPath, waiting: &WaitingOrder) -> bool {
        let can_come = |instance: &Instance| can_look(instance) && instance.looked < waiting.since;
        rests_on_status(&waiting.order.verb)
            && crate::clock::now() < waiting.since + LOOK_PATIENCE
            && self.instances.get(path).is_some_and(can_come)
    }

    fn accept_order(&mut self, path: &ObjectPath, order: &OperatorOrder) -> Result<OrderAcceptance, OrderRefusal> {
        let now = crate::clock::now();
        self.view_again(path);
        let parts = replica::view_parts(&self.shared, &self.node, self.views.clone(), now);
        // What this node has written and not seen yet is about other objects: this one has no request under way.
        let parts = orchestrate::ViewParts { written: None, ..parts };
        let view = orchestrate::View::new(parts, &self.me).map_err(|_| OrderRefusal::Unknown(path.clone()))?;
        accept(&view, path, &self.me, now, order)
    }

    /// Sends what an accepted order changes. A freeze is in its file before: a reader who looks after the order is acknowledged sees it,
    /// with and without the daemon.
    fn commit_order(&mut self, path: &ObjectPath, waiting: WaitingOrder, acceptance: OrderAcceptance) {
        let boot = self.node.boot.clone();
        let clock = RowClock { boot: &boot, now: crate::clock::now() };
        let Some(txn) = request::accept(&self.shared, path, &acceptance, clock) else {
            self.refuse_order(path, waiting, &OrderRefusal::Unknown(path.clone()));
            return;
        };
        let (agent, object, changes) = (self.agent.clone(), path.clone(), acceptance.changes.clone());
        let marks = move || changes.iter().for_each(|change| mark_file(&agent, &object, change));
        let order = Box::new(AcceptedOrder { waiting, acceptance });
        self.send_after(marks, SentRequest::Order(path.clone(), order), txn);
    }

    /// The files say the same as the store by now.
    fn note_marks(&mut self, path: &ObjectPath, changes: &[OrderChange]) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        for change in changes {
            match change {
                OrderChange::Freeze => instance.frozen = true,
                OrderChange::Thaw => instance.frozen = false,
                OrderChange::Clear => instance.hand_clears += 1,
                _ => {}
            }
        }
    }

    fn refuse_order(&mut self, path: &ObjectPath, waiting: WaitingOrder, refusal: &OrderRefusal) {
        let kind = match refusal {
            OrderRefusal::Unknown(_) => FailureKind::NoMatch,
            OrderRefusal::Busy(_) => FailureKind::Busy,
            _ => FailureKind::Failed,
        };
        let data = json!({ "by": waiting.by, "command": waiting.command, "reason": refusal.to_string() });
        self.add_event(EventKind::OrderRefused, Some(path), data);
        let _ = waiting.answer.send(Err(RequestError::new(kind, refusal.to_string())));
        self.touch(path);
    }

    pub(super) fn order_answered(
        &mut self,
        path: &ObjectPath,
        order: AcceptedOrder,
        outcome: Result<TxnOutcome, StoreError>,
    ) {
        let AcceptedOrder { waiting, acceptance } = order;
        match outcome {
            Ok(TxnOutcome::Applied { revision }) => {
                self.note_marks(path, &acceptance.changes);
                if let Some(instance) = self.instances.get_mut(path) {
                    instance.local.order_seen = crate::clock::now();
                }
                let id = acceptance.id.to_string();
                let data = json!({ "id": id, "by": waiting.by, "command": waiting.command, "verb": word(&waiting.order.verb) });
                self.add_event(EventKind::OrderAccepted, Some(path), data);
                for change in &acceptance.changes {
                    self.tell_superseded(path, change);
                }
                if let Some(outcome) = &acceptance.outcome {
                    let document = at_once(path, &id, &waiting.order.verb, outcome);
                    self.end_order(path, document);
                }
                let receipt = OrderReceipt { id, path: path.clone(), ended: acceptance.outcome.is_some() };
                self.receipts.push((revision, receipt, waiting.answer));
            }
            // The object has changed in between: it is looked at again.
            Ok(TxnOutcome::Refused { .. }) => {
                self.orders.entry(path.clone()).or_default().push_front(waiting);
                self.touch(path);
            }
            Err(error) => {
                let _ = waiting.answer.send(Err(failure(&error)));
            }
        }
    }

    /// Acknowledges the orders that are durable and that the view shows: the next request finds them.
    pub(super) fn acknowledge(&mut self) {
        let seen = self.shared.revision;
        for (_, receipt, answer) in self.receipts.extract_if(.., |(revision, _, _)| *revision <= seen) {
            let _ = answer.send(Ok(receipt));
        }
    }

    fn tell_superseded(&mut self, path: &ObjectPath, change: &OrderChange) {
        let OrderChange::End { id, outcome } = change else { return };
        let intent = self.views.get(path).and_then(|view| view.intent.clone()).filter(|intent| intent.id == *id);
        if let Some(intent) = intent {
            let document = order_document(path, &Intent { outcome: Some(outcome.clone()), ..intent }, Vec::new());
            self.end_order(path, document);
        }
    }

    /// An order has ended.
    pub(super) fn end_order(&mut self, path: &ObjectPath, document: OrderDocument) {
        if self.past_orders.iter().any(|past| past.id == document.id) {
            return;
        }
        let data = serde_json::to_value(&document).unwrap_or_default();
        self.add_event(EventKind::OrderEnd, Some(path), data);
        if self.past_orders.len() == PAST {
            self.past_orders.pop_front();
        }
        self.past_orders.push_back(document);
    }

    /// What became of an order.
    pub(super) fn order_state(&self, path: &ObjectPath, id: Option<&str>) -> Result<OrderDocument, RequestError> {
        let is_it = |document: &&OrderDocument| document.path == *path && id.is_none_or(|id| id == document.id);
        let present = self.order_of(path);
        let found = present.as_ref().filter(is_it).or_else(|| self.past_orders.iter().rev().find(is_it)).cloned();
        found.ok_or_else(|| {
            let which = id.map_or_else(|| "no order was given".to_owned(), |id| format!("no order {id} is known"));
            RequestError::new(FailureKind::NoMatch, format!("{path}: {which}"))
        })
    }

    /// The last order about an object, with what it waits for.
    pub(super) fn order_of(&self, path: &ObjectPath) -> Option<OrderDocument> {
        let intent = self.views.get(path)?.intent.as_ref()?;
        let reasons = self.decisions.get(path).map(|decision| decision.reasons.iter().map(reason).collect());
        Some(order_document(path, intent, reasons.unwrap_or_default()))
    }
}

/// Whether the status of the instances decides what is done.
fn rests_on_status(verb: &OrderVerb) -> bool {
    !matches!(verb, OrderVerb::Freeze | OrderVerb::Thaw | OrderVerb::Abort | OrderVerb::Clear)
}

/// What an order changes in the files of the instance. That a file cannot be written the next look shows.
fn mark_file(agent: &Agent, path: &ObjectPath, change: &OrderChange) {
    let _ = match change {
        OrderChange::Freeze => agent.freeze(path),
        OrderChange::Thaw => agent.thaw(path),
        OrderChange::Clear => agent.clear(path),
        _ => return,
    };
}

/// An intent, as a document. What it waits for counts while it has not ended.
pub(super) fn order_document(path: &ObjectPath, intent: &Intent, waits: Vec<ReasonDocument>) -> OrderDocument {
    let (state, reasons) = match &intent.outcome {
        None => (OrderState::Running, waits),
        Some(outcome) => (state_of(outcome), reasons_of(outcome)),
    };
    let steps = intent.records.iter().flat_map(|(node, records)| {
        records.iter().map(|record| OrderStep {
            node: node.clone(),
            action: record.action.as_str().to_owned(),
            failure: match &record.end {
                ActionEnd::Failure(text) => Some(text.clone()),
                _ => None,
            },
            interrupted: record.end == ActionEnd::Interruption,
        })
    });
    OrderDocument {
        id: intent.id.to_string(),
        path: path.clone(),
        target: intent.target().to_owned(),
        state,
        reasons,
        steps: steps.collect(),
    }
}

/// An order that ended when it was accepted.
fn at_once(path: &ObjectPath, id: &str, verb: &OrderVerb, outcome: &IntentOutcome) -> OrderDocument {
    OrderDocument {
        id: id.to_owned(),
        path: path.clone(),
        target: word(verb).to_owned(),
        state: state_of(outcome),
        reasons: reasons_of(outcome),
        steps: Vec::new(),
    }
}

fn state_of(outcome: &IntentOutcome) -> OrderState {
    match outcome {
        IntentOutcome::Done => OrderState::Done,
        IntentOutcome::Failure(_) => OrderState::Failed,
        IntentOutcome::Abortion => OrderState::Aborted,
        IntentOutcome::Supersession(_) => OrderState::Superseded,
        IntentOutcome::Expiry(_) => OrderState::Expired,
    }
}

fn reasons_of(outcome: &IntentOutcome) -> Vec<ReasonDocument> {
    match outcome {
        IntentOutcome::Failure(why) => vec![reason(why)],
        IntentOutcome::Expiry(reasons) => reasons.iter().map(reason).collect(),
        IntentOutcome::Supersession(id) => {
            vec![ReasonDocument { code: "superseded".to_owned(), text: format!("the order {id} took its place") }]
        }
        IntentOutcome::Done | IntentOutcome::Abortion => Vec::new(),
    }
}

/// A reason, as a document.
pub(super) fn reason(reason: &orchestrate::Reason) -> ReasonDocument {
    ReasonDocument { code: reason.code().to_owned(), text: reason.to_string() }
}

/// What `om mon` shows behind `>` for an open order.
pub(super) fn global_expect(goal: &IntentGoal, intent: &Intent) -> String {
    match goal {
        IntentGoal::Placed { on } => {
            let nodes: Vec<&str> = on.iter().map(model::NodeName::as_str).collect();
            format!("placed@{}", nodes.join(","))
        }
        _ => intent.target().to_owned(),
    }
}

fn verb(command: OrderCommand) -> OrderVerb {
    match command {
        OrderCommand::Start => OrderVerb::Start,
        OrderCommand::Stop => OrderVerb::Stop,
        OrderCommand::Restart => OrderVerb::Restart,
        OrderCommand::Freeze => OrderVerb::Freeze,
        OrderCommand::Thaw => OrderVerb::Thaw,
        OrderCommand::Provision => OrderVerb::Provision,
        OrderCommand::Unprovision => OrderVerb::Unprovision,
        OrderCommand::Purge => OrderVerb::Purge,
        OrderCommand::Delete => OrderVerb::Delete,
        OrderCommand::Switch { to } => OrderVerb::Switch { to },
        OrderCommand::Takeover => OrderVerb::Takeover,
        OrderCommand::Giveback => OrderVerb::Giveback,
        OrderCommand::Abort => OrderVerb::Abort,
        OrderCommand::Clear => OrderVerb::Clear,
    }
}

fn word(verb: &OrderVerb) -> &'static str {
    match verb {
        OrderVerb::Start => "start",
        OrderVerb::Stop => "stop",
        OrderVerb::Restart => "restart",
        OrderVerb::Freeze => "freeze",
        OrderVerb::Thaw => "thaw",
        OrderVerb::Provision => "provision",
        OrderVerb::Unprovision => "unprovision",
        OrderVerb::Purge => "purge",
        OrderVerb::Delete => "delete",
        OrderVerb::Switch { .. } => "switch",
        OrderVerb::Takeover => "takeover",
        OrderVerb::Giveback => "giveback",
        OrderVerb::Abort => "abort",
        OrderVerb::Clear => "clear",
    }
}
