//! An action on an instance, from the request to the last line of its log: lock, recovery, look, plan, execution, another look.

mod act_error;
mod admission;
mod aftermath;
mod noted;
mod planning;
mod recovery;
mod request;
mod run;
mod view;

pub use act_error::ActError;
pub use request::{ActionRequest, RequestOrigin};
pub use run::TaskRun;

use std::sync::Arc;
use std::time::Duration;

use config::NodeData;
use driver::{CancelSignal, LogSeverity};
use exec::journal::JournalError;
use exec::{ActionEnding, ExecutionContext, ExecutionRefusal, ExecutionReport};
use jiff::Timestamp;
use model::{ObjectPath, Rid};
use plan::Plan;

use self::admission::{
    admit, gives_up_orphans, here, here_or_held, prove_ended, prove_no_orphans, refuse_orphans, refuse_unaccepted,
    refuse_without_room, refuse_without_slot,
};
use self::aftermath::{conclude, note_end, note_runs, remember};
use self::noted::NotedAction;
use self::planning::make_plan;
use self::recovery::{finish_beside, finish_earlier};
use self::run::{RunSlots, end_runs, interrupted_runs};
use crate::agent::Agent;
use crate::file::lock::{FileLock, LockError};
use crate::instance::{ActionSession, Instance, InstanceFacilities, InstanceLook};
use crate::log::{ActionLog, LogConsole, LogFile, LogSinks};
use crate::node::{self, paths};
use crate::snapshot::{NodeSnapshot, Snapshot};
use crate::state::InstanceState;
use crate::status::{self, InstanceStatus};
use crate::volume;
use exec::blocking;

/// How long the look after an interrupted action may take.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The result of an action that ran.
#[derive(Debug)]
pub struct ActionOutcome {
    /// What the executor did, step by step.
    pub report: ExecutionReport,
    /// The status that the action led to.
    pub instance: InstanceStatus,
}

impl Agent {
    /// The status of an instance, asked of its drivers. It is kept, so that the next reader can be shown it without asking.
    pub async fn status(&self, path: &ObjectPath) -> Result<InstanceStatus, ActError> {
        let snapshot = Snapshot::take(self, path).await?;
        here_or_held(self, snapshot.object()?).await?;
        self.status_of(&snapshot).await
    }

    /// The same of one of many instances, whose drivers are asked together.
    pub(crate) async fn status_among(
        &self,
        common: &Arc<NodeSnapshot>,
        path: &ObjectPath,
    ) -> Result<InstanceStatus, ActError> {
        let snapshot = Snapshot::take_of(self, common, path).await?;
        here_or_held(self, snapshot.object()?).await?;
        self.status_of(&snapshot).await
    }

    /// The same of an object that may have no instance here, by its configuration: what was started before the configuration
    /// changed is still here.
    pub async fn status_anyhow(&self, path: &ObjectPath) -> Result<InstanceStatus, ActError> {
        self.status_of(&Snapshot::take(self, path).await?).await
    }

    pub(crate) async fn status_of(&self, snapshot: &Snapshot) -> Result<InstanceStatus, ActError> {
        let object = snapshot.object()?;
        let instance = Instance::new(self, object, snapshot);
        let status = self.look(&instance, &ActionSession::default(), snapshot).await;
        if here(object).is_err() {
            return Ok(status);
        }
        let state = instance.state();
        Ok(blocking(move || {
            // Looking must work for those who may not write, and on a full disk.
            let _ = state.set_last_status(&status);
            status
        })
        .await)
    }

    async fn look(&self, instance: &Instance<'_>, session: &ActionSession, snapshot: &Snapshot) -> InstanceStatus {
        let object = instance.object;
        let InstanceLook { resources, orphans } = instance.look(session).await;
        let state = instance.state();
        let facts = blocking(move || state.facts()).await;
        InstanceStatus {
            path: object.path.clone(),
            node: object.node.clone(),
            sums: status::sums(&resources, &orphans),
            frozen: facts.frozen,
            seen_at: Timestamp::now().as_second(),
            notes: status::notes(&snapshot.configuration, &facts),
            show_disabled: object.show_disabled,
            orphans,
            resources,
        }
    }

