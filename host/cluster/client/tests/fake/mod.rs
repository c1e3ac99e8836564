//! A daemon that answers from a script, behind the real API: what the client and the API say to each other is real.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{AccessPlaces, AccessSource, ApiNode, DaemonClaim, ListenerSettings, serve, socket_path};
use client::DaemonClient;
use daemon::{DaemonHandle, DaemonRequest, EventLog, RequestError, TaskProgram, request_channel};
use peer::PeerEndpoint;
use protocol::FailureKind;
use protocol::daemon::*;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The configuration of a node, which a test changes.
#[derive(Default)]
pub(crate) struct FakeNode {
    pub(crate) users: Mutex<BTreeMap<String, Vec<String>>>,
    pub(crate) listener: Mutex<ListenerSettings>,
}

impl FakeNode {
    pub(crate) fn add_user(&self, name: &str, grant: &str) {
        let words = grant.split_whitespace().map(str::to_owned).collect();
        self.users.lock().unwrap().insert(name.to_owned(), words);
    }
}

impl AccessSource for FakeNode {
    fn listener(&self) -> Result<ListenerSettings, String> {
        Ok(self.listener.lock().unwrap().clone())
    }

    fn user(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        Ok(self.users.lock().unwrap().get(name).cloned())
    }
}

pub(crate) struct FakeDaemon {
    pub(crate) node: Arc<FakeNode>,
    pub(crate) run: PathBuf,
    pub(crate) handle: DaemonHandle,
    pub(crate) client: DaemonClient,
    pub(crate) socket: PathBuf,
    end: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    _run: TempDir,
}

impl FakeDaemon {
    pub(crate) fn start() -> FakeDaemon {
        FakeDaemon::start_with(answer_all)
    }

    /// One that is configured like this.
    pub(crate) fn start_on(listener: ListenerSettings) -> FakeDaemon {
        FakeDaemon::start_all(answer_all, listener, None)
    }

    /// One with this end of the link to other daemons.
    pub(crate) fn start_linked(peers: PeerEndpoint) -> FakeDaemon {
        FakeDaemon::start_all(answer_all, ListenerSettings::default(), Some(peers))
    }

    /// One whose requests `act` answers, or keeps.
    pub(crate) fn start_with<A, F>(act: A) -> FakeDaemon
    where
        A: FnOnce(mpsc::Receiver<DaemonRequest>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        FakeDaemon::start_all(act, ListenerSettings::default(), None)
    }

    fn start_all<A, F>(act: A, listener: ListenerSettings, peers: Option<PeerEndpoint>) -> FakeDaemon
    where
        A: FnOnce(mpsc::Receiver<DaemonRequest>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let run = tempfile::tempdir().unwrap();
        let name = "n1".parse().unwrap();
        let (handle, requests) = request_channel("n1".parse().unwrap(), EventLog::new(name, 100));
        let handle = handle.with_peers(peers);
        tokio::spawn(act(requests));
        let socket = DaemonClaim::new(run.path()).unwrap().listen().unwrap();
        let (end, ended) = oneshot::channel();
        let node = Arc::new(FakeNode { users: Mutex::default(), listener: Mutex::new(listener) });
        let places = AccessPlaces { var: run.path().join("var"), log: run.path().join("log") };
        let served_node = ApiNode { source: node.clone(), places, program: Some(echo()) };
        let served = tokio::spawn(serve(socket, handle.clone(), served_node, async { drop(ended.await) }));
        let socket = socket_path(run.path());
        let client = DaemonClient::new(&socket).within(Duration::from_secs(5));
        let directory = run.path().to_owned();
        FakeDaemon { node, run: directory, handle, client, socket, end: Some(end), served, _run: run }
    }

    /// Ends it, and waits until its socket is gone.
    pub(crate) async fn end(mut self) {
        drop(self.end.take());
        (&mut self.served).await.unwrap();
        assert!(!self.socket.exists());
    }
}

