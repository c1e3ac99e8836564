//! From the statuses of an instance's resources to the status of the instance.

use super::{Provisioned, ProvisionedSet, State, StateSet};
use crate::Group;

/// The part of a resource's status that counts for its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusInput {
    /// Its driver group.
    pub group: Group,
    /// Its state, standby taken into account.
    pub state: State,
    /// Whether it is provisioned.
    pub provisioned: Provisioned,
    /// Whether its state is of no weight for availability.
    pub optional: bool,
    /// Whether it is left alone.
    pub disabled: bool,
    /// Whether its log holds a warning or an error.
    pub complains: bool,
    /// Whether its state is unknown because of a fault: a trap, a deadline, a missing driver.
    pub faulty: bool,
}

/// The status of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSums {
    /// The sum of the resources that make the service available.
    pub avail: State,
    /// The sum of all resources and their logs.
    pub overall: State,
    /// The sum of the accessory resources: the optional ones, copies and tasks.
    pub optional: State,
    /// Whether the resources are provisioned.
    pub provisioned: Provisioned,
}

impl StatusSums {
    /// Adds up the resources. Disabled ones do not count.
    pub fn of<'a>(resources: impl IntoIterator<Item = &'a StatusInput>) -> StatusSums {
        let (mut avail, mut optional) = (StateSet::default(), StateSet::default());
        let mut faults = StateSet::default();
        let mut provisioned = ProvisionedSet::default();
        for resource in resources.into_iter().filter(|resource| !resource.disabled) {
            if resource.is_accessory() { &mut optional } else { &mut avail }.insert(resource.state);
            // A complaint changes the overall state alone: the service is available all the same.
            if resource.complains || resource.faulty {
                faults.insert(State::Warn);
            }
            provisioned.insert(resource.provisioned);
        }
        StatusSums {
            avail: avail.aggregate(),
            // The union of the sets, not a sum of the sums above: see `aggregate`.
            overall: avail.union(optional).union(faults).aggregate(),
            optional: optional.aggregate(),
            provisioned: provisioned.aggregate(),
        }
    }

    /// The same of an instance that also holds something that is none of these resources': it is not down.
    #[must_use]
    pub fn beside_orphans(self) -> StatusSums {
        let avail = if self.avail == State::Up { State::Up } else { State::Warn };
        StatusSums { avail, overall: State::Warn, ..self }
    }
}

impl StatusInput {
    /// Whether the service is available without it.
    fn is_accessory(&self) -> bool {
        // Even with `optional = false`: copies and tasks never decide whether the service is available.
        self.optional || matches!(self.group, Group::Sync | Group::Task | Group::Fence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: Group, state: State) -> StatusInput {
        StatusInput {
            group,
            state,
            provisioned: Provisioned::True,
            optional: false,
            disabled: false,
            complains: false,
            faulty: false,
        }
    }

    fn check(resources: &[StatusInput], avail: State, overall: State) {
        let status = StatusSums::of(resources);
        assert_eq!((status.avail, status.overall), (avail, overall), "{resources:?}");
    }

    #[test]
    fn copies_tasks_and_optional_resources_weigh_on_overall_alone() {
        let fs = resource(Group::Fs, State::Up);
        check(&[fs], State::Up, State::Up);
        check(&[fs, resource(Group::Sync, State::Down)], State::Up, State::Warn);
        check(&[fs, resource(Group::Task, State::Warn)], State::Up, State::Warn);
        check(&[fs, StatusInput { optional: true, ..resource(Group::Ip, State::Down) }], State::Up, State::Warn);
        check(&[fs, resource(Group::Ip, State::Down)], State::Warn, State::Warn);
    }

    #[test]
    fn complaints_and_faults_make_overall_warn() {
        let fs = resource(Group::Fs, State::Up);
        check(&[StatusInput { complains: true, ..fs }], State::Up, State::Warn);
        let trapped = StatusInput { faulty: true, ..resource(Group::Ip, State::Undef) };
        check(&[fs, trapped], State::Up, State::Warn);
        check(&[fs, resource(Group::Ip, State::Undef)], State::Up, State::Up);
    }

    #[test]
    fn an_instance_that_holds_more_than_its_resources_is_not_down() {
        for (state, avail) in [(State::Up, State::Up), (State::Down, State::Warn), (State::StdbyUp, State::Warn)] {
            let sums = StatusSums::of(&[resource(Group::Fs, state)]).beside_orphans();
            assert_eq!((sums.avail, sums.overall), (avail, State::Warn), "{state}");
        }
        assert_eq!(StatusSums::of(&[]).beside_orphans().avail, State::Warn);
    }

    #[test]
    fn disabled_resources_count_for_nothing() {
        let fs = resource(Group::Fs, State::Up);
        let disabled = StatusInput {
            disabled: true,
            complains: true,
            provisioned: Provisioned::False,
            ..resource(Group::Ip, State::Down)
        };
        check(&[fs, disabled], State::Up, State::Up);
        assert_eq!(StatusSums::of(&[fs, disabled]).provisioned, Provisioned::True);
        check(&[disabled], State::Na, State::Na);
        check(&[], State::Na, State::Na);
    }

    #[test]
    fn half_provisioned_is_mixed() {
        let (fs, ip) = (resource(Group::Fs, State::Up), resource(Group::Ip, State::Up));
        let status = StatusSums::of(&[fs, StatusInput { provisioned: Provisioned::False, ..ip }]);
        assert_eq!(status.provisioned, Provisioned::Mixed);
    }
}
