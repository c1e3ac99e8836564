//! The scheduler: tasks and copies that run by themselves.
//!
//! When each of them is due comes from the configuration, the last run and the time of day, and is asked of the agent anew
//! after each run and each change. The agent writes the run down before it begins, so no end of the daemon makes one run
//! twice. A clock that is set forward makes due what was skipped, once.

use std::time::Duration;

use agent::{ActionRequest, CancelSignal, RequestOrigin};
use model::status::State;
use model::{ObjectPath, Rid};
use plan::Action;
use protocol::EndingDocument;
use protocol::ScheduledAction;
use protocol::daemon::{EventKind, ProcessDocument};
use serde_json::json;

use super::{Message, Owner};
use crate::clock;
use crate::instance::{Instance, ReadState};

/// What is due and may not run is looked at again after that time.
const HELD_BACK: i64 = 10;

/// How long a run waits for an action of another process.
const LOCK_WAIT: Duration = Duration::from_secs(600);

/// A task or a copy that was started by its schedule.
pub(crate) struct ScheduledRun {
    pub(crate) process: u64,
    pub(crate) action: Action,
    pub(crate) cancel: CancelSignal,
    pub(crate) began_at: f64,
}

impl Owner {
    /// Asks when the tasks and copies of an object are due.
    pub(super) fn time(&mut self, path: &ObjectPath) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        if instance.timing != ReadState::Idle {
            instance.timing = ReadState::RunningAgain;
            return;
        }
        instance.timing = ReadState::Running;
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::spawn(async move {
            // Without a configuration that loads, nothing is due.
            let entries = agent.timetable(&path).await.map(|table| table.entries).unwrap_or_default();
            let _ = mail.send(Message::Timed { path, entries });
        });
    }

    pub(super) fn take_times(&mut self, path: &ObjectPath, entries: Vec<ScheduledAction>) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        let again = instance.timing == ReadState::RunningAgain;
        instance.timing = ReadState::Idle;
        instance.timetable = entries.into_iter().filter(|entry| action_of(entry).is_some()).collect();
        if again {
            self.time(path);
        }
    }

    /// How long it is until something is due.
    pub(super) fn next_run(&self) -> Option<Duration> {
        let entries = self.instances.values().flat_map(|instance| &instance.timetable);
        let next = entries.filter_map(|entry| entry.next_run_at).min()?;
        Some(Duration::from_secs_f64((next as f64 - clock::wall()).max(0.0)))
    }

    /// Begins what is due.
    pub(super) fn run_due(&mut self) {
        if self.ending.is_some() || !self.node.ready {
            return;
        }
        let now = clock::wall() as i64;
        let frozen = self.shared.is_frozen(&self.me);
        let mut begun: Vec<(ObjectPath, Rid, Action)> = Vec::new();
        for (path, instance) in &mut self.instances {
            // One at a time for each instance, as they share its lock.
            let mut may_run = !frozen && may_run(instance) && !self.runs.keys().any(|(running, _)| running == path);
            for entry in instance.timetable.iter_mut().filter(|entry| entry.next_run_at.is_some_and(|at| at <= now)) {
                let Some((rid, action)) = entry.rid.clone().zip(action_of(entry)) else { continue };
                if may_run {
                    // The agent is asked for the next time when this one has ended.
                    entry.next_run_at = None;
                    begun.push((path.clone(), rid, action));
                    may_run = false;
                } else {
                    entry.next_run_at = Some(now + HELD_BACK);
                }
            }
        }
        begun.into_iter().for_each(|(path, rid, action)| self.begin_run(path, rid, action));
    }

    fn begin_run(&mut self, path: ObjectPath, rid: Rid, action: Action) {
        self.next_process += 1;
        let (process, cancel) = (self.next_process, CancelSignal::default());
        let run = ScheduledRun { process, action, cancel: cancel.clone(), began_at: clock::wall() };
        self.add_event(EventKind::ExecStart, Some(&path), run_data(&rid, action, None));
        self.runs.insert((path.clone(), rid.clone()), run);
        let (agent, mail) = (self.agent.clone(), self.mail.clone());
        tokio::spawn(async move {
            let outcome = agent.act(&path, request(&rid, action), None, cancel).await;
            let error = match outcome {
                Ok(outcome) => match agent::ending(&outcome.report.ending) {
                    EndingDocument::Done => None,
                    _ => Some(outcome.report.ending.to_string()),
                },
                Err(error) => Some(agent::chain(&error)),
            };
            let _ = mail.send(Message::Ran { path, rid, error });
        });
    }

    pub(super) fn end_run(&mut self, path: &ObjectPath, rid: &Rid, error: Option<String>) {
        let Some(run) = self.runs.remove(&(path.clone(), rid.clone())) else { return };
        let end = error.as_deref().unwrap_or("done");
        self.add_event(EventKind::ExecEnd, Some(path), run_data(rid, run.action, Some(end)));
        self.add_event(EventKind::TaskRun, Some(path), run_data(rid, run.action, Some(end)));
        self.time(path);
        self.probe_soon(path);
    }

    /// The runs, for `om daemon ps`.
    pub(super) fn run_documents(&self) -> impl Iterator<Item = ProcessDocument> {
        self.runs.iter().map(|((path, rid), run)| ProcessDocument {
            id: run.process,
            path: path.clone(),
            rids: vec![rid.clone()],
            action: run.action.as_str().to_owned(),
            cause: "schedule".to_owned(),
            began_at: run.began_at,
        })
    }
}

/// A task runs where the service does, and what has nothing but tasks everywhere. Nothing runs beside a start or a stop.
fn may_run(instance: &Instance) -> bool {
    let avail = instance.local.status.as_ref().map(|status| status.sums.avail);
    !instance.frozen && !instance.is_busy() && matches!(avail, Some(State::Up | State::Na))
}

fn action_of(entry: &ScheduledAction) -> Option<Action> {
    match entry.action.as_str() {
        "run" => Some(Action::Run),
        "sync_update" => Some(Action::Sync),
        _ => None,
    }
}

fn run_data(rid: &Rid, action: Action, end: Option<&str>) -> serde_json::Value {
    json!({ "action": action.as_str(), "cause": "schedule", "rids": [rid.to_string()], "end": end })
}

/// A task that must be confirmed fails: a schedule confirms nothing.
fn request(rid: &Rid, action: Action) -> ActionRequest {
    let command = format!("{} --rid {rid} (schedule)", action.as_str());
    // A start or a stop by hand comes first.
    let request =
        ActionRequest { wait: Some(LOCK_WAIT), ..ActionRequest::new(action, RequestOrigin::Scheduler, command) };
    request.limited_to([rid])
}
