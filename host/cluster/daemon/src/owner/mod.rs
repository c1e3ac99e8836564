//! The task that owns all of the daemon's state.
//!
//! Inputs: messages of what runs beside it ([`Message`]), requests ([`DaemonRequest`]), and the time. Outputs: actions of the
//! agent, transactions of the store, events. It never waits for any of them, and holds no lock.
//!
//! Nothing is decided where a message is taken in: that only notes which objects it concerns. Then, once for all messages that
//! were there, what the store and the disk must know is sent ([`upkeep`]), and what is left to do is decided ([`decide`]).

mod action;
mod announce;
mod decide;
mod document;
mod explain;
mod hand;
mod notice;
mod order;
mod probe;
mod reading;
mod request;
mod schedule;
mod shared;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent::node::ClusterData;
use agent::status::InstanceStatus;
use agent::{ActError, Agent, CutList, NodeSnapshot, TaskRun};
use deadline::CutRecord;
use model::{NodeName, ObjectPath, Rid};
use orchestrate::{ActionEnd, BootTime, Decision, DecisionCache, ObjectView, View, ViewChange};
use protocol::ScheduledAction;
use protocol::daemon::{OrderDocument, OrderReceipt};
use replica::{LocalNode, SharedState};
use store::{RevisionChange, Store, StoreError, TxnOutcome};
use tokio::sync::{Semaphore, mpsc};

pub(crate) use self::action::{RecordWrite, cause_word, stored, write_records};
use self::announce::ReportedStatus;
use self::order::WaitingOrder;
use self::schedule::ScheduledRun;
pub(crate) use self::shared::{SentRequest, StoreStart, follow_store, list};
use crate::cluster::{ClusterMessage, Membership};
use crate::guard::{GuardTasks, KeeperNews, NodeGuard};
use crate::instance::{Instance, LoadedConfig, ProbeTicket};
use crate::run_program::{RunEnd, TaskProgram};
use crate::watch::{EngineWatch, Notice};
use crate::{Asked, DaemonRequest, EventLog, TraceLog};

/// Whatever happens, every object is decided about anew after that time: no wake-up that was lost is lost for long.
const SLOW_TICK: Duration = Duration::from_secs(30);

/// How soon the end of a drain is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What is sent to the owner by what runs beside it.
pub(crate) enum Message {
    /// The store has changed.
    Changed(RevisionChange),
    /// The watch of the store has ended: all is listed again.
    WatchLost(StoreError),
    /// All that the store holds, after the watch was lost.
    Listed(SharedState),
    /// The store has answered.
    Answered { request: SentRequest, outcome: Result<TxnOutcome, StoreError> },
    /// A configuration was read.
    Read { path: ObjectPath, loaded: Result<Option<LoadedConfig>, ActError> },
    /// The objects of this node were listed.
    Scanned(Vec<ObjectPath>),
    /// An instance was looked at.
    Probed { path: ObjectPath, ticket: ProbeTicket, status: Result<InstanceStatus, ActError>, took: Duration },
    /// An action of this daemon has ended.
    Ended { path: ObjectPath, process: u64, end: ActionEnd },
    /// When the tasks and copies of an object are due.
    Timed { path: ObjectPath, entries: Vec<ScheduledAction>, runs: Vec<TaskRun> },
    /// A task or a copy has ended.
    Ran { path: ObjectPath, rid: Rid, end: RunEnd },
    /// `pre_monitor_action` has ended.
    Prepared(ObjectPath),
    /// What an instance with a slot holds.
    Held { path: ObjectPath, list: CutList },
    /// Something became of the keeper.
    Keeper(KeeperNews),
    /// The daemon's own cut is over.
    Cut(Vec<CutRecord>),
    /// Something of the cluster.
    Cluster(ClusterMessage),
    /// An order has waited for a look for as long as it may.
    Waited(ObjectPath),
    /// Something happened on the node.
    Noticed(Notice),
}

