//! The beginning and the end of the daemon.

use daemon::{DaemonOptions, StartError, start};
use plan::Action;
use protocol::daemon::OrderCommand;

use crate::node::{TestNode, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

trials!(
    a_daemon_knows_every_instance_when_it_is_ready,
    a_second_daemon_is_refused_with_the_process_of_the_first,
    the_end_of_the_daemon_leaves_services_alone_and_the_next_one_goes_on,
    an_object_of_other_nodes_is_not_touched,
    events_go_on_counting_behind_a_restart,
);

async fn a_daemon_knows_every_instance_when_it_is_ready() {
    let node = TestNode::with(&[("web", FLAG), ("ns1/svc/db", FLAG), ("cfg/words", "[DEFAULT]\n")]).await;
    let status = node.status().await;
    let own = &status.cluster.node[&"n1".parse().unwrap()];
    let paths: Vec<String> = own.instance.keys().map(ToString::to_string).collect();
    assert_eq!(paths, ["ns1/svc/db", "web"]);
    for instance in own.instance.values() {
        assert_eq!(instance.status.as_ref().unwrap().avail.to_string(), "down");
    }
    until("nothing is left to do", async || {
        node.status().await.cluster.node.values().all(|own| own.instance.values().all(|it| it.monitor.state == "idle"))
    })
    .await;
    let threads: Vec<&str> = status.daemon.threads.iter().map(|thread| thread.id.as_str()).collect();
    assert_eq!(threads, ["daemon", "engine", "listener", "monitor", "scheduler"]);
}

async fn a_second_daemon_is_refused_with_the_process_of_the_first() {
    let node = TestNode::with(&[]).await;
    let refused = start(node.agent(), DaemonOptions::default()).await.unwrap_err();
    assert!(matches!(refused, StartError::Running { pid: Some(pid) } if pid == std::process::id()), "{refused}");
}

async fn the_end_of_the_daemon_leaves_services_alone_and_the_next_one_goes_on() {
    let mut node = TestNode::with(&[("web", FLAG)]).await;
    node.done("web", OrderCommand::Start).await;
    node.stop().await;
    assert!(node.flag("web", "fs#1").exists());
    node.start().await;
    assert!(node.flag("web", "fs#1").exists());
    let instance = node.instance("web").await.unwrap();
    assert_eq!(instance.monitor.local_expect, "started");
    assert_eq!(instance.status.unwrap().avail.to_string(), "up");
    // What a person did meanwhile counts.
    node.stop().await;
    node.by_hand("web", Action::Stop, None).await;
    node.start().await;
    until("the stop by hand is known", async || {
        node.instance("web").await.is_some_and(|instance| instance.monitor.local_expect == "none")
    })
    .await;
}

async fn an_object_of_other_nodes_is_not_touched() {
    let node = TestNode::with(&[("web", "[DEFAULT]\nnodes = n2\norchestrate = ha\n[fs#1]\ntype = flag\n")]).await;
    assert_eq!(node.instance("web").await, None);
    let refused = node.order("web", OrderCommand::Start).await.unwrap_err();
    assert_eq!(refused.message, "web does not exist");
    assert!(!node.flag("web", "fs#1").exists());
}

async fn events_go_on_counting_behind_a_restart() {
    let mut node = TestNode::with(&[("web", FLAG)]).await;
    let before = node.handle().events().last();
    assert!(before > 0);
    node.stop().await;
    node.start().await;
    let mut events = node.handle().events().follow(Some(before));
    let first = events.ready().unwrap();
    assert!(first.id >= before, "{} after {before}", first.id);
    assert_eq!(first.kind.as_str(), "resync", "what was told before is gone, and the reader learns of it");
}
