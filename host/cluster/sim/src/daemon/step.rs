//! How a daemon does what was decided.

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{
    ActionCause, ActionEnd, ActionRecord, ActionStep, BootPhase, InstanceAction, InstanceFailure, MonitorEpisode,
    SlotStep, Step, View, decide, decide_nodes, first_wake,
};

use super::PendingKey;
use crate::machine::{BegunAction, DiskInstance, EndedAction};
use crate::store::{RecordRequest, StoreRequest};
use crate::world::{Event, World};

impl World {
    /// Decides, and begins what was decided.
    pub(crate) fn decide(&mut self, name: &NodeName) {
        // Before the publication, which carries the record, and before the view that is decided from.
        self.settle_records(name);
        self.publish(name);
        self.report_ends(name);
        let Ok(view) = self.view(name) else { return };
        let shown = match self.mutation {
            None => view.clone(),
            Some(mutation) => match View::new(mutation.forge(self.parts(name), name), name) {
                Ok(forged) => forged,
                Err(_) => return,
            },
        };
        let now = self.clock(name);
        let decisions = decide(&shown, name, now);
        self.checks.pure(&shown, name, now, &decisions);
        if let Some(wake) = first_wake(decisions.values()) {
            let at = self.nodes[name].machine.global(wake);
            self.decide_at(name, at);
        }
        for (path, decision) in &decisions {
            for step in &decision.steps {
                // With `view` and not with `shown`: a check that is shown the forged view finds nothing.
                self.follow(name, &view, path, step);
            }
        }
        let about_nodes = decide_nodes(&shown, name, now);
        if let Some(wake) = about_nodes.wake_at {
            let at = self.nodes[name].machine.global(wake);
            self.decide_at(name, at);
        }
        about_nodes.steps.iter().for_each(|step| self.follow_node_step(name, step));
    }

    fn follow(&mut self, name: &NodeName, view: &View, path: &ObjectPath, step: &Step) {
        let Some(daemon) = self.nodes[name].daemon.as_ref() else { return };
        if daemon.pending.contains_key(&PendingKey::Object(path.clone())) {
            return;
        }
        let incarnation = daemon.incarnation;
        let object = || PendingKey::Object(path.clone());
        match step {
            Step::Act(action) => self.begin(name, view, path, action),
            Step::Slot(slot) => {
                let Some(incarnation) = incarnation else { return };
                self.send_slot(name, path, slot, incarnation);
            }
            Step::Settle { id, outcome } => {
                self.checks.settles(&self.nodes, view, path, *id, outcome);
                let request = StoreRequest::Settle { path: path.clone(), id: *id, outcome: outcome.clone() };
                self.send(name, object(), request);
            }
            Step::Bury { id } => self.send(name, object(), StoreRequest::Bury { path: path.clone(), id: *id }),
            Step::EndBoot => self.remember(name, path, |disk| disk.record.boot = BootPhase::Over),
            Step::PrepareMonitor => {
                self.note(format_args!("{name} {path} pre_monitor_action"));
                self.remember(name, path, |disk| disk.record.monitor = Some(MonitorEpisode::Prepared));
            }
            Step::Monitor(action) => {
                self.note(format_args!("{name} {path} {}", action.as_str()));
                self.remember(name, path, |disk| disk.record.monitor = Some(disk.record.after_monitor_action(true)));
                self.reboot(name);
            }
            // No scenario has a fence driver yet.
            Step::Fence { .. } => {}
        }
    }

