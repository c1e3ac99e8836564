//! One word of a `<verb>_requires`, such as `fs#1(up,stdby up)`: another resource, and the states in which it is good enough.

use std::collections::BTreeSet;

use crate::Rid;
use crate::status::State;

/// A condition that a verb of one resource sets on another resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The other resource.
    pub rid: Rid,
    /// The states that are good enough.
    pub states: BTreeSet<State>,
}

impl Requirement {
    /// The requirement that names no states: the other resource is up, or stdby up.
    pub fn up(rid: Rid) -> Requirement {
        Requirement { rid, states: BTreeSet::from([State::Up, State::StdbyUp]) }
    }

    /// Whether a resource in this state is good enough.
    pub fn accepts(&self, state: State) -> bool {
        self.states.contains(&state)
    }

    /// The states that are good enough.
    pub fn accepted(&self) -> Vec<State> {
        self.states.iter().copied().collect()
    }
}
