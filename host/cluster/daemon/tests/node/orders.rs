//! Orders: from their acceptance to their one outcome.

use protocol::daemon::{EventKind, OrderCommand, OrderState};

use crate::node::{TestNode, next, path, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";
/// It can never be up: its mount point is a file.
const BROKEN: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[app#1]\ntype = forking\nstart = /bin/false\nstop = /bin/true\ncheck = /bin/false\n";

trials!(
    a_start_is_done_when_the_instance_is_up_and_a_stop_freezes,
    an_order_right_after_the_creation_is_not_lost,
    a_failed_start_blocks_until_it_is_cleared,
    an_order_beside_another_is_refused_unless_it_supersedes,
    a_deletion_leaves_nothing,
    a_purge_leaves_nothing,
    what_does_not_exist_is_refused,
    an_order_that_was_given_up_ends_once,
    a_restart_stops_and_starts,
    an_action_that_an_operator_ends_fails_its_order,
);

async fn a_start_is_done_when_the_instance_is_up_and_a_stop_freezes() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    let started = node.done("web", OrderCommand::Start).await;
    assert_eq!(started.state, OrderState::Done, "{started:?}");
    assert_eq!(started.steps.iter().map(|step| step.action.as_str()).collect::<Vec<_>>(), ["start"]);
    assert!(node.flag("web", "fs#1").exists());
    let again = node.done("web", OrderCommand::Start).await;
    assert_eq!((again.state, again.steps.len()), (OrderState::Done, 0), "there was nothing to do");
    let stopped = node.done("web", OrderCommand::Stop).await;
    assert_eq!(stopped.state, OrderState::Done);
    assert!(!node.flag("web", "fs#1").exists());
    let status = node.status().await;
    assert_eq!(status.cluster.object[&path("web")].frozen, "frozen");
    assert!(node.home().state(&path("web")).join("frozen").exists());
    node.done("web", OrderCommand::Thaw).await;
    assert!(!node.home().state(&path("web")).join("frozen").exists());
}

async fn an_order_right_after_the_creation_is_not_lost() {
    let node = TestNode::with(&[]).await;
    for number in 0..10 {
        let name = format!("web{number}");
        node.create(&name, FLAG);
        let order = node.done(&name, OrderCommand::Start).await;
        assert_eq!(order.state, OrderState::Done, "{order:?}");
        assert!(node.flag(&name, "fs#1").exists());
    }
}

async fn a_failed_start_blocks_until_it_is_cleared() {
    let node = TestNode::with(&[("web", BROKEN)]).await;
    let failed = node.done("web", OrderCommand::Start).await;
    assert_eq!(failed.state, OrderState::Failed, "{failed:?}");
    assert!(failed.steps[0].failure.is_some());
    until("mon shows it", async || node.instance("web").await.unwrap().monitor.state == "start failed").await;
    let explained = node.handle().explain(path("web")).await.unwrap();
    assert_eq!(explained.state, "start failed");
    assert_eq!(explained.order.unwrap().id, failed.id);
    // Mended, and cleared: it is tried again.
    let text = BROKEN.replace("/bin/false", "/bin/true");
    std::fs::write(node.config("web"), text).unwrap();
    until("the new configuration is read", async || {
        let checksum = node.instance("web").await.unwrap().config.checksum;
        let before = failed.id.clone();
        !checksum.is_empty() && !before.is_empty()
    })
    .await;
    node.handle().refresh(Some(path("web"))).await.unwrap();
    let mut events = node.handle().events().follow(None);
    let receipt = node.order("web", OrderCommand::Clear).await.unwrap();
    assert!(!receipt.ended, "the start begins anew");
    next(&mut events, EventKind::OrderEnd).await;
    let order = node.handle().order_state(path("web"), Some(receipt.id)).await.unwrap();
    assert_eq!(order.state, OrderState::Done, "{order:?}");
    assert!(node.flag("web", "fs#1").exists());
}

async fn an_order_beside_another_is_refused_unless_it_supersedes() {
    let slow =
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = forking\nstart = /bin/sleep 30\nstop = /bin/true\ncheck = /bin/false\n";
    let node = TestNode::with(&[("web", slow)]).await;
    let first = node.order("web", OrderCommand::Start).await.unwrap();
    until("it starts", async || node.instance("web").await.unwrap().monitor.state == "starting").await;
    let refused = node.order("web", OrderCommand::Stop).await.unwrap_err();
    assert!(refused.message.contains(&first.id), "{refused}");
    let processes = node.handle().processes().await.unwrap();
    assert_eq!((processes[0].action.as_str(), processes.len()), ("start", 1));
    let mut events = node.handle().events().follow(None);
    node.order("web", OrderCommand::Abort).await.unwrap();
    let ended = next(&mut events, EventKind::OrderEnd).await;
    assert_eq!(ended.data["state"], "aborted");
    node.handle().kill(processes[0].id).await.unwrap();
    until("the action ends", async || node.handle().processes().await.unwrap().is_empty()).await;
}

async fn a_deletion_leaves_nothing() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    let deleted = node.done("web", OrderCommand::Delete).await;
    assert_eq!(deleted.state, OrderState::Done, "{deleted:?}");
    assert!(!node.config("web").exists());
    until("nothing is left", async || node.status().await.cluster.object.is_empty()).await;
    // The same name is a new object.
    node.create("web", FLAG);
    assert_eq!(node.done("web", OrderCommand::Start).await.state, OrderState::Done);
}

