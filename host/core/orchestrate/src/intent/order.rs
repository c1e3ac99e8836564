//! What a person orders, and whether it is accepted. What is accepted holds its placement: who does what is decided here once.

use std::time::Duration;

use model::status::{Provisioned, State};
use model::{NodeName, ObjectPath};

use super::{Intent, IntentGoal, IntentOutcome, OrderAcceptance, OrderChange};
use crate::case::ObjectCase;
use crate::placement::{can_act, ranked};
use crate::{BootTime, IntentId, ObjectView, View};

/// An order of a person to the cluster, about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorOrder {
    pub id: IntentId,
    pub verb: OrderVerb,
    /// Whether it takes the place of an order that has not ended.
    pub supersede: bool,
    /// Whether a running object may be deleted.
    pub force: bool,
    /// How long it may take.
    pub lifetime: Duration,
}

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderVerb {
    Start,
    Stop,
    Restart,
    Freeze,
    Thaw,
    Provision,
    Unprovision,
    Purge,
    Delete,
    /// To these nodes.
    Switch {
        to: Vec<NodeName>,
    },
    /// To the node where it is ordered.
    Takeover,
    /// To the nodes that placement prefers.
    Giveback,
    /// Give up the order that has not ended, or the target of one that failed.
    Abort,
    /// Forget failures, and try again what failed.
    Clear,
}

/// Why an order is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    #[error("{0} does not exist")]
    Unknown(ObjectPath),
    #[error("the configuration of {0} has never loaded on this node")]
    NeverLoaded(ObjectPath),
    #[error("the order {0} has not ended: abort it, or supersede it")]
    Busy(IntentId),
    #[error("{0} is disabled")]
    Disabled(ObjectPath),
    #[error("{0} refuses to be provisioned: provision is false")]
    Provision(ObjectPath),
    #[error("{0} refuses to be unprovisioned: unprovision is false")]
    Unprovision(ObjectPath),
    #[error("{0} runs: stop it first")]
    Running(ObjectPath),
    #[error("{0} is provisioned: --unprovision undoes that first, --force leaves it behind")]
    Provisioned(ObjectPath),
    #[error("{0} is being deleted: what failed of that, clear tries again and abort gives up")]
    Deletion(ObjectPath),
    #[error("none of the nodes of {0} can act")]
    NoCandidate(ObjectPath),
    #[error("{node} is not a node of {path}")]
    ForeignNode { path: ObjectPath, node: NodeName },
    #[error("{path} runs on {wanted} nodes, not on {given}")]
    NodeCount { path: ObjectPath, wanted: usize, given: usize },
}

/// Accepts or refuses an order. The changes are to be committed together, and only if the object is still as it was viewed.
pub fn accept(
    view: &View,
    path: &ObjectPath,
    me: &NodeName,
    now: BootTime,
    order: &OperatorOrder,
) -> Result<OrderAcceptance, OrderRefusal> {
    let object = view.objects().get(path).ok_or_else(|| OrderRefusal::Unknown(path.clone()))?;
    if object.tombstone {
        return accept_of_deleted(path, object, order);
    }
    let rules = object.rules.as_deref().ok_or_else(|| OrderRefusal::NeverLoaded(path.clone()))?;
    let case = ObjectCase { view, path, object, rules, me, now };
    match &order.verb {
        OrderVerb::Freeze => Ok(order.at_once(vec![OrderChange::Freeze])),
        OrderVerb::Thaw => Ok(order.at_once(vec![OrderChange::Thaw])),
        OrderVerb::Abort => Ok(order.at_once(abort(&case))),
        OrderVerb::Clear => Ok(clear(&case, order)),
        _ => begin(&case, order),
    }
}

