//! The node's queue: how many actions run at the same time, and which come first.

use model::{NodeName, ObjectPath};

use crate::{Decision, Reason, Step, View};

/// Keeps back the actions for which there is no room, those of the objects with the highest priority numbers. Everything else
/// costs nothing and is not kept back.
pub(crate) fn admit<'a>(
    view: &View,
    me: &NodeName,
    decisions: impl Iterator<Item = (&'a ObjectPath, &'a mut Decision)>,
) {
    let running = running_actions(view, me);
    let room = view.nodes().get(me).map_or(0, |node| node.max_parallel).saturating_sub(running);
    let mut acting: Vec<_> = decisions.filter(|(_, decision)| decision.action().is_some()).collect();
    // By path as well, so that every decision from one view keeps back the same ones.
    acting.sort_by_key(|(path, _)| (priority(view, path), *path));
    for (_, decision) in acting.into_iter().skip(room) {
        decision.steps.retain(|step| !matches!(step, Step::Act(_)));
        decision.reasons.push(Reason::Queue { running });
    }
}

fn running_actions(view: &View, me: &NodeName) -> usize {
    let own = view.objects().values().filter_map(|object| object.instances.get(me));
    own.filter(|instance| instance.running.is_some()).count()
}

fn priority(view: &View, path: &ObjectPath) -> u32 {
    let rules = view.objects().get(path).and_then(|object| object.rules.as_ref());
    rules.map_or(u32::MAX, |rules| rules.priority)
}
