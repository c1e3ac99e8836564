//! An action on an instance, from the request to the last line of its log: lock, recovery, look, plan, execution, another look.

mod act_error;
mod admission;
mod aftermath;
mod planning;
mod recovery;
mod request;

pub use act_error::ActError;
pub use request::ActionRequest;

use std::path::PathBuf;
use std::sync::Arc;

use driver::{Cancel, Level};
use exec::{Report, Session};
use jiff::Timestamp;
use model::ObjectPath;
use plan::Plan;

use self::admission::{active, refuse_unaccepted, refuse_without_room};
use self::aftermath::{remember, remember_failure};
use self::planning::make_plan;
use self::recovery::{finish_beside, finish_earlier};
use crate::agent::Agent;
use crate::file::lock::{FileLock, LockError};
use crate::instance::{ActionSession, Instance, InstanceFacilities};
use crate::log::{ActionLog, LogConsole, LogFile};
use crate::node;
use crate::node::paths;
use crate::object::ObjectConfiguration;
use crate::state::{FreezeState, InstanceState};
use crate::status::note::{notes, unfinished};
use crate::status::{self, InstanceStatus};

/// What an action came to.
#[derive(Debug)]
pub struct ActionOutcome {
    /// What was done.
    pub report: Report,
    /// How the instance is now.
    pub instance: InstanceStatus,
}

impl Agent {
    /// How an instance is, by asking its drivers. Remembered for those who only want to know how it was.
    pub async fn status(&self, path: &ObjectPath) -> Result<InstanceStatus, ActError> {
        let configuration = self.configuration(path)?;
        self.here(active(&configuration, path)?)?;
        self.status_anyhow(path).await
    }

    /// The same, of an object that may have no instance here, by its configuration: what was started before it was changed
    /// is here all the same.
    pub async fn status_anyhow(&self, path: &ObjectPath) -> Result<InstanceStatus, ActError> {
        let configuration = self.configuration(path)?;
        let object = active(&configuration, path)?;
        let instance = Instance::new(self, object);
        let status = self.look(&instance, &ActionSession::default(), &configuration).await;
        if self.here(object).is_ok() {
            // Looking must work for those who may not write, and on a full disk.
            let _ = InstanceState::of(self.home(), path).set_last_status(&status);
        }
        Ok(status)
    }

    async fn look(
        &self,
        instance: &Instance<'_>,
        session: &ActionSession,
        configuration: &ObjectConfiguration,
    ) -> InstanceStatus {
        let object = instance.object;
        let state = InstanceState::of(self.home(), &object.path);
        let resources = instance.look(session).await;
        InstanceStatus {
            path: object.path.clone(),
            node: object.node.clone(),
            sums: status::sums(&resources),
            frozen: state.frozen().is_ok_and(|frozen| frozen != FreezeState::No),
            seen_at: Timestamp::now().as_second(),
            notes: notes(&object.path, &state, configuration),
            show_disabled: object.show_disabled,
            resources,
        }
    }

    /// The action that was killed and whose story the next one finishes, if there is one.
    pub fn unfinished(&self, path: &ObjectPath) -> Option<String> {
        unfinished(&InstanceState::of(self.home(), path))
    }

    /// What the action would do.
    pub async fn plan(&self, path: &ObjectPath, request: &ActionRequest) -> Result<Plan, ActError> {
        let configuration = self.configuration(path)?;
        let object = self.admits(active(&configuration, path)?, request)?;
        make_plan(&Instance::new(self, object), &request.session_to_plan(), request).await
    }

    /// Does it. One action an instance at a time.
    pub async fn act(
        &self,
        path: &ObjectPath,
        request: ActionRequest,
        console: Option<Arc<dyn LogConsole>>,
        cancel: Cancel,
    ) -> Result<ActionOutcome, ActError> {
        let lock = self.lock(path, &request)?;
        let configuration = self.configuration(path)?;
        let object = self.admits(active(&configuration, path)?, &request)?;
        let (instance, session) = (Instance::new(self, object), request.session());
        let facilities = InstanceFacilities { instance: &instance, session: &session };
        let state = InstanceState::of(self.home(), path);
        // Drivers and the journal count on these directories. Where one cannot be made, whatever needs it says so.
        for directory in [self.home().state(path), self.home().volatile(path)] {
            let _ = std::fs::create_dir_all(directory);
        }
        if let (Some(_), Some(action)) = (&request.if_plan, unfinished(&state)) {
            return Err(ActError::Unfinished { object: path.clone(), action });
        }
        let beside = self.execution(&facilities, &request, state.unlocked_journal(), console, cancel)?;
        let execution = match &lock {
            Some(_) => Session { journal: state.journal(), ..beside.clone() },
            None => beside.clone(),
        };
        finish_earlier(facilities, &execution, request.action).await?;
        if lock.is_some() {
            finish_beside(facilities, &beside).await;
        }
        let plan = make_plan(&instance, &session, &request).await?;
        if request.action == plan::Action::Provision {
            refuse_unaccepted(&instance, &plan).await?;
        }
        refuse_without_room(&plan, &self.home().state(path))?;
        // From here on it is another one, also for those who look meanwhile or after this process was killed.
        state.forget_last_status();
        let ActionRequest { action, command, origin, .. } = &request;
        execution.log.line(None, Level::Info, &exec::opening(*action, command, origin, &session.sid));
        let report = exec::execute(&plan, &facilities, &execution).await.map_err(ActError::Refused)?;
        remember(&state, &plan, &report);
        remember_failure(&state, &report);
        let status = self.look(&instance, &session, &configuration).await;
        instance.forget_what_is_down(&status.resources);
        let _ = state.set_last_status(&status);
        paths::remove_empty_groups(self.home(), path);
        let (level, closing) = report.closing(command, status.sums.avail);
        execution.log.line(None, level, &closing);
        Ok(ActionOutcome { report, instance: status })
    }

    /// What the executor needs besides the plan.
    fn execution(
        &self,
        facilities: &InstanceFacilities<'_>,
        request: &ActionRequest,
        journal: PathBuf,
        console: Option<Arc<dyn LogConsole>>,
        cancel: Cancel,
    ) -> Result<Session, ActError> {
        let InstanceFacilities { instance, session } = facilities;
        let path = &instance.object.path;
        let file = LogFile::new(self.home().object_log(path), node::log_limits(self.node()));
        Ok(Session {
            sid: session.sid.clone(),
            boot: exec::boot_id().map_err(ActError::Boot)?,
            journal,
            parallel: request.parallel.unwrap_or_else(|| self.max_parallel()),
            log: Arc::new(ActionLog::new(path.clone(), file, console, session.secrets.clone())),
            cancel,
        })
    }

    /// The lock of the instance's actions. Whoever does not wait for it goes without only where another one holds it.
    fn lock(&self, path: &ObjectPath, request: &ActionRequest) -> Result<Option<FileLock>, ActError> {
        let wait = request.wait.unwrap_or_default();
        match FileLock::take(&self.home().action_lock(path), request.action.as_str(), wait) {
            Err(LockError::Busy(_)) if request.wait.is_none() => Ok(None),
            taken => taken.map(Some).map_err(ActError::Lock),
        }
    }

    fn max_parallel(&self) -> usize {
        let written = self.node().keywords.get("max_parallel").and_then(|number| number.parse().ok());
        written.unwrap_or_else(exec::default_parallel)
    }
}
