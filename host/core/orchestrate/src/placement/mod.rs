//! Where instances go: the nodes in order of preference, what keeps a node from running one, and which nodes are chosen.

mod elect;
mod obstacle;
mod spread;

use std::cmp::Reverse;

use model::object::PlacementPolicy;
use model::{NodeName, ObjectPath};

use crate::affinity::disliked;
use crate::case::ObjectCase;
use crate::{BootTime, InstanceView, StoreRevision, View};

pub(crate) use elect::{SlotAccess, acquire_slot, chosen, occupied};
pub(crate) use obstacle::{can_act, obstacle};

/// The nodes of an object, the preferred ones first, as `me` sees them. Without rules of the object, none.
pub fn preferred_nodes(view: &View, path: &ObjectPath, me: &NodeName, now: BootTime) -> Vec<NodeName> {
    let Some(object) = view.objects().get(path) else { return Vec::new() };
    let Some(rules) = object.rules.as_deref() else { return Vec::new() };
    ranked(&ObjectCase { view, path, object, rules, me, now }).into_iter().cloned().collect()
}

/// The nodes of an object, the preferred ones first. Soft affinities weigh more than the policy.
pub(crate) fn ranked<'a>(case: &ObjectCase<'a>) -> Vec<&'a NodeName> {
    let mut nodes: Vec<&NodeName> = case.rules.nodes.iter().collect();
    // Every sort is stable: what the policy does not tell apart stays in the order of `nodes`.
    match case.rules.placement {
        PlacementPolicy::NodesOrder | PlacementPolicy::None => {
            nodes.sort_by_key(|node| case.rules.flex_primary.as_ref() != Some(*node));
        }
        // A node that has never said its score comes last, and so it is with the load and the last start.
        PlacementPolicy::Score => {
            nodes.sort_by_key(|node| Reverse(case.view.nodes().get(*node).map(|node| node.score)))
        }
        PlacementPolicy::LoadAvg => {
            nodes.sort_by_key(|node| case.view.nodes().get(*node).map_or(u32::MAX, |node| node.load));
        }
        PlacementPolicy::Spread => nodes.sort_by_key(|node| Reverse(spread::weight(case.path, node))),
        PlacementPolicy::Shift => rotate(&mut nodes, number(case.path)),
        PlacementPolicy::LastStart => nodes.sort_by_key(|node| Reverse(last_start(case, node))),
    }
    nodes.sort_by_cached_key(|node| disliked(case, node));
    nodes
}

fn last_start(case: &ObjectCase<'_>, node: &NodeName) -> Option<StoreRevision> {
    case.object.instances.get(node).and_then(|instance: &InstanceView| instance.record.last_start)
}

fn rotate(nodes: &mut [&NodeName], by: usize) {
    if let Some(by) = by.checked_rem(nodes.len()) {
        nodes.rotate_left(by);
    }
}

/// The number of an object among its kin: the slice of a scaler (`3.web`), or the digits at the end of the name (`web3`).
fn number(path: &ObjectPath) -> usize {
    let name = path.name();
    let slice = name.split('.').next().and_then(|label| label.parse().ok());
    let digits = name.len() - name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    slice.or_else(|| name[name.len() - digits..].parse().ok()).unwrap_or(0)
}
