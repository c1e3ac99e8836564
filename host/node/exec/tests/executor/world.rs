//! A world in a directory, so that it survives the process: `<rid>.up` for a resource that is up, `<rid>.data` for one
//! that is provisioned. Its driver behaves as the test says.

mod fakes;
mod instance;
mod lines;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use driver::{
    ActionError, ActionReport, CallBounds, CancelSignal, Change, DriverCall, DriverFault, LogSink, Manifest, Verb,
};
use exec::{ExecutionContext, ExecutionReport, execute};
use model::status::{Provisioned, State};
use plan::{Action, InstanceFacts, Plan, PlanRequest, plan};

use fakes::FakeFacilities;
use instance::instance;
pub(crate) use lines::Lines;

/// A failure of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It fails, and reports whether it changed something. `Changed` leaves the resource up.
    Fails(Change),
    /// It reports success and does nothing.
    Lies,
    /// It never returns, and ignores deadline and cancellation.
    Hangs,
    /// It returns when it is cancelled, after it changed something.
    AwaitsCancel,
    /// It is cut short by the deadline.
    TimesOut,
    /// It reports a timeout itself.
    GivesUp,
    /// It does not have this verb.
    Lacks,
}

pub(crate) struct World {
    directory: PathBuf,
    behaviours: Mutex<HashMap<(String, Verb), Behaviour>>,
    failing_triggers: Mutex<BTreeSet<String>>,
    calls: Mutex<Vec<String>>,
    /// The resources of which something is left after their stop.
    left: Mutex<BTreeSet<String>>,
    /// The resources whose program exits soon after their start.
    pub(crate) short_lived: Mutex<BTreeSet<String>>,
    /// The resources of which the host looked what they left, together.
    proofs: Mutex<Vec<String>>,
    looked: Mutex<Vec<String>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    manifest: Manifest,
    pub(crate) lines: Arc<Lines>,
    pub(crate) cancel: CancelSignal,
    boot: String,
}

impl World {
    pub(crate) fn new(directory: &Path) -> Arc<World> {
        World::booted(directory, "boot-1", false)
    }

    /// A world in another boot of the node, or with a driver whose effects survive one.
    pub(crate) fn booted(directory: &Path, boot: &str, persistent: bool) -> Arc<World> {
        let name = "fs.test".parse().unwrap();
        Arc::new(World {
            directory: directory.to_owned(),
            behaviours: Mutex::default(),
            failing_triggers: Mutex::default(),
            calls: Mutex::default(),
            left: Mutex::default(),
            short_lived: Mutex::default(),
            proofs: Mutex::default(),
            looked: Mutex::default(),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            manifest: Manifest {
                name,
                aliases: Vec::new(),
                version: "1.0.0".to_owned(),
                summary: String::new(),
                description: String::new(),
                keywords: Vec::new(),
                grants: Vec::new(),
                verbs: vec![Verb::Start, Verb::Stop],
                persistent,
                implicit: None,
            },
            lines: Arc::default(),
            cancel: CancelSignal::default(),
            boot: boot.to_owned(),
        })
    }

    pub(crate) fn when(&self, rid: &str, verb: Verb, behaviour: Behaviour) {
        self.behaviours.lock().unwrap().insert((rid.to_owned(), verb), behaviour);
    }

    /// `blocking_pre_start fs#1` fails.
    pub(crate) fn fail_trigger(&self, what: &str) {
        self.failing_triggers.lock().unwrap().insert(what.to_owned());
    }

    pub(crate) fn put(&self, rid: &str, up: bool) {
        self.mark(rid, "up", up);
    }

    fn mark(&self, rid: &str, what: &str, there: bool) {
        let path = self.directory.join(format!("{rid}.{what}"));
        match there {
            true => std::fs::write(path, "").unwrap(),
            false => drop(std::fs::remove_file(path)),
        }
    }

    fn is(&self, rid: &str, what: &str) -> bool {
        self.directory.join(format!("{rid}.{what}")).exists()
    }

    /// The resources that are up, in no particular order.
    pub(crate) fn up(&self) -> BTreeSet<String> {
        self.marked("up")
    }

    pub(crate) fn provisioned(&self) -> BTreeSet<String> {
        self.marked("data")
    }

