//! What a look at an instance counts for: one that an action has overtaken for nothing, one that is not answered for nothing known.

use std::path::Path;
use std::time::Duration;

use daemon::TraceReader;
use protocol::daemon::{EventKind, OrderCommand, TraceMatter};

use crate::node::{PATIENCE, TestNode, path, until};
use crate::trials;

trials!(
    a_look_that_an_action_has_overtaken_counts_for_nothing,
    looks_that_hang_are_unknown_and_never_down,
    decisions_steps_and_calls_are_traced,
);

/// A service whose check runs `check` first.
fn service(directory: &Path, check: &str, more: &str) -> String {
    let w = directory.display();
    format!(
        "[DEFAULT]\nnodes = n1\n{more}\n[app#1]\ntype = forking\nstart = /bin/sh -c 'echo + >> {w}/marks; touch {w}/up'\n\
         stop = /bin/rm -f {w}/up\ncheck = /bin/sh -c '{check}; test -e {w}/up'\n",
        check = check.replace("{w}", &w.to_string())
    )
}

/// The next entry that is wanted.
async fn next<T>(trace: &mut TraceReader, wanted: impl Fn(&TraceMatter) -> Option<T>) -> T {
    let found = async {
        loop {
            let entry = trace.next().await.expect("the trace goes on");
            if let Some(found) = wanted(&entry.matter) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it is traced")
}

fn fault(matter: &TraceMatter) -> Option<String> {
    match matter {
        TraceMatter::Look { fault, .. } => fault.clone(),
        _ => None,
    }
}

async fn a_look_that_an_action_has_overtaken_counts_for_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    // The first look after `slow` was made sees that the service is down, and says so when `go` is made.
    let check = "if rm {w}/slow; then touch {w}/seen; while ! test -e {w}/go; do sleep 0.02; done; exit 1; fi";
    let node = TestNode::with(&[("web", &service(directory.path(), check, ""))]).await;
    node.until_avail("web", "down").await;
    let mut trace = node.handle().trace().follow();
    std::fs::write(file("slow"), "").unwrap();
    let handle = node.handle().clone();
    let looking = tokio::spawn(async move { handle.refresh(Some(path("web"))).await });
    until("the look is under way", async || file("seen").exists()).await;
    let mut events = node.handle().events().follow(None);
    node.order("web", OrderCommand::Start).await.unwrap();
    crate::node::next(&mut events, EventKind::ExecEnd).await;
    std::fs::write(file("go"), "").unwrap();
    assert_eq!(next(&mut trace, fault).await, "an action has begun meanwhile");
    // The answer is that of a look that came after the action.
    looking.await.unwrap().unwrap();
    crate::node::next(&mut events, EventKind::OrderEnd).await;
    let status = node.instance("web").await.unwrap().status.unwrap();
    assert_eq!(status.avail.to_string(), "up");
    assert_eq!(std::fs::read_to_string(file("marks")).unwrap(), "+\n");
    node.done("web", OrderCommand::Stop).await;
}

async fn looks_that_hang_are_unknown_and_never_down() {
    let directory = tempfile::tempdir().unwrap();
    let check = "if test -e {w}/hang; then sleep 60; fi";
    let more = "orchestrate = ha\nstatus_timeout = 1s";
    let node = TestNode::with(&[("web", &service(directory.path(), check, more))]).await;
    node.until_avail("web", "up").await;
    std::fs::write(directory.path().join("hang"), "").unwrap();
    let explained = async || {
        node.handle().refresh(Some(path("web"))).await.unwrap();
        let explained = node.handle().explain(path("web")).await.unwrap();
        explained.reasons.into_iter().map(|reason| reason.code).collect::<Vec<_>>()
    };
    let is_unknown = |codes: &[String]| codes.iter().any(|code| code == "status-unknown");
    // However many of them come in a row: none is a reason to start the service again.
    for _ in 0..4 {
        let codes = explained().await;
        assert!(is_unknown(&codes), "{codes:?}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(std::fs::read_to_string(directory.path().join("marks")).unwrap(), "+\n", "it was started again");
    std::fs::remove_file(directory.path().join("hang")).unwrap();
    node.until_avail("web", "up").await;
    node.done("web", OrderCommand::Stop).await;
}

async fn decisions_steps_and_calls_are_traced() {
    let node = TestNode::with(&[("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n")]).await;
    let mut trace = node.handle().trace().follow();
    node.done("web", OrderCommand::Start).await;
    let decided = |matter: &TraceMatter| match matter {
        TraceMatter::Decision { steps, .. } => steps.first().filter(|step| step.starts_with("start (order ")).cloned(),
        _ => None,
    };
    let step = next(&mut trace, decided).await;
    let begun = |matter: &TraceMatter| match matter {
        TraceMatter::Step { step, held_back: None } => Some(step.clone()),
        _ => None,
    };
    assert_eq!(next(&mut trace, begun).await, step);
    let started = |matter: &TraceMatter| match matter {
        TraceMatter::Call { rid, verb, end, changed, took_ms, .. } if verb == "start" => {
            Some((rid.to_string(), end.clone(), changed.clone(), *took_ms > 0.0))
        }
        _ => None,
    };
    let expected = ("fs#1".to_owned(), "done".to_owned(), "yes".to_owned(), true);
    assert_eq!(next(&mut trace, started).await, expected);
    let over = |matter: &TraceMatter| match matter {
        TraceMatter::End { action, end, .. } => Some((action.clone(), end.clone())),
        _ => None,
    };
    assert_eq!(next(&mut trace, over).await, ("start".to_owned(), "done".to_owned()));
    node.done("web", OrderCommand::Stop).await;
}
