//! Actions of the agent that the daemon begins: remembered before anything is touched, done beside the owner, and reported to
//! the store when they have ended.

use std::collections::BTreeSet;
use std::time::Duration;

use agent::{ActError, ActionRequest, Agent, CancelSignal, ChangeAuthor, LogSeverity, RequestOrigin};
use model::{ObjectPath, Rid};
use orchestrate::{
    ActionCause, ActionEnd, ActionRecord, ActionScope, ActionStep, BootTime, InstanceAction, InstanceFailure,
    InstanceRecord, IntentId, StoreRevision,
};
use plan::Action;
use protocol::daemon::EventKind;
use protocol::{DeleteOrder, EndingDocument};
use replica::request::EndReport;
use replica::{RunningRow, StoredRecord};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{Message, Owner};
use crate::instance::{DaemonAction, Instance, remember};

/// How long an action of the daemon waits for that of another process, which holds the lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

impl Owner {
    /// Begins an action, unless another one is under way.
    pub(super) fn begin_action(&mut self, path: &ObjectPath, step: &ActionStep, now: BootTime) {
        let clears = self.clears(path);
        if self.instances.get(path).is_none_or(Instance::is_busy) || !self.may_begin(path, step) {
            return;
        }
        let Some(instance) = self.instances.get_mut(path) else { return };
        let sequence = instance.local.record.begin(step, now);
        instance.runs(sequence, step);
        self.next_process += 1;
        let (process, cancel) = (self.next_process, CancelSignal::default());
        let began_at = crate::clock::wall();
        instance.acting =
            Some(DaemonAction { process, step: step.clone(), cancel: cancel.clone(), killed: false, clears, began_at });
        if step.freeze {
            instance.frozen = true;
        }
        let record = stored(instance, &self.node.boot, Some(step));
        let (agent, mail, path, step) = (self.agent.clone(), self.mail.clone(), path.clone(), step.clone());
        self.tell_begin(&path, &step);
        self.touch(&path);
        let written = self.write(&path, record);
        tokio::spawn(async move {
            let work = InstanceWork { agent, path: path.clone(), step, cancel };
            let end = work.do_it(written).await;
            let _ = mail.send(Message::Ended { path, process, end });
        });
    }

    /// An action of this daemon has ended.
    pub(super) fn end_action(&mut self, path: ObjectPath, process: u64, end: ActionEnd) {
        let Some(instance) = self.instances.get_mut(&path) else { return };
        let Some(acting) = instance.acting.take_if(|acting| acting.process == process) else { return };
        // Otherwise it would begin again at once.
        let end = match end {
            ActionEnd::Interruption if acting.killed => ActionEnd::Failure("an operator has ended it".to_owned()),
            end => end,
        };
        self.trace_end(&path, &acting.step, &end, acting.began_at);
        self.record_end(&path, &acting.step, end, acting.clears);
    }

    /// An action that a former daemon of this boot had begun was interrupted.
    pub(super) fn resume(&mut self, instance: &mut Instance, running: &RunningRow) {
        let cause = running.intent.map_or(ActionCause::Hand, |id| ActionCause::Intent(IntentId(id)));
        let step = ActionStep {
            action: running.action,
            scope: ActionScope::Whole,
            cause,
            leader: false,
            freeze: false,
            token: None,
        };
        instance.local.record.end(&step, &ActionEnd::Interruption, StoreRevision(self.shared.revision));
    }

    /// Takes in how an action ended, of this daemon or of another process.
    pub(super) fn record_end(&mut self, path: &ObjectPath, step: &ActionStep, end: ActionEnd, clears: u64) {
        let revision = StoreRevision(self.shared.revision);
        self.tell_end(path, step, &end);
        let Some(instance) = self.instances.get_mut(path) else { return };
        instance.local.record.end(step, &end, revision);
        let sequence = instance.local.record.sequence;
        let failure = match &end {
            ActionEnd::Failure(text) if step.cause.blocks() => {
                Some(InstanceFailure { sequence, action: step.action, cause: step.cause, text: text.clone() })
            }
            _ => None,
        };
        let record = ActionRecord { sequence, action: step.action, end };
        let intent = match step.cause {
            ActionCause::Intent(id) => Some(id),
            _ => None,
        };
        // It counts as busy until the store has this: by a view that does not show the end, the same step would be
        // decided again.
        instance.ended = Some(EndReport { intent, record, failure, froze: step.freeze, clears });
        let stored = stored(instance, &self.node.boot, None);
        self.save(path, stored);
        self.touch(path);
    }

