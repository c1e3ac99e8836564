//! The daemon's own actions on an object: whether it starts or moves it, and which nodes it prefers.

use std::str::FromStr;

/// The actions that the daemon takes on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrchestrateMode {
    /// Nothing.
    No,
    /// Starts the object when its first node boots.
    Start,
    /// Starts it, and moves it when its node fails.
    Ha,
}

/// A word that is not a value of `orchestrate`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected no, start or ha")]
pub struct InvalidOrchestrateMode;

impl FromStr for OrchestrateMode {
    type Err = InvalidOrchestrateMode;

    fn from_str(s: &str) -> Result<OrchestrateMode, InvalidOrchestrateMode> {
        match s {
            "no" => Ok(OrchestrateMode::No),
            "start" => Ok(OrchestrateMode::Start),
            "ha" => Ok(OrchestrateMode::Ha),
            _ => Err(InvalidOrchestrateMode),
        }
    }
}

/// How the daemon ranks the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlacementPolicy {
    /// As `nodes` lists them.
    NodesOrder,
    /// By their score.
    Score,
    /// By their load average.
    LoadAvg,
    /// Objects spread evenly.
    Spread,
    /// Each object begins one node further.
    Shift,
    /// Where the object was started last.
    LastStart,
    /// Not at all: the daemon starts the object nowhere by itself.
    None,
}

/// A text that is not a value of `placement`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected nodes order, score, load avg, spread, shift, last start or none")]
pub struct InvalidPlacementPolicy;

impl FromStr for PlacementPolicy {
    type Err = InvalidPlacementPolicy;

    fn from_str(s: &str) -> Result<PlacementPolicy, InvalidPlacementPolicy> {
        match s {
            "nodes order" => Ok(PlacementPolicy::NodesOrder),
            "score" => Ok(PlacementPolicy::Score),
            "load avg" => Ok(PlacementPolicy::LoadAvg),
            "spread" => Ok(PlacementPolicy::Spread),
            "shift" => Ok(PlacementPolicy::Shift),
            "last start" => Ok(PlacementPolicy::LastStart),
            "none" => Ok(PlacementPolicy::None),
            _ => Err(InvalidPlacementPolicy),
        }
    }
}
