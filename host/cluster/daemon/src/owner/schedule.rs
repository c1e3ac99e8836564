//! The scheduler: tasks and copies that run by themselves.
//!
//! When each of them is due comes from the configuration, the last run and the time of day, and is asked of the agent anew
//! after each run, each change and each step of the clock. The agent writes the run down before it begins, so no end of the daemon makes
//! one run twice. A clock that is set forward makes due what was skipped, once.
//!
//! A task runs in a process of its own, see `run_program.rs`, which goes on when this daemon ends. The next daemon finds it by the lock of the
//! run.

use std::time::Duration;

use agent::{ActionRequest, Agent, CancelSignal, RequestOrigin, TaskRun};
use model::status::State;
use model::{ObjectPath, Rid};
use plan::Action;
use protocol::ScheduledAction;
use protocol::daemon::{EventKind, ProcessDocument};
use protocol::{EndingDocument, FailureKind};
use serde_json::json;

use super::{Message, Owner};
use crate::clock;
use crate::instance::{Instance, ReadState};
use crate::run_program::{LOCK_WAIT, RunEnd, run_apart};

/// What is due and may not run is looked at again after that time.
const HELD_BACK: i64 = 10;

/// The clock was set if it is that far from where it should be, in seconds.
const STEP: f64 = 2.0;

