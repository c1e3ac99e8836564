//! Whether an action may begin: the object has an instance here, this node takes it, its drivers accept their keywords, and
//! there is room to write down what was done.

use config::NodeData;
use exec::UnreleasedResource;
use model::object::{Object, Resource};
use model::{NodeName, ObjectPath};
use plan::{Action, OnFailure, Plan};

use super::{ActError, ActionRequest, RequestOrigin};
use crate::agent::Agent;
use crate::file::durable;
use crate::instance::{Instance, RejectedKeyword};
use crate::node::PRD;
use crate::state::InstanceState;
use crate::status::{OrphanHolding, OrphanReason};

/// The object, if it has an instance on this node.
pub(super) fn here(object: &Object) -> Result<&Object, ActError> {
    let nodes = || object.nodes.iter().chain(&object.drpnodes);
    if nodes().any(|node| *node == object.node) {
        return Ok(object);
    }
    let nodes: Vec<String> = nodes().map(ToString::to_string).collect();
    Err(ActError::NotHere { object: object.path.clone(), node: object.node.to_string(), nodes: nodes.join(" ") })
}

/// The object, if this node admits the action: it always admits what takes an instance down.
pub(super) async fn admit<'o>(
    agent: &Agent,
    object: &'o Object,
    node: &NodeData,
    request: &ActionRequest,
) -> Result<&'o Object, ActError> {
    let takes_down = matches!(request.action, Action::Stop | Action::Shutdown | Action::Unprovision);
    // What was started here can be stopped here, also after this node was taken out of `nodes`.
    let object = if takes_down { here_or_held(agent, object).await? } else { here(object)? };
    if let Some(to) = &request.destination
        && !object.others().any(|other| other == to)
    {
        let others: Vec<&str> = object.others().map(NodeName::as_str).collect();
        let others = match others.is_empty() {
            true => "it has no other node (keyword nodes)".to_owned(),
            false => format!("its other nodes are {}", others.join(" ")),
        };
        return Err(ActError::NoDestination { object: object.path.clone(), to: to.clone(), others });
    }
    // A test that starts on a production node by mistake may take over production's addresses and disks.
    let is_prd = node.keywords.get("env").is_some_and(|env| env == PRD);
    if takes_down || !is_prd || object.env == PRD {
        return Ok(object);
    }
    let (env, node) = (object.env.clone(), object.node.to_string());
    Err(ActError::Environment { object: object.path.clone(), env, node })
}

/// Asks the drivers to check what would be provisioned before anything is, as most of it cannot be undone.
pub(super) async fn refuse_unaccepted(instance: &Instance<'_>, plan: &Plan) -> Result<(), ActError> {
    let planned = planned(plan, instance.object);
    let absent = instance.unresolved(&planned).await.into_iter();
    let absent = absent.map(|(rid, absent)| RejectedKeyword { rid, keyword: None, text: absent.to_string() });
    let refused: Vec<RejectedKeyword> = instance.refused(&planned).await.into_iter().chain(absent).collect();
    if refused.is_empty() { Ok(()) } else { Err(ActError::NotAccepted(refused)) }
}

/// Whether the configuration says so by now or not: an object that holds something on this node has an instance here.
pub(super) async fn here_or_held<'o>(agent: &Agent, object: &'o Object) -> Result<&'o Object, ActError> {
    match here(object) {
        Err(_) if !agent.held(&object.path).await.is_empty() => Ok(object),
        found => found,
    }
}

/// Refuses to start by hand what another node of the cluster may run: the slot must be this node's.
pub(super) fn refuse_without_slot(agent: &Agent, object: &Object, request: &ActionRequest) -> Result<(), ActError> {
    let starts = match request.action {
        Action::Start | Action::Restart => !request.force,
        // A provision ends with a start.
        Action::Provision => !request.force && !request.follows,
        _ => false,
    };
    // Its right to run is that of the service which uses it, and which was asked for its own slot.
    let starts = starts && request.origin != RequestOrigin::Service;
    // Without an engine that the nodes share, and for an object of this node alone, nothing could give a slot.
    let may_run_elsewhere = agent.node().shares_configurations && object.others().next().is_some();
    match starts && may_run_elsewhere && !agent.has_slot(&object.path) {
        true => Err(ActError::NoSlot { object: object.path.clone() }),
        false => Ok(()),
    }
}