/// What stands in for `om`: it prints its words.
fn echo() -> TaskProgram {
    TaskProgram { program: "/bin/echo".into(), arguments: Vec::new() }
}

async fn answer_all(mut requests: mpsc::Receiver<DaemonRequest>) {
    while let Some(request) = requests.recv().await {
        answer(request);
    }
}

/// Answers each request with something that shows what was asked.
fn answer(request: DaemonRequest) {
    let missing =
        |path: &dyn std::fmt::Display| RequestError::new(FailureKind::NoMatch, format!("{path} does not exist"));
    match request {
        DaemonRequest::Status(answer) => drop(answer.send(Ok(Arc::new(status())))),
        DaemonRequest::Order { path, order, by, answer } => {
            let told = format!("{:?} {} {by}", order.verb, order.command);
            let _ = answer.send(Ok(OrderReceipt { id: told, path, ended: order.force }));
        }
        DaemonRequest::OrderState { path, id, answer } => {
            let target = "started".to_owned();
            let (state, id) = (OrderState::Running, id.unwrap_or("last".to_owned()));
            let document = OrderDocument { id, path, target, state, reasons: Vec::new(), steps: Vec::new() };
            let _ = answer.send(Ok(document));
        }
        DaemonRequest::Explain { path, answer } => drop(answer.send(Err(missing(&path)))),
        DaemonRequest::Processes(answer) => {
            drop(answer.send(Ok(vec![process(7, "ns1/svc/web"), process(8, "ns2/svc/db")])))
        }
        DaemonRequest::Kill { id, answer } => drop(answer.send(if id == 7 { Ok(()) } else { Err(missing(&id)) })),
        DaemonRequest::OrderNode { order, answer, .. } => drop(answer.send(Ok(order.verb != NodeOrder::Thaw))),
        DaemonRequest::Ping { from, ping, answer } => {
            let promised = ping.question.is_some_and(|question| question.life == 7) && from.as_str() == "n2";
            let _ = answer.send(Ok(PingAnswer { sees_beat: true, promised, generation: 1 }));
        }
        DaemonRequest::Evict { life, answer, .. } => drop(answer.send(Ok(life.life == 7))),
        DaemonRequest::Refresh { answer, .. }
        | DaemonRequest::Stop { answer, .. }
        | DaemonRequest::AcceptEngine(answer) => drop(answer.send(Ok(()))),
    }
}

pub(crate) fn process(id: u64, path: &str) -> ProcessDocument {
    let (path, rids, action, cause) = (path.parse().unwrap(), Vec::new(), "start".to_owned(), "order".to_owned());
    ProcessDocument { id, path, rids, action, cause, began_at: 1.0 }
}

fn object() -> ClusterObject {
    serde_json::from_value(serde_json::json!({
        "avail": "up", "overall": "up", "provisioned": "true", "frozen": "thawed", "placement_state": "optimal",
        "topology": "failover", "orchestrate": "no", "priority": 50, "up_instances": 1, "wanted_instances": 1,
        "scope": ["n1"], "order": null,
    }))
    .unwrap()
}

pub(crate) fn status() -> StatusDocument {
    let thread = |id: &str| DaemonThread {
        id: id.to_owned(),
        state: "running".to_owned(),
        detail: String::new(),
        peers: BTreeMap::new(),
    };
    StatusDocument {
        cluster: ClusterDocument {
            config: ClusterSummary { name: "c".to_owned(), nodes: vec!["n1".parse().unwrap()] },
            engine: EngineDocument {
                name: "redb".to_owned(),
                revision: 9,
                state: "running".to_owned(),
                outage: None,
                warnings: Vec::new(),
            },
            node: Default::default(),
            object: ["ns1/svc/web", "ns2/svc/db"].map(|path| (path.parse().unwrap(), object())).into(),
        },
        daemon: DaemonDocument {
            nodename: "n1".parse().unwrap(),
            pid: 1,
            started_at: 2.5,
            last_event: 100,
            threads: vec![thread("listener"), thread("monitor")],
        },
    }
}