    fn marked(&self, what: &str) -> BTreeSet<String> {
        let entries = std::fs::read_dir(&self.directory).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| Some(name.strip_suffix(&format!(".{what}"))?.to_owned())).collect()
    }

    /// The calls of the driver and the triggers, in order: `start fs#1`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }

    /// After an action that was abandoned: its journal stays locked while a child that another test has just forked holds a
    /// copy of the descriptor.
    pub(crate) async fn wait_for_the_journal(&self) {
        while exec::journal::Journal::pending(&self.journal()).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn session(&self) -> ExecutionContext {
        ExecutionContext {
            sid: "5e55".to_owned(),
            boot: self.boot.clone(),
            journal: self.journal(),
            volatile: false,
            parallel: 4,
            log: Arc::clone(&self.lines) as Arc<dyn LogSink>,
            cancel: self.cancel.clone(),
        }
    }

    /// Plans and executes an action, based on the current state of the world.
    pub(crate) async fn run(self: &Arc<World>, lines: &str, action: Action) -> ExecutionReport {
        self.ask(lines, action, |_, _| {}).await
    }

    pub(crate) async fn ask(
        self: &Arc<World>,
        lines: &str,
        action: Action,
        ask: impl FnOnce(&mut InstanceFacts, &mut PlanRequest),
    ) -> ExecutionReport {
        let plan = self.plan(lines, action, ask);
        execute(&plan, self.facilities().as_ref(), &self.session()).await.unwrap()
    }

    pub(crate) fn plan(
        &self,
        lines: &str,
        action: Action,
        ask: impl FnOnce(&mut InstanceFacts, &mut PlanRequest),
    ) -> Plan {
        let mut instance = instance(lines);
        for resource in &mut instance.resources {
            let rid = resource.rid.to_string();
            let up = self.is(&rid, "up");
            resource.state = if up { State::Up } else { State::Down };
            resource.provisioned = Provisioned::Na;
        }
        let mut request = PlanRequest::new(action);
        ask(&mut instance, &mut request);
        plan(&instance, &request).unwrap()
    }

    pub(crate) fn facilities(self: &Arc<World>) -> Arc<FakeFacilities> {
        Arc::new(FakeFacilities(Arc::clone(self)))
    }

    fn behaviour(&self, rid: &str, verb: Verb) -> Option<Behaviour> {
        self.behaviours.lock().unwrap().get(&(rid.to_owned(), verb)).copied()
    }

    /// A stop of the resource leaves something.
    pub(crate) fn leaves(&self, rid: &str) {
        self.left.lock().unwrap().insert(rid.to_owned());
    }

    /// The looks at what was left, each with the resources that it was about.
    pub(crate) fn proofs(&self) -> Vec<String> {
        self.proofs.lock().unwrap().clone()
    }

    /// The statuses that were noted after calls, each with the call or trigger that came before it.
    pub(crate) fn looked(&self) -> Vec<String> {
        self.looked.lock().unwrap().clone()
    }

    fn called(&self, what: String) {
        self.calls.lock().unwrap().push(what);
    }

    async fn act(&self, verb: Verb, call: &DriverCall, bounds: &CallBounds) -> ActionReport {
        self.act_as(format!("{verb} {}", call.rid), verb, call, bounds).await
    }

    async fn act_as(&self, called: String, verb: Verb, call: &DriverCall, bounds: &CallBounds) -> ActionReport {
        let rid = call.rid.to_string();
        self.called(called);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        // Gives other tasks that are ready the chance to run.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let report = self.act_alone(verb, &rid, bounds).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        report
    }

    async fn act_alone(&self, verb: Verb, rid: &str, bounds: &CallBounds) -> ActionReport {
        let failed = |change, error| ActionReport { change, result: Err(error) };
        match self.behaviour(rid, verb) {
            None if bounds.cancel.is_cancelled() => failed(Change::Unchanged, ActionError::Cancelled),
            None => self.obey(verb, rid),
            Some(Behaviour::Lies) => ActionReport { change: Change::Changed, result: Ok(format!("{verb} done")) },
            Some(Behaviour::Hangs) => std::future::pending().await,
            Some(Behaviour::Lacks) => failed(Change::Unchanged, ActionError::Unsupported),
            Some(Behaviour::GivesUp) => failed(Change::Unchanged, ActionError::TimedOut("took too long".to_owned())),
            Some(Behaviour::TimesOut) => failed(Change::Unknown, DriverFault::Wall(bounds.deadline).into()),
            Some(Behaviour::Fails(change)) => {
                if change == Change::Changed {
                    self.obey(verb, rid);
                }
                failed(change, ActionError::Failed(format!("{verb} is impossible")))
            }
            Some(Behaviour::AwaitsCancel) => {
                self.obey(verb, rid);
                bounds.cancel.cancelled().await;
                failed(Change::Changed, ActionError::Cancelled)
            }
        }
    }

    fn obey(&self, verb: Verb, rid: &str) -> ActionReport {
        let (what, wanted) = match verb {
            Verb::Start => ("up", true),
            Verb::Stop | Verb::Migrate => ("up", false),
            Verb::Provision => ("data", true),
            _ => ("data", false),
        };
        if self.is(rid, what) == wanted {
            return ActionReport { change: Change::Unchanged, result: Ok(String::new()) };
        }
        self.mark(rid, what, wanted);
        ActionReport { change: Change::Changed, result: Ok(format!("{verb} done")) }
    }
}

/// A directory and a world in it.
pub(crate) fn world() -> (tempfile::TempDir, Arc<World>) {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path());
    (directory, world)
}

pub(crate) fn set(rids: &[&str]) -> BTreeSet<String> {
    rids.iter().map(|rid| (*rid).to_owned()).collect()
}
