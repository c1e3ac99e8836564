//! How many instances of an object may be up at once.

/// How many instances of an object shall be up at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topology {
    /// One.
    Failover,
    /// Several, within bounds.
    Flex {
        /// At least so many (`flex_min`).
        min: u32,
        /// At most so many. None: any number (`flex_max = 0`).
        max: Option<u32>,
        /// So many are wanted (`flex_target`).
        target: u32,
    },
}

impl Topology {
    /// Whether that many instances, at least one, are as wanted.
    pub fn allows(self, up: u32) -> bool {
        match self {
            Topology::Failover => up == 1,
            Topology::Flex { min, max, .. } => up >= min && max.is_none_or(|max| up <= max),
        }
    }
}
