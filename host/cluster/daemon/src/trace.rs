//! What the daemon decides and does, for readers who watch it at work. Without a reader the daemon makes no entries, and it keeps none.

use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, DriverCallNote};
use model::{NodeName, ObjectPath};
use orchestrate::{ActionEnd, ActionScope, ActionStep, BootTime, Decision, SlotStep, Step};
use protocol::daemon::{ReasonDocument, TraceEntry, TraceMatter};
use tokio::sync::broadcast;

use crate::clock;
use crate::instance::Instance;
use crate::owner::{Owner, cause_word};

/// So many entries wait for a reader. One that is slower misses the oldest, and learns how many.
const WAITING: usize = 4096;

/// The present of the daemon, for readers. A clone is the same.
#[derive(Debug, Clone)]
pub struct TraceLog {
    node: NodeName,
    entries: broadcast::Sender<Arc<TraceEntry>>,
}

/// Follows what the daemon does.
#[derive(Debug)]
pub struct TraceReader {
    node: NodeName,
    entries: broadcast::Receiver<Arc<TraceEntry>>,
}

impl TraceLog {
    /// The present of the daemon of this node.
    pub fn new(node: NodeName) -> TraceLog {
        TraceLog { node, entries: broadcast::Sender::new(WAITING) }
    }

    /// Adds what is being done about an object, if a reader watches.
    pub fn add(&self, path: &ObjectPath, matter: impl FnOnce() -> TraceMatter) {
        if self.entries.receiver_count() == 0 {
            return;
        }
        let (at, node) = (clock::wall(), self.node.clone());
        // It fails when the last reader has gone meanwhile.
        let _ = self.entries.send(Arc::new(TraceEntry { at, node, path: Some(path.clone()), matter: matter() }));
    }

    /// Follows from now on.
    pub fn follow(&self) -> TraceReader {
        TraceReader { node: self.node.clone(), entries: self.entries.subscribe() }
    }

    /// Adds the calls of drivers that this agent makes.
    pub(crate) fn watch(&self, agent: &Agent) {
        let log = self.clone();
        agent.watch_calls(move |note| log.add(&note.call.object, || call(note)));
    }
}