    /// The store knows how the last action ended.
    pub(super) fn reported(&mut self, path: &ObjectPath) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        let deleted = instance.ended.take().is_some_and(|report| {
            report.record.action == InstanceAction::Delete && report.record.end == ActionEnd::Success
        });
        instance.local.running = None;
        instance.due = BootTime::BOOT;
        if deleted {
            self.read(path);
        }
        self.touch(path);
    }

    /// Changes what is remembered of an instance, and writes it down.
    pub(crate) fn remember(&mut self, path: &ObjectPath, change: impl FnOnce(&mut InstanceRecord)) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        change(&mut instance.local.record);
        let step = instance.acting.as_ref().map(|acting| acting.step.clone());
        let stored = stored(instance, &self.node.boot, step.as_ref());
        self.save(path, stored);
        self.touch(path);
    }

    pub(super) fn save(&self, path: &ObjectPath, record: StoredRecord) {
        // An object that is being deleted must not come back as a directory.
        if self.instances.get(path).is_none_or(|instance| instance.missing) {
            return;
        }
        drop(self.write(path, record));
    }

    /// Writes a record down after all that were made before it: the writer is one task. The answer comes when it is on disk.
    fn write(&self, path: &ObjectPath, record: StoredRecord) -> oneshot::Receiver<Result<(), String>> {
        let (done, written) = oneshot::channel();
        let _ = self.records.send(RecordWrite { path: path.clone(), record, done });
        written
    }

    /// How often the instance was cleared, as far as the store says.
    pub(super) fn clears(&self, path: &ObjectPath) -> u64 {
        let own = self.views.get(path).and_then(|view| view.instances.get(&self.me));
        own.map_or(0, |own| own.clears)
    }

    fn tell_begin(&self, path: &ObjectPath, step: &ActionStep) {
        let data = json!({
            "action": step.action.as_str(),
            "cause": cause_word(step.cause),
            "rids": rids(step).map(|rids| rids.iter().map(Rid::to_string).collect::<Vec<_>>()),
        });
        self.add_event(EventKind::ExecStart, Some(path), data.clone());
        if matches!(step.cause, ActionCause::Restart | ActionCause::Standby) {
            self.add_event(EventKind::InstanceRestart, Some(path), data);
        }
    }

    fn tell_end(&self, path: &ObjectPath, step: &ActionStep, end: &ActionEnd) {
        let (word, error) = match end {
            ActionEnd::Success => ("done", None),
            ActionEnd::Failure(text) => ("failed", Some(text)),
            ActionEnd::Interruption => ("interrupted", None),
        };
        let data = json!({
            "action": step.action.as_str(),
            "cause": cause_word(step.cause),
            "end": word,
            "error": error,
        });
        self.add_event(EventKind::ExecEnd, Some(path), data);
        if let (ActionEnd::Failure(text), true) = (end, step.cause.blocks()) {
            let data = json!({ "action": step.action.as_str(), "error": text });
            self.add_event(EventKind::InstanceBlocked, Some(path), data);
        }
    }
}

/// What is to be on disk about an instance, with the action that is about to run.
pub(crate) fn stored(instance: &Instance, boot: &str, running: Option<&ActionStep>) -> StoredRecord {
    let running = running.map(|step| RunningRow {
        action: step.action,
        intent: match step.cause {
            ActionCause::Intent(id) => Some(id.0),
            _ => None,
        },
    });
    let mut stored = StoredRecord::of(&instance.local.record, boot, running, instance.followed);
    stored.frozen = instance.agreed_frozen;
    stored.checksum.clone_from(&instance.agreed_checksum);
    stored
}

/// As `om daemon ps` and events name a cause.
pub(crate) fn cause_word(cause: ActionCause) -> String {
    match cause {
        ActionCause::Hand => "by hand".to_owned(),
        ActionCause::Intent(id) => format!("order {id}"),
        ActionCause::Boot => "boot".to_owned(),
        ActionCause::Ha => "orchestrate = ha".to_owned(),
        ActionCause::Restart => "restart".to_owned(),
        ActionCause::Standby => "standby".to_owned(),
        ActionCause::Monitor => "monitor_action".to_owned(),
        ActionCause::Surplus => "too many instances".to_owned(),
        ActionCause::Drain => "drain".to_owned(),
        ActionCause::Tombstone => "deletion".to_owned(),
    }
}

fn rids(step: &ActionStep) -> Option<&BTreeSet<Rid>> {
    match &step.scope {
        ActionScope::Whole => None,
        ActionScope::Resources(rids) => Some(rids),
    }
}

/// An action, with all that it needs beside the owner.
struct InstanceWork {
    agent: Agent,
    path: ObjectPath,
    step: ActionStep,
    cancel: CancelSignal,
}

