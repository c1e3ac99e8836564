//! The tree of `daemon status`: the daemon, its parts, the nodes, and how many objects are how.

use std::collections::BTreeMap;

use protocol::daemon::{ClusterNode, StatusDocument};

use crate::render::moment;

/// The tree, for people.
pub(crate) fn tree(status: &StatusDocument) -> String {
    let daemon = &status.daemon;
    let mut text = format!("daemon {}\n", daemon.nodename);
    text += &format!("|- process {} since {}\n", daemon.pid, moment::date(daemon.started_at));
    text += "|- threads\n";
    let threads: Vec<String> = daemon
        .threads
        .iter()
        .map(|thread| format!("{:<12}{:<10}{}", thread.id, thread.state, thread.detail).trim_end().to_owned())
        .collect();
    text += &branch(&threads, "|  ");
    text += "|- nodes\n";
    let nodes: Vec<String> = status.cluster.node.iter().map(|(name, node)| node_line(name.as_str(), node)).collect();
    text += &branch(&nodes, "|  ");
    text + &format!("'- objects: {}\n", counts(status))
}

fn branch(lines: &[String], indent: &str) -> String {
    let last = lines.len().saturating_sub(1);
    let mark = |at: usize| if at == last { "'-" } else { "|-" };
    lines.iter().enumerate().map(|(at, line)| format!("{indent}{} {line}\n", mark(at))).collect()
}

fn node_line(name: &str, node: &ClusterNode) -> String {
    let frozen = if node.status.frozen { ", frozen" } else { "" };
    format!("{name:<12}{}{frozen}, version {}, daemon {}", node.monitor.state, node.status.agent, node.daemon.state)
}

/// `3 up, 1 warn`.
fn counts(status: &StatusDocument) -> String {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    status.cluster.object.values().for_each(|object| *count.entry(object.avail.to_string()).or_default() += 1);
    let words: Vec<String> = count.iter().map(|(avail, count)| format!("{count} {avail}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
