//! What the daemon does with an object on its own: whether it starts or moves it, and which nodes it prefers.

/// What the daemon does on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrchestrateMode {
    /// Nothing.
    No,
    /// Starts the object when its first node boots.
    Start,
    /// Starts it, and moves it when its node fails.
    Ha,
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
}
