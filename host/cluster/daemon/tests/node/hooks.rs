//! Hooks: commands that run when something happens.

use std::path::PathBuf;

use protocol::daemon::{DaemonEvent, EventKind, OrderCommand};

use crate::node::{TestNode, next, path, until};
use crate::trials;

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

trials!(
    a_hook_gets_the_events_that_it_is_for,
    a_hook_that_hangs_or_fails_is_reported_and_delays_nothing,
    hooks_follow_node_conf,
);

/// A node whose hooks are these sections; `OUT` is a file of the node.
async fn node_with(hooks: &str) -> (TestNode, PathBuf) {
    let mut node = TestNode::new();
    node.create("web", FLAG);
    let out = node.home().var.join("out");
    configure(&node, hooks);
    node.start().await;
    (node, out)
}

/// In one step: a file that is truncated first is two changes.
fn configure(node: &TestNode, hooks: &str) {
    let out = node.home().var.join("out").display().to_string();
    agent::file::durable::write(&node.home().node_config(), hooks.replace("OUT", &out).as_bytes()).unwrap();
}

fn lines(out: &PathBuf) -> Vec<String> {
    std::fs::read_to_string(out).unwrap_or_default().lines().map(str::to_owned).collect()
}

async fn a_hook_gets_the_events_that_it_is_for() {
    let script = r#"read input; [ "$input" = "$EVENT" ] && echo "$EVENT_KIND $HOSTLER_EVENT_PATH $1 $input" >> OUT"#;
    let (node, out) =
        node_with(&format!("[hook#a]\nevents = order.*\ncommand = /bin/sh -c '{script}' hook ops\n")).await;
    node.done("web", OrderCommand::Start).await;
    until("the end of the order was seen", async || lines(&out).iter().any(|line| line.starts_with("order.end"))).await;
    for line in lines(&out) {
        let [kind, object, to, json] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        let event: DaemonEvent = serde_json::from_str(json).unwrap();
        assert_eq!((event.kind.as_str(), event.path, object, to), (kind, Some(path("web")), "web", "ops"));
        assert!(kind.starts_with("order."), "{kind}");
    }
    assert!(lines(&out)[0].starts_with("order.accepted "), "they come in order: {:?}", lines(&out));
}

async fn a_hook_that_hangs_or_fails_is_reported_and_delays_nothing() {
    let hooks = "[hook#hangs]\nevents = *\ncommand = /bin/sh -c 'sleep 1000 & wait'\ntimeout = 300ms\n\
                 [hook#fails]\nevents = order.end\ncommand = /bin/sh -c 'echo no mail; exit 3'\n\
                 [hook#works]\nevents = order.end\ncommand = /bin/sh -c 'echo $EVENT_KIND >> OUT'\n\
                 [hook#typo]\nevents = order.ends\ncommand = /bin/true\n\
                 [hook#none]\nevents = order.end\ncommand = /nowhere/mail\n";
    let mut node = TestNode::new();
    node.create("web", FLAG);
    configure(&node, hooks);
    node.start().await;
    let mut events = node.handle().events().follow(Some(0));
    node.done("web", OrderCommand::Start).await;
    let out = node.home().var.join("out");
    until("the hook that works has run", async || lines(&out) == ["order.end"]).await;
    let mut missing = std::collections::BTreeMap::from([
        ("hook#typo: no event is of the kind order.ends", "no name"),
        ("it took longer than 300ms, and was killed", "hangs"),
        ("exit status 3: no mail", "fails"),
        ("cannot run the program", "none"),
    ]);
    while !missing.is_empty() {
        let failed = next(&mut events, EventKind::HookFailed).await;
        let error = failed.data["error"].as_str().unwrap().to_owned();
        let known = missing.keys().copied().find(|known| error.starts_with(known));
        let Some(known) = known else { continue };
        let hook = missing.remove(known).unwrap();
        assert_eq!(failed.data["hook"].as_str().unwrap_or("no name"), hook, "{error}");
    }
}

async fn hooks_follow_node_conf() {
    let hook = |word: &str| format!("[hook#a]\nevents = order.end\ncommand = /bin/sh -c 'echo {word} >> OUT'\n");
    let (mut node, out) = node_with(&hook("one")).await;
    node.done("web", OrderCommand::Start).await;
    until("it has run", async || lines(&out) == ["one"]).await;
    let mut events = node.handle().events().follow(None);
    configure(&node, &hook("two"));
    next(&mut events, EventKind::NodeConfig).await;
    node.done("web", OrderCommand::Stop).await;
    until("the new one has run", async || lines(&out) == ["one", "two"]).await;
    // The end of the daemon is an event, too.
    configure(&node, "[hook#a]\nevents = daemon.end order.end\ncommand = /bin/sh -c 'echo $EVENT_KIND >> OUT'\n");
    // One change of a file may be two events, so that an event alone does not say that this change was read.
    until("the last one runs", async || {
        node.done("web", OrderCommand::Start).await;
        lines(&out).contains(&"order.end".to_owned())
    })
    .await;
    node.stop().await;
    assert_eq!(lines(&out).last().map(String::as_str), Some("daemon.end"));
}
