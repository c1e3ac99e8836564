//! Tasks that run by themselves.

use agent::state::{InstanceState, LastRun};
use jiff::{Timestamp, ToSpan, Zoned};
use model::{Rid, Verb};
use plan::Action;
use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{TestNode, next, path, until};
use crate::trials;

trials!(
    a_task_runs_when_it_is_due_and_once,
    a_task_runs_only_where_its_service_is_up,
    a_new_schedule_holds_at_once,
    a_task_that_runs_is_listed_and_can_be_ended,
    a_run_keeps_no_other_action_waiting_and_a_stop_ends_it,
    a_run_that_was_missed_is_made_good_once_where_that_is_wanted,
    what_is_due_does_not_begin_beside_a_run_by_hand,
    a_snoozed_run_begins_when_the_snooze_is_over,
);

fn task(schedule: &str, command: &str) -> String {
    format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\nschedule = {schedule}\ncommand = {command}\n")
}

async fn a_task_runs_when_it_is_due_and_once() {
    let directory = tempfile::tempdir().unwrap();
    let ran = directory.path().join("ran");
    let text = task("@1h", &format!("sh -c 'echo x >> {}'", ran.display()));
    let mut node = TestNode::new();
    node.create("jobs", &text);
    node.start().await;
    until("the task has run", async || ran.exists()).await;
    until("it is not running any more", async || node.handle().processes().await.unwrap().is_empty()).await;
    // Its hour is not over, also for the next daemon.
    node.stop().await;
    node.start().await;
    node.handle().refresh(Some(path("jobs"))).await.unwrap();
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), "x\n");
}

async fn a_task_runs_only_where_its_service_is_up() {
    let directory = tempfile::tempdir().unwrap();
    let ran = directory.path().join("ran");
    let text = format!("{}[fs#1]\ntype = flag\n", task("@1h", &format!("touch {}", ran.display())));
    let node = TestNode::with(&[("jobs", &text)]).await;
    node.until_avail("jobs", "down").await;
    assert!(!ran.exists());
    node.done("jobs", OrderCommand::Start).await;
    until("the task has run", async || ran.exists()).await;
}

async fn a_new_schedule_holds_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let ran = directory.path().join("ran");
    let command = format!("touch {}", ran.display());
    let node = TestNode::with(&[("jobs", &task("@0", &command))]).await;
    assert!(!ran.exists());
    std::fs::write(node.config("jobs"), task("@1h", &command)).unwrap();
    until("the task has run", async || ran.exists()).await;
}

async fn a_task_that_runs_is_listed_and_can_be_ended() {
    let node = TestNode::with(&[("jobs", &task("@1h", "sleep 600"))]).await;
    let runs = async || node.handle().processes().await.unwrap().into_iter().find(|process| process.action == "run");
    until("it runs", async || runs().await.is_some()).await;
    let run = runs().await.unwrap();
    assert_eq!(run.cause, "schedule");
    let mut events = node.handle().events().follow(None);
    node.handle().kill(run.id).await.unwrap();
    let told = next(&mut events, EventKind::TaskRun).await;
    assert_ne!(told.data["end"], "done");
}

fn last_run(node: &TestNode) -> Option<LastRun> {
    InstanceState::of(&node.home(), &path("jobs")).last_run(&rid(), Verb::Run).unwrap()
}

fn rid() -> Rid {
    "task#1".parse().unwrap()
}

async fn a_run_keeps_no_other_action_waiting_and_a_stop_ends_it() {
    let text = format!("{}[fs#1]\ntype = flag\n[fs#2]\ntype = flag\n", task("@1h", "sleep 600"));
    let node = TestNode::with(&[("jobs", &text)]).await;
    node.done("jobs", OrderCommand::Start).await;
    let runs = async || node.handle().processes().await.unwrap().iter().any(|process| process.action == "run");
    until("it runs", runs).await;
    node.by_hand("jobs", Action::Stop, Some("fs#2")).await;
    node.by_hand("jobs", Action::Start, Some("fs#2")).await;
    assert!(runs().await, "an action about another resource has ended the run");
    let mut events = node.handle().events().follow(None);
    node.done("jobs", OrderCommand::Stop).await;
    let told = next(&mut events, EventKind::TaskRun).await;
    assert_ne!(told.data["end"], "done");
    let run = last_run(&node).unwrap();
    assert_eq!((run.succeeded, run.ended.is_some()), (Some(false), true));
    assert!(node.agent().task_runs(&path("jobs")).is_empty());
}

