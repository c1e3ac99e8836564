//! What comes next: the view is made whole, the orchestrator decides, and its steps are done.

use std::time::Duration;

use model::ObjectPath;
use orchestrate::{BootPhase, BootTime, MonitorAction, MonitorEpisode, SlotStep, Step, View};
use protocol::daemon::EventKind;
use replica::request;
use replica::view_parts;
use serde_json::json;

use super::shared::SentRequest;
use super::{Message, Owner};

/// How long `pre_monitor_action` may take.
const PRE_MONITOR_TIME: Duration = Duration::from_secs(60);

impl Owner {
    /// Decides about all that has changed or become due.
    pub(super) fn decide(&mut self, now: BootTime) {
        // Before every instance was looked at nothing is decided, and then about all of them.
        if !self.node.ready {
            self.changes.clear();
            return;
        }
        let is_over = |drain: orchestrate::NodeDrain| drain.deadline <= now;
        let due = self.cache.wake_at().is_some_and(|wake| wake <= now) || self.node.drain.is_some_and(is_over);
        if (self.changes.is_empty() && !due) || self.shared_lost || self.ending_without_drain() {
            return;
        }
        self.node.load = crate::machine::load();
        let parts = view_parts(&self.shared, &self.node, self.views.clone(), now);
        let Ok(view) = View::new(parts, &self.me) else {
            // Not whole, or older than what this node has written: the change that makes it so is on its way.
            self.view = None;
            return;
        };
        let changes = std::mem::take(&mut self.changes);
        let with_steps = self.cache.update(&view, &changes, &self.me, now);
        self.explain_changed(&view, &changes, now);
        for (path, decision) in with_steps {
            for step in decision.steps {
                self.follow_step(&path, &step, now);
            }
        }
        self.end_drain(&view, now);
        self.view = Some(view);
    }

    /// Once the daemon was asked to stop, only a drain goes on.
    fn ending_without_drain(&self) -> bool {
        self.ending.is_some() && self.node.drain.is_none()
    }

    fn follow_step(&mut self, path: &ObjectPath, step: &Step, now: BootTime) {
        // A step rests on what is under way, not seen yet, or to be tried again: it is decided anew behind that.
        let obstacle = self.step_obstacle(path, step);
        self.trace_step(path, step, obstacle);
        if obstacle.is_some() {
            return;
        }
        match step {
            Step::Act(action) => self.begin_action(path, action, now),
            Step::Slot(slot) => self.send_slot(path, slot),
            Step::Settle { id, outcome } => {
                if let Some(txn) = request::settle(&self.shared, path, *id, outcome) {
                    self.send(SentRequest::Upkeep(path.clone()), txn);
                }
            }
            Step::Bury { id } => {
                if let Some(txn) = request::bury(&self.shared, path, *id) {
                    self.send(SentRequest::Upkeep(path.clone()), txn);
                }
            }
            Step::EndBoot => self.remember(path, |record| record.boot = BootPhase::Over),
            Step::PrepareMonitor => {
                self.remember(path, |record| record.monitor = Some(MonitorEpisode::Prepared));
                self.run_pre_monitor_action(path);
            }
            Step::Monitor(action) => {
                // Noted first, so that a reboot in a loop is not possible.
                self.remember(path, |record| record.monitor = Some(record.after_monitor_action(true)));
                self.end_node(path, *action);
            }
            Step::Fence { node } => self.begin_fence(node),
        }
    }

    fn send_slot(&mut self, path: &ObjectPath, step: &SlotStep) {
        if self.member.is_some() {
            return self.send_owned_slot(path, step);
        }
        match step {
            // From here on the token is dead, whatever becomes of the request.
            SlotStep::Release { .. } => {
                let instance = self.instances.get_mut(path);
                instance.into_iter().for_each(|instance| instance.local.confirmed.clear());
                self.guard.release(&path.to_string());
            }
            // Decided again when it is gone.
            SlotStep::Take { .. } | SlotStep::Reassert { .. } if self.slot_obstacle(path).is_some() => return,
            SlotStep::Take { .. } | SlotStep::Reassert { .. } => {}
        }
        if let Some(txn) = request::slot(&self.shared, path, &self.me, step) {
            self.send(SentRequest::Slot(path.clone(), step.clone()), txn);
        }
    }

    fn end_drain(&mut self, view: &View, now: BootTime) {
        if self.node.drain.is_none() {
            return;
        }
        let about_nodes = orchestrate::decide_nodes(view, &self.me, now);
        let over = about_nodes.steps.into_iter().find_map(|step| match step {
            orchestrate::NodeStep::EndDrain { left } => Some(left),
            orchestrate::NodeStep::Evict { .. } => None,
        });
        let Some(left) = over else { return };
        // Before the answer, so that no other turn sends it again. If it is refused, `follow_drain` reads what is
        // so.
        self.node.drain = None;
        if let Some(txn) = request::end_drain(&self.shared, &self.me).filter(|_| self.ending.is_none()) {
            let left: Vec<String> = left.iter().map(ObjectPath::to_string).collect();
            self.add_event(EventKind::NodeDrained, None, json!({ "left": left }));
            self.send(SentRequest::DrainEnd, txn);
        }
    }

    /// A monitor action on the node itself.
    fn end_node(&mut self, path: &ObjectPath, action: MonitorAction) {
        let word = action.as_str();
        self.log(path, &format!("monitor_action: {word}"));
        if !self.is_system {
            self.log(path, &format!("{word} is left out: this daemon has a root directory of its own"));
            return;
        }
        // Everyone who may edit an object of another namespace would have power over the node.
        if !path.is_root() {
            self.log(path, &format!("{word} is denied: only an object of the root namespace may end the node"));
            return;
        }
        // `b` reboots without a sync or an unmount (sysrq.rst): a crash must not wait for the storage that may
        // have caused it.
        let command: &[&str] = match action {
            MonitorAction::Crash => &["/bin/sh", "-c", "echo b > /proc/sysrq-trigger"],
            _ => &["/sbin/reboot"],
        };
        if let Err(error) = std::process::Command::new(command[0]).args(&command[1..]).spawn() {
            self.log(path, &format!("cannot {word}: {error}"));
        }
    }

    /// The monitor action waits for the end of the command.
    fn run_pre_monitor_action(&mut self, path: &ObjectPath) {
        self.preparing.insert(path.clone());
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::spawn(async move {
            // Its failure is in the log of the object: the monitor action follows all the same.
            let _ = agent.run_pre_monitor_action(&path, PRE_MONITOR_TIME).await;
            let _ = mail.send(Message::Prepared(path));
        });
    }
}