    /// The action or the run that was interrupted and that the next action recovers, if there is one. Blocks.
    pub fn unfinished(&self, path: &ObjectPath) -> Option<String> {
        let state = InstanceState::of(self.home(), path);
        state.interrupted().or_else(|| {
            let live = self.task_runs(path);
            let goes_on =
                |(rid, number): &(Rid, usize)| live.iter().any(|run| (&run.rid, run.number) == (rid, *number));
            let dead = interrupted_runs(&state).into_iter().find(|run| !goes_on(run));
            dead.map(|(rid, _)| format!("run of {rid}"))
        })
    }

    /// The plan of an action: what it would do now.
    pub async fn plan(&self, path: &ObjectPath, request: &ActionRequest) -> Result<Plan, ActError> {
        let snapshot = Snapshot::take(self, path).await?;
        let object = admit(self, snapshot.object()?, &snapshot.node, request).await?;
        let (instance, session) = (Instance::new(self, object, &snapshot), ActionSession::default());
        make_plan(&instance, &session, request).await.map(|(plan, _)| plan)
    }

    /// Carries out an action. One action on an instance goes on at a time, see [`ActionRequest::wait`]; a run of a task, once it has
    /// begun, keeps only other runs of that task waiting.
    pub async fn act(
        &self,
        path: &ObjectPath,
        request: ActionRequest,
        console: Option<Arc<dyn LogConsole>>,
        cancel: CancelSignal,
    ) -> Result<ActionOutcome, ActError> {
        // The lock first: everything that follows must hold until the end of the action.
        let lock = self.lock(path, &request).await?;
        let snapshot = Snapshot::take(self, path).await?;
        let object = admit(self, snapshot.object()?, &snapshot.node, &request).await?;
        // Read under the lock: an action that ran until now may have changed the state.
        let (instance, mut session) = (Instance::new(self, object, &snapshot), request.session());
        let facilities = InstanceFacilities { instance: &instance, session: &session };
        let beside = self.execution(facilities, &request, console, cancel).await?;
        let execution = match &lock {
            Some(_) => ExecutionContext { journal: instance.state().journal(), ..beside.clone() },
            None => beside.clone(),
        };
        let volatile =
            ExecutionContext { journal: instance.state().volatile_journal(), volatile: true, ..beside.clone() };
        // What an interrupted action left behind would falsify the look that the plan is made from.
        if lock.is_some() {
            finish_earlier(facilities, &volatile, request.action).await?;
        }
        finish_earlier(facilities, &execution, request.action).await?;
        // Without the lock the other journal is this action's own.
        if lock.is_some() {
            finish_beside(facilities, &beside).await;
            self.recover_runs(facilities, &beside).await;
        }
        // Only this look ends with a cancellation. The one after the action is made all the same, as the status that it
        // leads to is what is remembered.
        let looking = ActionSession { cancel: execution.cancel.clone(), ..session.clone() };
        let (plan, orphans) = make_plan(&instance, &looking, &request).await?;
        // Without the lock the volatile journal is not this action's either: it belongs to the holder of the lock.
        let is_volatile = lock.is_some() && !instance.outlives_a_reboot(&plan);
        // Other actions leave it to each driver: what they do can be undone.
        if request.action == plan::Action::Provision {
            refuse_unaccepted(&instance, &plan).await?;
        }
        refuse_orphans(path, &request, &orphans)?;
        refuse_without_slot(self, instance.object, &request)?;
        volume::refuse_if_used(self, path, &request)?;
        // Still under the lock of the instance: a stop that gets the lock next finds each run
        // in its slot, and asks it to end.
        let slots = RunSlots::take(&instance, &plan).await?;
        let run = slots.journal(facilities, &beside).await;
        let unended = end_runs(facilities, &request, &beside).await?;
        let plan = begin(&instance, plan, lock.is_some().then_some(&request)).await?;
        let (lock, execution) = match run {
            // Not before `begin`, which has noted the run and discarded the old status: an action that
            // gets the lock now knows of both.
            Some(run) => {
                drop(lock);
                (None, run)
            }
            None => (lock, execution),
        };
        let ActionRequest { action, command, origin, .. } = &request;
        execution.log.line(None, LogSeverity::Info, &exec::opening(*action, command, origin.as_str(), &session.sid));
        let executing = async {
            match is_volatile {
                true => exec::execute(&plan, &facilities, &volatile).await,
                false => exec::execute(&plan, &facilities, &execution).await,
            }
        };
        let executed = interruptible(executing, &slots, &execution.cancel).await;
        let executed = match executed {
            // Refused before anything was touched. A run directory without room must not forbid what the disk has room for.
            Err(ExecutionRefusal(JournalError::Room { .. })) if is_volatile => {
                exec::execute(&plan, &facilities, &execution).await
            }
            executed => executed,
        };
        let executed = executed.map_err(ActError::Refused);
        if lock.is_some() {
            // Also of an action that the executor refused: `begin` noted its beginning,
            // and the daemon waits for the end.
            note_end(&instance, request.action, executed.as_ref()).await;
        }
        let report = remember(&instance, plan, executed?).await;
        let lock = match slots.is_empty() {
            true => lock,
            // The status is kept by whoever has the lock: another action may have begun meanwhile.
            false => FileLock::take(&self.home().action_lock(path), request.action.as_str(), Duration::ZERO).await.ok(),
        };
        let is_beside = !slots.is_empty() && lock.is_none();
        // Before the look: what a run that goes on has made is excused, and this run has ended.
        drop(slots);
        // An operator who interrupted the action does not wait for a driver that hangs.
        session.patience = execution.cancel.is_cancelled().then_some(LAST_LOOK);
        // Asked once more: what drivers said they did is not what counts.
        let mut status = self.look(&instance, &session, &snapshot).await;
        if gives_up_orphans(&request, &status.orphans) {
            instance.give_up_orphans(&session, &status.orphans, &*execution.log).await;
            status = self.look(&instance, &session, &snapshot).await;
        }
        if takes_all_down(&request) && report.ending == ActionEnding::Done {
            // The notes of its users would outlast it: after its next start they would keep it from being stopped.
            let (home, object) = (self.home().clone(), path.clone());
            blocking(move || volume::give_up_users(&home, &object)).await;
        }
        let status = match is_beside {
            true => status,
            false => {
                instance.forget_what_is_down(&status.resources).await;
                instance.settle().await;
                conclude(self, &instance, status).await
            }
        };
        let (level, closing) = report.closing(command, status.sums.avail);
        execution.log.line(None, level, &closing);
        if let Err(left) = prove_no_orphans(path, &request, &status.orphans).and_then(|()| prove_ended(path, &unended))
        {
            execution.log.line(None, LogSeverity::Error, &left.to_string());
            return Err(left);
        }
        Ok(ActionOutcome { report, instance: status })
    }

