//! Runs of tasks. A run begins under the lock of its instance, and goes on under a lock of its own, so that other actions of the instance
//! need not wait for it. It has a journal of its own, too.
//!
//! ```text
//!  runs/svc/web/task#1.0        the lock, whose note names the process
//!  runs/svc/web/task#1.0.stop   made by a stop of the instance: the run is to end
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use driver::{CancelSignal, LogSeverity, Verb};
use exec::{ExecutionContext, UnreleasedResource, blocking};
use kernel::watch::TreeWatch;
use model::{ObjectPath, Rid};
use plan::{Action, Plan};

use super::aftermath::note_cut_short;
use super::recovery::finish_beside;
use super::{ActError, ActionRequest};
use crate::Agent;
use crate::file::lock::{FileLock, LockError, LockHolder, holder_of};
use crate::instance::{Instance, InstanceFacilities};
use crate::state::InstanceState;

/// How long a stop waits for a run that it has asked to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a run looks whether it is to end, where inotify(7) does not tell it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A run of a task that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRun {
    pub rid: Rid,
    /// The number of its lock: a task may have several at once.
    pub number: usize,
    pub holder: LockHolder,
}

/// The locks of the tasks that an action runs.
#[derive(Debug)]
pub(super) struct RunSlots {
    directory: PathBuf,
    slots: Vec<RunSlot>,
}

#[derive(Debug)]
struct RunSlot {
    rid: Rid,
    number: usize,
    _lock: FileLock,
}

