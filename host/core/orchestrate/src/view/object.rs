//! An object of the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::NodeName;

use crate::{BootTime, InstanceView, Intent, ObjectRules, SlotView, StoreRevision};

/// An object of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectView {
    /// The revision of its configuration.
    pub config: StoreRevision,
    /// The last configuration that loaded on this node. None: none has yet.
    pub rules: Option<Arc<ObjectRules>>,
    /// Whether it was deleted. Nothing else makes a node delete it.
    pub tombstone: bool,
    /// The last order, ended or not.
    pub intent: Option<Intent>,
    /// Nothing is done of the daemon's own accord before that time.
    pub maintenance: Option<BootTime>,
    /// The slots that were ever taken.
    pub slots: Vec<SlotView>,
    pub instances: BTreeMap<NodeName, InstanceView>,
}

impl ObjectView {
    /// The order that has not ended.
    pub fn open_intent(&self) -> Option<&Intent> {
        self.intent.as_ref().filter(|intent| intent.outcome.is_none())
    }
}
