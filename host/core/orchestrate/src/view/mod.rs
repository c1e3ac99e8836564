//! What a decision rests on: a whole view of the cluster at one revision of the store, or no view at all.
//!
//! The state before the first whole view is [`ViewParts`], a type that nothing can be decided from. [`View::new`] is the only
//! way from one to the other, and refuses parts that do not belong together.

mod instance;
mod node;
mod object;
mod slot;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};

use crate::{BootTime, StoreRevision};

pub use instance::{ConfigState, InstanceFailure, InstanceView};
pub use node::{FenceState, NodeDrain, NodeStanding, NodeState, NodeView};
pub use object::ObjectView;
pub use slot::{SlotStanding, SlotState, SlotView};
pub use status::{ResourceView, StatusView};

/// How long news of a node stay good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeatTiming {
    /// T: a node without a newer beat for so long is lost.
    pub lost_after: Duration,
}

impl BeatTiming {
    /// T with the allowance for clocks whose rates differ.
    pub fn evicted_after(self) -> Duration {
        self.lost_after + self.lost_after / 100
    }
}

/// What was listed from the store so far, each list with its revision. Nothing can be decided from it.
#[derive(Debug, Clone, Default)]
pub struct ViewParts {
    pub nodes: Option<(StoreRevision, BTreeMap<NodeName, NodeView>)>,
    pub objects: Option<(StoreRevision, BTreeMap<ObjectPath, Arc<ObjectView>>)>,
    pub cluster: Option<(StoreRevision, ClusterState)>,
    /// The revision of this node's last write that was acknowledged.
    pub written: Option<StoreRevision>,
}

/// What holds for the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterState {
    pub timing: BeatTiming,
    /// Nothing is done of the daemon's own accord before that time.
    pub maintenance: Option<BootTime>,
    /// After a start of the whole cluster: better placed nodes are waited for until then.
    pub rejoin: Option<BootTime>,
}

/// Why parts are not a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncompleteView {
    #[error("not everything was listed yet")]
    Unlisted,
    #[error("the lists are of several revisions, from {} to {}", .0.0, .1.0)]
    Torn(StoreRevision, StoreRevision),
    #[error("the lists are of revision {}, before this node's own write {}", .0.0, .1.0)]
    Behind(StoreRevision, StoreRevision),
    #[error("the node {0} is not registered")]
    Unregistered(NodeName),
}

/// The cluster at one revision of the store, with what this node knows of its own instances.
#[derive(Debug, Clone)]
pub struct View {
    revision: StoreRevision,
    cluster: ClusterState,
    nodes: BTreeMap<NodeName, NodeView>,
    objects: BTreeMap<ObjectPath, Arc<ObjectView>>,
}

impl View {
    /// The view of these parts, as `me` sees it.
    pub fn new(parts: ViewParts, me: &NodeName) -> Result<View, IncompleteView> {
        let (Some(nodes), Some(objects), Some(cluster)) = (parts.nodes, parts.objects, parts.cluster) else {
            return Err(IncompleteView::Unlisted);
        };
        let (first, last) = (nodes.0.min(objects.0).min(cluster.0), nodes.0.max(objects.0).max(cluster.0));
        // Lists of two revisions may show a slot twice, or an order without what it changed.
        if first != last {
            return Err(IncompleteView::Torn(first, last));
        }
        // What this node has written it must not decide without: it would do again what the store has already noted.
        if let Some(written) = parts.written.filter(|written| *written > first) {
            return Err(IncompleteView::Behind(first, written));
        }
        if nodes.1.get(me).is_none_or(|node| node.incarnation.is_none()) {
            return Err(IncompleteView::Unregistered(me.clone()));
        }
        Ok(View { revision: first, cluster: cluster.1, nodes: nodes.1, objects: objects.1 })
    }

    pub fn revision(&self) -> StoreRevision {
        self.revision
    }

    pub fn cluster(&self) -> &ClusterState {
        &self.cluster
    }

    pub fn nodes(&self) -> &BTreeMap<NodeName, NodeView> {
        &self.nodes
    }

    pub fn objects(&self) -> &BTreeMap<ObjectPath, Arc<ObjectView>> {
        &self.objects
    }

    /// The view after a change of this node's own knowledge, such as a new status: the revision stays.
    pub fn observe(&mut self, path: &ObjectPath, change: impl FnOnce(&mut ObjectView)) {
        if let Some(object) = self.objects.get_mut(path) {
            change(Arc::make_mut(object));
        }
    }

    /// How a node stands, as far as its news reached this one.
    pub fn standing(&self, node: &NodeName, now: BootTime) -> NodeStanding {
        self.nodes.get(node).map_or(NodeStanding::Absent, |node| node.standing(self.cluster.timing, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(nodes: u64, objects: u64) -> ViewParts {
        let cluster =
            ClusterState { timing: BeatTiming { lost_after: Duration::from_secs(6) }, maintenance: None, rejoin: None };
        ViewParts {
            nodes: Some((StoreRevision(nodes), BTreeMap::new())),
            objects: Some((StoreRevision(objects), BTreeMap::new())),
            cluster: Some((StoreRevision(nodes), cluster)),
            written: Some(StoreRevision(3)),
        }
    }

    #[test]
    fn a_view_is_whole_and_of_one_revision() {
        let me: NodeName = "n1".parse().unwrap();
        let refusal = |parts| View::new(parts, &me).unwrap_err();
        assert_eq!(refusal(ViewParts::default()), IncompleteView::Unlisted);
        assert_eq!(refusal(ViewParts { objects: None, ..parts(4, 4) }), IncompleteView::Unlisted);
        assert_eq!(refusal(parts(5, 4)), IncompleteView::Torn(StoreRevision(4), StoreRevision(5)));
        assert_eq!(refusal(parts(2, 2)), IncompleteView::Behind(StoreRevision(2), StoreRevision(3)));
        assert_eq!(refusal(parts(4, 4)), IncompleteView::Unregistered(me.clone()));
    }
}