    /// Recovers an action that was interrupted, if there is one, without beginning another. False: there was nothing to recover.
    pub async fn recover(&self, path: &ObjectPath, request: ActionRequest) -> Result<bool, ActError> {
        let (agent, object) = (self.clone(), path.clone());
        if blocking(move || agent.unfinished(&object)).await.is_none() {
            return Ok(false);
        }
        let _lock = self.lock(path, &request).await?;
        let snapshot = Snapshot::take(self, path).await?;
        let instance = Instance::new(self, snapshot.object()?, &snapshot);
        let session = request.session();
        let facilities = InstanceFacilities { instance: &instance, session: &session };
        let beside = self.execution(facilities, &request, None, CancelSignal::default()).await?;
        let state = instance.state();
        let volatile = ExecutionContext { journal: state.volatile_journal(), volatile: true, ..beside.clone() };
        finish_earlier(facilities, &volatile, request.action).await?;
        let whole = ExecutionContext { journal: state.journal(), ..beside.clone() };
        finish_earlier(facilities, &whole, request.action).await?;
        self.recover_runs(facilities, &beside).await;
        let (home, path) = (self.home().clone(), path.clone());
        blocking(move || {
            // What was recovered is not as the last status says: the next reader must ask the drivers.
            state.forget_last_status();
            paths::remove_empty_groups(&home, &path);
        })
        .await;
        Ok(true)
    }