/// Refuses to destroy data, or to start a thing a second time under another name, while something is held that no section of the
/// object can stop any more.
pub(super) fn refuse_orphans(
    object: &ObjectPath,
    request: &ActionRequest,
    orphans: &[OrphanHolding],
) -> Result<(), ActError> {
    let is_concerned = match request.action {
        Action::Start | Action::StartStandby | Action::Restart | Action::Provision | Action::Unprovision => {
            !request.force
        }
        _ => false,
    };
    // What is disabled is left alone: it forbids nothing to the others.
    let gone: Vec<OrphanHolding> = orphans.iter().filter(|held| held.reason == OrphanReason::Gone).cloned().collect();
    match is_concerned && !gone.is_empty() {
        true => Err(ActError::Orphans { object: object.clone(), held: listed(&gone) }),
        false => Ok(()),
    }
}

/// An instance is not down while something is held for sections that no driver is asked about.
pub(super) fn prove_no_orphans(
    object: &ObjectPath,
    request: &ActionRequest,
    orphans: &[OrphanHolding],
) -> Result<(), ActError> {
    match stops_instance(request) && !orphans.is_empty() {
        true => Err(ActError::OrphansLeft { object: object.clone(), held: listed(orphans) }),
        false => Ok(()),
    }
}

/// Whether the operator knows better than the records that are left when all of the instance is stopped.
pub(super) fn gives_up_orphans(request: &ActionRequest, orphans: &[OrphanHolding]) -> bool {
    stops_instance(request) && request.force && request.i_know && !orphans.is_empty()
}

/// Whether the action says that the instance is down: not one of some resources, nor one that ends at a barrier.
fn stops_instance(request: &ActionRequest) -> bool {
    matches!(request.action, Action::Stop | Action::Shutdown) && request.filter.is_empty() && request.to.is_none()
}

/// Nor is it down while something goes on that a run of a task has left.
pub(super) fn prove_ended(object: &ObjectPath, unended: &[UnreleasedResource]) -> Result<(), ActError> {
    if unended.is_empty() {
        return Ok(());
    }
    let one = |held: &UnreleasedResource| format!("{} ({})", held.things.join(", "), held.rid);
    let left = unended.iter().map(one).collect::<Vec<_>>().join(", ");
    Err(ActError::RunsLeft { object: object.clone(), left })
}

/// What is held, in words.
fn listed(orphans: &[OrphanHolding]) -> String {
    let one = |held: &OrphanHolding| match held.reason {
        OrphanReason::Unverified => held.label.clone(),
        reason => format!("{} ({}, {})", held.label, held.rid, reason.as_str()),
    };
    orphans.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Refuses to begin where the disk has no room for the records of the action. An action that goes on past every failure, such
/// as a stop, goes on past a full disk too.
pub(super) fn refuse_without_room(plan: &Plan, state: &InstanceState) -> Result<(), ActError> {
    let needs_it = plan.phases.iter().any(|phase| phase.on_failure != OnFailure::GoOn);
    match needs_it && plan.steps().any(|step| !step.work.is_empty()) {
        true => durable::probe(state.directory()).map_err(ActError::NoRoom),
        false => Ok(()),
    }
}

/// The resources that the plan touches.
fn planned(plan: &Plan, object: &Object) -> Vec<Resource> {
    let acting = |resource: &&Resource| plan.steps().any(|step| step.rid == resource.rid && !step.work.is_empty());
    object.resources.iter().filter(acting).cloned().collect()
}
