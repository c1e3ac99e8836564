//! A daemon that answers from a script, behind the real API: what the client and the API say to each other is real.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::{DaemonClaim, serve, socket_path};
use client::DaemonClient;
use daemon::{DaemonHandle, DaemonRequest, EventLog, RequestError, request_channel};
use protocol::FailureKind;
use protocol::daemon::*;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub(crate) struct FakeDaemon {
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

    /// One whose requests `act` answers, or keeps.
    pub(crate) fn start_with<A, F>(act: A) -> FakeDaemon
    where
        A: FnOnce(mpsc::Receiver<DaemonRequest>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let run = tempfile::tempdir().unwrap();
        let node = "n1".parse().unwrap();
        let (handle, requests) = request_channel("n1".parse().unwrap(), EventLog::new(node, 100));
        tokio::spawn(act(requests));
        let socket = DaemonClaim::new(run.path()).unwrap().listen().unwrap();
        let (end, ended) = oneshot::channel();
        let served = tokio::spawn(serve(socket, handle.clone(), async { drop(ended.await) }));
        let socket = socket_path(run.path());
        let client = DaemonClient::new(&socket).within(Duration::from_secs(5));
        FakeDaemon { handle, client, socket, end: Some(end), served, _run: run }
    }

    /// Ends it, and waits until its socket is gone.
    pub(crate) async fn end(mut self) {
        drop(self.end.take());
        (&mut self.served).await.unwrap();
        assert!(!self.socket.exists());
    }
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
        DaemonRequest::Processes(answer) => drop(answer.send(Ok(Vec::new()))),
        DaemonRequest::Kill { id, answer } => drop(answer.send(if id == 7 { Ok(()) } else { Err(missing(&id)) })),
        DaemonRequest::FreezeNode { frozen, answer } => drop(answer.send(Ok(frozen))),
        DaemonRequest::Refresh { answer, .. } | DaemonRequest::Stop { answer, .. } => drop(answer.send(Ok(()))),
    }
}

pub(crate) fn status() -> StatusDocument {
    let thread = DaemonThread { id: "monitor".to_owned(), state: "running".to_owned(), detail: String::new() };
    StatusDocument {
        cluster: ClusterDocument {
            config: ClusterSummary { name: "c".to_owned(), nodes: vec!["n1".parse().unwrap()] },
            engine: EngineDocument { name: "redb".to_owned(), revision: 9, state: "running".to_owned() },
            node: Default::default(),
            object: Default::default(),
        },
        daemon: DaemonDocument {
            nodename: "n1".parse().unwrap(),
            pid: 1,
            started_at: 2.5,
            last_event: 100,
            threads: vec![thread],
        },
    }
}
