//! A provision on a node that does not lead: the leader has provisioned what both have, and started the service. Here only what is this
//! node's own is provisioned, and nothing is left up: the service runs elsewhere.

use model::Group;
use model::status::Provisioned;

use super::select::Direction;
use crate::{PlanRequest, ResourceFacts, SkipReason, WorkOrder};

/// Why nothing is done with a resource, if so.
pub(super) fn skip_reason(request: &PlanRequest, direction: Direction, resource: &ResourceFacts) -> Option<SkipReason> {
    if !request.follows {
        return None;
    }
    if resource.shared {
        return Some(SkipReason::Led);
    }
    let is_settled = !resource.provision || matches!(resource.provisioned, Provisioned::True | Provisioned::Na);
    // What was up before stays up.
    let stays = direction == Direction::Down && (!carries_others(resource) || resource.state.is_up());
    (is_settled || stays).then_some(SkipReason::Settled)
}

/// What is done with one that is this node's own. What carries others is up while they are provisioned.
pub(super) fn orders(direction: Direction, resource: &ResourceFacts) -> Vec<WorkOrder> {
    match direction {
        Direction::Down => vec![WorkOrder::Stop],
        Direction::Up if carries_others(resource) => vec![WorkOrder::Provision, WorkOrder::Start],
        Direction::Up => vec![WorkOrder::Provision],
    }
}

/// Whether others may have to be provisioned on it. An address or a program is the service itself, which runs elsewhere.
fn carries_others(resource: &ResourceFacts) -> bool {
    matches!(resource.rid.group(), Group::Disk | Group::Fs)
}
