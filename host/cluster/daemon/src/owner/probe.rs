//! Looks at the instances: one at a time each, so many side by side, soon after anything may have changed, and by the clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::ActError;
use agent::status::InstanceStatus;
use model::object::OrchestrateMode;
use model::status::State;
use model::{ObjectPath, Rid};
use orchestrate::{AttemptLog, BootTime, LocalExpect, ObjectRules, ResourceRules, StatusView};
use protocol::FailureKind;

use super::{Message, Owner};
use crate::instance::{Instance, LoadedConfig, ProbeTicket, ReadState};

/// How often an instance is looked at that the daemon keeps up.
const KEPT_UP: Duration = Duration::from_secs(10);
/// How often the others are.
const OTHERS: Duration = Duration::from_secs(60);

impl Owner {
    /// Begins the looks that are due, as many as may run side by side.
    pub(super) fn probe_due(&mut self, now: BootTime) {
        let running = self.instances.values().filter(|instance| instance.probing != ReadState::Idle).count();
        let free = self.parallel_probes.saturating_sub(running);
        let due = self.instances.iter().filter(|(_, instance)| is_due(instance, now));
        let paths: Vec<ObjectPath> = due.take(free).map(|(path, _)| path.clone()).collect();
        paths.iter().for_each(|path| self.probe(path));
    }

    /// When the next look is due.
    pub(super) fn next_probe(&self) -> Option<BootTime> {
        let can = |instance: &&Instance| instance.probing == ReadState::Idle && can_look(instance);
        let running = self.instances.values().filter(|instance| instance.probing != ReadState::Idle).count();
        if running >= self.parallel_probes {
            return None;
        }
        self.instances.values().filter(can).map(|instance| instance.due).min()
    }

    /// Looks at an instance soon, also if a look is under way: that one may have begun too early.
    pub(crate) fn probe_soon(&mut self, path: &ObjectPath) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        match instance.probing {
            ReadState::Idle => instance.due = BootTime::BOOT,
            _ => instance.probing = ReadState::RunningAgain,
        }
    }

    fn probe(&mut self, path: &ObjectPath) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        instance.probing = ReadState::Running;
        instance.look_began = crate::clock::now();
        let ticket = ProbeTicket { after: instance.record().sequence, followed: instance.followed };
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        // The first looks at all instances read what they have in common once.
        let common = (!self.node.ready).then(|| Arc::clone(self.common.get_or_insert_with(|| agent.node_snapshot())));
        let began = Instant::now();
        tokio::spawn(async move {
            let status = match common {
                Some(common) => agent.last_or_new_status_among(&common, &path, true).await,
                None => agent.status(&path).await,
            };
            let _ = mail.send(Message::Probed { path, ticket, status, took: began.elapsed() });
        });
    }

    /// Whether what was seen says how the instance is now: nothing has begun since the look began.
    fn is_current(&self, path: &ObjectPath, ticket: ProbeTicket) -> bool {
        let now = |instance: &Instance| ProbeTicket { after: instance.record().sequence, followed: instance.followed };
        self.instances.get(path).is_some_and(|instance| ticket == now(instance))
    }

    pub(super) fn trace_probe(
        &self,
        path: &ObjectPath,
        ticket: ProbeTicket,
        status: &Result<InstanceStatus, ActError>,
        took: Duration,
    ) {
        let seen = match status {
            Ok(_) if !self.is_current(path, ticket) => Err("an action has begun meanwhile".to_owned()),
            Ok(status) => Ok(status.sums.avail.to_string()),
            Err(error) => Err(agent::chain(error)),
        };
        self.trace_look(path, &seen, took);
    }

    pub(super) fn take_status(
        &mut self,
        path: ObjectPath,
        ticket: ProbeTicket,
        status: Result<InstanceStatus, ActError>,
    ) {
        let now = crate::clock::now();
        self.follow_hand(&path);
        let valid = self.is_current(&path, ticket);
        let Some(instance) = self.instances.get_mut(&path) else { return };
        let again = instance.probing == ReadState::RunningAgain;
        instance.probing = ReadState::Idle;
        instance.due = now + interval(instance, &path);
        match instance.look_again {
            Some(at) if at > now => instance.due = instance.due.min(at),
            _ => instance.look_again = None,
        }
        let before = instance.local.status.as_ref().map(|status| status.sums.avail);
        if valid {
            instance.looked = instance.look_began;
        }
        let mut deaths = Vec::new();
        match status {
            // What was seen before an action says nothing of what is there after it.
            _ if !valid => instance.due = now,
            Ok(status) => {
                let known = instance.local.status.clone();
                instance.observe(status, now);
                deaths.extend(known.iter().flat_map(|known| deaths_since(instance, known, now)));
                for waiting in instance.waiting.drain(..) {
                    let _ = waiting.send(Ok(()));
                }
            }
            Err(error) => {
                let text = agent::chain(&error);
                for waiting in instance.waiting.drain(..) {
                    // It has left this node since the question: there is nothing to look at, as `answer_unseen` says.
                    let _ = waiting.send(match error.kind() {
                        FailureKind::NotHere => Ok(()),
                        kind => Err(crate::RequestError::new(kind, text.clone())),
                    });
                }
            }
        }
        if again {
            instance.due = now;
        }
        deaths.iter().for_each(|death| self.log(&path, death));
        self.note_running(&path);
        let Some(instance) = self.instances.get(&path) else { return };
        // Tasks run where their service is up: what is due may run now.
        if before != instance.local.status.as_ref().map(|status| status.sums.avail) {
            self.time(&path);
        }
        self.touch(&path);
    }
}

