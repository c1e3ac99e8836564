//! What a node says to the others, as transactions. Each compares the life of the node that says it and the row that it replaces,
//! so what an earlier life said, or this one said earlier, never comes after.

use model::{NodeName, ObjectPath};
use store::TxnRequest;

use crate::SharedKey;
use crate::request::guarded;
use crate::row::{self, FenceRow, InfoRow, InstanceRow, MembersRow, PeerRow};
use crate::shared::SharedState;

/// What this node says of itself. None: it has said so already.
pub fn publish_info(state: &SharedState, me: &NodeName, info: &InfoRow) -> Option<TxnRequest> {
    let known = state.infos.get(me);
    if known.is_some_and(|known| known.value == *info) {
        return None;
    }
    let key = SharedKey::NodeInfo(me.clone()).to_bytes();
    // The first compare stops what a former life had sent, the second what this one had sent earlier and given up.
    let request = of_life(state, me, info.life).if_unchanged(key.clone(), known.map_or(0, |known| known.revision));
    Some(request.put(key, row::write(info)))
}

/// What this node says of its instance of an object that the store knows. None: it has said so already.
pub fn publish_instance(
    state: &SharedState,
    path: &ObjectPath,
    me: &NodeName,
    instance: &InstanceRow,
) -> Option<TxnRequest> {
    let object = state.objects.get(path)?;
    object.row.as_ref()?;
    let known = object.instances.get(me);
    if known.is_some_and(|known| known.value == *instance) {
        return None;
    }
    let key = SharedKey::Instance(path.clone(), me.clone()).to_bytes();
    let request = of_life(state, me, instance.life)
        // Not of an object that is deleted meanwhile.
        .if_changed(SharedKey::Object(path.clone()).to_bytes(), 0)
        .if_unchanged(key.clone(), known.map_or(0, |known| known.revision));
    Some(request.put(key, row::write(instance)))
}

/// Where this node is reached, and the certificate that it shows. None: it has said so already.
pub fn publish_peer(state: &SharedState, me: &NodeName, life: u64, peer: &PeerRow) -> Option<TxnRequest> {
    let known = state.peers.get(me);
    if known.is_some_and(|known| known.value == *peer) {
        return None;
    }
    let key = SharedKey::Peer(me.clone()).to_bytes();
    let request = of_life(state, me, life).if_unchanged(key.clone(), known.map_or(0, |known| known.revision));
    Some(request.put(key, row::write(peer)))
}

/// Adds this node to those that may end the lives of others. None: it is one of them.
pub fn join_members(state: &SharedState, me: &NodeName, life: u64) -> Option<TxnRequest> {
    let known = state.members.as_ref();
    let row = known.map_or_else(MembersRow::default, |known| known.value.clone()).with(me)?;
    Some(replace_members(state, me, life, &row))
}

/// Removes a node from those that may end the lives of others, and what it has published. Its own life has ended, and is another
/// one before it can end any. None: it is none of them.
pub fn remove_member(state: &SharedState, me: &NodeName, life: u64, gone: &NodeName) -> Option<TxnRequest> {
    // Only after its life has ended: while it lasts, it may end that of a holder whose list does not have it, and
    // which therefore does not ask it.
    let registration = state.nodes.get(gone).filter(|node| node.value.evicted)?;
    let row = state.members.as_ref()?.value.without(gone)?;
    let request = replace_members(state, me, life, &row);
    // Refused if it has registered again meanwhile: then it is a member.
    let request = request.if_unchanged(SharedKey::Node(gone.clone()).to_bytes(), registration.revision);
    Some(request.delete(SharedKey::Peer(gone.clone()).to_bytes()))
}

/// Begins the fence of a node, as it is now registered, by this node alone. None: another one does it, or it is not registered.
pub fn begin_fence(state: &SharedState, me: &NodeName, life: u64, node: &NodeName) -> Option<TxnRequest> {
    let registration = state.nodes.get(node)?;
    let is_others = |fence: &&FenceRow| fence.failed.is_none() && fence.by != me.as_str();
    if state.fence_of(node).filter(is_others).is_some() {
        return None;
    }
    let row = FenceRow::begun(registration.revision, me, life);
    // Refused if the node has come back: it would be ended in another life than the one that was lost.
    let request = replace_fence(state, me, life, (node, &row));
    // A beat that has come meanwhile shows that it is not lost.
    let beat = state.beats.get(node).map_or(0, |beat| beat.revision);
    let request = request.if_unchanged(SharedKey::Beat(node.clone()).to_bytes(), beat);
    Some(request.if_unchanged(SharedKey::Node(node.clone()).to_bytes(), registration.revision))
}

/// Says why the fence that this node has begun has proven nothing. None: another one was begun since.
pub fn fail_fence(state: &SharedState, me: &NodeName, life: u64, (node, why): (&NodeName, &str)) -> Option<TxnRequest> {
    let known = &state.fences.get(node)?.value;
    let own = (known.by.as_str(), known.by_life) == (me.as_str(), life) && known.failed.is_none();
    let row = FenceRow { failed: Some(why.to_owned()), ..known.clone() };
    own.then(|| replace_fence(state, me, life, (node, &row)))
}

fn replace_fence(state: &SharedState, me: &NodeName, life: u64, (node, row): (&NodeName, &FenceRow)) -> TxnRequest {
    let key = SharedKey::Fence(node.clone()).to_bytes();
    let known = state.fences.get(node).map_or(0, |known| known.revision);
    of_life(state, me, life).if_unchanged(key.clone(), known).put(key, row::write(row))
}

fn replace_members(state: &SharedState, me: &NodeName, life: u64, row: &MembersRow) -> TxnRequest {
    let key = SharedKey::Members.to_bytes();
    let known = state.members.as_ref().map_or(0, |known| known.revision);
    of_life(state, me, life).if_unchanged(key.clone(), known).put(key, row::write(row))
}

fn of_life(state: &SharedState, me: &NodeName, life: u64) -> TxnRequest {
    guarded(state).if_unchanged(SharedKey::Node(me.clone()).to_bytes(), life)
}