/// Of an object that is being deleted, what failed can be tried again or given up. Nothing else can be ordered of it.
fn accept_of_deleted(
    path: &ObjectPath,
    object: &ObjectView,
    order: &OperatorOrder,
) -> Result<OrderAcceptance, OrderRefusal> {
    let failed = object.intent.as_ref().filter(|intent| is_failed(intent));
    // A node that is about to delete it must not find that it stays.
    let is_acted_on = object.instances.values().any(|instance| instance.running.is_some());
    match (&order.verb, failed) {
        (_, None) if object.open_intent().is_none() => Err(OrderRefusal::Unknown(path.clone())),
        (OrderVerb::Clear, Some(_)) => Ok(order.at_once(vec![OrderChange::Clear])),
        (OrderVerb::Abort, Some(_)) if !is_acted_on => {
            Ok(order.at_once(vec![OrderChange::Forget, OrderChange::Clear, OrderChange::Unbury]))
        }
        _ => Err(OrderRefusal::Deletion(path.clone())),
    }
}

fn is_failed(intent: &Intent) -> bool {
    matches!(intent.outcome, Some(IntentOutcome::Failure(_) | IntentOutcome::Expiry(_)))
}

fn begin(case: &ObjectCase<'_>, order: &OperatorOrder) -> Result<OrderAcceptance, OrderRefusal> {
    let mut changes = Vec::new();
    if let Some(open) = case.object.open_intent() {
        if !order.supersede {
            return Err(OrderRefusal::Busy(open.id));
        }
        changes.push(OrderChange::End { id: open.id, outcome: IntentOutcome::Supersession(order.id) });
    }
    let goal = goal(case, order)?;
    // A failure belongs to the order that it happened to: a new order begins without.
    changes.push(OrderChange::Clear);
    changes.extend(order.verb.changes());
    changes.push(OrderChange::Begin(order.intent(goal, case.now)));
    Ok(OrderAcceptance { id: order.id, changes, outcome: None })
}

fn goal(case: &ObjectCase<'_>, order: &OperatorOrder) -> Result<IntentGoal, OrderRefusal> {
    let path = || case.path.clone();
    if case.rules.disable && order.verb != OrderVerb::Delete {
        return Err(OrderRefusal::Disabled(path()));
    }
    match &order.verb {
        OrderVerb::Start => Ok(IntentGoal::Started { order: candidates(case)?, count: case.rules.wanted() }),
        OrderVerb::Restart => {
            let up: Vec<NodeName> = where_up(case).cloned().collect();
            let order = if up.is_empty() { candidates(case)? } else { up };
            let wanted = order.len().min(case.rules.wanted().max(1));
            Ok(IntentGoal::Restarted { order: order[..wanted].to_vec() })
        }
        OrderVerb::Provision if !case.rules.provision => Err(OrderRefusal::Provision(path())),
        OrderVerb::Provision => Ok(IntentGoal::Provisioned { leader: leader(case)? }),
        OrderVerb::Unprovision | OrderVerb::Purge if !case.rules.unprovision => Err(OrderRefusal::Unprovision(path())),
        OrderVerb::Unprovision => Ok(IntentGoal::Unprovisioned { leader: leader(case)? }),
        OrderVerb::Purge => Ok(IntentGoal::Purged { leader: leader(case)? }),
        OrderVerb::Delete if where_up(case).next().is_some() && !order.force => Err(OrderRefusal::Running(path())),
        OrderVerb::Delete if is_provisioned(case) && !order.force => Err(OrderRefusal::Provisioned(path())),
        OrderVerb::Delete => Ok(IntentGoal::Deleted),
        OrderVerb::Switch { to } => placed(case, to.clone()),
        OrderVerb::Takeover => placed(case, vec![case.me.clone()]),
        OrderVerb::Giveback => {
            let mut on = candidates_in_rank(case)?;
            on.truncate(case.rules.wanted());
            Ok(IntentGoal::Placed { on })
        }
        // The others were accepted at once.
        _ => Ok(IntentGoal::Stopped),
    }
}

fn placed(case: &ObjectCase<'_>, on: Vec<NodeName>) -> Result<IntentGoal, OrderRefusal> {
    let path = || case.path.clone();
    if let Some(node) = on.iter().find(|node| case.rules.scope().all(|member| member != *node)) {
        return Err(OrderRefusal::ForeignNode { path: path(), node: node.clone() });
    }
    let wanted = case.rules.wanted();
    if on.len() != wanted.max(1) {
        return Err(OrderRefusal::NodeCount { path: path(), wanted, given: on.len() });
    }
    Ok(IntentGoal::Placed { on })
}

