//! How large a world is, and how it begins.

use super::mutation::RuleMutation;

/// What may happen in a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorldBounds {
    pub(super) nodes: usize,
    /// For how many ticks a deadline lasts, and an observer waits.
    pub(super) ticks: u64,
    /// How many requests may be under way.
    pub(super) messages: usize,
    pub(super) crashes: u8,
    pub(super) reboots: u8,
    pub(super) failsafe: bool,
    /// Whether services are stopped by choice and slots given up.
    pub(super) releases: bool,
    /// Whether requests of the other nodes are applied and answered at once, which leaves more room for those of the first.
    pub(super) quick_peers: bool,
    pub(super) pins: u8,
    /// How often an operator evicts a pinned node.
    pub(super) hands: u8,
    pub(super) restore: StoreRestore,
    pub(super) start: WorldStart,
    pub(super) mutation: Option<RuleMutation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreRestore {
    Never,
    /// With a new generation, as Hostler restores.
    NewGeneration,
    /// As another tool does: no rule protects from that, so it stands among the mutations.
    SameGeneration,
}

/// How a world begins: the first node has the slot and runs it, and the others have just seen its beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorldStart {
    Running,
    /// Its daemon is away, and its beat is pinned.
    PinnedAway,
    /// A copy of the store from before the take exists.
    CopyBeforeTake,
    /// A beat was given up, and may be applied at any time.
    AbandonedBeat,
    /// The first node was silent until its deadline, has asked for a promise before, and its eviction is under way.
    EvictUnderWay,
    /// The first node was evicted and has registered again, and the answer to a take of its former life is still to come.
    OldAnswer,
}

impl WorldBounds {
    pub(super) fn core() -> Self {
        Self {
            nodes: 2,
            ticks: 2,
            messages: 3,
            crashes: 1,
            reboots: 1,
            failsafe: false,
            releases: true,
            quick_peers: false,
            pins: 0,
            hands: 0,
            restore: StoreRestore::Never,
            start: WorldStart::Running,
            mutation: None,
        }
    }

    /// The worlds in which the rules must hold.
    pub(super) fn all() -> Vec<(&'static str, WorldBounds)> {
        let core = Self::core();
        let quick = Self { quick_peers: true, ..core };
        let calm = Self { crashes: 0, reboots: 0, ..core };
        let restore = Self { restore: StoreRestore::NewGeneration, messages: 2, ..calm };
        vec![
            ("core", core),
            ("failsafe", Self { failsafe: true, messages: 2, ..core }),
            ("three", Self { nodes: 3, failsafe: true, messages: 2, reboots: 0, releases: false, ..core }),
            ("pins", Self { pins: 1, hands: 1, reboots: 0, ..quick }),
            ("away", Self { start: WorldStart::PinnedAway, pins: 2, hands: 1, reboots: 0, ..quick }),
            ("late", Self { start: WorldStart::AbandonedBeat, pins: 1, reboots: 0, ..quick }),
            ("return", Self { start: WorldStart::OldAnswer, reboots: 0, ..quick }),
            ("evict", Self { start: WorldStart::EvictUnderWay, failsafe: true, ..quick }),
            ("restore", restore),
            ("older", Self { start: WorldStart::CopyBeforeTake, failsafe: true, ..restore }),
        ]
    }
}
