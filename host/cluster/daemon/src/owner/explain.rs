//! Why an object is as it is, from the last decision about it.

use model::{ObjectPath, Rid};
use orchestrate::{
    AttemptLog, BootTime, Decision, LocalExpect, NextAttempt, ResourceRules, View, ViewChange, decide_object,
};
use protocol::FailureKind;
use protocol::daemon::{ObjectExplanation, RestartDocument};

use super::Owner;
use super::order::reason;
use crate::instance::Instance;
use crate::{Asked, RequestError};

impl Owner {
    /// Keeps the decisions about what has changed, for questions why.
    pub(super) fn explain_changed(&mut self, view: &View, changes: &[ViewChange], now: BootTime) {
        let all =
            changes.iter().any(|change| *change != ViewChange::Cluster && !matches!(change, ViewChange::Object(_)))
                || changes.contains(&ViewChange::Cluster);
        let paths: Vec<ObjectPath> = if all || changes.is_empty() {
            view.objects().keys().cloned().collect()
        } else {
            let objects = changes.iter().filter_map(|change| match change {
                ViewChange::Object(path) => Some(path.clone()),
                _ => None,
            });
            objects.collect()
        };
        for path in paths {
            let decision = decide_object(view, &path, &self.me, now);
            // The same decision again tells nothing.
            let last = self.decisions.get(&path).map(|last| (&last.steps, &last.reasons));
            if !decision.steps.is_empty() || last != Some((&decision.steps, &decision.reasons)) {
                self.trace_decision(&path, &decision, now);
            }
            self.unreported.insert(path.clone());
            self.decisions.insert(path, decision);
        }
    }

    /// Answers why an object is as it is. What stands in its way is looked at meanwhile, as that may take a while.
    pub(super) fn answer_why(&self, path: ObjectPath, answer: Asked<ObjectExplanation>) {
        let explained = self.explain(&path);
        let agent = self.agent.clone();
        tokio::spawn(async move {
            let explained = match explained {
                Ok(explained) => Ok(ObjectExplanation { obstacles: agent.obstacles(&path).await, ..explained }),
                Err(error) => Err(error),
            };
            let _ = answer.send(explained);
        });
    }

    /// Why an object is as it is, without what stands in its way.
    fn explain(&self, path: &ObjectPath) -> Result<ObjectExplanation, RequestError> {
        let unknown = || RequestError::new(FailureKind::NoMatch, format!("{path} does not exist"));
        let instance = self.instances.get(path).filter(|instance| !instance.missing).ok_or_else(unknown)?;
        let now = crate::clock::now();
        let decision = self.decisions.get(path).cloned().unwrap_or_default();
        let Decision { reasons, wake_at, .. } = decision;
        let rules = instance.local.rules.as_ref();
        let restarts = rules.iter().flat_map(|rules| rules.resources.iter());
        let restarts = restarts.filter_map(|(rid, rules)| restart(instance, rid, rules, now));
        Ok(ObjectExplanation {
            path: path.clone(),
            node: self.me.clone(),
            state: self.state_word(path),
            local_expect: local_expect(instance).to_owned(),
            frozen: instance.frozen,
            order: self.order_of(path),
            reasons: reasons.iter().map(reason).chain(self.guard_reason(path)).collect(),
            obstacles: Vec::new(),
            restarts: restarts.collect(),
            config_problem: instance.loaded.as_ref().and_then(|loaded| loaded.problem.clone()),
            next_look: wake_at.map(|wake| wake.since(now).as_secs_f64()),
        })
    }
}

/// What the node keeps up of an instance, in a word.
pub(super) fn local_expect(instance: &Instance) -> &'static str {
    match instance.record().local_expect {
        LocalExpect::None => "none",
        LocalExpect::Started => "started",
    }
}

/// The restarts of a resource that has a budget, or was stopped by hand.
fn restart(instance: &Instance, rid: &Rid, rules: &ResourceRules, now: BootTime) -> Option<RestartDocument> {
    let stopped = instance.record().stopped.contains(rid);
    if rules.restart.budget == 0 && !stopped {
        return None;
    }
    let none = AttemptLog::new();
    let attempts = instance.record().restarts.get(rid).unwrap_or(&none);
    let view = instance.local.status.as_ref().and_then(|status| status.resources.get(rid));
    let down = view.filter(|view| !view.state.is_up());
    let due = down.and_then(|view| match rules.restart.next(attempts, view.since, now) {
        NextAttempt::Due => Some(0.0),
        NextAttempt::Waits { until } => Some(until.since(now).as_secs_f64()),
        NextAttempt::Exhausted { .. } => None,
    });
    Some(RestartDocument {
        rid: rid.clone(),
        left: rules.restart.left(attempts, now),
        budget: rules.restart.budget,
        due_in: due.filter(|_| !stopped),
        stopped,
    })
}
