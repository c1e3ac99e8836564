//! Makes the plan of an action: looks at the instance, selects the resources, asks the planner.

use std::collections::BTreeSet;

use model::{DriverName, Verb};
use plan::Plan;

use super::{ActError, ActionRequest, view};
use crate::instance::{ActionSession, Instance, InstanceLook};
use crate::status::{self, OrphanHolding};

/// The plan of an action as of now, and what the instance holds besides its resources.
pub(super) async fn make_plan(
    instance: &Instance<'_>,
    session: &ActionSession,
    request: &ActionRequest,
) -> Result<(Plan, Vec<OrphanHolding>), ActError> {
    let object = instance.object;
    let selected = match request.filter.is_empty() {
        true => None,
        false => {
            let selected = request.filter.select(&object.resources)?;
            Some(selected.into_iter().map(|resource| resource.rid.clone()).collect::<BTreeSet<_>>())
        }
    };
    // Selected before anything is looked at: a selection that is empty costs no look.
    let InstanceLook { resources: seen, orphans } = instance.look(session).await;
    let wanted = plan::PlanRequest {
        action: request.action,
        selected,
        to: request.to.clone(),
        force: request.force,
        disable_rollback: request.disable_rollback,
        copy: request.copying.clone(),
        destination: request.destination.clone(),
        follows: request.follows,
    };
    let avail = status::sums(&seen, &orphans).avail;
    let migrates = |driver: &DriverName| instance.driver(driver).manifest().verbs.contains(&Verb::Migrate);
    let plan = plan::plan(&view::instance(object, &seen, avail, migrates), &wanted)?;
    match &request.if_plan {
        // The plan that the caller saw is no longer the plan: its situation has changed meanwhile.
        Some(digest) if !plan.digest.matches(digest) => {
            Err(ActError::Moved { now: plan.digest.to_string(), wanted: digest.clone() })
        }
        _ => Ok((plan, orphans)),
    }
}
