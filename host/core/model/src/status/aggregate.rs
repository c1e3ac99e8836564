//! Sets of states and what each set adds up to.
//!
//! The sum of two groups is the sum of the union of their sets, never the sum of their sums: those differ, as for
//! {down, stdby up} and {up}.

use super::{Provisioned, State};

/// The states that were seen, however often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateSet(u8);

impl StateSet {
    /// Adds a state.
    pub fn insert(&mut self, state: State) {
        // A bit per state: a set is a byte, and a union is an or.
        self.0 |= 1 << state as u8;
    }

    /// Whether the state was seen.
    pub fn contains(self, state: State) -> bool {
        self.0 & (1 << state as u8) != 0
    }

    /// The states of either set.
    #[must_use]
    pub fn union(self, other: StateSet) -> StateSet {
        StateSet(self.0 | other.0)
    }

    /// The sum of the states. `undef` and `n/a` do not count beside others. The sum of no state is `n/a`.
    pub fn aggregate(self) -> State {
        let has = |state| self.contains(state);
        let standbys = (has(State::StdbyUp), has(State::StdbyDown));
        // Up beside down, or beside a standby that is down, is up in part only. A standby that is down beside nothing that is
        // up is as it should be after a stop.
        match (has(State::Up), has(State::Down), standbys) {
            _ if has(State::Warn) => State::Warn,
            (true, true, _) | (true, _, (_, true)) => State::Warn,
            (true, false, _) => State::Up,
            (false, _, (true, true)) => State::Warn,
            (false, _, (true, false)) => State::StdbyUp,
            (false, _, (false, true)) => State::StdbyDown,
            (false, true, _) => State::Down,
            // Neither says whether the service is there, so they count only where nothing else is known. `n/a` is an
            // answer all the same, and `undef` is none.
            (false, false, _) if has(State::Na) => State::Na,
            (false, false, _) if has(State::Undef) => State::Undef,
            (false, false, _) => State::Na,
        }
    }
}

impl Extend<State> for StateSet {
    fn extend<I: IntoIterator<Item = State>>(&mut self, states: I) {
        states.into_iter().for_each(|state| self.insert(state));
    }
}

impl FromIterator<State> for StateSet {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> StateSet {
        let mut set = StateSet::default();
        set.extend(states);
        set
    }
}

/// The provisioned states that were seen, however often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProvisionedSet(u8);

impl ProvisionedSet {
    /// Adds one.
    pub fn insert(&mut self, provisioned: Provisioned) {
        self.0 |= 1 << provisioned as u8;
    }

    /// Whether it was seen.
    pub fn contains(self, provisioned: Provisioned) -> bool {
        self.0 & (1 << provisioned as u8) != 0
    }

    /// The sum. `n/a` does not count beside others, `undef` does not count beside what is known.
    pub fn aggregate(self) -> Provisioned {
        let has = |provisioned| self.contains(provisioned);
        match (has(Provisioned::True), has(Provisioned::False)) {
            (true, true) => Provisioned::Mixed,
            // One resource that exists in part is enough for the whole to be so.
            _ if has(Provisioned::Mixed) => Provisioned::Mixed,
            (true, false) => Provisioned::True,
            (false, true) => Provisioned::False,
            (false, false) if has(Provisioned::Undef) => Provisioned::Undef,
            (false, false) => Provisioned::Na,
        }
    }
}

impl FromIterator<Provisioned> for ProvisionedSet {
    fn from_iter<I: IntoIterator<Item = Provisioned>>(values: I) -> ProvisionedSet {
        let mut set = ProvisionedSet::default();
        values.into_iter().for_each(|value| set.insert(value));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Down, Na, StdbyDown, StdbyUp, Undef, Up, Warn};
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn sum(states: &[State]) -> State {
        states.iter().copied().collect::<StateSet>().aggregate()
    }

    /// OpenSVC's table of sums, which it folds pair by pair. It is associative except for `undef` and `n/a`.
    fn pairwise(a: State, b: State) -> State {
        match (a, b) {
            (Undef, x) | (x, Undef) | (Na, x) | (x, Na) => x,
            (Warn, _) | (_, Warn) => Warn,
            (x, y) if x == y => x,
            (Up, StdbyUp) | (StdbyUp, Up) => Up,
            (Down, StdbyUp) | (StdbyUp, Down) => StdbyUp,
            (Down, StdbyDown) | (StdbyDown, Down) => StdbyDown,
            _ => Warn,
        }
    }

    #[test]
    fn states_add_up_as_the_field_expects() {
        let check = |states: &[State], expected| assert_eq!(sum(states), expected, "{states:?}");
        check(&[], Na);
        check(&[Na], Na);
        check(&[Undef], Undef);
        check(&[Undef, Na], Na);
        check(&[Up, Undef], Up);
        check(&[Down, Na], Down);
        check(&[Up, Up], Up);
        check(&[Up, Down], Warn);
        check(&[Up, StdbyUp], Up);
        check(&[Up, StdbyDown], Warn);
        check(&[Down, StdbyUp], StdbyUp);
        check(&[Down, StdbyDown], StdbyDown);
        check(&[StdbyUp, StdbyDown], Warn);
        check(&[Down, StdbyUp, StdbyDown], Warn);
        check(&[Down, StdbyUp, Up], Warn);
        check(&[Warn, Undef], Warn);
        check(&[Down, Down], Down);
    }

    #[test]
    fn provisioned_states_add_up() {
        use Provisioned::{False, Mixed, Na as NotApplicable, True, Undef as Unknown};
        let check = |values: &[Provisioned], expected| {
            assert_eq!(values.iter().copied().collect::<ProvisionedSet>().aggregate(), expected, "{values:?}");
        };
        check(&[], NotApplicable);
        check(&[True, NotApplicable], True);
        check(&[True, False], Mixed);
        check(&[True, Mixed], Mixed);
        check(&[False, Unknown], False);
        check(&[Unknown, NotApplicable], Unknown);
    }

    proptest! {
        #[test]
        fn neither_order_nor_grouping_matters(
            (states, shuffled) in prop::collection::vec(select(State::ALL.to_vec()), 0..12)
                .prop_flat_map(|states| (Just(states.clone()), Just(states).prop_shuffle())),
            cut in any::<prop::sample::Index>(),
        ) {
            let (left, right) = shuffled.split_at(cut.index(shuffled.len() + 1));
            let left: StateSet = left.iter().copied().collect();
            let right: StateSet = right.iter().copied().collect();
            prop_assert_eq!(left.union(right).aggregate(), sum(&states));
        }

        #[test]
        fn two_states_add_up_as_in_the_table(a in select(State::ALL.to_vec()), b in select(State::ALL.to_vec())) {
            prop_assume!(![a, b].iter().all(|state| matches!(state, Undef | Na)));
            prop_assert_eq!(sum(&[a, b]), pairwise(a, b));
        }
    }
}