/// The nodes that can act, those first where it is up already.
fn candidates(case: &ObjectCase<'_>) -> Result<Vec<NodeName>, OrderRefusal> {
    let mut nodes = candidates_in_rank(case)?;
    let up: Vec<&NodeName> = where_up(case).collect();
    nodes.sort_by_key(|node| !up.contains(&node));
    Ok(nodes)
}

fn candidates_in_rank(case: &ObjectCase<'_>) -> Result<Vec<NodeName>, OrderRefusal> {
    let nodes: Vec<NodeName> = ranked(case).into_iter().filter(|node| can_act(case, node)).cloned().collect();
    if nodes.is_empty() { Err(OrderRefusal::NoCandidate(case.path.clone())) } else { Ok(nodes) }
}

/// The node that acts for all: where the object is up, else the first that can act.
fn leader(case: &ObjectCase<'_>) -> Result<NodeName, OrderRefusal> {
    let first = candidates(case)?.into_iter().next();
    first.ok_or_else(|| OrderRefusal::NoCandidate(case.path.clone()))
}

fn where_up<'a>(case: &ObjectCase<'a>) -> impl Iterator<Item = &'a NodeName> {
    let up = |state| matches!(state, State::Up | State::Warn);
    let instances = case.object.instances.iter();
    instances.filter(move |(_, instance)| instance.avail().is_some_and(up)).map(|(node, _)| node)
}

/// Whether a node has something of the object that a deletion would leave behind. Nodes refuse to, one after the other, so it is asked
/// before the object is buried.
fn is_provisioned(case: &ObjectCase<'_>) -> bool {
    let mut known = case.object.instances.values().filter_map(|instance| instance.fresh_status());
    known.any(|status| matches!(status.sums.provisioned, Provisioned::True | Provisioned::Mixed))
}

fn abort(case: &ObjectCase<'_>) -> Vec<OrderChange> {
    match &case.object.intent {
        Some(intent) if intent.outcome.is_none() => {
            vec![OrderChange::End { id: intent.id, outcome: IntentOutcome::Abortion }, OrderChange::Clear]
        }
        _ => vec![OrderChange::Forget, OrderChange::Clear],
    }
}

/// Clears failures. An order that has not ended goes on with its own id; one that failed is ordered again, with this one's, unless it
/// destroys: that is ordered by its own name alone.
fn clear(case: &ObjectCase<'_>, order: &OperatorOrder) -> OrderAcceptance {
    let failed = |intent: &&Intent| matches!(intent.outcome, Some(IntentOutcome::Failure(_)));
    match case.object.intent.as_ref().filter(failed) {
        None => order.at_once(vec![OrderChange::Clear]),
        Some(failed) if failed.goal.destroys() => order.at_once(vec![OrderChange::Forget, OrderChange::Clear]),
        Some(failed) => {
            let again = order.intent(failed.goal.clone(), case.now);
            OrderAcceptance {
                id: order.id,
                changes: vec![OrderChange::Clear, OrderChange::Begin(again)],
                outcome: None,
            }
        }
    }
}

impl OperatorOrder {
    fn intent(&self, goal: IntentGoal, now: BootTime) -> Intent {
        Intent { id: self.id, goal, expires: now + self.lifetime, records: Default::default(), outcome: None }
    }

    fn at_once(&self, changes: Vec<OrderChange>) -> OrderAcceptance {
        OrderAcceptance { id: self.id, changes, outcome: Some(IntentOutcome::Done) }
    }
}

impl OrderVerb {
    /// What the order changes besides the intent.
    fn changes(&self) -> Vec<OrderChange> {
        match self {
            OrderVerb::Stop => vec![OrderChange::Freeze],
            OrderVerb::Start | OrderVerb::Switch { .. } | OrderVerb::Takeover => vec![OrderChange::Thaw],
            OrderVerb::Giveback => vec![OrderChange::Thaw, OrderChange::ThawNodes],
            // So that nothing starts between the unprovision and the deletion.
            OrderVerb::Unprovision | OrderVerb::Purge => vec![OrderChange::Freeze],
            OrderVerb::Delete => vec![OrderChange::Tombstone],
            _ => Vec::new(),
        }
    }
}