/// A line about each resource that went down without being stopped: what the daemon does about it.
fn deaths_since(instance: &Instance, known: &StatusView, now: BootTime) -> Vec<String> {
    let (Some(rules), Some(seen)) = (&instance.local.rules, &instance.local.status) else { return Vec::new() };
    let record = instance.record();
    let is_dead = |rid: &Rid, state: State| {
        matches!(state, State::Down | State::StdbyDown)
            && known.resources.get(rid).is_some_and(|view| view.state.is_up())
            && !record.stopped.contains(rid)
    };
    let dead = seen.resources.iter().filter(|(rid, view)| is_dead(rid, view.state));
    let kept = dead.filter_map(|(rid, _)| Some((rid, rules.resources.get(rid)?)));
    let kept =
        kept.filter(|(_, rules)| !rules.disable && (rules.standby || record.local_expect == LocalExpect::Started));
    kept.map(|(rid, rules)| death(rid, rules, record.restarts.get(rid).unwrap_or(&AttemptLog::new()), now)).collect()
}

fn death(rid: &Rid, rules: &ResourceRules, attempts: &AttemptLog, now: BootTime) -> String {
    let (left, minutes) = (rules.restart.left(attempts, now), rules.restart.window.as_secs() / 60);
    let budget = rules.restart.limit();
    match (budget, left) {
        (0, _) => format!("{rid} is down, and has no restart"),
        (_, 0) => format!("{rid} is down: no restart is left of {budget} in {minutes} minutes"),
        _ => format!("{rid} is down: restart {} of {budget} in {minutes} minutes", budget - left + 1),
    }
}

fn is_due(instance: &Instance, now: BootTime) -> bool {
    instance.probing == ReadState::Idle && instance.due <= now && can_look(instance)
}

/// Whether there is something to look at, and nothing changes it meanwhile.
pub(super) fn can_look(instance: &Instance) -> bool {
    let here = instance.loaded.as_ref().is_some_and(LoadedConfig::is_here);
    here && !instance.missing && instance.acting.is_none() && instance.hand.is_none()
}

/// When the next look is, apart by a tenth from object to object, so that a thousand of them do not look at the same time.
fn interval(instance: &Instance, path: &ObjectPath) -> Duration {
    let kept_up = instance.local.rules.as_deref().is_some_and(is_kept_up);
    let whole = if kept_up { KEPT_UP } else { OTHERS };
    let spread = path.name().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    whole + whole * (spread % 100) / 1000
}

fn is_kept_up(rules: &ObjectRules) -> bool {
    let kept = rules.resources.values().any(|rules| rules.restart.budget > 0 || rules.monitor || rules.standby);
    kept || rules.orchestrate == OrchestrateMode::Ha
}
