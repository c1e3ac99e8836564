//! The nodes: load, memory, and what state each is in.

use std::collections::BTreeSet;

use model::NodeName;
use protocol::daemon::ClusterNode;

use super::cell::{FROZEN, MonCell, WARN};
use super::grid::{MonRow, MonTable};

pub(super) fn table(nodes: &[(&NodeName, &ClusterNode)]) -> MonTable {
    let mut rows = vec![
        row("15m", nodes, |node| MonCell::plain(format!("{:.1}", node.stats.load_15m))),
        row("mem", nodes, |node| memory(node.stats.mem_avail, node.stats.mem_total_mb)),
        row("swap", nodes, |node| memory(node.stats.swap_avail, node.stats.swap_total_mb)),
    ];
    let versions: BTreeSet<&str> = nodes.iter().map(|(_, node)| node.status.agent.as_str()).collect();
    // Only worth a row where it is not the same everywhere.
    if versions.len() > 1 {
        let version = row("version", nodes, |node| MonCell::plain(&node.status.agent));
        rows.push(MonRow { middle: vec![MonCell::of("warn", WARN)], ..version });
    }
    rows.push(row("state", nodes, state));
    MonTable { title: "Nodes".to_owned(), rows }
}

fn row(name: &str, nodes: &[(&NodeName, &ClusterNode)], cell: impl Fn(&ClusterNode) -> MonCell) -> MonRow {
    let cells = nodes.iter().map(|(_, node)| cell(node)).collect();
    MonRow { name: MonCell::plain(name), nodes: Some(cells), ..MonRow::default() }
}

/// What is available, of how much: `31%23.5g`.
fn memory(available: u64, total_mb: u64) -> MonCell {
    match total_mb {
        0 => MonCell::plain("-"),
        total => MonCell::plain(format!("{available}%{:.1}g", total as f64 / 1024.0)),
    }
}

fn state(node: &ClusterNode) -> MonCell {
    let mut cell = MonCell::default();
    if node.status.frozen {
        cell.push("*", FROZEN);
    }
    if node.monitor.state != "idle" {
        cell.push(if node.status.frozen { " " } else { "" }, WARN);
        cell.push(&node.monitor.state, WARN);
    }
    cell
}
