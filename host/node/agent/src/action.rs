//! An action on an instance, from the request to the last line of its log: lock, journal, look, plan, execute, look again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driver::{Cancel, Level, Verb};
use exec::{Ending, Report, Session, StepEnd};
use jiff::Timestamp;
use model::config::{Object, Resource};
use model::select::ResourceFilter;
use model::{NodeName, ObjectPath};
use plan::{OnFailure, Plan};

use crate::act_error::ActError;
use crate::active::{Active, Configuration};
use crate::agent::Agent;
use crate::copying::CopyRequest;
use crate::durable;
use crate::judgement::Refused;
use crate::lock::{Lock, LockError};
use crate::log::{ActionLog, Console, LogFile};
use crate::memory::{Failure, Frozen, Memory, ProvisionedMark};
use crate::site::Acting;
use crate::status::{self, Instance};
use crate::{folders, node, view};

/// What is asked of an instance.
#[derive(Debug, Clone)]
pub struct Request {
    /// The action.
    pub action: plan::Action,
    /// Of which resources.
    pub filter: ResourceFilter,
    /// No further than this.
    pub to: Option<plan::Barrier>,
    /// Also what is standby or not provisioned.
    pub force: bool,
    /// Leave a failed start as it is.
    pub disable_rollback: bool,
    /// Yes to whatever wants to be confirmed.
    pub confirm: bool,
    /// Only if the plan's digest begins so.
    pub if_plan: Option<String>,
    /// How many members of a parallel subset at once.
    pub parallel: Option<usize>,
    /// How long to wait for an action that is under way. None: act beside it.
    pub wait: Option<Duration>,
    /// `-e NAME=VALUE`, for triggers.
    pub env: Vec<(String, String)>,
    /// What a sync copies.
    pub copying: CopyRequest,
    /// Where a migration goes.
    pub destination: Option<NodeName>,
    /// The command as it was typed, without secrets, for the log.
    pub command: String,
    /// Who asked: `user`, `daemon`, `scheduler`.
    pub origin: &'static str,
}

/// The environment whose nodes refuse objects of any other.
pub(crate) const PRD: &str = "PRD";

/// What an action came to.
#[derive(Debug)]
pub struct Acted {
    /// What was done.
    pub report: Report,
    /// How the instance is now.
    pub instance: Instance,
}

impl Agent {
    /// How an instance is, by asking its drivers. Remembered for those who only want to know how it was.
    pub async fn status(&self, path: &ObjectPath) -> Result<Instance, ActError> {
        let configuration = self.configuration(path)?;
        self.here(active(&configuration, path)?)?;
        self.status_anyhow(path).await
    }

    /// The same, of an object that may have no instance here, by its configuration: what was started before it was changed
    /// is here all the same.
    pub async fn status_anyhow(&self, path: &ObjectPath) -> Result<Instance, ActError> {
        let configuration = self.configuration(path)?;
        let object = active(&configuration, path)?;
        let acting = Acting::new(self, object);
        let instance = self.look(&acting, &configuration).await;
        if self.here(object).is_ok() {
            // Looking must work for those who may not write, and on a full disk.
            let _ = Memory::of(self.home(), path).set_last_status(&instance);
        }
        Ok(instance)
    }

    async fn look(&self, acting: &Acting<'_>, configuration: &Configuration) -> Instance {
        let object = acting.object;
        let memory = Memory::of(self.home(), &object.path);
        let resources = acting.look().await;
        Instance {
            path: object.path.clone(),
            node: object.node.clone(),
            sums: status::sums(&resources),
            frozen: memory.frozen().is_ok_and(|frozen| frozen != Frozen::No),
            seen_at: Timestamp::now().as_second(),
            notes: notes(&object.path, &memory, configuration),
            show_disabled: object.show_disabled,
            resources,
        }
    }

    /// The action that was killed and whose story the next one finishes, if there is one.
    pub fn unfinished(&self, path: &ObjectPath) -> Option<String> {
        unfinished(&Memory::of(self.home(), path))
    }

    /// What the action would do.
    pub async fn plan(&self, path: &ObjectPath, request: &Request) -> Result<Plan, ActError> {
        let configuration = self.configuration(path)?;
        let object = self.admits(active(&configuration, path)?, request)?;
        let mut acting = Acting::new(self, object);
        acting.destination = request.destination.clone();
        make_plan(&acting, request).await
    }

