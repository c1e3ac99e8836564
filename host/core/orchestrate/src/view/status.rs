//! The status of an instance, with the action that it was taken after.

use std::collections::BTreeMap;

use model::Rid;
use model::status::{Provisioned, State, StatusInput, StatusSums};

use crate::{ActionSequence, BootTime, ObjectRules, ResourceRules};

/// The status of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusView {
    /// The last action that had begun when it was taken. It says nothing of what a later action did.
    pub after: ActionSequence,
    pub sums: StatusSums,
    /// Whether something that runs the service did not answer, so that nothing proves that it is down.
    pub unproven: bool,
    /// What the node itself knows of its resources. Other nodes publish the sums alone.
    pub resources: BTreeMap<Rid, ResourceView>,
}

/// The status of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceView {
    /// What the last probe that answered said.
    pub state: State,
    /// How many probes in a row have not answered since.
    pub silent: u32,
    /// Since when the state is this one.
    pub since: BootTime,
    pub provisioned: Provisioned,
}

impl StatusView {
    /// The status of these resources.
    pub fn of(rules: &ObjectRules, after: ActionSequence, resources: BTreeMap<Rid, ResourceView>) -> StatusView {
        let known = resources.iter().filter_map(|(rid, view)| Some((rid, view, rules.resources.get(rid)?)));
        let inputs: Vec<StatusInput> = known.map(|(rid, view, rules)| view.input(rid, rules)).collect();
        let silent = |(rid, view): (&Rid, &ResourceView)| {
            view.silent > 0 && rules.resources.get(rid).is_some_and(|rules| !rules.standby && !rules.disable)
        };
        StatusView { after, sums: StatusSums::of(&inputs), unproven: resources.iter().any(silent), resources }
    }

    /// Whether it is proven that nothing of the instance runs, but for what is standby.
    pub fn is_down(&self) -> bool {
        !self.unproven && self.reads_down()
    }

    /// The avail state, if it is known.
    pub fn avail(&self) -> Option<State> {
        let known = self.sums.avail != State::Undef && !(self.unproven && self.reads_down());
        known.then_some(self.sums.avail)
    }

    fn reads_down(&self) -> bool {
        matches!(self.sums.avail, State::Down | State::StdbyUp | State::StdbyDown | State::Na)
    }
}

impl ResourceView {
    /// The state, as far as it is known. A probe that does not answer says nothing, until it has been silent for too long: then
    /// something is wrong, and still nothing proves that the resource is down.
    pub fn state(&self, rules: &ResourceRules) -> State {
        let state = match self.silent {
            0 => self.state,
            silent if silent < rules.silent_probes => return State::Undef,
            _ => return State::Warn,
        };
        if rules.standby { state.standby() } else { state }
    }

    fn input(&self, rid: &Rid, rules: &ResourceRules) -> StatusInput {
        StatusInput {
            group: rid.group(),
            state: if rules.disable { State::Na } else { self.state(rules) },
            provisioned: self.provisioned,
            optional: rules.optional,
            disabled: rules.disable,
            complains: false,
            faulty: self.silent > 0,
        }
    }
}