/// A task or a copy that was started by its schedule, or a task that ran already when the daemon began.
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
            let object = path.clone();
            let runs = tokio::task::spawn_blocking(move || agent.task_runs(&object)).await.unwrap_or_default();
            let _ = mail.send(Message::Timed { path, entries, runs });
        });
    }

    pub(super) fn take_times(&mut self, path: &ObjectPath, entries: Vec<ScheduledAction>, runs: Vec<TaskRun>) {
        runs.into_iter().for_each(|run| self.follow_run(path, run));
        let Some(instance) = self.instances.get_mut(path) else { return };
        let again = instance.timing == ReadState::RunningAgain;
        instance.timing = ReadState::Idle;
        instance.timetable = entries.into_iter().filter(|entry| action_of(entry).is_some()).collect();
        if again {
            self.time(path);
        }
    }

    /// Follows a run of another process, so that nothing is begun beside it.
    fn follow_run(&mut self, path: &ObjectPath, run: TaskRun) {
        let key = (path.clone(), run.rid.clone());
        if self.runs.contains_key(&key) {
            return;
        }
        self.next_process += 1;
        let cancel = CancelSignal::default();
        let began_at = run.holder.since.as_second() as f64;
        self.runs.insert(
            key,
            ScheduledRun { process: self.next_process, action: Action::Run, cancel: cancel.clone(), began_at },
        );
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::spawn(async move {
            let end = end_of(&agent, &path, &run, &cancel).await;
            let _ = mail.send(Message::Ran { path, rid: run.rid, end });
        });
    }

    /// Asks for all times anew if the clock was set since the last look.
    pub(super) fn look_at_clock(&mut self, now: orchestrate::BootTime) {
        let offset = clock::wall() - now.since_boot().as_secs_f64();
        let step = (offset - std::mem::replace(&mut self.clock_offset, offset)).abs();
        if step > STEP {
            let paths: Vec<ObjectPath> = self.instances.keys().cloned().collect();
            paths.iter().for_each(|path| self.time(path));
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
        let mut asked: Vec<ObjectPath> = Vec::new();
        for (path, instance) in &mut self.instances {
            let may_run = !frozen && may_run(instance);
            // Copies keep the lock of the instance, so they take turns. A task keeps only itself waiting.
            let mut copies = self.runs.iter().any(|((of, _), run)| of == path && run.action == Action::Sync);
            for entry in instance.timetable.iter_mut().filter(|entry| entry.next_run_at.is_some_and(|at| at <= now)) {
                let Some((rid, action)) = entry.rid.clone().zip(action_of(entry)) else { continue };
                let key = (path.clone(), rid.clone());
                let is_held = self.runs.contains_key(&key) || action == Action::Sync && copies;
                if !may_run || is_held {
                    entry.next_run_at = Some(now + HELD_BACK);
                    instance.held_back.insert(rid);
                } else if instance.held_back.remove(&rid) {
                    // Its window may be over by now.
                    entry.next_run_at = None;
                    asked.push(path.clone());
                } else {
                    // The agent is asked for the next time when this one has ended.
                    entry.next_run_at = None;
                    copies |= action == Action::Sync;
                    begun.push((path.clone(), rid, action));
                }
            }
        }
        asked.iter().for_each(|path| self.time(path));
        begun.into_iter().for_each(|(path, rid, action)| self.begin_run(path, rid, action));
    }

    fn begin_run(&mut self, path: ObjectPath, rid: Rid, action: Action) {
        self.next_process += 1;
        let (process, cancel) = (self.next_process, CancelSignal::default());
        let run = ScheduledRun { process, action, cancel: cancel.clone(), began_at: clock::wall() };
        self.add_event(EventKind::ExecStart, Some(&path), run_data(&rid, action, None));
        self.runs.insert((path.clone(), rid.clone()), run);
        let (agent, mail, program) = (self.agent.clone(), self.mail.clone(), self.run_program.clone());
        tokio::spawn(async move {
            let end = match program.filter(|_| action == Action::Run) {
                Some(program) => run_apart(&program, &agent, &path, &rid, &cancel).await,
                None => run_here(&agent, &path, &rid, action, cancel).await,
            };
            let _ = mail.send(Message::Ran { path, rid, end });
        });
    }

    pub(super) fn end_run(&mut self, path: &ObjectPath, rid: &Rid, end: &RunEnd) {
        let Some(run) = self.runs.remove(&(path.clone(), rid.clone())) else { return };
        if *end == RunEnd::Busy
            && let Some(instance) = self.instances.get_mut(path)
        {
            // It is still due, and is tried again after a while.
            let due = clock::wall() as i64 + HELD_BACK;
            let entry = instance.timetable.iter_mut().find(|entry| entry.rid.as_ref() == Some(rid));
            entry.into_iter().for_each(|entry| entry.next_run_at = Some(due));
            instance.held_back.insert(rid.clone());
            return;
        }
        let end = match end {
            RunEnd::Failed(error) => error.as_str(),
            _ => "done",
        };
        let cause = format!("schedule of {rid}");
        let (word, error) = if end == "done" { ("done", None) } else { ("failed", Some(end)) };
        self.trace_over(path, (run.action.as_str(), &cause), (word, error), run.began_at);
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

/// Waits for the end of a run of another process.
async fn end_of(agent: &Agent, path: &ObjectPath, run: &TaskRun, cancel: &CancelSignal) -> RunEnd {
    let over = agent.until_run_is_over(path, run);
    tokio::pin!(over);
    tokio::select! {
        () = &mut over => {}
        () = cancel.cancelled() => {
            agent.ask_run_to_end(path, run);
            over.await;
        }
    }
    match agent.last_run_end(path, &run.rid).await {
        Some(true) => RunEnd::Done,
        Some(false) => RunEnd::Failed("failed: see its log".to_owned()),
        None => RunEnd::Failed("its process was killed".to_owned()),
    }
}

/// Carries a run out in this process.
async fn run_here(agent: &Agent, path: &ObjectPath, rid: &Rid, action: Action, cancel: CancelSignal) -> RunEnd {
    match agent.act(path, request(rid, action), None, cancel).await {
        Ok(outcome) => match agent::ending(&outcome.report.ending) {
            EndingDocument::Done => RunEnd::Done,
            _ => RunEnd::Failed(outcome.report.ending.to_string()),
        },
        Err(error) if error.kind() == FailureKind::Busy => RunEnd::Busy,
        Err(error) => RunEnd::Failed(agent::chain(&error)),
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
