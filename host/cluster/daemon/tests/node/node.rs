//! A node below a directory of its own, and its daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent::{ActionRequest, Agent, CancelSignal, Directories, ObjectFiles, RequestOrigin};
use daemon::{DaemonHandle, DaemonOptions, EventReader, RequestError, RunningDaemon, start};
use model::{ObjectPath, Rid};
use plan::Action;
use protocol::daemon::{
    DaemonEvent, EventKind, InstanceSummary, OrderCommand, OrderDocument, OrderReceipt, OrderRequest, StatusDocument,
};

/// Nothing here takes so long, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A node, with its daemon if one runs.
pub(crate) struct TestNode {
    root: tempfile::TempDir,
    daemon: Option<RunningDaemon>,
}

impl TestNode {
    /// A node without a daemon.
    pub(crate) fn new() -> TestNode {
        TestNode { root: tempfile::tempdir().unwrap(), daemon: None }
    }

    /// A node with these objects, and its daemon.
    pub(crate) async fn with(objects: &[(&str, &str)]) -> TestNode {
        let mut node = TestNode::new();
        objects.iter().for_each(|(path, text)| node.create(path, text));
        node.start().await;
        node
    }

    pub(crate) fn home(&self) -> Directories {
        let mut home = Directories::under(self.root.path());
        // Compiled once for all tests.
        home.cache = std::env::temp_dir().join(format!("hostler-daemon-tests-{}", std::process::id()));
        home
    }

    pub(crate) fn agent(&self) -> Agent {
        Agent::open(self.home(), &"n1".parse().unwrap()).unwrap()
    }

    pub(crate) fn create(&self, path: &str, text: &str) {
        ObjectFiles::of(&self.home()).create(&self::path(path), text).unwrap();
    }

    /// The file of a configuration.
    pub(crate) fn config(&self, path: &str) -> PathBuf {
        self.home().config(&self::path(path))
    }

    /// The flag of a resource `fs.flag`.
    pub(crate) fn flag(&self, path: &str, rid: &str) -> PathBuf {
        self.home().volatile(&self::path(path)).join(format!("{rid}.flag"))
    }

    /// Starts the daemon, and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        let daemon = start(self.agent(), DaemonOptions::default()).await.unwrap();
        self.daemon = Some(daemon);
        until("the daemon is ready", async || self.status().await.daemon.threads[0].state == "running").await;
    }

    /// Ends the daemon.
    pub(crate) async fn stop(&mut self) {
        let daemon = self.daemon.take().unwrap();
        daemon.handle.stop(false).await.unwrap();
        tokio::time::timeout(PATIENCE, daemon.ended()).await.expect("the daemon ends");
    }

    pub(crate) fn handle(&self) -> &DaemonHandle {
        &self.daemon.as_ref().unwrap().handle
    }

    pub(crate) async fn status(&self) -> Arc<StatusDocument> {
        self.handle().status().await.unwrap()
    }

    pub(crate) async fn instance(&self, path: &str) -> Option<InstanceSummary> {
        let status = self.status().await;
        status.cluster.node.values().next()?.instance.get(&self::path(path)).cloned()
    }

    /// Waits until the instance has this avail state.
    pub(crate) async fn until_avail(&self, path: &str, avail: &str) {
        let is_it = async || {
            let _ = self.handle().refresh(Some(self::path(path))).await;
            let status = self.instance(path).await.and_then(|instance| instance.status);
            status.is_some_and(|status| status.avail.to_string() == avail)
        };
        until(&format!("{path} is {avail}"), is_it).await;
    }

    pub(crate) async fn order(&self, path: &str, verb: OrderCommand) -> Result<OrderReceipt, RequestError> {
        let order = OrderRequest { verb, supersede: false, force: false, time: None, command: "a test".to_owned() };
        let answer = self.handle().order(self::path(path), order, "root".to_owned());
        tokio::time::timeout(PATIENCE, answer).await.expect("an order is answered")
    }

    /// Orders something, and waits for the end of that very order.
    pub(crate) async fn done(&self, path: &str, verb: OrderCommand) -> OrderDocument {
        let mut events = self.handle().events().follow(None);
        let receipt = self.order(path, verb).await.unwrap();
        let ended = async {
            loop {
                let event = events.next().await.expect("the log of events goes on");
                if event.kind == EventKind::OrderEnd && event.data["id"] == receipt.id {
                    return serde_json::from_value(event.data.clone()).unwrap();
                }
            }
        };
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(document) => document,
            Err(_) => {
                let explained = self.handle().explain(self::path(path)).await;
                let mut past = self.handle().events().follow(Some(0));
                let told: Vec<_> = std::iter::from_fn(|| past.ready()).map(|it| (it.kind, it.data.clone())).collect();
                panic!("the order never ended: {explained:#?}\n{told:#?}")
            }
        }
    }

    /// What an operator does in a process of their own.
    pub(crate) async fn by_hand(&self, path: &str, action: Action, rid: Option<&str>) {
        let request = ActionRequest {
            wait: Some(PATIENCE),
            ..ActionRequest::new(action, RequestOrigin::User, "a test".to_owned())
        };
        let rid: Option<Rid> = rid.map(|rid| rid.parse().unwrap());
        let request = if rid.is_some() { request.limited_to(&rid) } else { request };
        // Another agent: nothing in memory is shared with the daemon's.
        self.agent().act(&self::path(path), request, None, CancelSignal::default()).await.unwrap();
    }
}

pub(crate) fn path(text: &str) -> ObjectPath {
    text.parse().unwrap()
}

/// The next event of a kind.
pub(crate) async fn next(events: &mut EventReader, kind: EventKind) -> Arc<DaemonEvent> {
    let found = async {
        loop {
            let event = events.next().await.expect("the log of events goes on");
            if event.kind == kind {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no event {}", kind.as_str()))
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("it never came that {what}"));
}
