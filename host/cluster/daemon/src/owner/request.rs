//! Answers to what others ask.

use orchestrate::{BootTime, NodeDrain};
use protocol::FailureKind;
use protocol::daemon::{EventKind, NodeOrder, NodeOrderRequest, ProcessDocument};
use replica::request;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};

use super::Owner;
use super::action::cause_word;
use super::shared::SentRequest;
use crate::{Asked, DaemonRequest, RequestError};

/// A drain at the end of the daemon takes no longer than this.
const DRAIN_TIME: Duration = Duration::from_secs(3600);

impl Owner {
    pub(super) fn answer(&mut self, request: DaemonRequest) {
        match request {
            DaemonRequest::Status(answer) => {
                let _ = answer.send(Ok(Arc::new(self.status_document())));
            }
            DaemonRequest::Order { path, order, by, answer } => self.take_order(path, order, by, answer),
            DaemonRequest::OrderState { path, id, answer } => {
                let _ = answer.send(self.order_state(&path, id.as_deref()));
            }
            DaemonRequest::Explain { path, answer } => self.answer_why(path, answer),
            DaemonRequest::Processes(answer) => {
                let _ = answer.send(Ok(self.processes()));
            }
            DaemonRequest::Kill { id, answer } => {
                let _ = answer.send(self.kill(id));
            }
            DaemonRequest::OrderNode { node, order, answer } => self.order_node(&node, &order, answer),
            DaemonRequest::AcceptEngine(answer) => self.accept_engine(answer),
            DaemonRequest::Evict { node, life, answer } => self.evict_by_hand(&node, life, answer),
            DaemonRequest::Refresh { path, answer } => self.refresh(path, answer),
            DaemonRequest::Stop { drain, keep, answer } => self.stop(drain, keep, answer),
            DaemonRequest::Ping { from, ping, answer } => {
                let _ = answer.send(Ok(self.answer_ping(from, &ping)));
            }
        }
    }

    fn processes(&self) -> Vec<ProcessDocument> {
        let acting = self.instances.iter().filter_map(|(path, instance)| Some((path, instance.acting.as_ref()?)));
        let document = |(path, acting): (&ObjectPath, &crate::instance::DaemonAction)| ProcessDocument {
            id: acting.process,
            path: path.clone(),
            rids: match &acting.step.scope {
                orchestrate::ActionScope::Whole => Vec::new(),
                orchestrate::ActionScope::Resources(rids) => rids.iter().cloned().collect(),
            },
            action: acting.step.action.as_str().to_owned(),
            cause: cause_word(acting.step.cause),
            began_at: acting.began_at,
        };
        acting.map(document).chain(self.run_documents()).collect()
    }

    fn kill(&mut self, id: u64) -> Result<(), RequestError> {
        let acting = self.instances.values_mut().filter_map(|instance| instance.acting.as_mut());
        if let Some(acting) = acting.into_iter().find(|acting| acting.process == id) {
            acting.killed = true;
            acting.cancel.cancel();
            return Ok(());
        }
        if let Some(run) = self.runs.values().find(|run| run.process == id) {
            run.cancel.cancel();
            return Ok(());
        }
        Err(RequestError::new(FailureKind::NoMatch, format!("nothing of number {id} runs: see om daemon ps")))
    }

    fn order_node(&mut self, node: &NodeName, order: &NodeOrderRequest, answer: Asked<bool>) {
        let known = self.cluster_nodes();
        if !known.contains(node) {
            let known: Vec<&str> = known.iter().map(NodeName::as_str).collect();
            let text = format!("{node} is not a node of this cluster: its nodes are {}", known.join(" "));
            let _ = answer.send(Err(RequestError::new(FailureKind::NoMatch, text)));
            return;
        }
        if let Some(refusal) = self.engine_refusal() {
            let _ = answer.send(Err(refusal));
            return;
        }
        let until = (crate::clock::wall() as u64).saturating_add(order.time.unwrap_or(DRAIN_TIME.as_secs()));
        let (txn, kind) = match order.verb {
            NodeOrder::Freeze => (request::freeze_node(&self.shared, node, true), EventKind::NodeFrozen),
            NodeOrder::Thaw => (request::freeze_node(&self.shared, node, false), EventKind::NodeThawed),
            NodeOrder::Drain => (request::drain_node(&self.shared, node, until), EventKind::NodeDrained),
        };
        match txn {
            Some(txn) => {
                let data = if *node == self.me { json!({}) } else { json!({ "node": node.as_str() }) };
                self.add_event(kind, None, data);
                self.send(SentRequest::NodeFlags(answer), txn);
            }
            None => {
                let _ = answer.send(Ok(false));
            }
        }
    }

    fn refresh(&mut self, path: Option<ObjectPath>, answer: Asked<()>) {
        let Some(path) = path else {
            self.scan();
            let paths: Vec<ObjectPath> = self.instances.keys().cloned().collect();
            for path in &paths {
                self.read(path);
                self.probe_soon(path);
            }
            let _ = answer.send(Ok(()));
            return;
        };
        let Some(instance) = self.instances.get_mut(&path).filter(|instance| !instance.missing) else {
            let _ = answer.send(Err(RequestError::new(FailureKind::NoMatch, format!("{path} does not exist"))));
            return;
        };
        instance.waiting.push(answer);
        self.read(&path);
        self.probe_soon(&path);
    }

    /// Takes over whether this node is drained, as the store says.
    pub(super) fn follow_drain(&mut self) {
        // A daemon that ends drains, or does not, as it was asked to.
        if self.ending.is_some() {
            return;
        }
        let until = self.shared.drain_of(&self.me);
        // The store has the time of day, which every node can read; from here on it counts on the clock since the
        // boot, which no hand sets.
        let left = |until: u64| Duration::from_secs(until.saturating_sub(crate::clock::wall() as u64));
        let drain = until.map(|until| NodeDrain { deadline: crate::clock::now() + left(until), shutdown: false });
        if drain.is_some() != self.node.drain.is_some() || drain.is_some() {
            self.node.drain = drain;
            self.changes.push(orchestrate::ViewChange::Node(self.me.clone()));
        }
    }

    /// Why the daemon does not end just so: what has a slot here would go on, and no other node would take over from it.
    fn kept_slots(&self) -> Option<RequestError> {
        let held: Vec<String> = self.slots_held();
        let first = held.first()?;
        let rest = if held.len() > 1 { format!(" and {} more", held.len() - 1) } else { String::new() };
        let text = format!(
            "{first}{rest} run here with their slots: --drain stops them, so that they move; --keep leaves them running, and no node \
             takes over from this one until its daemon is back"
        );
        Some(RequestError::new(FailureKind::Busy, text))
    }

    fn stop(&mut self, drain: bool, keep: bool, answer: Asked<()>) {
        if let Some(refusal) = self.kept_slots().filter(|_| !drain && !keep) {
            let _ = answer.send(Err(refusal));
            return;
        }
        if self.ending.is_some() {
            let _ = answer.send(Err(RequestError::new(FailureKind::Busy, "the daemon is ending already")));
            return;
        }
        let deadline: BootTime = crate::clock::now() + DRAIN_TIME;
        self.node.drain = drain.then_some(NodeDrain { deadline, shutdown: false });
        self.ending = Some(answer);
        self.changes.push(orchestrate::ViewChange::Node(self.me.clone()));
        self.add_event(EventKind::DaemonEnd, None, json!({ "drain": drain }));
    }
}
