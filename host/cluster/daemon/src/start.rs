//! The beginning and the end of a daemon.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::file::durable::{self, FileError};
use agent::file::lock::{FileLock, LockError};
use agent::node::{ClusterData, ClusterDataError};
use agent::{Agent, Directories};
use orchestrate::DecisionCache;
use peer::{EndpointError, PeerEndpoint};
use protocol::daemon::EventKind;
use replica::{LocalNode, SharedState};
use serde_json::json;
use store::Store;
use store_redb::OpenError;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::TaskProgram;
use crate::cluster::{LinkState, Membership, follow_address, open_endpoint};
use crate::engine::Engine;
use crate::engine::managed::{self, ManagedEngine};
use crate::guard::{GuardPolicy, GuardTasks, NodeGuard};
use crate::hook::HookTasks;
use crate::owner::{Owner, StoreStart, follow_store, list, write_records};
use crate::watch::{EngineWatch, watch};
use crate::{DaemonHandle, EventLog, clock, request_channel};

/// The numbers of events are set aside in such portions, so that a daemon that starts again goes on behind its last one.
const EVENT_PORTION: u64 = 1_000_000;

/// So many configurations are read side by side.
const PARALLEL_READS: usize = 8;

/// How long a child of a killed daemon may hold what its parent held.
const LEFT_BEHIND: Duration = Duration::from_secs(10);