    /// What the executor needs besides the plan, for an action beside the one that holds the lock.
    async fn execution(
        &self,
        facilities: InstanceFacilities<'_>,
        request: &ActionRequest,
        console: Option<Arc<dyn LogConsole>>,
        cancel: CancelSignal,
    ) -> Result<ExecutionContext, ActError> {
        let InstanceFacilities { instance, session } = facilities;
        let (path, node) = (&instance.object.path, instance.node());
        let file = LogFile::new(self.home().object_log(path), node::log_limits(node));
        let state = instance.state();
        let journal = state.unlocked_journal();
        let boot = prepare(self, path, state, request.if_plan.is_some()).await?;
        let log = ActionLog::new(path.clone(), file, console, session.secrets.clone());
        Ok(ExecutionContext {
            sid: session.sid.clone(),
            boot,
            journal,
            volatile: false,
            parallel: request.parallel.unwrap_or_else(|| max_parallel(node)),
            log: Arc::new(log.of_session(&session.sid).with_sinks(LogSinks::of(node))),
            cancel,
        })
    }

    /// The lock of the instance's actions. A caller that does not wait for it goes without, but only where another holds it.
    async fn lock(&self, path: &ObjectPath, request: &ActionRequest) -> Result<Option<FileLock>, ActError> {
        let wait = request.wait.unwrap_or_default();
        match FileLock::take(&self.home().action_lock(path), request.action.as_str(), wait).await {
            // The action that holds the lock has the journal too; this one keeps a journal of its own.
            Err(LockError::Busy(_)) if request.wait.is_none() => Ok(None),
            taken => taken.map(Some).map_err(ActError::Lock),
        }
    }
}

/// Whether an operator takes all of a volume down, whatever uses it.
fn takes_all_down(request: &ActionRequest) -> bool {
    let takes_down = matches!(request.action, plan::Action::Stop | plan::Action::Shutdown | plan::Action::Unprovision);
    takes_down && request.origin != RequestOrigin::Service && request.filter.is_empty() && request.to.is_none()
}

/// Carries out what is executed. A run of a task is interrupted when a stop of the instance asks for its end.
async fn interruptible<T>(executing: impl Future<Output = T>, slots: &RunSlots, cancel: &CancelSignal) -> T {
    tokio::pin!(executing);
    tokio::select! {
        executed = &mut executing => return executed,
        // Only the cancellation is asked for here. The executor still rolls back and closes its
        // journal, and is waited for below.
        () = slots.until_asked_to_end(cancel) => {}
    }
    executing.await
}

fn max_parallel(node: &NodeData) -> usize {
    let written = node.keywords.get("max_parallel").and_then(|number| number.parse().ok());
    written.unwrap_or_else(exec::default_parallel)
}

/// Makes the directories that the action needs, and reads which boot of the node this is. An action that is bound to a plan is
/// refused where an earlier one must be recovered first, as that changes the plan.
async fn prepare(agent: &Agent, path: &ObjectPath, state: InstanceState, bound: bool) -> Result<String, ActError> {
    let (agent, path) = (agent.clone(), path.clone());
    blocking(move || {
        // Drivers and the journal count on these directories. Where one cannot be made, whatever needs it says so.
        for directory in [agent.home().state(&path), agent.home().volatile(&path)] {
            let _ = kernel::files::make_directory(&directory, 0o755);
        }
        if bound && let Some(action) = state.interrupted() {
            return Err(ActError::Unfinished { object: path, action });
        }
        // Without it no recovery could say what a reboot has undone meanwhile, and what it must undo itself.
        kernel::clock::boot_id().ok_or(ActError::Boot)
    })
    .await
}

/// The last moment before anything is touched. An action with the lock is noted as the last one.
async fn begin(instance: &Instance<'_>, plan: Plan, locked: Option<&ActionRequest>) -> Result<Plan, ActError> {
    let state = instance.state();
    let noted = locked.map(|request| NotedAction::of(request, &plan));
    blocking(move || {
        // In this order: what may be refused comes before what another process reads as the beginning of the action.
        refuse_without_room(&plan, &state)?;
        note_runs(&state, &plan).map_err(ActError::NoRoom)?;
        noted.iter().for_each(|noted| noted.begin(&state));
        // From here on the status changes, also for those who ask for it meanwhile or after this process was killed.
        state.forget_last_status();
        Ok(plan)
    })
    .await
}
