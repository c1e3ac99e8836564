//! The view that decisions rest on: what the store holds, and what this node knows of itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{
    BeatTiming, BootTime, ClusterState, ConfigState, FenceState, InstanceRecord, InstanceView, NodeDrain,
    NodeIncarnation, NodeState, NodeView, ObjectRules, ObjectView, RunningAction, SlotView, StatusView, StoreRevision,
    ViewParts,
};

use crate::row::{FailureRow, MarkRow};
use crate::shared::{SharedNode, SharedObject, SharedState};

/// How long a node is believed to live without news of it.
const LOST_AFTER: Duration = Duration::from_secs(6);

/// What this node knows of one of its instances.
#[derive(Debug, Clone)]
pub struct LocalInstance {
    pub config: ConfigState,
    /// The last configuration that loaded.
    pub rules: Option<Arc<ObjectRules>>,
    pub record: InstanceRecord,
    pub status: Option<StatusView>,
    pub running: Option<RunningAction>,
    /// When the present order was first seen here.
    pub order_seen: BootTime,
    /// The slots that were confirmed to this process as its own, by index and revision.
    pub confirmed: BTreeMap<usize, u64>,
}

/// What this node knows of itself.
#[derive(Debug, Clone)]
pub struct LocalNode {
    pub name: NodeName,
    pub boot: String,
    /// Whether every instance was looked at once.
    pub ready: bool,
    /// The revision of its registration in this life. None: not registered yet.
    pub life: Option<u64>,
    pub drain: Option<NodeDrain>,
    pub score: u32,
    pub load: u32,
    pub max_parallel: usize,
    /// The revision of its last write that was acknowledged.
    pub written: Option<u64>,
    /// When the news arrived that first showed each other node's present life and beat.
    pub heard: BTreeMap<NodeName, BootTime>,
    /// Until when better placed nodes are waited for, as the cluster has just started.
    pub rejoin: Option<BootTime>,
}

/// The parts of a view, of the objects as [`object_view`] makes them: the caller makes those again that have changed. They are
/// of one revision of the store, so they are a whole view if the node is registered.
pub fn view_parts(
    state: &SharedState,
    node: &LocalNode,
    objects: BTreeMap<ObjectPath, Arc<ObjectView>>,
    now: BootTime,
) -> ViewParts {
    let revision = StoreRevision(state.revision);
    let nodes = state.nodes.iter().map(|(name, row)| (name.clone(), node_view(name, row, state, node, now)));
    let cluster =
        ClusterState { timing: BeatTiming { lost_after: LOST_AFTER }, maintenance: None, rejoin: node.rejoin };
    ViewParts {
        nodes: Some((revision, nodes.collect())),
        objects: Some((revision, objects)),
        cluster: Some((revision, cluster)),
        written: node.written.map(StoreRevision),
    }
}

/// One object of the view, as it is now. None: the store has only slots of it, or nothing.
pub fn object_view(
    state: &SharedState,
    path: &ObjectPath,
    node: &LocalNode,
    local: Option<&LocalInstance>,
) -> Option<ObjectView> {
    let object = state.objects.get(path)?;
    let shared = object.row.as_ref()?;
    let row = &shared.value;
    let config = if row.config_revision == 0 { shared.revision } else { row.config_revision };
    let order_seen = local.map_or(BootTime::BOOT, |local| local.order_seen);
    let instances = row.instances.iter().filter_map(|(name, mark)| {
        let name: NodeName = name.parse().ok()?;
        // Its own state it takes from memory: what it has published is older, and may not have arrived.
        let view = match local.filter(|_| name == node.name) {
            Some(own) => own_view(mark, own),
            None => peer_view(mark, object, (state, &name), StoreRevision(config)),
        };
        Some((name, view))
    });
    let slots = object.slots.iter().filter_map(|(index, slot)| {
        let owner: NodeName = slot.value.owner.parse().ok()?;
        // By the revision: a slot that names this node may have been taken by an earlier process or in an earlier
        // life.
        let confirmed = local.is_some_and(|local| local.confirmed.get(index) == Some(&slot.revision));
        Some(SlotView {
            index: *index,
            revision: StoreRevision(slot.revision),
            state: slot.value.state.into(),
            confirmed: confirmed && owner == node.name,
            owner,
            incarnation: NodeIncarnation {
                generation: slot.value.generation,
                revision: StoreRevision(slot.value.incarnation),
            },
        })
    });
    Some(ObjectView {
        config: StoreRevision(config),
        rules: local.and_then(|local| local.rules.clone()),
        tombstone: row.tombstone,
        intent: row.intent.as_ref().map(|intent| intent.intent(&node.boot, order_seen)),
        maintenance: None,
        slots: slots.collect(),
        instances: instances.collect(),
    })
}