    /// Does it. One action an instance at a time.
    pub async fn act(
        &self,
        path: &ObjectPath,
        request: Request,
        console: Option<Arc<dyn Console>>,
        cancel: Cancel,
    ) -> Result<Acted, ActError> {
        let lock = self.lock(path, &request)?;
        let configuration = self.configuration(path)?;
        let object = self.admits(active(&configuration, path)?, &request)?;
        let acting = Acting::carrying_out(self, object, &request);
        let memory = Memory::of(self.home(), path);
        // Drivers and the journal count on these folders. Where they cannot be made, whoever needs them says so.
        for folder in [self.home().state(path), self.home().volatile(path)] {
            let _ = std::fs::create_dir_all(folder);
        }
        if let (Some(_), Some(action)) = (&request.if_plan, unfinished(&memory)) {
            return Err(ActError::Unfinished { object: path.clone(), action });
        }
        let beside = self.session(&acting, &request, memory.unlocked_journal(), console, cancel)?;
        let session = match &lock {
            Some(_) => Session { journal: memory.journal(), ..beside.clone() },
            None => beside.clone(),
        };
        finish_earlier(&acting, &session, request.action).await?;
        if lock.is_some() {
            finish_beside(&acting, &beside).await;
        }
        let plan = make_plan(&acting, &request).await?;
        if request.action == plan::Action::Provision {
            refuse_unaccepted(&acting, &plan).await?;
        }
        refuse_without_room(&plan, &self.home().state(path))?;
        // From here on it is another one, also for those who look meanwhile or after this process was killed.
        memory.forget_last_status();
        let Request { action, command, origin, .. } = &request;
        session.log.line(None, Level::Info, &exec::opening(*action, command, origin, &session.sid));
        let report = exec::execute(&plan, &acting, &session).await.map_err(ActError::Refused)?;
        remember(&memory, &plan, &report);
        remember_failure(&memory, &report);
        let instance = self.look(&acting, &configuration).await;
        acting.forget_what_is_down(&instance.resources);
        let _ = memory.set_last_status(&instance);
        folders::remove_empty_groups(self.home(), path);
        let (level, closing) = report.closing(command, instance.sums.avail);
        session.log.line(None, level, &closing);
        Ok(Acted { report, instance })
    }

    /// What the executor needs besides the plan.
    fn session(
        &self,
        acting: &Acting<'_>,
        request: &Request,
        journal: PathBuf,
        console: Option<Arc<dyn Console>>,
        cancel: Cancel,
    ) -> Result<Session, ActError> {
        let path = &acting.object.path;
        let file = LogFile::new(self.home().object_log(path), node::log_limits(self.node()));
        Ok(Session {
            sid: acting.sid.clone(),
            boot: exec::boot_id().map_err(ActError::Boot)?,
            journal,
            parallel: request.parallel.unwrap_or_else(|| self.max_parallel()),
            log: Arc::new(ActionLog::new(path.clone(), file, console, acting.secrets.clone())),
            cancel,
        })
    }

    /// The lock of the instance's actions. Whoever does not wait for it goes without only where another one holds it.
    fn lock(&self, path: &ObjectPath, request: &Request) -> Result<Option<Lock>, ActError> {
        let wait = request.wait.unwrap_or_default();
        match Lock::take(&self.home().action_lock(path), request.action.as_str(), wait) {
            Err(LockError::Busy(_)) if request.wait.is_none() => Ok(None),
            taken => taken.map(Some).map_err(ActError::Lock),
        }
    }

    /// The object, if it has an instance on this node.
    fn here<'o>(&self, object: &'o Object) -> Result<&'o Object, ActError> {
        let nodes = || object.nodes.iter().chain(&object.drpnodes);
        if nodes().any(|node| *node == object.node) {
            return Ok(object);
        }
        let nodes: Vec<String> = nodes().map(ToString::to_string).collect();
        Err(ActError::NotHere { object: object.path.clone(), node: object.node.to_string(), nodes: nodes.join(" ") })
    }

    /// The object, if this node may do that with it: what takes down is always done.
    fn admits<'o>(&self, object: &'o Object, request: &Request) -> Result<&'o Object, ActError> {
        let object = self.here(object)?;
        if let Some(to) = &request.destination
            && !object.others().any(|other| other == to)
        {
            let others: Vec<&str> = object.others().map(NodeName::as_str).collect();
            let others = if others.is_empty() { "none".to_owned() } else { others.join(" ") };
            return Err(ActError::NoDestination { object: object.path.clone(), to: to.clone(), others });
        }
        let takes_down =
            matches!(request.action, plan::Action::Stop | plan::Action::Shutdown | plan::Action::Unprovision);
        let is_prd = self.node().keywords.get("env").is_some_and(|env| env == PRD);
        if takes_down || !is_prd || object.env == PRD {
            return Ok(object);
        }
        let (env, node) = (object.env.clone(), object.node.to_string());
        Err(ActError::Environment { object: object.path.clone(), env, node })
    }

    fn max_parallel(&self) -> usize {
        let written = self.node().keywords.get("max_parallel").and_then(|number| number.parse().ok());
        written.unwrap_or_else(exec::default_parallel)
    }
}

/// Finishes the story of an action that was killed. What cannot be read must not keep anybody from stopping a service.
async fn finish_earlier(acting: &Acting<'_>, session: &Session, action: plan::Action) -> Result<(), ActError> {
    match exec::recover(acting, session).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(action, plan::Action::Stop | plan::Action::Shutdown) => {
            let text = format!("what an earlier action left behind is not dealt with: {}", crate::chain(&error));
            session.log.line(None, Level::Warn, &text);
            Ok(())
        }
        Err(error) => Err(ActError::Recovery(error)),
    }
}

