//! What the engine shows of a node that an operator takes out of it, and the end of the vote of one that is dead.

use model::{NodeName, ObjectPath};
use replica::{SharedState, SlotRow, SlotWord, everything};
use serde::Serialize;
use store::{KeyQuery, Store};
use store_etcd::EtcdStore;

use crate::member::{self, MemberFault, ProgressNotes};
use crate::{RosterFault, plan};

/// A node, as the engine shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenNode {
    pub node: String,
    /// The revisions of its registration and of its last beat: what is decided by them holds for these alone.
    pub life: u64,
    pub beat: u64,
    /// Whether its life goes on, as far as the others know.
    pub alive: bool,
    /// If it does not: the revision of the registration that was ended.
    pub ended: u64,
    /// Whether its last beat says that its services go on without its daemon.
    pub pinned: bool,
    /// The objects of which it has a slot, which it has not given up.
    pub slots: Vec<String>,
}

/// Looks at a node. None: it has begun no life.
pub async fn look_at_node(store: &dyn Store, node: &NodeName) -> Result<Option<SeenNode>, MemberFault> {
    let listing = store.list(&KeyQuery::current(everything())).await?;
    let state = SharedState::of(&listing).map_err(|error| RosterFault::Row(error.to_string()))?;
    let Some(row) = state.nodes.get(node) else { return Ok(None) };
    let beat = state.beats.get(node);
    let of_node = |object: &replica::SharedObject| {
        // A slot of an earlier life of the node is free already: the revision of its registration has moved on.
        let is_own = |slot: &SlotRow| slot.owner == node.as_str() && slot.incarnation == row.revision;
        object.slots.values().any(|slot| is_own(&slot.value) && slot.value.state != SlotWord::Released)
    };
    Ok(Some(SeenNode {
        node: node.to_string(),
        life: row.revision,
        beat: beat.map_or(0, |beat| beat.revision),
        alive: !row.value.evicted,
        ended: row.value.ended,
        pinned: beat.is_some_and(|beat| beat.value.pinned),
        slots: state.objects.iter().filter(|(_, object)| of_node(object)).map(|(path, _)| path.to_string()).collect(),
    }))
}

/// Whether the configuration of an object that is in force is this one, by its digest.
pub async fn is_in_force(store: &dyn Store, path: &ObjectPath, checksum: &str) -> Result<bool, MemberFault> {
    let listing = store.list(&KeyQuery::current(everything())).await?;
    let state = SharedState::of(&listing).map_err(|error| RosterFault::Row(error.to_string()))?;
    let row = state.objects.get(path).and_then(|object| object.row.as_ref());
    Ok(row.is_some_and(|row| !row.value.tombstone && row.value.checksum == checksum))
}

/// Removes the member of a node from the engine if it does not answer, so that another one may vote in its place. Returns its name. An
/// engine that is not managed, and a member that answers, stay as they are.
pub async fn remove_silent_member(store: &EtcdStore, node: &NodeName) -> Result<Option<String>, MemberFault> {
    if crate::read_roster(store).await?.is_none_or(|roster| !roster.is_managed()) {
        return Ok(None);
    }
    let seen = member::look(store, &mut ProgressNotes::new()).await?;
    let own = seen.iter().find(|member| plan::node_of(&member.peer.name) == node.as_str());
    let Some(own) = own.filter(|own| !own.view.answers) else { return Ok(None) };
    // The answer of a member may be missing because of the way to it: then this keeps the majority.
    let may = plan::may_remove(&member::views(&seen), own.peer.id);
    may.map_err(|reason| MemberFault::Majority { node: node.to_string(), reason })?;
    store.remove_member(own.peer.id).await?;
    Ok(Some(own.peer.name.clone()))
}
