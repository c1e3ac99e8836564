//! The parts of the daemon, and with `--stats` what it uses of the machine.

use model::NodeName;
use protocol::daemon::{ClusterNode, DaemonUse, StatusDocument};

use super::cell::{DOWN, MonCell, UP, WARN};
use super::grid::{MonRow, MonTable};

pub(super) fn table(
    status: &StatusDocument,
    nodes: &[(&NodeName, &ClusterNode)],
    usage: Option<&DaemonUse>,
) -> MonTable {
    let rows = status.daemon.threads.iter().map(|thread| {
        let style = match thread.state.as_str() {
            "running" | "armed" => UP,
            "stopped" => DOWN,
            _ => WARN,
        };
        let state = MonCell::of(&thread.state, style);
        let detail = MonCell::plain(&thread.detail);
        // Only of the daemon itself is known how it is on each node.
        let about_nodes = thread.id == "daemon";
        let mut middle = vec![state, detail];
        // The daemon is one process: what it uses stands in its row.
        if let Some(usage) = usage.filter(|_| about_nodes) {
            middle.push(MonCell::plain(stats(usage)));
        }
        let about_peers = !thread.peers.is_empty();
        let cell = |(name, node): &(&NodeName, &ClusterNode)| match about_peers {
            true => peer_cell(thread.peers.get(*name)),
            false => daemon_cell(node),
        };
        let cells = (about_nodes || about_peers).then(|| nodes.iter().map(cell).collect());
        MonRow { name: MonCell::plain(&thread.id), middle, nodes: cells, ..MonRow::default() }
    });
    MonTable { title: "Threads".to_owned(), rows: rows.collect() }
}

fn daemon_cell(node: &ClusterNode) -> MonCell {
    match node.daemon.state.as_str() {
        "running" => MonCell::of("O", UP),
        "stopped" => MonCell::of("X", DOWN),
        other => MonCell::of(other, WARN),
    }
}

/// Whether something came from a node, or went there. The node itself is not among its peers.
fn peer_cell(state: Option<&String>) -> MonCell {
    match state.map(String::as_str) {
        None => MonCell::plain("/"),
        Some("up") => MonCell::of("O", UP),
        Some("down") => MonCell::of("X", DOWN),
        Some(_) => MonCell::plain("?"),
    }
}

/// `pid 17, 9 threads, 0.3%, 12s cpu, 31m rss, 4k read, 80k written`.
fn stats(usage: &DaemonUse) -> String {
    let DaemonUse { pid, threads, cpu_percent, cpu_seconds, .. } = usage;
    let (rss, read, written) = (size(usage.rss_bytes), size(usage.read_bytes), size(usage.written_bytes));
    format!(
        "pid {pid}, {threads} threads, {cpu_percent:.1}%, {cpu_seconds:.0}s cpu, {rss} rss, {read} read, {written} written"
    )
}

/// `31m`.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)];
    let unit = UNITS.iter().find(|(_, unit)| bytes >= *unit);
    unit.map_or(format!("{bytes}b"), |(name, unit)| format!("{}{name}", bytes / unit))
}