/// The same for one that went on beside another. It may still be under way.
async fn finish_beside(acting: &Acting<'_>, session: &Session) {
    if let Err(error) = exec::recover(acting, session).await {
        let text =
            format!("what an action without the lock has left behind is not dealt with: {}", crate::chain(&error));
        session.log.line(None, Level::Warn, &text);
    }
}

/// Drivers find fault with what would be provisioned before anything is: most of what it makes cannot be undone.
async fn refuse_unaccepted(acting: &Acting<'_>, plan: &Plan) -> Result<(), ActError> {
    let planned = planned(plan, acting.object);
    let absent = acting.unresolved(&planned).into_iter();
    let absent = absent.map(|(rid, absent)| Refused { rid, keyword: None, text: absent.to_string() });
    let refused: Vec<Refused> = acting.refused(&planned).await.into_iter().chain(absent).collect();
    if refused.is_empty() { Ok(()) } else { Err(ActError::NotAccepted(refused)) }
}

/// An action that goes on past every failure, such as a stop, goes on past a full disk too. All others write down what they
/// did, and are not begun where they cannot.
fn refuse_without_room(plan: &Plan, state: &Path) -> Result<(), ActError> {
    let needs_it = plan.phases.iter().any(|phase| phase.on_failure != OnFailure::GoOn);
    match needs_it && plan.steps().any(|step| !step.work.is_empty()) {
        true => durable::probe(state).map_err(ActError::NoRoom),
        false => Ok(()),
    }
}

async fn make_plan(acting: &Acting<'_>, request: &Request) -> Result<Plan, ActError> {
    let object = acting.object;
    let selected = match request.filter.is_empty() {
        true => None,
        false => {
            let selected = request.filter.select(&object.resources)?;
            Some(selected.into_iter().map(|resource| resource.rid.clone()).collect::<BTreeSet<_>>())
        }
    };
    let seen = acting.look().await;
    let wanted = plan::Request {
        action: request.action,
        selected,
        to: request.to.clone(),
        force: request.force,
        disable_rollback: request.disable_rollback,
        destination: request.destination.clone(),
    };
    let avail = status::sums(&seen).avail;
    let plan = plan::plan(&view::instance(acting, &seen, avail), &wanted)?;
    match &request.if_plan {
        Some(digest) if !plan.digest.matches(digest) => {
            Err(ActError::Moved { now: plan.digest.to_string(), wanted: digest.clone() })
        }
        _ => Ok(plan),
    }
}

fn active<'c>(configuration: &'c Configuration, path: &ObjectPath) -> Result<&'c Object, ActError> {
    configuration.active.object().ok_or_else(|| ActError::Broken(path.clone()))
}

/// What the reader of a status should know beyond the resources.
fn notes(path: &ObjectPath, memory: &Memory, configuration: &Configuration) -> Vec<String> {
    let mut notes = Vec::new();
    let errors = match configuration.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() {
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    match configuration.active {
        Active::LastGood(_) => notes.push(format!("the configuration has {errors}: the last good one is active")),
        Active::Crippled(_) => notes.push(format!("the configuration has {errors}: all else of it is active")),
        Active::Current(_) | Active::Nothing => {}
    }
    if let Some(action) = unfinished(memory) {
        notes.push(format!("{action} was interrupted: the next action deals with it"));
    }
    for (action, failure) in memory.failures().unwrap_or_default() {
        notes.push(format!("{}: om {path} clear forgets it", failure.note(&action)));
    }
    notes
}

fn unfinished(memory: &Memory) -> Option<String> {
    exec::journal::Journal::pending(&memory.journal()).ok().flatten().map(|story| story.action)
}

/// The resources with which the plan does something.
fn planned(plan: &Plan, object: &Object) -> Vec<Resource> {
    let acting = |resource: &&Resource| plan.steps().any(|step| step.rid == resource.rid && !step.work.is_empty());
    object.resources.iter().filter(acting).cloned().collect()
}

/// A status tells of a failed action until the same one succeeds. One that was given up has not failed.
fn remember_failure(memory: &Memory, report: &Report) {
    let failure = match &report.ending {
        Ending::Done => None,
        Ending::Interrupted | Ending::Unsupported(_) => return,
        failed => Some(Failure { how: failed.to_string(), at: Timestamp::now() }),
    };
    // Lost without harm: the log has it too.
    let _ = memory.set_failure(report.action.as_str(), failure);
}

/// What drivers cannot always tell by looking.
fn remember(memory: &Memory, plan: &Plan, report: &Report) {
    for (step, done) in plan.steps().zip(&report.steps) {
        if !matches!(done.end, StepEnd::Done) {
            continue;
        }
        let has = |verb| step.work.iter().any(|work| work.verb == verb);
        if has(Verb::Unprovision) {
            // What its driver remembered was about what is gone now.
            let _ = durable::remove_folder(&memory.driver_state(&step.rid));
        }
        let provisioned = match (has(Verb::Provision), has(Verb::Unprovision)) {
            (true, false) => true,
            (false, true) => false,
            _ => continue,
        };
        // Lost without harm: a driver that can tell is asked.
        let _ = memory.mark_provisioned(&step.rid, ProvisionedMark { provisioned, since: Timestamp::now() });
    }
}