impl TraceReader {
    /// The next entry. Waits until there is one; None at the end of the daemon.
    pub async fn next(&mut self) -> Option<Arc<TraceEntry>> {
        match self.entries.recv().await {
            Ok(entry) => Some(entry),
            Err(broadcast::error::RecvError::Lagged(count)) => {
                let (at, node) = (clock::wall(), self.node.clone());
                Some(Arc::new(TraceEntry { at, node, path: None, matter: TraceMatter::Missed { count } }))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Owner {
    pub(crate) fn trace_decision(&self, path: &ObjectPath, decision: &Decision, now: BootTime) {
        self.trace.add(path, || {
            let reason = |reason: &orchestrate::Reason| ReasonDocument {
                code: reason.code().to_owned(),
                text: reason.to_string(),
            };
            TraceMatter::Decision {
                steps: decision.steps.iter().map(words).collect(),
                reasons: decision.reasons.iter().map(reason).collect(),
                again_in: decision.wake_at.map(|at| at.since(now).as_secs_f64()),
            }
        });
    }

    pub(crate) fn trace_step(&self, path: &ObjectPath, step: &Step, held_back: Option<&str>) {
        let step = || TraceMatter::Step { step: words(step), held_back: held_back.map(str::to_owned) };
        self.trace.add(path, step);
    }

    /// What keeps a step from being begun now. It is decided anew when that is over.
    pub(crate) fn step_obstacle(&self, path: &ObjectPath, step: &Step) -> Option<&'static str> {
        let is_busy = || self.instances.get(path).is_none_or(Instance::is_busy);
        match step {
            _ if self.sending.contains(path) => Some("a change of the store about it is under way"),
            _ if self.awaited.contains_key(path) => Some("its last change of the store was not read back yet"),
            _ if self.retries.contains_key(path) => Some("a request that failed is tried again soon"),
            _ if self.preparing.contains(path) => Some("pre_monitor_action runs"),
            Step::Act(_) if is_busy() => Some("another action is under way"),
            _ => None,
        }
    }

    /// `avail`: the status that was seen, or why the look counts for nothing.
    pub(crate) fn trace_look(&self, path: &ObjectPath, avail: &Result<String, String>, took: Duration) {
        self.trace.add(path, || TraceMatter::Look {
            avail: avail.as_ref().ok().cloned(),
            fault: avail.as_ref().err().cloned(),
            took_ms: milliseconds(took),
        });
    }

    pub(crate) fn trace_end(&self, path: &ObjectPath, step: &ActionStep, end: &ActionEnd, began_at: f64) {
        let (end, error) = match end {
            ActionEnd::Success => ("done", None),
            ActionEnd::Failure(text) => ("failed", Some(text.as_str())),
            ActionEnd::Interruption => ("interrupted", None),
        };
        self.trace_over(path, (step.action.as_str(), &cause_word(step.cause)), (end, error), began_at);
    }

    /// What was done and why, and how it ended.
    pub(crate) fn trace_over(
        &self,
        path: &ObjectPath,
        (action, cause): (&str, &str),
        (end, error): (&str, Option<&str>),
        began_at: f64,
    ) {
        self.trace.add(path, || TraceMatter::End {
            action: action.to_owned(),
            cause: cause.to_owned(),
            end: end.to_owned(),
            error: error.map(str::to_owned),
            took_ms: ((clock::wall() - began_at) * 1e6).max(0.0).round() / 1e3,
        });
    }
}

fn call(note: &DriverCallNote<'_>) -> TraceMatter {
    TraceMatter::Call {
        rid: note.call.rid.clone(),
        driver: note.call.driver.to_string(),
        verb: note.verb.to_string(),
        // The word and not the message, which may hold a secret of the configuration.
        end: note.end.err().map_or("done", |error| error.code()).to_owned(),
        changed: note.changed.to_owned(),
        took_ms: milliseconds(note.took),
    }
}

/// To the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A step in a few words.
fn words(step: &Step) -> String {
    match step {
        Step::Act(ActionStep { action, scope, cause, .. }) => {
            let rids = match scope {
                ActionScope::Whole => String::new(),
                ActionScope::Resources(rids) => {
                    format!(" {}", rids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                }
            };
            format!("{action}{rids} ({})", cause_word(*cause))
        }
        Step::Slot(SlotStep::Take { index, .. }) => format!("take slot {index}"),
        Step::Slot(SlotStep::Reassert { index, .. }) => format!("take its own slot {index} again"),
        Step::Slot(SlotStep::Release { index, .. }) => format!("release slot {index}"),
        Step::Fence { node } => format!("fence {node}"),
        Step::EndBoot => "note that the boot is over".to_owned(),
        Step::PrepareMonitor => "run pre_monitor_action".to_owned(),
        Step::Monitor(action) => format!("monitor_action {}", action.as_str()),
        Step::Bury { .. } => "record that the object is deleted".to_owned(),
        Step::Settle { id, outcome } => format!("end order {id}: {}", outcome.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(count: u64) -> TraceMatter {
        TraceMatter::Missed { count }
    }

    #[tokio::test]
    async fn nothing_is_made_without_a_reader_and_a_slow_reader_learns_what_it_missed() {
        let (log, path) = (TraceLog::new("n1".parse().unwrap()), "web".parse().unwrap());
        log.add(&path, || unreachable!("no reader watches"));
        let mut reader = log.follow();
        log.add(&path, || matter(1));
        assert_eq!(reader.next().await.unwrap().matter, matter(1));
        (0..=WAITING as u64).for_each(|number| log.add(&path, || matter(number)));
        let missed = reader.next().await.unwrap();
        assert_eq!((&missed.path, &missed.matter), (&None, &matter(1)));
        assert_eq!(reader.next().await.unwrap().matter, matter(1), "the oldest that is left");
        drop(reader);
        log.add(&path, || unreachable!("the only reader has gone"));
    }
}