/// The state of the daemon.
pub(crate) struct Owner {
    pub(crate) agent: Agent,
    pub(crate) me: NodeName,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shared: SharedState,
    pub(crate) node: LocalNode,
    pub(crate) instances: BTreeMap<ObjectPath, Instance>,
    /// The objects as the view shows them.
    pub(crate) views: BTreeMap<ObjectPath, Arc<ObjectView>>,
    pub(crate) view: Option<View>,
    pub(crate) cache: DecisionCache,
    /// What was decided last about each object, for questions why.
    pub(crate) decisions: BTreeMap<ObjectPath, Decision>,
    /// The objects that something has changed for.
    pub(crate) dirty: BTreeSet<ObjectPath>,
    pub(crate) changes: Vec<ViewChange>,
    /// The objects whose changes may have to be reported.
    pub(crate) unreported: BTreeSet<ObjectPath>,
    /// The objects that a request to the store is under way for.
    pub(crate) sending: BTreeSet<ObjectPath>,
    /// The revisions of the last changes that were acknowledged about objects: nothing more is sent before they are seen.
    pub(crate) awaited: BTreeMap<ObjectPath, u64>,
    /// The objects whose `pre_monitor_action` runs.
    pub(crate) preparing: BTreeSet<ObjectPath>,
    /// Objects whose request failed, and when it is tried again.
    pub(crate) retries: BTreeMap<ObjectPath, BootTime>,
    pub(crate) orders: BTreeMap<ObjectPath, VecDeque<WaitingOrder>>,
    /// The orders that are durable, and that this node has not read yet: the revision of each, and who waits.
    pub(crate) receipts: Vec<(u64, OrderReceipt, Asked<OrderReceipt>)>,
    /// The last orders that have ended, also about objects that are gone.
    pub(crate) past_orders: VecDeque<OrderDocument>,
    /// How many steps of each order were reported.
    pub(crate) reported_steps: BTreeMap<u128, usize>,
    /// The statuses as they were last reported.
    pub(crate) last_reports: BTreeMap<ObjectPath, ReportedStatus>,
    /// The objects by their control groups.
    pub(crate) groups: BTreeMap<PathBuf, ObjectPath>,
    /// What schedules have started.
    pub(crate) runs: BTreeMap<(ObjectPath, Rid), ScheduledRun>,
    /// What a task runs with. None: this process runs it.
    pub(crate) run_program: Option<TaskProgram>,
    /// How far the time of day is ahead of the time since the boot, as it was at the last look.
    pub(crate) clock_offset: f64,
    pub(crate) next_process: u64,
    pub(crate) events: EventLog,
    pub(crate) trace: TraceLog,
    pub(crate) engines: EngineWatch,
    pub(crate) mail: mpsc::UnboundedSender<Message>,
    /// What is to be written down about instances.
    pub(crate) records: mpsc::UnboundedSender<RecordWrite>,
    /// When all objects were looked at last.
    pub(crate) swept: BootTime,
    pub(crate) started_at: f64,
    /// Why the store does not take changes, if it does not.
    pub(crate) engine_fault: Option<String>,
    pub(crate) engine_name: String,
    /// The cluster's name, and its nodes by the configuration.
    pub(crate) cluster: ClusterData,
    /// None: this node is alone.
    pub(crate) member: Option<Membership>,
    pub(crate) ending: Option<Asked<()>>,
    pub(crate) is_over: bool,
    /// Whether the objects were listed once.
    pub(crate) scanned: bool,
    /// Whether the store holds something that this version cannot read: then nothing is decided.
    pub(crate) shared_lost: bool,
    /// The deadlines of slots, and the keeper.
    pub(crate) guard: NodeGuard,
    pub(crate) guard_tasks: GuardTasks,
    /// What no cut reaches of an object, as it was last logged.
    pub(crate) gaps: BTreeMap<ObjectPath, String>,
    pub(crate) parallel_probes: usize,
    /// Who may read a configuration now. At the start, a thread for each of a thousand takes longer, and memory that is not given back.
    pub(crate) read_turns: Arc<Semaphore>,
    /// What the first looks have in common.
    pub(crate) common: Option<Arc<NodeSnapshot>>,
    /// Whether `reboot` may be done: never below a root directory of its own.
    pub(crate) is_system: bool,
}

impl Owner {
    /// Works until a request ends the daemon.
    pub(crate) async fn run(
        mut self,
        mut mail: mpsc::UnboundedReceiver<Message>,
        mut requests: mpsc::Receiver<DaemonRequest>,
    ) {
        self.scan();
        while !self.is_over {
            let wait = self.next_wake().since(crate::clock::now());
            tokio::select! {
                Some(message) = mail.recv() => {
                    self.take_in(message);
                    // All that is there already is taken in before anything is decided.
                    while let Ok(message) = mail.try_recv() {
                        self.take_in(message);
                    }
                }
                request = requests.recv() => match request {
                    Some(request) => self.answer(request),
                    None => self.is_over = true,
                },
                () = tokio::time::sleep(wait) => {}
            }
            self.turn();
        }
        self.instances
            .values()
            .filter_map(|instance| instance.acting.as_ref())
            .for_each(|acting| acting.cancel.cancel());
        self.leave_guard().await;
        if let Some(answer) = self.ending.take() {
            let _ = answer.send(Ok(()));
        }
    }

