//! The agent in this process, as a [`Backend`]: for a node where no daemon runs.

mod access;
mod cluster;
mod daemon;
mod failure;
mod interrupt;
mod supervisor;

pub(crate) use cluster::{InitOrder, JoinOrder, JoinStep, LeaveProgress, LocalCluster, SeatOrder};
pub(crate) use daemon::{DaemonRun, READY, run_daemon};
// The agent compiles drivers in a child process of this very program.
pub(crate) use agent::{COMPILE_VERB, compile_child};

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::datastore::PutMode;
use agent::log::LogConsole;
use agent::{
    ActionRequest, Agent, CancelSignal, ChangeAuthor, ConfigurationCatalogue, ConsoleRequest, DataStores, Directories,
    LogSeverity, ObjectFiles, ObjectScan, OperatorTerminal,
};
use anyhow::{Context, anyhow};
use model::{DriverName, NodeName, ObjectPath, Rid};
use plan::Action;
use protocol::daemon::{AccessEntry, AccessQuery};
use protocol::{
    ActionOrder, ActionPlan, ActionResult, AuditEntry, AuditQuery, ConfigChange, ConfigCheck, ConfigDiff,
    ConfigHistory, ConfigOutcome, ConfigProblem, ConfigTarget, ConfigText, ConsoleOrder, DeleteOrder, DriverConsent,
    DriverDoc, DriverGrants, DriverInspection, DriverList, EndingDocument, EngineAccess, EvaluatedKeyword, HoldingList,
    InstalledDriver, InstanceDocument, KeyChange, LogQuery, NameKind, ObjectList, PolicyChange, PoolList,
    ResourceSelection, ScheduleDocument,
};

use super::wait::block_on;
use super::{Backend, DaemonPlaces, InstanceFlag, LogLines, RemoteDaemon, Reply};
use crate::words::ObjectQuery;
use interrupt::{cancel_on_signal, is_interrupted, remember_signals, side_by_side};

/// How long the end of an action waits for a slow log host.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The agent in this process.
pub(super) struct LocalBackend {
    agent: Agent,
    /// The command, for the history of what it changes.
    typed: String,
}

impl LocalBackend {
    pub(super) fn open(root: Option<&Path>, typed: &str) -> Reply<LocalBackend> {
        Ok(LocalBackend { agent: open_agent(root)?, typed: typed.to_owned() })
    }

    /// Who changes a configuration that the nodes of a cluster share. While they cannot learn of the change, it is not made.
    fn author_in_cluster(&self) -> Reply<ChangeAuthor> {
        self.agent.engine_answers()?;
        Ok(self.author())
    }

    /// The same, of a configuration that may be the node's own.
    fn author_of(&self, target: &ConfigTarget) -> Reply<ChangeAuthor> {
        match target {
            ConfigTarget::Object(path) if *path != ObjectPath::cluster() => self.author_in_cluster(),
            ConfigTarget::Object(_) | ConfigTarget::Node => Ok(self.author()),
        }
    }

    /// Who changes a configuration by this command.
    fn author(&self) -> ChangeAuthor {
        // The program without its directory, as most operators type it.
        let (program, rest) = self.typed.split_once(' ').unwrap_or((&self.typed, ""));
        let program = program.rsplit('/').next().unwrap_or(program);
        ChangeAuthor::of_process(format!("{program} {rest}").trim_end())
    }

    fn objects(&self) -> ObjectFiles<'_> {
        ObjectFiles::of(self.agent.home())
    }

    fn stores(&self) -> DataStores<'_> {
        DataStores::of(self.agent.home())
    }
}

fn open_agent(root: Option<&Path>) -> Reply<Agent> {
    let env = |name: &str| std::env::var_os(name);
    let home = Directories::find(root, env).context("cannot determine the agent's directories")?;
    let node = agent::home::node_name(env).context("cannot determine this node's name")?;
    Ok(Agent::open(home, &node).context("cannot read the node's configuration")?)
}

impl Backend for LocalBackend {
    fn time_in_drivers(&self) -> Duration {
        self.agent.time_in_drivers()
    }

    fn daemon(&self) -> RemoteDaemon {
        RemoteDaemon::of(&self.agent.home().run)
    }

