//! The daemon of a simulated node: what it keeps in memory, and loses with its life.

mod membership;
mod publish;
mod reply;
mod status;
mod step;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, StatusView, StoreRevision};

use crate::store::StoreState;

pub(crate) use membership::LOST_AFTER;

/// A daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// The number of this life: what was sent in another one means nothing.
    pub(crate) life: u64,
    pub(crate) snapshot: Option<Arc<StoreState>>,
    /// The revision of its last write that it knows to be applied.
    pub(crate) written: Option<StoreRevision>,
    /// Its registration, once it is confirmed.
    pub(crate) incarnation: Option<u64>,
    /// The revision of its last beat.
    pub(crate) beat: Option<u64>,
    /// The pair of registration and beat of each peer, and when it first arrived.
    pub(crate) heard: BTreeMap<NodeName, (u64, u64, BootTime)>,
    /// Slots that an answer of this life confirmed: the revision by object and index.
    pub(crate) confirmed: BTreeMap<(ObjectPath, usize), u64>,
    /// Until when its acknowledged beats let slotted services run.
    pub(crate) deadline: BootTime,
    pub(crate) statuses: BTreeMap<ObjectPath, StatusView>,
    pub(crate) pending: BTreeMap<PendingKey, u64>,
    /// The instances that changed since their last publication.
    pub(crate) unpublished: BTreeSet<ObjectPath>,
    pub(crate) publications: u64,
    /// When it decides next.
    pub(crate) decide_at: Option<Duration>,
}

/// What a daemon has one request under way for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PendingKey {
    Object(ObjectPath),
    Publication(ObjectPath),
    Membership,
    Eviction(NodeName),
    Drain,
}

impl Daemon {
    pub(crate) fn new(life: u64) -> Daemon {
        Daemon {
            life,
            snapshot: None,
            written: None,
            incarnation: None,
            beat: None,
            heard: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            deadline: BootTime::BOOT,
            statuses: BTreeMap::new(),
            pending: BTreeMap::new(),
            unpublished: BTreeSet::new(),
            publications: 0,
            decide_at: None,
        }
    }

    /// Whether a slot of the object is confirmed.
    pub(crate) fn owns(&self, path: &ObjectPath) -> bool {
        self.confirmed.keys().any(|(owned, _)| owned == path)
    }

    pub(crate) fn disown(&mut self, path: &ObjectPath) {
        self.confirmed.retain(|(owned, _), _| owned != path);
    }
}
