//! All that the store holds, at one revision, as this node has read it.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use store::{KeyEntry, KeyEvent, KeyListing, RevisionChange};

use crate::SharedKey;
use crate::row::{
    self, BeatRow, ConfigRow, FenceRow, FlagsRow, GenerationRow, InfoRow, InstanceRow, InvalidRow, MembersRow, NodeRow,
    ObjectRow, PeerRow, SlotRow,
};

/// All that the store holds, at one revision.
#[derive(Debug, Clone, Default)]
pub struct SharedState {
    pub revision: u64,
    /// The life of the store, and the revision that wrote it.
    pub generation: Option<SharedRow<GenerationRow>>,
    pub nodes: BTreeMap<NodeName, SharedNode>,
    pub beats: BTreeMap<NodeName, SharedRow<BeatRow>>,
    pub flags: BTreeMap<NodeName, SharedRow<FlagsRow>>,
    pub infos: BTreeMap<NodeName, SharedRow<InfoRow>>,
    pub peers: BTreeMap<NodeName, SharedRow<PeerRow>>,
    pub fences: BTreeMap<NodeName, SharedRow<FenceRow>>,
    pub members: Option<SharedRow<MembersRow>>,
    pub objects: BTreeMap<ObjectPath, SharedObject>,
}

/// A value, and the revision that last changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRow<T> {
    pub revision: u64,
    pub value: T,
}

/// A node.
pub type SharedNode = SharedRow<NodeRow>;
/// A slot.
pub type SharedSlot = SharedRow<SlotRow>;

/// An object.
#[derive(Debug, Clone, Default)]
pub struct SharedObject {
    /// None: only slots of it are known, which a deletion leaves for no longer than a moment.
    pub row: Option<SharedRow<ObjectRow>>,
    /// The text of its configuration. None on a node alone, which has the file.
    pub config: Option<SharedRow<ConfigRow>>,
    pub slots: BTreeMap<usize, SharedSlot>,
    /// What each node says of its instance.
    pub instances: BTreeMap<NodeName, SharedRow<InstanceRow>>,
}

impl SharedState {
    /// The state of a whole listing.
    pub fn of(listing: &KeyListing) -> Result<SharedState, InvalidRow> {
        let mut state = SharedState { revision: listing.revision, ..SharedState::default() };
        listing.entries.iter().try_for_each(|entry| state.put(entry))?;
        Ok(state)
    }

    /// Follows a change, and says which objects and nodes it concerns.
    pub fn apply(&mut self, change: &RevisionChange) -> Result<Vec<SharedKey>, InvalidRow> {
        let mut concerned = Vec::new();
        for event in change.events.iter() {
            match event {
                KeyEvent::Put(entry) => self.put(entry)?,
                KeyEvent::Delete { key } => self.delete(key),
            }
            concerned.extend(SharedKey::parse(event.key()));
        }
        self.revision = change.revision;
        Ok(concerned)
    }

    fn put(&mut self, entry: &KeyEntry) -> Result<(), InvalidRow> {
        let revision = entry.mod_revision;
        match SharedKey::parse(&entry.key) {
            Some(SharedKey::Generation) => {
                let value = GenerationRow::read(&entry.key, &entry.value)?;
                self.generation = Some(SharedRow { revision, value });
            }
            Some(SharedKey::Node(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.nodes.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::Beat(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.beats.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::NodeFlags(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.flags.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::NodeInfo(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.infos.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::Peer(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.peers.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::Fence(node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.fences.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::Members) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.members = Some(SharedRow { revision, value });
            }
            Some(SharedKey::Object(path)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.objects.entry(path).or_default().row = Some(SharedRow { revision, value });
            }
            Some(SharedKey::Config(path)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.objects.entry(path).or_default().config = Some(SharedRow { revision, value });
            }
            Some(SharedKey::Instance(path, node)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.objects.entry(path).or_default().instances.insert(node, SharedRow { revision, value });
            }
            Some(SharedKey::Slot(path, index)) => {
                let value = row::read(&entry.key, &entry.value)?;
                self.objects.entry(path).or_default().slots.insert(index, SharedRow { revision, value });
            }
            // Another version's.
            None => {}
        }
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) {
        match SharedKey::parse(key) {
            Some(SharedKey::Generation) => self.generation = None,
            Some(SharedKey::Node(node)) => {
                self.nodes.remove(&node);
            }
            Some(SharedKey::Beat(node)) => {
                self.beats.remove(&node);
            }
            Some(SharedKey::NodeFlags(node)) => {
                self.flags.remove(&node);
            }
            Some(SharedKey::NodeInfo(node)) => {
                self.infos.remove(&node);
            }
            Some(SharedKey::Peer(node)) => {
                self.peers.remove(&node);
            }
            Some(SharedKey::Fence(node)) => {
                self.fences.remove(&node);
            }
            Some(SharedKey::Members) => self.members = None,
            Some(SharedKey::Object(path)) => self.forget(path, |object| object.row = None),
            Some(SharedKey::Config(path)) => self.forget(path, |object| object.config = None),
            Some(SharedKey::Instance(path, node)) => self.forget(path, |object| {
                object.instances.remove(&node);
            }),
            Some(SharedKey::Slot(path, index)) => self.forget(path, |object| {
                object.slots.remove(&index);
            }),
            None => {}
        }
    }

    /// The revision of a node's registration, while its life lasts.
    pub fn life(&self, node: &NodeName) -> Option<u64> {
        self.nodes.get(node).filter(|row| !row.value.evicted).map(|row| row.revision)
    }

    /// What a node says of itself in its present life.
    pub fn info(&self, node: &NodeName) -> Option<&InfoRow> {
        let info = self.infos.get(node)?;
        // What it said before it was evicted or booted says nothing of what it is now.
        (self.life(node) == Some(info.value.life)).then_some(&info.value)
    }

    /// The fence of a node's present life, or of the one that ended last: whether it goes on, and if not, why it has proven nothing.
    pub fn fence_of(&self, node: &NodeName) -> Option<&FenceRow> {
        let (registration, fence) = (self.nodes.get(node)?, &self.fences.get(node)?.value);
        let is_ended = registration.value.evicted && registration.value.ended == fence.life;
        if fence.life != registration.revision && !is_ended {
            return None;
        }
        // One that goes on is known by the life of the node that does it.
        let by = fence.by.parse().ok().and_then(|by: NodeName| self.life(&by));
        (fence.failed.is_some() || by == Some(fence.by_life)).then_some(fence)
    }

    /// Whether it was proven from outside that a node has ended.
    pub fn is_fenced(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|row| row.value.evicted && row.value.fenced)
    }

    /// Whether a node is frozen.
    pub fn is_frozen(&self, node: &NodeName) -> bool {
        self.flags.get(node).is_some_and(|flags| flags.value.frozen)
    }

    /// Until when a node is drained at the latest, in seconds since 1970. None: it is not.
    pub fn drain_of(&self, node: &NodeName) -> Option<u64> {
        self.flags.get(node).and_then(|flags| flags.value.drain)
    }

    fn forget(&mut self, path: ObjectPath, change: impl FnOnce(&mut SharedObject)) {
        let Some(object) = self.objects.get_mut(&path) else { return };
        change(object);
        // The deletions of one transaction come in any order: the object goes with its last row.
        let is_empty = object.slots.is_empty() && object.instances.is_empty() && object.config.is_none();
        if object.row.is_none() && is_empty {
            self.objects.remove(&path);
        }
    }
}
