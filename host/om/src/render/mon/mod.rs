//! `om mon`: the daemon, the nodes and the objects at a glance, a column each node. Sections, rows and markers are OpenSVC's.
//!
//! ```text
//!  StatusDocument ─▶ sections (threads, nodes, services) ─▶ rows of cells ─▶ grid ─▶ lines
//! ```

mod cell;
mod grid;
mod nodes;
mod services;
#[cfg(test)]
pub(crate) mod tests;
mod threads;

use std::collections::BTreeSet;

use model::{NodeName, ObjectPath};
use protocol::daemon::{ClusterNode, DaemonUse, EngineOutage, StatusDocument};

use crate::command::MonSection;
use cell::MonCell;
use grid::{MonGrid, MonTable};

/// What of a status is shown, and how wide.
#[derive(Debug, Default)]
pub(crate) struct MonView {
    /// Empty: all of them.
    pub(crate) sections: Vec<MonSection>,
    /// Empty: all of them.
    pub(crate) nodes: Vec<NodeName>,
    pub(crate) selection: Option<MonSelection>,
    /// What the daemon uses of the machine, if that is to be shown.
    pub(crate) usage: Option<DaemonUse>,
    /// The columns of the terminal. None: as wide as it needs to be.
    pub(crate) width: Option<usize>,
    /// The object that is marked.
    pub(crate) marked: Option<ObjectPath>,
}

/// The objects that a selector names.
#[derive(Debug, Clone)]
pub(crate) struct MonSelection {
    pub(crate) text: String,
    pub(crate) paths: BTreeSet<ObjectPath>,
}

impl MonView {
    /// The lines, with their colours. Those of the objects know which object they are about.
    pub(crate) fn lines(&self, status: &StatusDocument) -> Vec<MonLine> {
        let nodes: Vec<(&NodeName, &ClusterNode)> =
            status.cluster.node.iter().filter(|(name, _)| self.shows_node(name)).collect();
        let mut tables = Vec::new();
        if self.shows(MonSection::Threads) {
            tables.push(threads::table(status, &nodes, self.usage.as_ref()));
        }
        if self.shows(MonSection::Nodes) {
            tables.push(nodes::table(&nodes));
        }
        if self.shows(MonSection::Services) {
            tables.push(self.services(status, &nodes));
        }
        let names = nodes.iter().map(|(name, _)| MonCell::plain(name.as_str())).collect();
        let mut lines = engine_line(status);
        lines.extend(MonGrid { tables, names }.lines(self.width));
        let shown = |path: &ObjectPath| self.selection.as_ref().is_none_or(|selection| selection.paths.contains(path));
        if self.shows(MonSection::Services) {
            lines.extend(services::problems(&nodes, shown));
        }
        lines
    }

    fn services(&self, status: &StatusDocument, nodes: &[(&NodeName, &ClusterNode)]) -> MonTable {
        let title = match &self.selection {
            Some(MonSelection { text, .. }) => format!("Services ~ {text}"),
            None => "Services".to_owned(),
        };
        let shown = |path: &ObjectPath| self.selection.as_ref().is_none_or(|selection| selection.paths.contains(path));
        let mut objects: Vec<_> = status.cluster.object.iter().filter(|(path, _)| shown(path)).collect();
        // Those of the root namespace first, whose paths are their names.
        objects.sort_by_key(|(path, _)| !path.is_root());
        let rows = objects
            .into_iter()
            .map(|(path, object)| services::row(path, object, nodes, self.marked.as_ref() == Some(path)));
        MonTable { title, rows: rows.collect() }
    }

    fn shows(&self, section: MonSection) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }

    fn shows_node(&self, node: &NodeName) -> bool {
        self.nodes.is_empty() || self.nodes.contains(node)
    }
}

/// A line, and the object that it is about.
#[derive(Debug)]
pub(crate) struct MonLine {
    pub(crate) text: String,
    pub(crate) object: Option<ObjectPath>,
}

/// `engine down for 12s: failsafe, 3 of 3 nodes answer; no moves, no edits`.
fn outage_words(outage: &EngineOutage) -> String {
    let EngineOutage { seconds, nodes, silent, failsafe, cut_in } = outage;
    let answer = format!("{} of {nodes} nodes answer", nodes.saturating_sub(silent.len()));
    let state = match (failsafe, silent.is_empty()) {
        (true, _) => format!("failsafe, {answer}"),
        (false, true) => "no failsafe, the other nodes are not known".to_owned(),
        (false, false) => format!("no failsafe, {answer}, not {}", silent.join(" ")),
    };
    let cut = cut_in.map(|seconds| format!("; services are cut in {seconds}s")).unwrap_or_default();
    format!("engine down for {seconds}s: {state}{cut}; no moves, no edits")
}

/// What an operator should look at.
fn warning_lines(warnings: &[String]) -> Vec<MonLine> {
    let line = |text: String| MonLine { text, object: None };
    let mut lines: Vec<MonLine> =
        warnings.iter().map(|text| line(MonCell::of(text, cell::WARN).render(None))).collect();
    if !lines.is_empty() {
        lines.push(line(String::new()));
    }
    lines
}

/// Without the store nothing can be ordered: that comes before everything else.
fn engine_line(status: &StatusDocument) -> Vec<MonLine> {
    let engine = &status.cluster.engine;
    let words = match &engine.outage {
        Some(outage) => outage_words(outage),
        None if engine.state == "running" => return warning_lines(&engine.warnings),
        None => format!("engine {}: services go on as they are, and no order is taken", engine.state),
    };
    let text = MonCell::of(words, cell::WARN);
    vec![MonLine { text: text.render(None), object: None }, MonLine { text: String::new(), object: None }]
}
