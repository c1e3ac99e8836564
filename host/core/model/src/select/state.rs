//! `--status up,warn`: objects by state.

use std::str::FromStr;

use crate::status::{InvalidState, State, StateSet};

/// The states that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateFilter(StateSet);

impl StateFilter {
    /// Whether that state is wanted.
    pub fn accepts(self, state: State) -> bool {
        self.0.contains(state)
    }
}

impl FromStr for StateFilter {
    type Err = InvalidState;

    fn from_str(s: &str) -> Result<StateFilter, InvalidState> {
        s.split(',').map(|word| word.trim().parse()).collect::<Result<StateSet, _>>().map(StateFilter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_list_of_states() {
        let filter: StateFilter = "up,warn".parse().unwrap();
        assert!(filter.accepts(State::Up) && filter.accepts(State::Warn) && !filter.accepts(State::Down));
        assert!("stdby up, n/a".parse::<StateFilter>().unwrap().accepts(State::StdbyUp));
        assert!("stdby-down".parse::<StateFilter>().unwrap().accepts(State::StdbyDown));
        for bad in ["", "up,", "upp", "warning"] {
            assert!(bad.parse::<StateFilter>().is_err(), "{bad}");
        }
    }
}
