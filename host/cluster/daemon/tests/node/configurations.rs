//! Configurations that change, break or vanish while the daemon runs.

use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{TestNode, next, path, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

trials!(
    a_configuration_that_breaks_leaves_the_last_good_one_in_force,
    a_new_resource_is_seen_at_once,
    a_file_that_vanishes_takes_the_object_with_it,
);

async fn a_configuration_that_breaks_leaves_the_last_good_one_in_force() {
    let node = TestNode::with(&[("web", FLAG), ("db", FLAG)]).await;
    node.done("web", OrderCommand::Start).await;
    let mut events = node.handle().events().follow(None);
    std::fs::write(node.config("web"), format!("{FLAG}\n[DEFAULT]\ntopology = ring\n")).unwrap();
    let told = next(&mut events, EventKind::ObjectConfig).await;
    assert_eq!(told.path, Some(path("web")));
    let problem = node.handle().explain(path("web")).await.unwrap().config_problem.unwrap();
    assert!(!problem.is_empty());
    // It can still be stopped, and others are not touched.
    node.done("web", OrderCommand::Stop).await;
    assert!(!node.flag("web", "fs#1").exists());
    node.done("db", OrderCommand::Start).await;
    std::fs::write(node.config("web"), FLAG).unwrap();
    until("it is mended", async || node.handle().explain(path("web")).await.unwrap().config_problem.is_none()).await;
}

async fn a_new_resource_is_seen_at_once() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    std::fs::write(node.config("web"), format!("{FLAG}[fs#2]\ntype = flag\n")).unwrap();
    until("the new resource has a status", async || {
        node.instance("web").await.unwrap().status.is_some_and(|status| status.resources.len() == 2)
    })
    .await;
}

async fn a_file_that_vanishes_takes_the_object_with_it() {
    let node = TestNode::with(&[("web", FLAG)]).await;
    std::fs::remove_file(node.config("web")).unwrap();
    until("it is gone", async || node.instance("web").await.is_none()).await;
    assert_eq!(node.order("web", OrderCommand::Start).await.unwrap_err().message, "web does not exist");
}