    fn daemon_places(&self) -> Reply<DaemonPlaces> {
        let home = self.agent.home();
        Ok(DaemonPlaces { socket: api::socket_path(&home.run), log: home.log.join("daemon.log") })
    }

    fn access_trail(&self, query: &AccessQuery) -> Reply<Vec<AccessEntry>> {
        let log = &self.agent.home().log;
        Ok(api::read_trail(log, query).context("cannot read the trail of who did what")?)
    }

    fn objects(&self) -> Reply<ObjectList> {
        let ObjectScan { objects, strays } = self.objects().scan().context("cannot list the objects")?;
        Ok(ObjectList { objects, strays })
    }

    fn select(&self, query: &ObjectQuery) -> Reply<Vec<ObjectPath>> {
        // A path names one object, so no directory has to be listed. The caller decides whether no object is an error.
        if let Some(path) = query.selector.as_path() {
            return Ok(Some(path.clone()).filter(|path| self.objects().exists(path)).into_iter().collect());
        }
        Ok(self.list(query)?.objects)
    }

    fn list(&self, query: &ObjectQuery) -> Reply<ObjectList> {
        if query.selector.as_path().is_some() {
            // Strays are only a hint to the operator, so the object is worth having without them.
            let strays = self.objects().scan().map(|scan| scan.strays).unwrap_or_default();
            return Ok(ObjectList { objects: self.select(query)?, strays });
        }
        let ObjectScan { objects: all, strays } = self.objects().scan().context("cannot list the objects")?;
        let (node, drivers) = (self.agent.node(), self.agent.drivers());
        let catalogue = ConfigurationCatalogue::new(self.agent.home(), &node, &*drivers);
        let selected = query.selector.select(&all, &catalogue);
        let selected = selected.with_context(|| format!("cannot apply the selector {:?}", query.text))?;
        Ok(ObjectList { objects: selected.into_iter().cloned().collect(), strays })
    }

    fn exists(&self, path: &ObjectPath) -> Reply<bool> {
        Ok(self.objects().exists(path))
    }

    fn create(&self, path: &ObjectPath, text: &str) -> Reply<()> {
        Ok(self.objects().by(&self.author_in_cluster()?).create(path, text)?)
    }

    fn delete(&self, path: &ObjectPath, sections: &[String], order: DeleteOrder) -> Reply<ConfigOutcome> {
        // The first `?` is for the runtime, the second one for the agent.
        Ok(block_on(self.agent.delete(path, sections, order, &self.author_in_cluster()?))??)
    }

    fn peers(&self, path: &ObjectPath) -> Reply<Vec<NodeName>> {
        Ok(self.agent.peers(path)?)
    }

    fn names(&self, path: &ObjectPath, kind: NameKind) -> Reply<BTreeSet<String>> {
        Ok(self.agent.names(path, kind))
    }

    fn status(&self, path: &ObjectPath, refresh: bool) -> Reply<InstanceDocument> {
        Ok((&block_on(self.agent.last_or_new_status(path, refresh))??).into())
    }

    fn statuses(&self, paths: &[ObjectPath], refresh: bool) -> Vec<Reply<InstanceDocument>> {
        // For one instance, to start threads would take longer than the look.
        if paths.len() < 2 {
            self.agent.serve_one_look();
            return paths.iter().map(|path| self.status(path, refresh)).collect();
        }
        let common = self.agent.node_snapshot();
        let look = |path: &ObjectPath| {
            let (agent, common, path) = (self.agent.clone(), Arc::clone(&common), path.clone());
            async move { agent.last_or_new_status_among(&common, &path, refresh).await }
        };
        match side_by_side(paths.iter().map(look)) {
            Ok(statuses) => statuses.into_iter().map(|status| Ok((&status??).into())).collect(),
            // Without threads, one after the other.
            Err(_) => paths.iter().map(|path| self.status(path, refresh)).collect(),
        }
    }

    fn plan(&self, path: &ObjectPath, order: &ActionOrder) -> Reply<ActionPlan> {
        let plan = block_on(self.agent.plan(path, &request(order)?))??;
        // Rendered on this side of the backend, so that a client of an API needs to know no type of the planner.
        Ok(ActionPlan {
            document: serde_json::to_value(plan::render::json(&plan)).context("cannot render the plan")?,
            text: plan::render::text(&plan),
            dot: plan::render::dot(&plan),
            interrupted: self.agent.unfinished(path),
        })
    }