async fn a_run_that_was_missed_is_made_good_once_where_that_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    // A window of each day that is over for today, or will be for a while.
    let window = Zoned::now().checked_sub(2.hours()).unwrap().strftime("%H:00-%H:01").to_string();
    let three_days_ago = Timestamp::now() - 72.hours();
    for (more, expected) in [("catch_up = true\n", "x\n"), ("", "")] {
        let ran = directory.path().join(format!("ran{}", more.len()));
        std::fs::write(&ran, "").unwrap();
        let mut node = TestNode::new();
        node.create("jobs", &format!("{}{more}", task(&window, &format!("sh -c 'echo x >> {}'", ran.display()))));
        let run = LastRun { began: three_days_ago, succeeded: Some(true), ended: None };
        InstanceState::of(&node.home(), &path("jobs")).set_last_run(&rid(), Verb::Run, run).unwrap();
        node.start().await;
        if !expected.is_empty() {
            until("the task has run", async || std::fs::read_to_string(&ran).unwrap() == expected).await;
            until("it is over", async || node.handle().processes().await.unwrap().is_empty()).await;
        }
        // Neither another look nor another daemon runs it again.
        node.handle().refresh(Some(path("jobs"))).await.unwrap();
        node.stop().await;
        node.start().await;
        node.handle().refresh(Some(path("jobs"))).await.unwrap();
        assert_eq!(std::fs::read_to_string(&ran).unwrap(), expected, "{more}");
    }
}

async fn a_snoozed_run_begins_when_the_snooze_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let ran = directory.path().join("ran");
    let mut node = TestNode::new();
    node.create("jobs", &task("@1h", &format!("touch {}", ran.display())));
    let until_then = Timestamp::now() + 2.hours();
    node.agent().snooze(&path("jobs"), Some(until_then)).unwrap();
    node.start().await;
    node.handle().refresh(Some(path("jobs"))).await.unwrap();
    let table = node.agent().timetable(&path("jobs")).await.unwrap();
    assert_eq!(table.snoozed_until, Some(until_then.as_second()));
    let entry = table.entries.iter().find(|entry| entry.rid == Some(rid())).unwrap();
    assert_eq!((entry.wait.as_str(), entry.next_run_at), ("snoozed", Some(until_then.as_second())));
    assert!(!ran.exists());
    // Another process shortens it, and the daemon follows.
    node.agent().snooze(&path("jobs"), Some(Timestamp::now() + 1.seconds())).unwrap();
    until("the task has run", async || ran.exists()).await;
    assert!(last_run(&node).unwrap().began >= until_then - 2.hours());
}

async fn what_is_due_does_not_begin_beside_a_run_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let (marks, go) = (directory.path().join("marks"), directory.path().join("go"));
    let command =
        format!("sh -c 'echo begun >> {}; while [ ! -e {} ]; do sleep 0.05; done'", marks.display(), go.display());
    let mut node = TestNode::new();
    node.create("jobs", &task("@1s", &command));
    let (agent, jobs) = (node.agent(), path("jobs"));
    let by_hand = tokio::spawn(async move {
        let request = agent::ActionRequest::new(Action::Run, agent::RequestOrigin::User, "a test".to_owned());
        agent.act(&jobs, request, None, agent::CancelSignal::default()).await.map(drop)
    });
    until("the task has begun", async || marks.exists()).await;
    node.start().await;
    let listed = async || node.handle().processes().await.unwrap().iter().any(|process| process.action == "run");
    until("the run by hand is listed", listed).await;
    let table = node.agent().timetable(&path("jobs")).await.unwrap();
    assert!(["running", "interval"].contains(&table.entries.last().unwrap().wait.as_str()), "{table:?}");
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "begun\n");
    std::fs::write(&go, "").unwrap();
    by_hand.await.unwrap().unwrap();
    until("it runs by its schedule again", async || {
        std::fs::read_to_string(&marks).unwrap().matches("begun").count() > 1
    })
    .await;
}