/// How a daemon shall run.
#[derive(Debug, Clone, Default)]
pub struct DaemonOptions {
    /// What a task runs with, in a process of its own. None: the daemon runs it itself, and interrupts it when it ends.
    pub run_program: Option<TaskProgram>,
    /// How many instances are looked at side by side. 0: as many as suits the processors.
    pub parallel_probes: usize,
    /// The program that becomes the keeper when it is called as `om daemon keeper`. None: that of this process.
    pub keeper: Option<PathBuf>,
}

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another daemon runs on these directories.
    #[error("a daemon is running already{}", of(.pid))]
    Running { pid: Option<u32> },
    #[error("cannot take the lock of the daemon")]
    Lock(#[source] FileError),
    #[error("cannot read the id of this boot")]
    Boot,
    #[error(transparent)]
    Cluster(#[from] ClusterDataError),
    #[error(transparent)]
    Seat(#[from] etcd::FileFault),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("cannot read the store: {0}")]
    Shared(String),
    #[error(transparent)]
    Peers(#[from] EndpointError),
    #[error("cannot set numbers of events aside")]
    Events(#[source] FileError),
}

fn of(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(", process {pid}")).unwrap_or_default()
}

/// A daemon that runs.
#[derive(Debug)]
pub struct RunningDaemon {
    pub handle: DaemonHandle,
    owner: JoinHandle<()>,
    engine: Engine,
    hooks: HookTasks,
    _lock: FileLock,
}

impl RunningDaemon {
    /// Waits for the end of the daemon, which a request of the handle brings about. Its store is closed then.
    pub async fn ended(self) {
        if let Err(error) = self.owner.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
        self.hooks.end().await;
        self.engine.close().await;
    }
}

/// Starts the daemon of this node, in the runtime of the caller, which needs several threads.
pub async fn start(agent: Agent, options: DaemonOptions) -> Result<RunningDaemon, StartError> {
    let home = agent.home().clone();
    let lock = take_lock(&home).await?;
    let boot = kernel::clock::boot_id().ok_or(StartError::Boot)?;
    let directory = home.var.join("daemon");
    let me = agent.node().name.clone();
    let cluster = read_cluster(&agent).await?;
    let place = managed::place(&agent);
    let seat = place.seat()?;
    let witnessed = managed::witnessed(&place, seat.as_ref()).filter(|_| cluster.engine.is_none());
    if cluster.engine.is_some() || witnessed.is_some() {
        // Before the engine is asked: where only this node votes, it is the engine.
        managed::start_member(&place, seat.as_ref()).await;
    }
    let (engine, rebuilt) = match &cluster.engine {
        None => Engine::own(&directory).await?,
        Some(address) => (Engine::shared(&directory, address), None),
    };
    let store = engine.store();
    // The store of several nodes may come later than this one.
    let is_shared = cluster.engine.is_some();
    let shared = if is_shared { SharedState::default() } else { first_state(&*store).await? };
    let peers = if is_shared { Some(open_peers(&agent).await?) } else { None };
    let member = peers.clone().map(|peers| {
        let link = LinkState::new(peers, &home);
        Membership::new(cluster.clone(), &home, (&me, &boot), (link, engine.etcd()))
    });
    let events = EventLog::new(me.clone(), set_aside(&directory.join("events"))?);
    let (handle, requests) = request_channel(me.clone(), events.clone());
    let handle = handle.with_peers(peers.clone());
    let (mail, inbox) = mpsc::unbounded_channel();
    let (records, written) = mpsc::unbounded_channel();
    let engine_name = match is_shared {
        true => "etcd".to_owned(),
        false => store.status().await.map(|status| status.engine).unwrap_or_default(),
    };
    handle.trace().watch(&agent);
    let hooks = HookTasks::start(agent.clone(), events.clone());
    let mut owner = Owner {
        node: local_node(&agent, boot),
        me,
        store: store.clone(),
        shared,
        instances: BTreeMap::new(),
        views: BTreeMap::new(),
        view: None,
        cache: DecisionCache::default(),
        decisions: BTreeMap::new(),
        dirty: BTreeSet::new(),
        changes: Vec::new(),
        unreported: BTreeSet::new(),
        sending: BTreeSet::new(),
        awaited: BTreeMap::new(),
        preparing: BTreeSet::new(),
        retries: BTreeMap::new(),
        orders: BTreeMap::new(),
        receipts: Vec::new(),
        past_orders: VecDeque::new(),
        reported_steps: BTreeMap::new(),
        last_reports: BTreeMap::new(),
        groups: BTreeMap::new(),
        runs: BTreeMap::new(),
        clock_offset: clock::wall() - clock::now().since_boot().as_secs_f64(),
        next_process: 0,
        events,
        trace: handle.trace().clone(),
        engines: EngineWatch::start(agent.clone(), mail.clone()),
        mail: mail.clone(),
        records,
        swept: clock::now(),
        started_at: clock::wall(),
        engine_fault: None,
        engine_name,
        ending: None,
        is_over: false,
        scanned: false,
        // Before it is listed, nothing is known of a store that others share.
        shared_lost: is_shared,
        cluster,
        member,
        common: None,
        guard: NodeGuard::open(&home.keeper(), GuardPolicy::default()),
        // Also right when the file of this program was replaced.
        guard_tasks: GuardTasks::new(options.keeper.clone().unwrap_or_else(|| "/proc/self/exe".into())),
        gaps: BTreeMap::new(),
        parallel_probes: probes(&options),
        read_turns: Arc::new(Semaphore::new(PARALLEL_READS)),
        run_program: options.run_program,
        is_system: home == Directories::system(),
        agent: agent.clone(),
    };
    let policy = GuardPolicy::of(&agent.node().keywords, owner.is_system, is_shared);
    owner.set_guard(policy);
    if let Some(reason) = rebuilt {
        owner.add_event(EventKind::EngineUp, None, json!({ "rebuilt": reason }));
    }
    owner.register();
    watch(&home, slice(&agent), &mail);
    if let (Some(peers), Some(engine)) = (peers, &owner.cluster.engine) {
        let reached = seat.as_ref().map(|seat| SocketAddr::new(seat.address, seat.api_port));
        tokio::spawn(follow_address(agent.clone(), (reached, engine.members.clone()), peers, mail.clone()));
    }
    let (follower, upkeep) = (store.clone(), mail.clone());
    let begun = if is_shared { StoreStart::Unknown } else { StoreStart::Founded };
    tokio::spawn(async move { follow_store(&*follower, &mail, begun).await });
    let is_witness = witnessed.is_some();
    if let Some(store) = engine.etcd().or(witnessed) {
        let (me, events) = (owner.me.clone(), owner.events.clone());
        let managed = ManagedEngine { agent: agent.clone(), me, store, events, mail: upkeep, is_witness };
        tokio::spawn(managed.keep_up(place, seat));
    }
    tokio::spawn(write_records(agent, written));
    let owner = tokio::spawn(owner.run(inbox, requests));
    Ok(RunningDaemon { handle, owner, engine, hooks, _lock: lock })
}

/// The lock of the daemon. A daemon that was killed may have left a child behind that has not become another program yet, and
/// holds all that its parent held until then: it is waited for.
async fn take_lock(home: &Directories) -> Result<FileLock, StartError> {
    let file = home.run.join("daemon.lock");
    let mut wait = Duration::ZERO;
    loop {
        match FileLock::take(&file, "daemon", wait).await {
            Ok(lock) => return Ok(lock),
            Err(LockError::File(error)) => return Err(StartError::Lock(error)),
            Err(LockError::Busy(holder)) => {
                let pid = holder.map(|holder| holder.pid);
                if wait > Duration::ZERO || pid.is_some_and(lives) {
                    return Err(StartError::Running { pid });
                }
                wait = LEFT_BEHIND;
            }
        }
    }
}

fn lives(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// This node's end of the link to the other daemons.
async fn open_peers(agent: &Agent) -> Result<PeerEndpoint, EndpointError> {
    let agent = agent.clone();
    match tokio::task::spawn_blocking(move || open_endpoint(agent.home(), &agent.node().name)).await {
        Ok(opened) => opened,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn read_cluster(agent: &Agent) -> Result<ClusterData, ClusterDataError> {
    let agent = agent.clone();
    match tokio::task::spawn_blocking(move || agent.cluster()).await {
        Ok(read) => read,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What the store holds, with its first generation begun.
async fn first_state(store: &dyn Store) -> Result<SharedState, StartError> {
    let founded = store.txn(replica::request::found()).await;
    founded.map_err(|error| StartError::Shared(agent::chain(&error)))?;
    list(store).await.map_err(StartError::Shared)
}

fn local_node(agent: &Agent, boot: String) -> LocalNode {
    let node = agent.node();
    let written = node.keywords.get("max_parallel").and_then(|number| number.parse().ok());
    LocalNode {
        name: node.name.clone(),
        boot,
        ready: false,
        life: None,
        drain: None,
        score: crate::machine::stats().score,
        load: crate::machine::load(),
        max_parallel: written.unwrap_or_else(|| processors() * 4),
        written: None,
        heard: BTreeMap::new(),
        rejoin: None,
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn probes(options: &DaemonOptions) -> usize {
    if options.parallel_probes == 0 { processors() * 4 } else { options.parallel_probes }
}

/// The control group of all services. It is made, so that it can be watched before the first of them starts.
fn slice(agent: &Agent) -> Option<PathBuf> {
    agent.control_group_of_all()
}

/// Sets numbers of events aside, and returns the one that the first event comes behind.
fn set_aside(file: &Path) -> Result<u64, StartError> {
    let text = durable::read(file).map_err(StartError::Events)?.unwrap_or_default();
    let first = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0_u64);
    // Before the first number is given out: a daemon that is killed leaves a gap, and no number twice.
    durable::write(file, format!("{}\n", first + EVENT_PORTION).as_bytes()).map_err(StartError::Events)?;
    Ok(first)
}
