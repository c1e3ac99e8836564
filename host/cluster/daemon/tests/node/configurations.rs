//! Configurations that change, break or vanish while the daemon runs.

use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{PATIENCE, TestNode, next, path, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

trials!(
    a_configuration_that_breaks_leaves_the_last_good_one_in_force,
    a_new_resource_is_seen_at_once,
    a_file_that_vanishes_takes_the_object_with_it,
    what_an_editor_changes_is_a_version_of_the_history,
    a_look_at_an_object_of_other_nodes_is_answered,
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

/// No command is run meanwhile, which would notice it too.
async fn what_an_editor_changes_is_a_version_of_the_history() {
    let node = TestNode::with(&[("web", FLAG), ("cfg/site", "[data]\nname = one\n")]).await;
    let versions = |path: &str| {
        let history = std::fs::read_to_string(node.home().state(&self::path(path)).join("history"));
        history.unwrap_or_default().lines().count()
    };
    assert_eq!((versions("web"), versions("cfg/site")), (1, 1));
    std::fs::write(node.config("web"), format!("{FLAG}[fs#2]\ntype = flag\n")).unwrap();
    until("the daemon has noticed the service", async || versions("web") == 2).await;
    std::fs::write(node.config("cfg/site"), "[data]\nname = two\n").unwrap();
    until("the daemon has noticed the store", async || versions("cfg/site") == 2).await;
    std::fs::write(node.home().node_config(), "[node]\ncomment = x\n").unwrap();
    let of_node = node.home().node_state().join("history");
    until("the daemon has noticed node.conf", async || of_node.exists()).await;
}

async fn a_look_at_an_object_of_other_nodes_is_answered() {
    let node = TestNode::with(&[("web", FLAG), ("far", "[DEFAULT]\nnodes = n9\n[fs#1]\ntype = flag\n")]).await;
    let asked = |name: &'static str| tokio::time::timeout(PATIENCE, node.handle().refresh(Some(path(name))));
    asked("far").await.expect("an answer").unwrap();
    // So is one that leaves this node, or vanishes, between the question and the look.
    std::fs::write(node.config("web"), FLAG.replace("n1", "n9")).unwrap();
    let _ = asked("web").await.expect("an answer");
    std::fs::remove_file(node.config("far")).unwrap();
    let _ = asked("far").await.expect("an answer");
}
