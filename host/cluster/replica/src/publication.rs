//! What a node says to the others, as transactions. Each compares the life of the node that says it and the row that it replaces,
//! so what an earlier life said, or this one said earlier, never comes after.

use model::{NodeName, ObjectPath};
use store::TxnRequest;

use crate::SharedKey;
use crate::request::guarded;
use crate::row::{self, InfoRow, InstanceRow};
use crate::shared::SharedState;

/// What this node says of itself. None: it has said so already.
pub fn publish_info(state: &SharedState, me: &NodeName, info: &InfoRow) -> Option<TxnRequest> {
    let known = state.infos.get(me);
    if known.is_some_and(|known| known.value == *info) {
        return None;
    }
    let key = SharedKey::NodeInfo(me.clone()).to_bytes();
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

fn of_life(state: &SharedState, me: &NodeName, life: u64) -> TxnRequest {
    guarded(state).if_unchanged(SharedKey::Node(me.clone()).to_bytes(), life)
}