    /// Does what has become due.
    fn turn(&mut self) {
        let now = crate::clock::now();
        self.tend_member(now);
        self.tend_guard();
        if now.since(self.swept) >= SLOW_TICK {
            self.swept = now;
            self.sweep();
        }
        let retried: Vec<ObjectPath> =
            self.retries.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect();
        for path in retried {
            self.retries.remove(&path);
            self.dirty.insert(path);
        }
        self.probe_due(now);
        // Before the decision, which rests on what the store knows.
        self.keep_up();
        self.acknowledge();
        self.decide(now);
        self.look_at_clock(now);
        self.run_due();
        self.announce();
        self.look_whether_ready();
        self.look_whether_over();
    }

    /// Looks at what others did, and at all that may be left to do.
    fn sweep(&mut self) {
        let paths: Vec<ObjectPath> = self.instances.keys().chain(self.shared.objects.keys()).cloned().collect();
        for path in &paths {
            self.follow_hand(path);
            self.touch(path);
        }
        let agent = self.agent.clone();
        tokio::task::spawn_blocking(move || agent.bound_outputs(&paths));
    }

    /// When something becomes due, if nothing happens before.
    fn next_wake(&self) -> BootTime {
        let now = crate::clock::now();
        // What a turn itself has changed is for the next one.
        if !self.dirty.is_empty() {
            return now;
        }
        let run = self.next_run().map(|wait| now + wait);
        let beat = self.guard.next().map(BootTime::after_boot);
        let member = self.next_member();
        // One that is over and cannot be ended yet, because the view is not whole, is tried again.
        let drain = self.node.drain.map(|drain| if drain.deadline > now { drain.deadline } else { now + TRY_AGAIN });
        let retry = self.retries.values().min().copied();
        let times = [self.cache.wake_at(), self.next_probe(), retry, run, beat, member, drain];
        times.into_iter().flatten().fold(self.swept + SLOW_TICK, BootTime::min)
    }

    fn take_in(&mut self, message: Message) {
        match message {
            Message::Changed(change) => self.follow(&change),
            Message::WatchLost(error) => self.list_again(&error),
            Message::Listed(state) => self.listed(state),
            Message::Answered { request, outcome } => self.answered(request, outcome),
            Message::Read { path, loaded } => self.take_config(path, loaded),
            Message::Scanned(paths) => self.take_scan(paths),
            Message::Probed { path, ticket, status, took } => {
                self.trace_probe(&path, ticket, &status, took);
                self.take_status(path, ticket, status);
            }
            Message::Ended { path, process, end } => self.end_action(path, process, end),
            Message::Timed { path, entries, runs } => self.take_times(&path, entries, runs),
            Message::Ran { path, rid, end } => self.end_run(&path, &rid, &end),
            Message::Prepared(path) => {
                self.preparing.remove(&path);
                self.touch(&path);
            }
            Message::Held { path, list } => self.take_held(&path, list),
            Message::Keeper(news) => self.hear_keeper(&news),
            Message::Cut(cuts) => self.end_own_cut(cuts),
            Message::Cluster(message) => self.take_in_cluster(message),
            Message::Waited(path) => self.touch(&path),
            Message::Noticed(notice) => self.notice(notice),
        }
    }

    /// Notes that something has changed for an object.
    pub(crate) fn touch(&mut self, path: &ObjectPath) {
        self.dirty.insert(path.clone());
    }

    /// The daemon is ready when every instance was looked at once: from then on it decides.
    fn look_whether_ready(&mut self) {
        if self.node.ready || self.node.life.is_none() {
            return;
        }
        let looked = |instance: &Instance| {
            let here = instance.loaded.as_ref().is_some_and(LoadedConfig::is_here);
            let read = instance.loaded.is_some() || instance.missing;
            read && (!here || instance.local.status.is_some() || instance.is_busy())
        };
        if self.scanned && self.instances.values().all(looked) {
            self.node.ready = true;
            self.common = None;
            // What a thousand looks took in passing.
            tokio::task::spawn_blocking(kernel::memory::give_back);
            self.changes.push(ViewChange::Cluster);
            self.add_event(protocol::daemon::EventKind::DaemonReady, None, serde_json::Value::Null);
            self.decide(crate::clock::now());
        }
    }

    /// A daemon that was asked to stop exits when nothing of its own runs any more.
    fn look_whether_over(&mut self) {
        let Some(drain) = self.ending.as_ref().map(|_| self.node.drain) else { return };
        let runs = self.instances.values().any(|instance| instance.acting.is_some() || instance.ended.is_some());
        if !runs && self.sending.is_empty() && drain.is_none() && self.may_depart() {
            self.is_over = true;
        }
    }
}
