//! What the daemon keeps up by itself.

use std::time::{Duration, Instant};

use plan::Action;
use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{TestNode, next, path, until};
use crate::trials;

trials!(
    an_application_that_was_killed_runs_again_at_once,
    a_resource_without_restart_stays_down,
    no_more_restarts_than_its_budget,
    a_standby_resource_is_brought_up,
    an_ha_object_is_started,
    a_frozen_instance_is_left_alone,
    what_was_stopped_by_hand_stays_stopped,
    monitor_action_freezes_and_stops,
    an_object_waits_for_its_parent,
    a_monitor_action_waits_for_the_command_before_it,
    a_namespace_without_a_policy_runs_no_command_before_a_monitor_action,
    what_starts_at_boot_starts_with_the_first_daemon_and_not_when_it_is_made,
);

const SLEEPER: &str =
    "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 1000\nrestart = 3\nrestart_delay = 0\n";

fn flag_with(more: &str) -> String {
    format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{more}")
}

/// The process of `app#1`, by the control group of the object.
fn process(node: &TestNode) -> Option<i32> {
    let group = node.agent().control_group_of(&path("web"))?;
    let mut found = None;
    visit(&group, &mut found);
    found
}

fn visit(directory: &std::path::Path, found: &mut Option<i32>) {
    let text = std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    if let Some(pid) = text.lines().next().and_then(|line| line.parse().ok()) {
        *found = Some(pid);
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            visit(&entry.path(), found);
        }
    }
}