/// The life of the store.
pub fn generation(state: &SharedState) -> u64 {
    state.generation.as_ref().map_or(0, |row| row.value.number)
}

/// This node's instance, as it is.
fn own_view(mark: &MarkRow, local: &LocalInstance) -> InstanceView {
    InstanceView {
        config: local.config.clone(),
        frozen: mark.frozen,
        failure: mark.failure.as_ref().map(FailureRow::failure),
        clears: mark.clears,
        record: local.record.clone(),
        status: local.status.clone(),
        running: local.running.clone(),
    }
}

/// Another node's instance, as that node says. What it said in a former life says nothing of what runs now.
fn peer_view(
    mark: &MarkRow,
    object: &SharedObject,
    (state, name): (&SharedState, &NodeName),
    config: StoreRevision,
) -> InstanceView {
    let said = object.instances.get(name).map(|row| &row.value);
    let present = said.filter(|said| state.life(name) == Some(said.life));
    let checksum = object.row.as_ref().map_or("", |row| &row.value.checksum);
    InstanceView {
        // Also from a former life: the file is on its disk still. Its status and its actions are not.
        config: said.map_or(ConfigState::Missing, |said| said.config(checksum, config)),
        frozen: mark.frozen,
        failure: mark.failure.as_ref().map(FailureRow::failure),
        clears: mark.clears,
        record: said.map_or_else(InstanceRecord::new, |said| said.record()),
        status: present.and_then(|said| said.status.as_ref()?.status()),
        running: present.and_then(|said| Some(said.running.as_ref()?.running())),
    }
}

fn fence_state(name: &NodeName, state: &SharedState) -> FenceState {
    match state.fence_of(name) {
        _ if state.is_fenced(name) => FenceState::Proof,
        Some(fence) if fence.failed.is_some() => FenceState::Failure,
        Some(_) => FenceState::Running,
        None => FenceState::Untried,
    }
}

fn node_view(name: &NodeName, row: &SharedNode, state: &SharedState, node: &LocalNode, now: BootTime) -> NodeView {
    let is_me = *name == node.name;
    // A daemon that has no registration of its own life, or has not looked at everything, can do nothing.
    let joined = node.life.is_some() && node.ready;
    let info = state.info(name).filter(|_| !is_me);
    let stands = match node.drain {
        // A node that has said nothing in its present life can do nothing yet.
        _ if !is_me => info.map_or(NodeState::Init, |info| info.state.into()),
        _ if !joined => NodeState::Init,
        Some(drain) if drain.shutdown => NodeState::Shutting,
        Some(_) => NodeState::Draining,
        None => NodeState::Idle,
    };
    let (generation, revision) = (generation(state), StoreRevision(row.revision));
    let beat = state.beats.get(name);
    NodeView {
        incarnation: Some(NodeIncarnation { generation, revision }),
        evicted: row.value.evicted,
        // On one node nobody beats.
        beat: beat.map_or(revision, |beat| StoreRevision(beat.revision)),
        // One that was not heard yet counts as just heard: a daemon that starts must not take the others for lost.
        heard: if is_me { now } else { node.heard.get(name).copied().unwrap_or(now) },
        pinned: beat.is_some_and(|beat| beat.value.pinned),
        state: stands,
        frozen: state.is_frozen(name),
        maintenance: None,
        drain: node.drain.filter(|_| is_me),
        score: if is_me { node.score } else { info.map_or(0, |info| info.score) },
        load: if is_me { node.load } else { info.map_or(0, |info| info.load) },
        fence: fence_state(name, state),
        // Each node bounds its own actions: the view is only asked about those of this one.
        max_parallel: if is_me { node.max_parallel } else { usize::MAX },
    }
}
