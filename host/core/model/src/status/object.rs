//! From the statuses of an object's instances to the status of the object.

use crate::object::Topology;

use super::{Provisioned, ProvisionedSet, State, StateSet};

/// The avail state of an object, from those of its instances.
pub fn object_avail(topology: Topology, instances: impl IntoIterator<Item = State>) -> State {
    let mut seen = StateSet::default();
    let mut up = 0;
    for avail in instances {
        seen.insert(avail);
        up += u32::from(avail == State::Up);
    }
    // Instances do not add up as resources do: up on one node and down on the others is as it should be. So the sum
    // only tells whether anything is known.
    match seen.aggregate() {
        nothing_known @ (State::Na | State::Undef) => nothing_known,
        _ if seen.contains(State::Warn) => State::Warn,
        // A standby that is up on another node is not an instance that is up.
        _ if up == 0 => State::Down,
        _ if topology.allows(up) => State::Up,
        _ => State::Warn,
    }
}

/// The overall state of an object: warn if any instance warns, else its avail state.
pub fn object_overall(avail: State, instances: impl IntoIterator<Item = State>) -> State {
    if instances.into_iter().any(|overall| overall == State::Warn) { State::Warn } else { avail }
}

/// Whether the object is provisioned on all of its nodes.
pub fn object_provisioned(instances: impl IntoIterator<Item = Provisioned>) -> Provisioned {
    instances.into_iter().collect::<ProvisionedSet>().aggregate()
}

#[cfg(test)]
mod tests {
    use super::State::{Down, Na, StdbyUp, Undef, Up, Warn};
    use super::*;

    #[test]
    fn a_failover_object_is_up_once() {
        let check = |instances: &[State], expected| {
            assert_eq!(object_avail(Topology::Failover, instances.iter().copied()), expected, "{instances:?}");
        };
        check(&[], Na);
        check(&[Na, Na], Na);
        check(&[Undef], Undef);
        check(&[Down, Down], Down);
        check(&[Down, StdbyUp], Down);
        check(&[Up, Down], Up);
        check(&[Up, StdbyUp], Up);
        check(&[Up, Na], Up);
        check(&[Up, Up], Warn);
        check(&[Up, Warn], Warn);
        check(&[Down, Warn], Warn);
    }

    #[test]
    fn a_flex_object_is_up_within_its_bounds() {
        let check = |min, max, up: usize, expected| {
            let instances = std::iter::repeat_n(Up, up).chain([Down]);
            assert_eq!(
                object_avail(Topology::Flex { min, max, target: min }, instances),
                expected,
                "{up} in {min}..{max:?}"
            );
        };
        check(2, Some(3), 0, Down);
        check(2, Some(3), 1, Warn);
        check(2, Some(3), 2, Up);
        check(2, Some(3), 3, Up);
        check(2, Some(3), 4, Warn);
        check(1, None, 90, Up);
        check(0, None, 0, Down);
    }

    #[test]
    fn overall_warns_where_any_instance_does() {
        assert_eq!(object_overall(Up, [Up, Warn]), Warn);
        assert_eq!(object_overall(Up, [Up, Down]), Up);
        assert_eq!(object_provisioned([Provisioned::True, Provisioned::False]), Provisioned::Mixed);
    }
}
