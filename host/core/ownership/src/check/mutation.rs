//! One broken rule each: what a reader of the rules could take them to say.

use super::bounds::{StoreRestore, WorldBounds, WorldStart};

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleMutation {
    // What requests compare.
    BeatWithoutLife,
    TakeWithoutLife,
    ReleaseWithoutToken,
    EvictWithoutBeat,
    EvictWithoutOwnLife,
    RegisterWithoutLife,
    PinWithoutChain,
    HandEvictsByLife,
    // When a deadline begins, and how long it lasts.
    DeadlineFromAnswer,
    NoPatience,
    FastClock,
    // What counts as one's own.
    ReadSuffices,
    ReleaseResumes,
    UnconfirmedExtends,
    LateAnswerCounts,
    /// The end of a life leaves its tokens.
    KeepsTokens,
    // Promises.
    PromiseForgotten,
    PromiseWhileEvicting,
    AsksOnlySome,
    // Pins.
    UnlimitedBeforePin,
    PinExpires,
    UnpinsFirst,
    // Generations.
    NoQuarantine,
    RestoreKeepsGeneration,
}

impl RuleMutation {
    /// Each one, and a small world in which it must be found.
    pub(super) fn all() -> Vec<(RuleMutation, WorldBounds)> {
        let core = WorldBounds::core();
        let calm = WorldBounds { crashes: 0, reboots: 0, messages: 2, releases: false, quick_peers: true, ..core };
        let release = WorldBounds { releases: true, ..calm };
        let crash = WorldBounds { crashes: 1, ..release };
        let reboot = WorldBounds { reboots: 1, ..calm };
        let failsafe = WorldBounds { failsafe: true, ..calm };
        let pins = WorldBounds { pins: 1, ..calm };
        let away = WorldBounds { start: WorldStart::PinnedAway, ..calm };
        let evict = WorldBounds { start: WorldStart::EvictUnderWay, ..failsafe };
        let restore = WorldBounds { restore: StoreRestore::NewGeneration, ..calm };
        let older = WorldBounds { restore: StoreRestore::SameGeneration, start: WorldStart::CopyBeforeTake, ..calm };
        vec![
            (Self::BeatWithoutLife, calm),
            (Self::TakeWithoutLife, calm),
            (Self::ReleaseWithoutToken, release),
            (Self::EvictWithoutBeat, calm),
            (Self::EvictWithoutOwnLife, WorldBounds { reboots: 1, ..evict }),
            (Self::RegisterWithoutLife, reboot),
            (Self::PinWithoutChain, WorldBounds { start: WorldStart::AbandonedBeat, ..pins }),
            (Self::HandEvictsByLife, WorldBounds { hands: 1, ..away }),
            (Self::DeadlineFromAnswer, calm),
            (Self::NoPatience, calm),
            (Self::FastClock, calm),
            (Self::ReadSuffices, crash),
            (Self::ReleaseResumes, release),
            (Self::UnconfirmedExtends, WorldBounds { messages: 1, start: WorldStart::CopyBeforeTake, ..restore }),
            (Self::LateAnswerCounts, WorldBounds { start: WorldStart::OldAnswer, ..calm }),
            (Self::KeepsTokens, WorldBounds { messages: 1, ..calm }),
            (Self::PromiseForgotten, WorldBounds { crashes: 1, ..failsafe }),
            (Self::PromiseWhileEvicting, evict),
            (Self::AsksOnlySome, failsafe),
            (Self::UnlimitedBeforePin, pins),
            (Self::PinExpires, pins),
            (Self::UnpinsFirst, away),
            (Self::NoQuarantine, restore),
            (Self::RestoreKeepsGeneration, older),
        ]
    }
}