    fn act(&self, path: &ObjectPath, order: &ActionOrder, lines: Arc<dyn LogLines>) -> Reply<ActionResult> {
        let request = request(order)?;
        let action = request.action;
        let cancel = CancelSignal::default();
        remember_signals();
        let outcome = block_on(async {
            // A signal must cancel the action, so that it is undone, and not kill the process halfway.
            let watch = tokio::spawn(cancel_on_signal(cancel.clone()));
            let outcome = self.agent.act(path, request, Some(Arc::new(LineConsole(lines))), cancel.clone()).await;
            watch.abort();
            outcome
        });
        // Before this process exits, what was logged must be on its way to the host that node.conf names.
        agent::log::flush_sinks(LAST_LINES);
        let outcome = outcome??;
        let ending = agent::ending(&outcome.report.ending);
        // A stop that failed must not freeze: the daemon would leave the rest of the service running.
        let follows = order.orchestrated && ending == EndingDocument::Done;
        let warning = if follows { self.agent.follow_up(path, action)? } else { None };
        Ok(ActionResult {
            ending,
            changed: outcome.report.changed(),
            warnings: warning.into_iter().collect(),
            instance: (&outcome.instance).into(),
        })
    }

    fn is_interrupted(&self) -> bool {
        is_interrupted()
    }

    fn flag(&self, path: &ObjectPath, flag: InstanceFlag) -> Reply<bool> {
        Ok(match flag {
            InstanceFlag::Freeze => self.agent.freeze(path),
            InstanceFlag::Thaw => self.agent.thaw(path),
            InstanceFlag::Clear => self.agent.clear(path),
        }?)
    }

    fn snooze(&self, path: &ObjectPath, until: Option<jiff::Timestamp>) -> Reply<bool> {
        Ok(self.agent.snooze(path, until)?)
    }

