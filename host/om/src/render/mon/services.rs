//! The objects, and a cell for each of their instances.

use model::status::{Provisioned, State};
use model::{NodeName, ObjectPath};
use protocol::daemon::{ClusterNode, ClusterObject, InstanceSummary};

use super::MonLine;
use super::cell::{DOWN, FAINT, FROZEN, MonCell, UP, WARN};
use super::grid::MonRow;
use crate::render::note::of_orphan;

pub(super) fn row(
    path: &ObjectPath,
    object: &ClusterObject,
    nodes: &[(&NodeName, &ClusterNode)],
    marked: bool,
) -> MonRow {
    let cells = nodes.iter().map(|(name, node)| match node.instance.get(path) {
        Some(instance) => instance_cell(instance),
        // It may run there: nobody has told yet.
        None if object.scope.contains(name) => MonCell::of("?", WARN),
        None => MonCell::default(),
    });
    let wanted = match object.wanted_instances {
        0 => String::new(),
        wanted => format!("{}/{wanted}", object.up_instances),
    };
    MonRow {
        name: MonCell::plain(path.to_string()),
        middle: vec![
            avail_cell(object),
            MonCell::plain(&object.topology),
            MonCell::plain(&object.orchestrate),
            MonCell::plain(wanted),
        ],
        nodes: Some(cells.collect()),
        object: Some(path.clone()),
        marked,
    }
}

/// The state, `!` for a warning of any instance, `^` if the object is not where placement prefers it.
fn avail_cell(object: &ClusterObject) -> MonCell {
    let mut cell = MonCell::of(object.avail.to_string(), style_of(object.avail));
    if object.overall == State::Warn {
        cell.push("!", WARN);
    }
    if object.placement_state == "non-optimal" {
        cell.push("^", WARN);
    }
    cell
}

fn instance_cell(instance: &InstanceSummary) -> MonCell {
    let mut cell = MonCell::default();
    match &instance.status {
        None => cell.push("?", WARN),
        Some(status) => {
            let (icon, style) = icon(status.avail);
            cell.push(icon, style);
            if status.overall == State::Warn && status.avail != State::Warn {
                cell.push("!", WARN);
            }
        }
    }
    if instance.monitor.is_leader {
        cell.push("^", FAINT);
    }
    if let Some(status) = &instance.status {
        if status.frozen {
            cell.push("*", FROZEN);
        }
        if matches!(status.provisioned, Provisioned::False | Provisioned::Mixed) {
            cell.push("P", DOWN);
        }
    }
    let failed = instance.monitor.state.ends_with("failed");
    if instance.monitor.state != "idle" {
        cell.push(format!(" {}", instance.monitor.state), if failed { DOWN } else { WARN });
    }
    if instance.monitor.global_expect != "none" {
        cell.push(format!(" >{}", instance.monitor.global_expect), FAINT);
    }
    cell
}

fn icon(avail: State) -> (&'static str, anstyle::Style) {
    let icon = match avail {
        State::Up => "O",
        State::StdbyUp => "o",
        State::Down => "X",
        State::StdbyDown => "x",
        State::Warn => "!!",
        State::Na => "/",
        State::Undef => "?",
    };
    (icon, style_of(avail))
}

fn style_of(state: State) -> anstyle::Style {
    match state {
        State::Up | State::StdbyUp => UP,
        State::Down | State::StdbyDown => DOWN,
        State::Warn | State::Undef => WARN,
        State::Na => FAINT,
    }
}

/// A line for each configuration that does not load, as what runs is what the last good one says, and for each thing that is held
/// although no driver is asked about it.
pub(super) fn problems(
    nodes: &[(&NodeName, &ClusterNode)],
    shown: impl Fn(&ObjectPath) -> bool,
) -> impl Iterator<Item = MonLine> {
    let all = nodes.iter().flat_map(|(name, node)| node.instance.iter().map(move |(path, one)| (*name, path, one)));
    let lines = all.filter(|(_, path, _)| shown(path)).flat_map(|(name, path, instance)| {
        let problem = instance.config.problem.iter();
        let problem = problem.map(|problem| format!("{problem}: the last good configuration stays in force"));
        let orphans = instance.status.iter().flat_map(|status| status.orphans.iter().map(of_orphan));
        let texts: Vec<String> = problem.chain(orphans).collect();
        texts.into_iter().map(move |text| {
            let text = MonCell::of(format!("{path}@{name}: {text}"), WARN).render(None);
            MonLine { text, object: None }
        })
    });
    let lines: Vec<MonLine> = lines.collect();
    let blank = (!lines.is_empty()).then(|| MonLine { text: String::new(), object: None });
    blank.into_iter().chain(lines)
}
