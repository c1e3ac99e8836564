//! Whatever starts an instance waits for its parents, and whatever stops one for its children.

use model::status::{State, object_avail};
use orchestrate::{ActionScope, InstanceAction, ObjectRelative};

use super::{BeginCase, Checks};

impl Checks {
    pub(super) fn family(&mut self, case: BeginCase<'_>) {
        let Some(rules) = case.view.objects()[case.path].rules.as_ref() else { return };
        if case.step.action != InstanceAction::Start || case.step.scope != ActionScope::Whole {
            return;
        }
        let down = |parent: &&ObjectRelative| !matches!(avail(&case, parent), Some(State::Up | State::Na));
        if rules.parents.iter().any(|parent| down(&parent)) {
            self.violate("family", case.describe());
        }
    }
}

fn avail(case: &BeginCase<'_>, parent: &ObjectRelative) -> Option<State> {
    let object = case.view.objects().get(&parent.path)?;
    let alive = object.instances.iter().filter(|(node, _)| {
        case.view.nodes().get(*node).is_some_and(|node| node.incarnation.is_some() && !node.evicted)
    });
    let states = alive.filter_map(|(_, instance)| Some(instance.status.as_ref()?.sums.avail));
    Some(object_avail(object.rules.as_ref()?.topology, states))
}
