//! Tasks that run by themselves.

use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{TestNode, next, path, until};
use crate::trials;

trials!(
    a_task_runs_when_it_is_due_and_once,
    a_task_runs_only_where_its_service_is_up,
    a_new_schedule_holds_at_once,
    a_task_that_runs_is_listed_and_can_be_ended,
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