fn kill(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

async fn an_application_that_was_killed_runs_again_at_once() {
    let node = TestNode::with(&[("web", SLEEPER)]).await;
    node.done("web", OrderCommand::Start).await;
    node.until_avail("web", "up").await;
    let Some(first) = process(&node) else { return };
    let mut events = node.handle().events().follow(None);
    let killed = Instant::now();
    kill(first);
    next(&mut events, EventKind::InstanceRestart).await;
    // The look is caused by the end of the process, and not by the clock, which comes every ten seconds.
    assert!(killed.elapsed() < Duration::from_secs(5), "noticed after {:?}", killed.elapsed());
    until("another process runs", async || process(&node).is_some_and(|pid| pid != first)).await;
    node.until_avail("web", "up").await;
    node.done("web", OrderCommand::Stop).await;
}

async fn a_resource_without_restart_stays_down() {
    let node = TestNode::with(&[("web", &flag_with("[fs#2]\ntype = flag\n"))]).await;
    node.done("web", OrderCommand::Start).await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.until_avail("web", "warn").await;
    node.handle().refresh(Some(path("web"))).await.unwrap();
    assert!(!node.flag("web", "fs#1").exists());
}

async fn no_more_restarts_than_its_budget() {
    let node = TestNode::with(&[("web", &flag_with("restart = 2\nrestart_delay = 0\n[fs#2]\ntype = flag\n"))]).await;
    node.done("web", OrderCommand::Start).await;
    for left in [1, 0] {
        let mut events = node.handle().events().follow(None);
        std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
        node.handle().refresh(Some(path("web"))).await.unwrap();
        next(&mut events, EventKind::InstanceRestart).await;
        until("it is up again", async || node.flag("web", "fs#1").exists()).await;
        node.until_avail("web", "up").await;
        let explained = node.handle().explain(path("web")).await.unwrap();
        assert_eq!((explained.restarts[0].left, explained.restarts[0].budget), (left, 2));
    }
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.until_avail("web", "warn").await;
    until("the restarts are spent", async || {
        let explained = node.handle().explain(path("web")).await.unwrap();
        explained.reasons.iter().any(|reason| reason.code == "restarts-spent")
    })
    .await;
    assert!(!node.flag("web", "fs#1").exists());
    let log = || std::fs::read_to_string(node.home().object_log(&path("web"))).unwrap_or_default();
    until("the last death is in the log", async || log().contains("no restart is left")).await;
    for line in [
        "fs#1 is down: restart 1 of 2 in 10 minutes",
        "fs#1 is down: restart 2 of 2 in 10 minutes",
        "fs#1 is down: no restart is left of 2 in 10 minutes",
    ] {
        assert_eq!(log().matches(line).count(), 1, "{line} in {}", log());
    }
}

async fn a_standby_resource_is_brought_up() {
    let node = TestNode::with(&[("web", &flag_with("standby = true\n[fs#2]\ntype = flag\n"))]).await;
    until("the standby resource is up", async || node.flag("web", "fs#1").exists()).await;
    assert!(!node.flag("web", "fs#2").exists());
    node.until_avail("web", "stdby up").await;
}

async fn an_ha_object_is_started() {
    let text = "[DEFAULT]\nnodes = n1\norchestrate = ha\n[fs#1]\ntype = flag\n";
    let mut node = TestNode::with(&[("web", text)]).await;
    until("it is started", async || node.flag("web", "fs#1").exists()).await;
    node.until_avail("web", "up").await;
    // Created while the daemon runs, too.
    node.create("db", text);
    until("it is started", async || node.flag("db", "fs#1").exists()).await;
    node.stop().await;
    assert!(node.flag("web", "fs#1").exists());
}

async fn a_frozen_instance_is_left_alone() {
    let node = TestNode::with(&[("web", &flag_with("restart = 3\nrestart_delay = 0\n"))]).await;
    node.done("web", OrderCommand::Start).await;
    node.agent().freeze(&path("web")).unwrap();
    until("the daemon knows", async || {
        let status = node.instance("web").await.unwrap().status.unwrap();
        status.frozen
    })
    .await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.until_avail("web", "down").await;
    assert!(!node.flag("web", "fs#1").exists());
    until("the freeze is the reason", async || {
        let explained = node.handle().explain(path("web")).await.unwrap();
        explained.reasons.iter().any(|reason| reason.code == "frozen")
    })
    .await;
    assert!(!node.flag("web", "fs#1").exists());
    node.agent().thaw(&path("web")).unwrap();
    until("it is restarted", async || node.flag("web", "fs#1").exists()).await;
}

async fn what_was_stopped_by_hand_stays_stopped() {
    let text = "[DEFAULT]\nnodes = n1\norchestrate = ha\n[fs#1]\ntype = flag\nrestart = 3\nrestart_delay = 0\n[fs#2]\ntype = flag\n";
    let mut node = TestNode::with(&[("web", text)]).await;
    until("it is started", async || node.flag("web", "fs#2").exists()).await;
    node.until_avail("web", "up").await;
    node.by_hand("web", Action::Stop, Some("fs#1")).await;
    node.until_avail("web", "warn").await;
    assert!(!node.flag("web", "fs#1").exists());
    // A restart of the daemon changes nothing about that.
    node.stop().await;
    node.start().await;
    node.until_avail("web", "warn").await;
    let explained = node.handle().explain(path("web")).await.unwrap();
    assert!(explained.restarts.iter().any(|restart| restart.stopped), "{explained:?}");
    assert!(!node.flag("web", "fs#1").exists());
    node.by_hand("web", Action::Start, Some("fs#1")).await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.handle().refresh(Some(path("web"))).await.unwrap();
    until("it is kept up again", async || node.flag("web", "fs#1").exists()).await;
}

async fn monitor_action_freezes_and_stops() {
    let text = "[DEFAULT]\nnodes = n1\nmonitor_action = freezestop\n[fs#1]\ntype = flag\nmonitor = true\n[fs#2]\ntype = flag\n";
    let node = TestNode::with(&[("web", text)]).await;
    node.done("web", OrderCommand::Start).await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.handle().refresh(Some(path("web"))).await.unwrap();
    until("it is stopped", async || !node.flag("web", "fs#2").exists()).await;
    until("it is frozen", async || node.home().state(&path("web")).join("frozen").exists()).await;
    node.until_avail("web", "down").await;
}

async fn an_object_waits_for_its_parent() {
    let child = "[DEFAULT]\nnodes = n1\norchestrate = ha\nparents = db\n[fs#1]\ntype = flag\n";
    let node = TestNode::with(&[("web", child), ("db", &flag_with(""))]).await;
    node.until_avail("web", "down").await;
    until("it waits", async || node.instance("web").await.unwrap().monitor.state == "wait parents").await;
    node.done("db", OrderCommand::Start).await;
    until("it is started", async || node.flag("web", "fs#1").exists()).await;
}

async fn what_starts_at_boot_starts_with_the_first_daemon_and_not_when_it_is_made() {
    let text = "[DEFAULT]\nnodes = n1\norchestrate = start\n[fs#1]\ntype = flag\n";
    let mut node = TestNode::with(&[("web", text)]).await;
    until("it is started", async || node.flag("web", "fs#1").exists()).await;
    node.create("db", text);
    node.until_avail("db", "down").await;
    node.stop().await;
    // Stopped by hand: the next daemon of this boot leaves it so.
    node.by_hand("web", Action::Stop, None).await;
    node.start().await;
    node.until_avail("db", "down").await;
    node.until_avail("web", "down").await;
    until("nothing is left to do", async || {
        node.status().await.cluster.node.values().all(|own| own.instance.values().all(|it| it.monitor.state == "idle"))
    })
    .await;
    assert!(!node.flag("db", "fs#1").exists() && !node.flag("web", "fs#1").exists());
}

/// A monitored flag that is gone, and a command that says whether the other one was still there at its end.
async fn after_monitor_action(object: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let ran = directory.path().join("ran");
    let node = TestNode::with(&[]).await;
    let (first, second) = (node.flag(object, "fs#1"), node.flag(object, "fs#2"));
    let text = format!(
        "[DEFAULT]\nnodes = n1\nmonitor_action = freezestop\npre_monitor_action = sleep 0.5; test -e {} && touch {}\n\
         [fs#1]\ntype = flag\nmonitor = true\n[fs#2]\ntype = flag\n",
        second.display(),
        ran.display()
    );
    node.create(object, &text);
    node.done(object, OrderCommand::Start).await;
    std::fs::remove_file(first).unwrap();
    node.handle().refresh(Some(path(object))).await.unwrap();
    until("it is stopped", async || !second.exists()).await;
    ran.exists()
}

async fn a_monitor_action_waits_for_the_command_before_it() {
    assert!(after_monitor_action("web").await);
}

async fn a_namespace_without_a_policy_runs_no_command_before_a_monitor_action() {
    assert!(!after_monitor_action("ns1/svc/web").await);
}