impl InstanceWork {
    async fn do_it(self, written: oneshot::Receiver<Result<(), String>>) -> ActionEnd {
        let takes_down = matches!(self.step.action, InstanceAction::Stop | InstanceAction::Shutdown);
        // A stop goes on although nothing can be written, as on a full disk.
        if let (Ok(Err(error)), false) = (written.await, takes_down) {
            return ActionEnd::Failure(format!("refused before anything was touched: {error}"));
        }
        // Before the action: a daemon that is killed in between leaves a frozen instance, and the next one does
        // not start it again.
        if self.step.freeze
            && let Err(error) = self.freeze().await
        {
            return ActionEnd::Failure(error);
        }
        match self.step.action {
            InstanceAction::Delete => {
                let by = ChangeAuthor::of_process("om daemon");
                match self.agent.delete(&self.path, &[], DeleteOrder::default(), &by).await {
                    Ok(_) => ActionEnd::Success,
                    Err(error) => ActionEnd::Failure(agent::chain(&error)),
                }
            }
            InstanceAction::Boot => match self.agent.recover(&self.path, self.request(Action::Stop)).await {
                Ok(_) => ActionEnd::Success,
                Err(error) => ended_with(&error),
            },
            InstanceAction::Start => self.act(Action::Start).await,
            InstanceAction::StartStandby => self.act(Action::StartStandby).await,
            InstanceAction::Stop => self.act(Action::Stop).await,
            InstanceAction::Shutdown => self.act(Action::Shutdown).await,
            InstanceAction::Provision => self.act(Action::Provision).await,
            InstanceAction::Unprovision => self.act(Action::Unprovision).await,
        }
    }

    async fn freeze(&self) -> Result<(), String> {
        let (agent, path) = (self.agent.clone(), self.path.clone());
        let frozen = tokio::task::spawn_blocking(move || agent.freeze(&path).map_err(|error| agent::chain(&error)));
        frozen.await.map_or_else(|error| Err(error.to_string()), |frozen| frozen.map(|_| ()))
    }

    async fn act(&self, action: Action) -> ActionEnd {
        let outcome = self.agent.act(&self.path, self.request(action), None, self.cancel.clone()).await;
        match outcome.as_ref().map(|outcome| (agent::ending(&outcome.report.ending), &outcome.report.ending)) {
            Ok((EndingDocument::Done | EndingDocument::Unsupported { .. }, _)) => ActionEnd::Success,
            Ok((EndingDocument::Interrupted, _)) => ActionEnd::Interruption,
            Ok((_, failed)) => ActionEnd::Failure(failed.to_string()),
            Err(error) => ended_with(error),
        }
    }

    fn request(&self, action: Action) -> ActionRequest {
        let command = format!("{} ({})", action.as_str(), cause_word(self.step.cause));
        let request = ActionRequest {
            wait: Some(LOCK_WAIT),
            // Only an order unprovisions, and who gives it has confirmed it.
            confirm: action == Action::Unprovision,
            follows: matches!(action, Action::Provision | Action::Unprovision) && !self.step.leader,
            asked_for: matches!(self.step.cause, ActionCause::Intent(_)),
            ..ActionRequest::new(action, RequestOrigin::Daemon, command)
        };
        match rids(&self.step) {
            Some(rids) => request.limited_to(rids),
            None => request,
        }
    }
}

/// What an action that was not begun is to the daemon.
fn ended_with(error: &ActError) -> ActionEnd {
    match error {
        // Another process acts: what comes next is decided when its action has ended.
        ActError::Lock(agent::file::lock::LockError::Busy(_)) => ActionEnd::Interruption,
        error => ActionEnd::Failure(agent::chain(error)),
    }
}

impl Owner {
    /// A line for the log of an object.
    pub(crate) fn log(&self, path: &ObjectPath, text: &str) {
        let (agent, path, text) = (self.agent.clone(), path.clone(), text.to_owned());
        tokio::task::spawn_blocking(move || agent.log_line(&path, LogSeverity::Info, &text));
    }
}

/// A record that is to be written down.
pub(crate) struct RecordWrite {
    path: ObjectPath,
    record: StoredRecord,
    /// Answered when it is on disk.
    done: oneshot::Sender<Result<(), String>>,
}

/// Writes down what is remembered of instances, one after the other. Ends with the owner.
pub(crate) async fn write_records(agent: Agent, mut records: mpsc::UnboundedReceiver<RecordWrite>) {
    while let Some(RecordWrite { path, record, done }) = records.recv().await {
        let agent = agent.clone();
        let written = tokio::task::spawn_blocking(move || remember(&agent, &path, &record)).await;
        // A full disk costs the memory of restarts and of what was stopped by hand, and no service.
        let written =
            written.map_or_else(|error| Err(error.to_string()), |it| it.map_err(|error| agent::chain(&error)));
        let _ = done.send(written);
    }
}
