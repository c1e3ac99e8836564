//! What comes next: the view is made whole, the orchestrator decides, and its steps are done.

use model::ObjectPath;
use orchestrate::{BootPhase, BootTime, MonitorAction, MonitorEpisode, SlotStep, Step, View};
use replica::request;
use replica::view_parts;

use super::Owner;
use super::shared::SentRequest;
use crate::clock;

impl Owner {
    /// Decides about all that has changed or become due.
    pub(super) fn decide(&mut self, now: BootTime) {
        // Before every instance was looked at nothing is decided, and then about all of them.
        if !self.node.ready {
            self.changes.clear();
            return;
        }
        let due = self.cache.wake_at().is_some_and(|wake| wake <= now);
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
        if self.sending.contains(path) || self.retries.contains_key(path) {
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
            // There are no fence drivers yet, so no view asks for one.
            Step::Fence { .. } => {}
        }
    }

    fn send_slot(&mut self, path: &ObjectPath, step: &SlotStep) {
        if let (SlotStep::Release { .. }, Some(instance)) = (step, self.instances.get_mut(path)) {
            // From here on the token is dead, whatever becomes of the request.
            instance.local.confirmed.clear();
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
        let over = about_nodes.steps.iter().any(|step| matches!(step, orchestrate::NodeStep::EndDrain { .. }));
        if over {
            self.node.drain = None;
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
        let command: &[&str] = match action {
            MonitorAction::Crash => &["/bin/sh", "-c", "echo b > /proc/sysrq-trigger"],
            _ => &["/sbin/reboot"],
        };
        if let Err(error) = std::process::Command::new(command[0]).args(&command[1..]).spawn() {
            self.log(path, &format!("cannot {word}: {error}"));
        }
    }

    fn run_pre_monitor_action(&mut self, path: &ObjectPath) {
        let object = self.instances.get(path).and_then(|instance| instance.loaded.as_ref()?.object.clone());
        let Some(words) = object.and_then(|object| object.keywords.get("pre_monitor_action").cloned()) else { return };
        let Some((program, arguments)) = words.split_first() else { return };
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).kill_on_drop(true);
        self.log(path, &format!("pre_monitor_action: {}", words.join(" ")));
        tokio::spawn(async move {
            // The monitor action follows whatever it does, and does not wait for longer.
            let _ = tokio::time::timeout(clock::PRE_MONITOR_TIME, command.status()).await;
        });
    }
}