impl RunSlots {
    /// Takes a lock for each task that the plan runs. A task that runs as often as it may already is busy.
    pub(super) async fn take(instance: &Instance<'_>, plan: &Plan) -> Result<RunSlots, ActError> {
        let directory = instance.agent.home().runs(&instance.object.path);
        let mut slots = Vec::new();
        let runs = plan.steps().filter(|step| step.work.iter().any(|work| work.verb() == Verb::Run));
        for step in runs {
            let most = instance.object.resource(&step.rid).map_or(1, |resource| resource.max_parallel);
            slots.push(RunSlot::take(&directory, &step.rid, most).await.map_err(ActError::Lock)?);
        }
        Ok(RunSlots { directory, slots })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Recovers runs in these places whose process died, and makes the journal of this one. None if nothing is run.
    pub(super) async fn journal(
        &self,
        facilities: InstanceFacilities<'_>,
        beside: &ExecutionContext,
    ) -> Option<ExecutionContext> {
        let state = facilities.instance.state();
        let journals = state.run_journals();
        blocking(move || std::fs::create_dir_all(journals).ok()).await;
        for slot in &self.slots {
            let journal = state.run_journal(&slot.rid, slot.number);
            finish_run(facilities, &ExecutionContext { journal, ..beside.clone() }, &slot.rid).await;
        }
        // One journal for the whole action. It bears the name of the first run, under whose
        // lock a later action recovers it.
        let first = self.slots.first()?;
        Some(ExecutionContext { journal: state.run_journal(&first.rid, first.number), ..beside.clone() })
    }

    /// Interrupts the run as soon as somebody asks for its end, see [`end_runs`]. Never returns otherwise.
    pub(super) async fn until_asked_to_end(&self, cancel: &CancelSignal) {
        let requests: Vec<PathBuf> =
            self.slots.iter().map(|slot| request_of(&self.directory, &slot.rid, slot.number)).collect();
        // Before the first look at the requests: one that is made between a look and a watch would never be seen.
        let mut watch = TreeWatch::new(&self.directory).ok();
        while !self.slots.is_empty() && !requests.iter().any(|request| request.exists()) {
            // A watch that has failed once fails each time.
            let has_changed = match &mut watch {
                Some(watch) => watch.changes().await.is_ok(),
                None => false,
            };
            if !has_changed {
                watch = None;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        match self.slots.is_empty() {
            true => std::future::pending().await,
            false => cancel.cancel(),
        }
    }
}

impl RunSlot {
    async fn take(directory: &Path, rid: &Rid, most: usize) -> Result<RunSlot, LockError> {
        let mut refused = None;
        for number in 0..most {
            match FileLock::take(&lock_of(directory, rid, number), &rid.to_string(), Duration::ZERO).await {
                Ok(lock) => {
                    // Of a stop that has ended an earlier run.
                    let _ = std::fs::remove_file(request_of(directory, rid, number));
                    return Ok(RunSlot { rid: rid.clone(), number, _lock: lock });
                }
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or(LockError::Busy(None)))
    }
}

impl Agent {
    /// The runs of an object's tasks that go on now, in whatever process. Blocks.
    pub fn task_runs(&self, path: &ObjectPath) -> Vec<TaskRun> {
        let directory = self.home().runs(path);
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        let mut runs: Vec<TaskRun> = entries.filter_map(|entry| run_in(&directory, &entry.file_name())).collect();
        runs.sort_by(|a, b| (&a.rid, a.number).cmp(&(&b.rid, b.number)));
        runs
    }

    /// Waits until a run is over, in whatever process.
    pub async fn until_run_is_over(&self, path: &ObjectPath, run: &TaskRun) {
        let directory = self.home().runs(path);
        let lock = lock_of(&directory, &run.rid, run.number);
        // The holder of a lock writes its file, or has it closed, when the run is over.
        let Ok(mut watch) = TreeWatch::new(&directory) else { return };
        while holder_of(&lock).is_some() {
            if watch.changes().await.is_err() {
                return;
            }
        }
    }

    /// Asks a run to end, as a stop of its instance does. Nothing waits for it.
    pub fn ask_run_to_end(&self, path: &ObjectPath, run: &TaskRun) {
        // Where that cannot be written, the run goes on, and whoever waits says so.
        let _ = std::fs::write(request_of(&self.home().runs(path), &run.rid, run.number), b"");
    }

    /// Whether the last run of a task succeeded. None: it has not ended, or there was none.
    pub async fn last_run_end(&self, path: &ObjectPath, rid: &Rid) -> Option<bool> {
        let (state, rid) = (InstanceState::of(self.home(), path), rid.clone());
        blocking(move || state.last_run(&rid, Verb::Run).ok().flatten()).await?.succeeded
    }

    /// Recovers the runs of an instance whose processes died. The lock of the instance is held.
    pub(super) async fn recover_runs(&self, facilities: InstanceFacilities<'_>, beside: &ExecutionContext) {
        let Instance { object, .. } = facilities.instance;
        let (state, directory) = (facilities.instance.state(), self.home().runs(&object.path));
        for (rid, number) in interrupted_runs(&state) {
            let Ok(_lock) = FileLock::take(&lock_of(&directory, &rid, number), &rid.to_string(), Duration::ZERO).await
            else {
                continue;
            };
            let journal = state.run_journal(&rid, number);
            finish_run(facilities, &ExecutionContext { journal, ..beside.clone() }, &rid).await;
        }
    }
}

/// The runs without an end in their journals: they go on, or their processes died.
pub(super) fn interrupted_runs(state: &InstanceState) -> Vec<(Rid, usize)> {
    let entries = std::fs::read_dir(state.run_journals()).into_iter().flatten().flatten();
    let pending =
        entries.filter(|entry| exec::journal::Journal::pending(&entry.path()).is_ok_and(|story| story.is_some()));
    pending.filter_map(|entry| parse(entry.file_name().to_str()?)).collect()
}

/// Asks the runs of the tasks that a stop is about to end, and waits until they have: tasks come before all other groups then. Returns
/// what runs have left that could not be ended.
pub(super) async fn end_runs(
    facilities: InstanceFacilities<'_>,
    request: &ActionRequest,
    session: &ExecutionContext,
) -> Result<Vec<UnreleasedResource>, ActError> {
    if !takes_down(request.action) {
        return Ok(Vec::new());
    }
    let (agent, path) = (facilities.instance.agent, &facilities.instance.object.path);
    let directory = agent.home().runs(path);
    // An empty selection has been refused already, when the plan was made.
    let selected = request.filter.select(&facilities.instance.object.resources).unwrap_or_default();
    // Also one whose section is gone by now, if all of the instance goes down.
    let is_meant = |rid: &Rid| request.filter.is_empty() || selected.iter().any(|resource| resource.rid == *rid);
    let (looking, object) = (agent.clone(), path.clone());
    let runs = blocking(move || looking.task_runs(&object)).await;
    for TaskRun { rid, number, holder } in runs.into_iter().filter(|run| is_meant(&run.rid)) {
        let say = |level, text: String| session.log.line(Some(&rid), level, &text);
        say(LogSeverity::Info, format!("its run (process {}, since {:.0}) is to end", holder.pid, holder.since));
        agent.ask_run_to_end(path, &TaskRun { rid: rid.clone(), number, holder: holder.clone() });
        let ended = FileLock::take(&lock_of(&directory, &rid, number), &rid.to_string(), PATIENCE).await;
        // Taken back whatever came of it: it must not meet the next run in this place.
        let _ = std::fs::remove_file(request_of(&directory, &rid, number));
        match ended {
            Ok(_) => say(LogSeverity::Info, "its run has ended".to_owned()),
            Err(error) if request.force => say(LogSeverity::Warn, format!("its run goes on: {error}")),
            Err(_) => return Err(ActError::RunGoesOn { rid, pid: holder.pid, patience: PATIENCE }),
        }
    }
    // After the runs, which may start programs until their very end.
    Ok(facilities.instance.end_leftovers(facilities.session, &selected, &session.log).await)
}

fn takes_down(action: Action) -> bool {
    matches!(action, Action::Stop | Action::Shutdown | Action::Unprovision | Action::Restart)
}

async fn finish_run(facilities: InstanceFacilities<'_>, session: &ExecutionContext, rid: &Rid) {
    let state = facilities.instance.state();
    let story = finish_beside(facilities, session).await;
    let rid = rid.clone();
    blocking(move || {
        // One action may have run several tasks: its journal bears the name of the first.
        let steps = story.iter().flat_map(|story| &story.steps);
        steps.for_each(|step| note_cut_short(&state, &step.rid, step.is_complete()));
        // Without a journal that can be read, nothing says that it succeeded.
        note_cut_short(&state, &rid, false);
    })
    .await;
}

fn lock_of(directory: &Path, rid: &Rid, number: usize) -> PathBuf {
    directory.join(format!("{rid}.{number}"))
}

fn request_of(directory: &Path, rid: &Rid, number: usize) -> PathBuf {
    directory.join(format!("{rid}.{number}.stop"))
}

fn run_in(directory: &Path, name: &std::ffi::OsStr) -> Option<TaskRun> {
    let (rid, number) = parse(name.to_str()?)?;
    Some(TaskRun { holder: holder_of(&directory.join(name))?, rid, number })
}

/// Reads `task#1.0`.
fn parse(name: &str) -> Option<(Rid, usize)> {
    let (rid, number) = name.rsplit_once('.')?;
    Some((rid.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_runs_as_often_at_once_as_it_may() {
        let directory = tempfile::tempdir().unwrap();
        let (task, other): (Rid, Rid) = ("task#1".parse().unwrap(), "task#2".parse().unwrap());
        let first = RunSlot::take(directory.path(), &task, 2).await.unwrap();
        let second = RunSlot::take(directory.path(), &task, 2).await.unwrap();
        assert_eq!((first.number, second.number), (0, 1));
        let busy = RunSlot::take(directory.path(), &task, 2).await.unwrap_err();
        assert!(busy.to_string().contains("has been running task#1 since"), "{busy}");
        RunSlot::take(directory.path(), &other, 1).await.unwrap();
        drop(first);
        assert_eq!(RunSlot::take(directory.path(), &task, 2).await.unwrap().number, 0);
    }

    #[tokio::test]
    async fn a_run_is_interrupted_when_a_stop_asks_for_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let rid: Rid = "task#1".parse().unwrap();
        let slots = vec![RunSlot::take(directory.path(), &rid, 1).await.unwrap()];
        let slots = RunSlots { directory: directory.path().to_owned(), slots };
        let cancel = CancelSignal::default();
        let asked = async {
            tokio::task::yield_now().await;
            std::fs::write(request_of(directory.path(), &rid, 0), b"").unwrap();
        };
        tokio::join!(slots.until_asked_to_end(&cancel), asked);
        assert!(cancel.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_interrupted_also_where_the_kernel_does_not_tell() {
        let directory = tempfile::tempdir().unwrap();
        let rid: Rid = "task#1".parse().unwrap();
        let slots = vec![RunSlot::take(directory.path(), &rid, 1).await.unwrap()];
        // There is nothing to watch when the run begins.
        let late = directory.path().join("late");
        let slots = RunSlots { directory: late.clone(), slots };
        let cancel = CancelSignal::default();
        let asked = async {
            tokio::time::sleep(LOOK_AGAIN * 3 / 2).await;
            std::fs::create_dir(&late).unwrap();
            std::fs::write(request_of(&late, &rid, 0), b"").unwrap();
        };
        tokio::join!(slots.until_asked_to_end(&cancel), asked);
        assert!(cancel.is_cancelled());
    }
}