    fn logs(&self, query: &LogQuery, entry: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Reply<()> {
        Ok(block_on(self.agent.logs(query, entry))??)
    }

    fn console(&self, path: &ObjectPath, rid: Option<&Rid>, order: &ConsoleOrder) -> Reply<i32> {
        let console = match order {
            ConsoleOrder::Enter => ConsoleRequest::Enter,
            ConsoleOrder::Exec { argv } => ConsoleRequest::Exec(argv.clone()),
            ConsoleOrder::Logs { follow } => ConsoleRequest::Logs { follow: *follow },
        };
        let terminal = OperatorTerminal {
            input: duplicate(std::io::stdin().as_fd())?,
            output: duplicate(std::io::stdout().as_fd())?,
            errors: duplicate(std::io::stderr().as_fd())?,
        };
        Ok(block_on(self.agent.console(path, rid, &console, &terminal))??)
    }

    fn timetable(&self, path: &ObjectPath) -> Reply<ScheduleDocument> {
        Ok(block_on(self.agent.timetable(path))??)
    }

    fn engine(&self, path: &ObjectPath) -> Reply<EngineAccess> {
        Ok(block_on(self.agent.engine(path))??)
    }

    fn holdings(&self, paths: Option<&[ObjectPath]>) -> Reply<HoldingList> {
        block_on(self.agent.holdings(paths))
    }

    fn pools(&self) -> Reply<PoolList> {
        block_on(self.agent.pool_list())
    }

    fn join_process_group(&self, group: &str) -> Reply<()> {
        Ok(self.agent.join_process_group(group)?)
    }

    fn config(&self, target: &ConfigTarget) -> Reply<ConfigText> {
        Ok(self.agent.config_text(target)?)
    }

    fn covered_config(&self, target: &ConfigTarget, text: &str) -> Reply<String> {
        Ok(self.agent.covered_config(target, text))
    }

    fn covered_value(&self, target: &ConfigTarget, text: &str, value: &str) -> Reply<String> {
        Ok(self.agent.covered_value(target, text, value))
    }

    fn config_file(&self, target: &ConfigTarget) -> String {
        self.agent.config_file(target).display().to_string()
    }

    fn change_config(&self, target: &ConfigTarget, change: &ConfigChange) -> Reply<ConfigOutcome> {
        Ok(block_on(self.agent.change_config(target, change, &self.author_of(target)?))??)
    }

    fn save_config(&self, target: &ConfigTarget, made_from: Option<&str>, text: &str) -> Reply<Vec<String>> {
        let author = self.author_of(target)?;
        // Refused like any other change that takes the section away from what must still be stopped.
        let notes = match made_from {
            Some(old) => block_on(self.agent.notes_of_held(target, (old, text), false))??,
            // Forced: whatever stood there is replaced, and what is left without its section is said.
            None => match self.agent.config_text(target) {
                Ok(ConfigText { text: old, .. }) => block_on(self.agent.notes_of_held(target, (&old, text), true))??,
                Err(_) => Vec::new(),
            },
        };
        self.agent.save_config(target, made_from, text.to_owned(), &author)?;
        Ok(notes)
    }

    fn edited(&self, target: &ConfigTarget, text: &str, change: &ConfigChange) -> Reply<String> {
        Ok(self.agent.edited(target, text, &change.edits)?)
    }

    fn check_config(&self, target: &ConfigTarget, text: &str) -> Reply<Vec<ConfigProblem>> {
        block_on(self.agent.check_config(target, text))
    }

    fn check_file(&self, object: Option<&ObjectPath>, file: &Path, content: Vec<u8>) -> Reply<ConfigCheck> {
        // The directory of configurations is absolute, so the file must be, to be found in it.
        let absolute = std::path::absolute(file).with_context(|| format!("cannot read {}", file.display()))?;
        let object = object.cloned().unwrap_or_else(|| self.agent.likely_object(&absolute));
        block_on(self.agent.check_file(&object, &file.display().to_string(), content))
    }

    fn written(&self, target: &ConfigTarget, keyword: &str) -> Reply<Option<String>> {
        Ok(self.agent.written_keyword(target, keyword)?)
    }

    fn evaluated(&self, target: &ConfigTarget, keyword: &str, peer: Option<&NodeName>) -> Reply<EvaluatedKeyword> {
        Ok(self.agent.evaluated_keyword(target, keyword, peer)?)
    }

    fn sections(&self, path: &ObjectPath, resources: &ResourceSelection) -> Reply<Vec<String>> {
        let filter = resources.filter().map_err(anyhow::Error::from)?;
        // The agent knows the sections: a resource may be written under an old name of its group, such as `[vg#1]`.
        Ok(self.agent.selected_sections(path, &filter)?)
    }

    fn draft(&self, target: &ConfigTarget) -> PathBuf {
        self.agent.config_draft(target)
    }

    fn config_history(&self, target: &ConfigTarget) -> Reply<ConfigHistory> {
        // An object that does not exist is an error, and not an empty history.
        self.agent.config_text(target)?;
        Ok(self.agent.config_history(target)?)
    }

    fn config_diff(&self, target: &ConfigTarget, versions: (Option<u64>, Option<u64>)) -> Reply<ConfigDiff> {
        Ok(self.agent.config_diff(target, versions)?)
    }

    fn roll_config_back(&self, target: &ConfigTarget, revision: u64, force: bool) -> Reply<ConfigOutcome> {
        Ok(block_on(self.agent.roll_config_back(target, revision, force, &self.author_of(target)?))??)
    }

    fn keys(&self, store: &ObjectPath) -> Reply<Vec<String>> {
        Ok(self.stores().keys(store)?)
    }

    fn key_value(&self, store: &ObjectPath, key: &str) -> Reply<Vec<u8>> {
        Ok(self.stores().value(store, key)?)
    }

    fn change_key(&self, store: &ObjectPath, change: &KeyChange) -> Reply<Vec<Result<String, String>>> {
        let by = self.author_in_cluster()?;
        let stores = self.stores().by(&by);
        match change {
            KeyChange::Add { key, value } => stores.put(store, key, value, PutMode::Add),
            KeyChange::Change { key, value } => stores.put(store, key, value, PutMode::Change),
            KeyChange::Remove { keys } => stores.remove(store, keys),
            KeyChange::Rename { key, to } => stores.rename(store, key, to),
        }?;
        block_on(self.agent.install_again(store))
    }

    fn drivers(&self) -> Reply<DriverList> {
        Ok(self.agent.driver_list())
    }

    fn driver_manuals(&self) -> Reply<Vec<DriverDoc>> {
        Ok(self.agent.driver_manuals())
    }

    fn driver_manual(&self, name: &DriverName) -> Reply<Option<DriverDoc>> {
        Ok(self.agent.driver_manual(name))
    }

    fn inspect_driver(&self, driver: &str) -> Reply<DriverInspection> {
        Ok(block_on(self.agent.inspect_driver(driver))??)
    }

    fn driver_grants(&self, path: &ObjectPath, rid: &Rid) -> Reply<DriverGrants> {
        Ok(block_on(self.agent.driver_grants(path, rid))?.map_err(anyhow::Error::from)?)
    }

    fn install_driver(&self, file: &Path, force: bool) -> Reply<InstalledDriver> {
        Ok(block_on(self.agent.install_driver(file, force))??)
    }

    fn remove_driver(&self, driver: &str, force: bool) -> Reply<DriverName> {
        Ok(self.agent.remove_driver(driver, force)?)
    }

    fn driver_consent(&self, driver: &str, add: &[String]) -> Reply<DriverConsent> {
        Ok(block_on(self.agent.consent(driver, add))??)
    }

    fn allow_driver(&self, driver: &str, add: &[String], digest: &str) -> Reply<PolicyChange> {
        Ok(block_on(self.agent.allow_driver(driver, add, digest))??)
    }

    fn deny_driver(&self, driver: &str, grants: &[String]) -> Reply<PolicyChange> {
        Ok(self.agent.deny_driver(driver, grants)?)
    }

    fn audit(&self, query: &AuditQuery) -> Reply<Vec<AuditEntry>> {
        Ok(self.agent.audit(query).map_err(anyhow::Error::from)?)
    }

    fn warm_drivers(&self, report: &(dyn Fn(&str) + Sync)) -> Reply<(usize, usize)> {
        Ok(self.agent.warm_drivers(&|done, all, name, error| {
            report(&format!("[{done}/{all}] {name}: {}", error.as_deref().unwrap_or("ready")));
        })?)
    }
}

/// Hands the agent's log lines to the command line.
struct LineConsole(Arc<dyn LogLines>);

impl LogConsole for LineConsole {
    fn line(&self, level: LogSeverity, line: &str) {
        self.0.line(level.into(), line);
    }
}

/// The request that an order is to the agent.
fn request(order: &ActionOrder) -> Reply<ActionRequest> {
    let action = Action::ALL.into_iter().find(|action| action.as_str() == order.action);
    Ok(ActionRequest {
        // An order holds words, so it may name an action that only another version knows.
        action: action.ok_or_else(|| anyhow!("{:?} is not an action", order.action))?,
        filter: order.resources.filter().map_err(anyhow::Error::from)?,
        to: order.to.as_ref().map(|to| to.parse()).transpose().map_err(anyhow::Error::from)?,
        force: order.force,
        disable_rollback: order.disable_rollback,
        confirm: order.confirm,
        adopt: order.adopt,
        i_know: order.i_know,
        if_plan: order.if_plan.clone(),
        parallel: order.parallel,
        wait: order.wait,
        env: order.env.clone(),
        copying: copying(order)?,
        destination: order.destination.clone(),
        follows: false,
        asked_for: true,
        command: order.command.clone(),
        origin: origin(),
    })
}

/// On whose behalf this process acts: the daemon says so to what it starts.
fn origin() -> agent::RequestOrigin {
    let said = std::env::var(::daemon::ORIGIN_VARIABLE).unwrap_or_default();
    match said == agent::RequestOrigin::Scheduler.as_str() {
        true => agent::RequestOrigin::Scheduler,
        false => agent::RequestOrigin::User,
    }
}

fn copying(order: &ActionOrder) -> Reply<plan::CopyRequest> {
    let place = |word: &String| {
        // The parser's own error does not name the option, which the operator has to correct.
        let expected = "expected nodes, drp, local or the name of a node, with commas between them";
        word.trim().parse::<plan::CopyPlace>().map_err(|_| anyhow!("--target {word}: {expected}"))
    };
    let places = order.copy.targets.iter().map(place).collect::<Result<_, _>>()?;
    Ok(plan::CopyRequest { verb: order.copy.verb.clone(), places })
}

fn duplicate(fd: BorrowedFd<'_>) -> Reply<OwnedFd> {
    // The agent closes what it is given, and this process still needs its own streams for messages.
    Ok(fd.try_clone_to_owned().context("cannot use the terminal")?)
}
