//! What operators do beside the daemon, in processes of their own.

use plan::Action;
use protocol::daemon::OrderCommand;

use crate::node::{TestNode, path, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nrestart = 3\nrestart_delay = 0\n";

trials!(
    a_start_by_hand_is_kept_up_and_a_stop_is_not_undone,
    a_freeze_and_a_thaw_by_hand_are_followed,
    a_clear_by_hand_forgets_the_attempts,
);

async fn a_start_by_hand_is_kept_up_and_a_stop_is_not_undone() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    node.by_hand("web", Action::Start, None).await;
    until("the daemon follows", async || node.instance("web").await.unwrap().monitor.local_expect == "started").await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.handle().refresh(Some(path("web"))).await.unwrap();
    until("it is kept up", async || node.flag("web", "fs#1").exists()).await;
    node.until_avail("web", "up").await;
    node.by_hand("web", Action::Stop, None).await;
    until("the daemon follows", async || node.instance("web").await.unwrap().monitor.local_expect == "none").await;
    node.until_avail("web", "down").await;
    assert!(!node.flag("web", "fs#1").exists());
}

async fn a_freeze_and_a_thaw_by_hand_are_followed() {
    let mut node = TestNode::with(&[("web", FLAG)]).await;
    node.agent().freeze(&path("web")).unwrap();
    let frozen = async |node: &TestNode| node.status().await.cluster.object[&path("web")].frozen.clone();
    until("it is frozen", async || frozen(&node).await == "frozen").await;
    node.stop().await;
    node.agent().thaw(&path("web")).unwrap();
    node.start().await;
    until("it is thawed", async || frozen(&node).await == "thawed").await;
}

async fn a_clear_by_hand_forgets_the_attempts() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    node.done("web", OrderCommand::Start).await;
    std::fs::remove_file(node.flag("web", "fs#1")).unwrap();
    node.handle().refresh(Some(path("web"))).await.unwrap();
    until("it is restarted", async || node.flag("web", "fs#1").exists()).await;
    let left = async || node.handle().explain(path("web")).await.unwrap().restarts[0].left;
    until("a restart is counted", async || left().await == 2).await;
    node.agent().clear(&path("web")).unwrap();
    until("it is forgotten", async || left().await == 3).await;
}
