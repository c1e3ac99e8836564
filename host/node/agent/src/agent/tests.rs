//! One agent serves many requests at once, for as long as its process lives.

use std::collections::BTreeSet;
use std::sync::Mutex;

use driver::{
    ActionError, ActionReport, BoxFuture, CallBounds, CancelSignal, Change, Driver, DriverCall, KeywordProblem,
    LogSink, Manifest, RunReport, StatusReport, TargetReport, Verb,
};
use exec::ActionEnding;
use model::status::{Provisioned, State};
use tokio::sync::Barrier;

use super::*;
use crate::file::durable;
use crate::{ActionOutcome, ActionRequest, RequestOrigin};

/// Replaces `fs.flag`: a start goes on only when all expected starts have arrived, twice.
struct MeetingDriver {
    manifest: Manifest,
    up: Mutex<BTreeSet<ObjectPath>>,
    meeting: Barrier,
}

impl MeetingDriver {
    fn of(agent: &Agent, expected: usize) -> Arc<MeetingDriver> {
        let manifest = agent.drivers().get(&"fs.flag".parse().unwrap()).unwrap().manifest.clone();
        Arc::new(MeetingDriver { manifest, up: Mutex::default(), meeting: Barrier::new(expected) })
    }
}

impl Driver for MeetingDriver {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn validate<'a>(
        &'a self,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<KeywordProblem>, ActionError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn status<'a>(
        &'a self,
        call: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, StatusReport> {
        let is_up = self.up.lock().unwrap().contains(&call.object);
        Box::pin(std::future::ready(StatusReport {
            state: if is_up { State::Up } else { State::Down },
            provisioned: Provisioned::True,
            label: String::new(),
            messages: Vec::new(),
            exposes: Vec::new(),
            uses: Vec::new(),
            fault: None,
        }))
    }

    fn act<'a>(
        &'a self,
        _: Verb,
        call: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(async move {
            self.meeting.wait().await;
            self.meeting.wait().await;
            self.up.lock().unwrap().insert(call.object.clone());
            ActionReport { change: Change::Changed, result: Ok("up".to_owned()) }
        })
    }

    fn run<'a>(
        &'a self,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>> {
        Box::pin(std::future::ready(Err(ActionError::Unsupported)))
    }

    fn sync<'a>(
        &'a self,
        _: &'a str,
        _: &'a [String],
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>> {
        Box::pin(std::future::ready(Err(ActionError::Unsupported)))
    }
}

fn agent_with(objects: &[&str]) -> (tempfile::TempDir, Agent) {
    let (root, home) = Directories::temporary();
    for name in objects {
        let text = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";
        durable::write(&home.config(&name.parse().unwrap()), text.as_bytes()).unwrap();
    }
    (root, Agent::open(home, &"n1".parse().unwrap()).unwrap())
}

fn start() -> ActionRequest {
    ActionRequest::new(plan::Action::Start, RequestOrigin::Daemon, "start".to_owned())
}

/// Starts an instance in a task of its own.
fn starting(agent: &Agent, object: &'static str) -> tokio::task::JoinHandle<ActionOutcome> {
    let agent = agent.clone();
    tokio::spawn(
        async move { agent.act(&object.parse().unwrap(), start(), None, CancelSignal::default()).await.unwrap() },
    )
}

#[tokio::test]
async fn two_instances_start_side_by_side_while_a_third_is_looked_at() {
    let (_root, agent) = agent_with(&["one", "two", "three"]);
    let driver = MeetingDriver::of(&agent, 3);
    agent.loaded().replace(&agent, driver.clone());
    let starts = [starting(&agent, "one"), starting(&agent, "two")];

    // Both are in the middle of their start, and go on only when this test does.
    driver.meeting.wait().await;
    let seen = agent.status(&"three".parse().unwrap()).await.unwrap();
    assert_eq!(seen.sums.avail, State::Down);
    let refused = agent.act(&"one".parse().unwrap(), start(), None, CancelSignal::default()).await.unwrap_err();
    assert!(refused.to_string().starts_with("busy: "), "{refused}");
    driver.meeting.wait().await;

    for start in starts {
        let ActionOutcome { report, instance } = start.await.unwrap();
        assert_eq!((report.ending, instance.sums.avail), (ActionEnding::Done, State::Up));
    }
}

#[test]
fn changes_on_disk_are_seen_by_the_next_request() {
    let (_root, agent) = agent_with(&[]);
    assert_eq!(agent.node().keywords.get("env").map(String::as_str), Some("TST"));
    durable::write(&agent.home().node_config(), b"[node]\nenv = PRD\n").unwrap();
    assert_eq!(agent.node().keywords.get("env").map(String::as_str), Some("PRD"));
    durable::write(&agent.home().node_config(), b"[node]\nenv = DEV\n").unwrap();
    assert_eq!(agent.node().keywords.get("env").map(String::as_str), Some("DEV"));

    assert_eq!(agent.drivers().broken().count(), 0);
    durable::write(&agent.home().installed_drivers().join("fs.mine.wasm"), b"").unwrap();
    assert_eq!(agent.drivers().broken().count(), 1);
    durable::remove(&agent.home().installed_drivers().join("fs.mine.wasm")).unwrap();
    assert_eq!(agent.drivers().broken().count(), 0);
}

#[test]
fn an_unreadable_file_keeps_its_last_known_content() {
    let (_root, agent) = agent_with(&[]);
    durable::write(&agent.home().node_config(), b"[node]\nenv = PRD\n").unwrap();
    agent.node();
    std::fs::remove_file(agent.home().node_config()).unwrap();
    std::fs::create_dir(agent.home().node_config()).unwrap();
    assert_eq!(agent.node().keywords.get("env").map(String::as_str), Some("PRD"));
}

/// The reason why `fs.flag` cannot be loaded.
fn reason(agent: &Agent) -> String {
    let configuration = agent.configuration(&"one".parse().unwrap()).unwrap();
    let drivers = agent.load(configuration.object().unwrap(), &agent.drivers());
    let flag = drivers.get(&"fs.flag".parse().unwrap()).unwrap();
    let (call, bounds) = (call(), CallBounds::within(Duration::from_secs(1)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(flag.status(&call, &bounds, Arc::new(driver::SilentLog)));
    report.fault.map(|fault| fault.to_string()).unwrap_or_default()
}

fn call() -> DriverCall {
    DriverCall {
        object: "one".parse().unwrap(),
        rid: "fs#1".parse().unwrap(),
        driver: "fs.flag".parse().unwrap(),
        node: "n1".parse().unwrap(),
        peers: Vec::new(),
        sid: String::new(),
        keywords: Arc::default(),
        secrets: Vec::new(),
        vars: Arc::default(),
        limits: Arc::default(),
    }
}

#[test]
fn a_driver_is_loaded_again_when_its_policy_has_changed() {
    let (_root, agent) = agent_with(&["one"]);
    let policy = crate::node::paths::policy_of(agent.home(), &"fs.flag".parse().unwrap());
    durable::write(&policy, b"junk on line one").unwrap();
    assert!(reason(&agent).contains("fs.flag.policy:1:"), "{}", reason(&agent));
    durable::write(&policy, b"# now\n# on line\njunk three").unwrap();
    assert!(reason(&agent).contains("fs.flag.policy:3:"), "{}", reason(&agent));
}