async fn a_purge_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data.img");
    let text = format!(
        "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nsize = 1m\nfile = {}\n[fs#2]\ntype = flag\n",
        data.display()
    );
    let node = TestNode::with(&[("web", &text)]).await;
    let provisioned = node.done("web", OrderCommand::Provision).await;
    assert_eq!(provisioned.state, OrderState::Done, "{provisioned:?}");
    assert!(data.exists(), "{provisioned:?}");
    assert!(node.flag("web", "fs#2").exists(), "{provisioned:?}");
    let purged = node.done("web", OrderCommand::Purge).await;
    assert_eq!(purged.state, OrderState::Done, "{purged:?}");
    assert!(!node.config("web").exists() && !node.flag("web", "fs#2").exists() && !data.exists());
}

async fn what_does_not_exist_is_refused() {
    let node = TestNode::with(&[]).await;
    assert_eq!(node.order("web", OrderCommand::Start).await.unwrap_err().message, "web does not exist");
    let unknown = node.handle().explain(path("web")).await.unwrap_err();
    assert_eq!(unknown.message, "web does not exist");
    let refused = node.handle().kill(7).await.unwrap_err();
    assert_eq!(refused.message, "nothing of number 7 runs: see om daemon ps");
}

async fn an_order_that_was_given_up_ends_once() {
    let node = TestNode::with(&[("web", BROKEN)]).await;
    let failed = node.done("web", OrderCommand::Start).await;
    assert_eq!(failed.state, OrderState::Failed);
    node.done("web", OrderCommand::Abort).await;
    until("the failure is forgotten", async || node.instance("web").await.unwrap().monitor.state == "idle").await;
    let explained = node.handle().explain(path("web")).await.unwrap();
    assert_eq!(explained.order, None);
    let past = node.handle().order_state(path("web"), Some(failed.id)).await.unwrap();
    assert_eq!(past.state, OrderState::Failed);
}

async fn a_restart_stops_and_starts() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    node.done("web", OrderCommand::Start).await;
    let made = std::fs::metadata(node.flag("web", "fs#1")).unwrap().modified().unwrap();
    let restarted = node.done("web", OrderCommand::Restart).await;
    assert_eq!(restarted.state, OrderState::Done, "{restarted:?}");
    let actions: Vec<&str> = restarted.steps.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(actions, ["stop", "start"]);
    assert!(std::fs::metadata(node.flag("web", "fs#1")).unwrap().modified().unwrap() > made);
}

async fn an_action_that_an_operator_ends_fails_its_order() {
    let slow =
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = forking\nstart = /bin/sleep 30\nstop = /bin/true\ncheck = /bin/false\n";
    let node = TestNode::with(&[("web", slow)]).await;
    let receipt = node.order("web", OrderCommand::Start).await.unwrap();
    // Who has the receipt finds the order.
    let order = node.handle().order_state(path("web"), Some(receipt.id.clone())).await.unwrap();
    assert_eq!(order.state, OrderState::Running);
    let runs = async || node.handle().processes().await.unwrap().into_iter().find(|process| process.action == "start");
    until("it starts", async || runs().await.is_some()).await;
    let mut events = node.handle().events().follow(None);
    node.handle().kill(runs().await.unwrap().id).await.unwrap();
    let ended = next(&mut events, EventKind::OrderEnd).await;
    assert_eq!((&ended.data["id"], &ended.data["state"]), (&receipt.id.into(), &"failed".into()));
    assert!(runs().await.is_none());
}
