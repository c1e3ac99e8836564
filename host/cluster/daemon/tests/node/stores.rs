//! The daemon's store: lost, damaged, and what survives with it.

use protocol::daemon::{EventKind, OrderCommand};

use crate::node::{TestNode, next, path};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nrestart = 2\n";

trials!(a_damaged_store_is_made_anew_from_what_is_on_disk, an_order_survives_the_end_of_the_daemon,);

async fn a_damaged_store_is_made_anew_from_what_is_on_disk() {
    let mut node = TestNode::with(&[("web", FLAG)]).await;
    node.done("web", OrderCommand::Start).await;
    node.agent().freeze(&path("web")).unwrap();
    node.stop().await;
    let directory = node.home().var.join("daemon");
    let mut files = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|file| file.extension().is_some_and(|extension| extension == "redb")).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 512].fill(0xff);
    bytes[64..128].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    node.start().await;
    let mut events = node.handle().events().follow(Some(0));
    let told = next(&mut events, EventKind::EngineUp).await;
    assert!(told.data["rebuilt"].as_str().unwrap().contains("damaged"), "{told:?}");
    let status = node.status().await;
    assert_eq!(status.cluster.object[&path("web")].frozen, "frozen");
    assert!(node.flag("web", "fs#1").exists());
}

async fn an_order_survives_the_end_of_the_daemon() {
    let mut node = TestNode::with(&[("web", FLAG)]).await;
    let done = node.done("web", OrderCommand::Start).await;
    node.stop().await;
    node.start().await;
    let known = node.handle().order_state(path("web"), Some(done.id.clone())).await.unwrap();
    assert_eq!(known, done);
}