    fn send_slot(&mut self, name: &NodeName, path: &ObjectPath, step: &SlotStep, incarnation: u64) {
        if let SlotStep::Release { .. } = step {
            self.checks.releases(&self.nodes[name].machine, name, path);
            // From here on the token is dead, whatever becomes of the request.
            if let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) {
                daemon.disown(path);
            }
        }
        let takes = matches!(step, SlotStep::Take { .. } | SlotStep::Reassert { .. });
        // Without a beat that was acknowledged in time, what the slot is for would be cut at once.
        if takes && self.nodes[name].daemon.as_ref().is_none_or(|daemon| daemon.deadline <= self.clock(name)) {
            return;
        }
        if takes {
            self.checks.takes(name, path, self.now);
        }
        let request = StoreRequest::Slot { node: name.clone(), incarnation, path: path.clone(), step: step.clone() };
        self.send(name, PendingKey::Object(path.clone()), request);
    }

    fn remember(&mut self, name: &NodeName, path: &ObjectPath, change: impl FnOnce(&mut DiskInstance)) {
        if let Some(node) = self.nodes.get_mut(name) {
            if let Some(disk) = node.machine.disk.get_mut(path) {
                change(disk);
            }
            if let Some(daemon) = &mut node.daemon {
                daemon.unpublished.insert(path.clone());
            }
        }
        self.decide_soon(name);
    }

    /// Begins an action, if what it rests on still holds.
    pub(crate) fn begin(&mut self, name: &NodeName, view: &View, path: &ObjectPath, step: &ActionStep) {
        let now = self.clock(name);
        let node = &self.nodes[name];
        let Some(daemon) = &node.daemon else { return };
        let owned =
            step.token.is_none() || (daemon.owns(path) && node.machine.deadlines.get(path).is_some_and(|it| *it > now));
        // Until the store knows how an action ended, its order would give it again.
        let busy = node.machine.disk.get(path).is_none_or(|disk| disk.begun.is_some() || disk.ended.is_some());
        if !owned || busy {
            return;
        }
        self.checks.begins(view, name, path, step, now, self.now);
        self.checks.queue(&self.nodes[name].machine, self.scenario.max_parallel, step);
        let Some(disk) = self.nodes.get_mut(name).and_then(|node| node.machine.disk.get_mut(path)) else { return };
        let sequence = disk.record.begin(step, now);
        disk.begun = Some(BegunAction { sequence, step: step.clone() });
        self.note(format_args!("{name} {path} begins {} {:?} {:?}", step.action, step.scope, step.cause));
        let took = Duration::from_millis(if self.random.percent(10) {
            self.random.between(1000, 9000)
        } else {
            self.random.between(5, 400)
        });
        let (boot, life) = (self.nodes[name].machine.boot, self.life(name));
        let event = Event::ActionEnd { node: name.clone(), boot, life, path: path.clone(), sequence };
        self.schedule(took, event);
        self.touch(name, path);
    }

    /// An action ends in its time.
    pub(crate) fn action_ends(&mut self, name: &NodeName, path: &ObjectPath) {
        let revision = orchestrate::StoreRevision(self.store.revision);
        let clears = self.clears_seen(name, path);
        let Some(machine) = self.nodes.get_mut(name).map(|node| &mut node.machine) else { return };
        let Some(disk) = machine.disk.get_mut(path) else { return };
        let Some(begun) = disk.begun.take() else { return };
        // A node that never loaded the configuration runs nothing of it, and only has to forget the object.
        let mut end = ActionEnd::Success;
        if let Some(rules) = disk.rules.clone() {
            end = machine.perform(path, &rules, &begun.step);
            self.checks.exclusive(&self.nodes, path, &rules, self.now);
        }
        let Some(disk) = self.nodes.get_mut(name).and_then(|node| node.machine.disk.get_mut(path)) else { return };
        disk.record.end(&begun.step, &end, revision);
        disk.ended = Some(EndedAction {
            sequence: begun.sequence,
            action: begun.step.action,
            cause: begun.step.cause,
            end: end.clone(),
            clears,
            froze: begun.step.freeze,
        });
        self.note(format_args!("{name} {path} ends {} {end:?}", begun.step.action));
        self.checks.ended(name, path, &begun.step, &end);
        self.touch(name, path);
        self.report_ends(name);
        self.probe_soon(name, path);
    }

    /// The agent is killed in the middle: half of what the action does may be done.
    pub(crate) fn interrupt(&mut self, name: &NodeName, path: &ObjectPath) {
        let clears = self.clears_seen(name, path);
        let Some(disk) = self.nodes.get_mut(name).and_then(|node| node.machine.disk.get_mut(path)) else { return };
        let Some(begun) = disk.begun.take() else { return };
        // Only a start that succeeded keeps a revision, so any will do.
        disk.record.end(&begun.step, &ActionEnd::Interruption, orchestrate::StoreRevision(0));
        disk.ended = Some(EndedAction {
            sequence: begun.sequence,
            action: begun.step.action,
            cause: begun.step.cause,
            end: ActionEnd::Interruption,
            clears,
            froze: begun.step.freeze,
        });
        self.checks.ended(name, path, &begun.step, &ActionEnd::Interruption);
        self.note(format_args!("{name} {path} interrupted {}", begun.step.action));
    }

    /// Tells the store how actions ended, until it answers.
    pub(crate) fn report_ends(&mut self, name: &NodeName) {
        let node = &self.nodes[name];
        let Some(daemon) = &node.daemon else { return };
        let free = |path: &ObjectPath| !daemon.pending.contains_key(&PendingKey::Object(path.clone()));
        let ended = node.machine.disk.iter().filter(|(path, _)| free(path));
        let reports: Vec<_> = ended
            .filter_map(|(path, disk)| Some((path.clone(), record_request(name, path, disk.ended.as_ref()?))))
            .collect();
        for (path, request) in reports {
            self.send(name, PendingKey::Object(path), StoreRequest::Record(Box::new(request)));
        }
    }

    /// How often the instance was cleared, as far as the daemon has seen.
    fn clears_seen(&self, name: &NodeName, path: &ObjectPath) -> u64 {
        let snapshot = self.nodes[name].daemon.as_ref().and_then(|daemon| daemon.snapshot.as_ref());
        let instance = snapshot.and_then(|snapshot| snapshot.objects.get(path)?.view.instances.get(name));
        instance.map_or(0, |instance| instance.clears)
    }
}

fn record_request(name: &NodeName, path: &ObjectPath, ended: &EndedAction) -> RecordRequest {
    let failure = match &ended.end {
        ActionEnd::Failure(text) if ended.cause.blocks() => Some(InstanceFailure {
            sequence: ended.sequence,
            action: ended.action,
            cause: ended.cause,
            text: text.clone(),
        }),
        _ => None,
    };
    RecordRequest {
        node: name.clone(),
        path: path.clone(),
        intent: match ended.cause {
            ActionCause::Intent(id) => Some(id),
            _ => None,
        },
        record: ActionRecord { sequence: ended.sequence, action: ended.action, end: ended.end.clone() },
        failure,
        clears: ended.clears,
        froze: ended.froze,
    }
}

/// Whether an action removes the instance.
pub(super) fn deletes(ended: &EndedAction) -> bool {
    ended.action == InstanceAction::Delete && ended.end == ActionEnd::Success
}
