//! From the object model to what the planner sees. Conversion only.

use std::collections::BTreeMap;

use driver::Verb;
use model::Rid;
use model::config::{self, Object, Topology};
use model::status::{Provisioned, State};

use crate::instance::{ActionSession, Instance};
use crate::status::ResourceStatus;

/// The instance as the planner sees it, with what was just seen of it.
pub(crate) fn instance(
    instance: &Instance<'_>,
    session: &ActionSession,
    seen: &[ResourceStatus],
    avail: State,
) -> plan::Instance {
    let object = instance.object;
    let seen: BTreeMap<&Rid, &ResourceStatus> = seen.iter().map(|seen| (&seen.rid, seen)).collect();
    let passive = passive(object, avail);
    let parallel = object.subsets.iter().filter(|(_, subset)| subset.parallel).map(|(name, _)| name.clone()).collect();
    plan::Instance {
        object: object.path.clone(),
        node: object.node.clone(),
        resources: object
            .resources
            .iter()
            .map(|r| resource(instance, session, r, seen.get(&r.rid).copied(), &passive))
            .collect(),
        parallel,
        rollback: object.rollback,
    }
}

/// Why this node is not the one to copy from: the data that counts is where the service runs.
fn passive(object: &Object, avail: State) -> Option<plan::Passive> {
    if !matches!(avail, State::Up | State::Na) {
        return Some(plan::Passive::NotRunning(avail));
    }
    let primary = object.flex_primary.as_ref().filter(|primary| **primary != object.node);
    let of_drp = object.drp_flex_primary.as_ref() == Some(&object.node);
    match (object.topology, primary) {
        (Topology::Flex, Some(primary)) if !of_drp => Some(plan::Passive::NotPrimary(primary.clone())),
        _ => None,
    }
}

fn resource(
    instance: &Instance<'_>,
    session: &ActionSession,
    r: &config::Resource,
    seen: Option<&ResourceStatus>,
    passive: &Option<plan::Passive>,
) -> plan::Resource {
    let object = instance.object;
    let unknown = (State::Undef, Provisioned::Undef);
    let (state, provisioned) = seen.map_or(unknown, |seen| (seen.state, seen.flags.provisioned));
    plan::Resource {
        subset: r.subset.clone(),
        disable: r.disable || object.disable || r.tags.iter().any(|tag| tag == "noaction"),
        encap: r.encap,
        optional: r.optional,
        standby: r.standby,
        shared: r.shared,
        migrates: instance.driver(&r.driver).manifest().verbs.contains(&Verb::Migrate),
        disabled_there: session.destination.as_ref().is_some_and(|node| r.disabled_on.contains(node)),
        provision: r.provision && object.provision,
        unprovision: r.unprovision && object.unprovision,
        netns: r.joins.clone(),
        requires: r.requires.iter().map(|(action, list)| (verb(*action), list.iter().map(require).collect())).collect(),
        triggers: r.triggers.keys().map(trigger).collect(),
        timeouts: timeouts(&r.timeouts),
        passive: passive.clone().filter(|_| !r.implicit),
        state,
        fault: seen.and_then(|seen| seen.fault.as_ref()).map(ToString::to_string),
        provisioned,
        ..plan::Resource::new(r.rid.clone(), r.driver.clone())
    }
}

fn require(requirement: &config::Requirement) -> plan::Require {
    plan::Require { rid: requirement.rid.clone(), states: requirement.states.iter().copied().collect() }
}

fn trigger(trigger: &config::Trigger) -> plan::Trigger {
    let moment = match (trigger.when, trigger.blocking) {
        (config::When::Pre, true) => plan::Moment::BlockingPre,
        (config::When::Pre, false) => plan::Moment::Pre,
        (config::When::Post, true) => plan::Moment::BlockingPost,
        (config::When::Post, false) => plan::Moment::Post,
    };
    plan::Trigger { moment, verb: verb(trigger.action) }
}

/// The trigger of the configuration that the planner's stands for.
pub(crate) fn configured(trigger: plan::Trigger) -> Option<config::Trigger> {
    let (when, blocking) = match trigger.moment {
        plan::Moment::BlockingPre => (config::When::Pre, true),
        plan::Moment::Pre => (config::When::Pre, false),
        plan::Moment::BlockingPost => (config::When::Post, true),
        plan::Moment::Post => (config::When::Post, false),
    };
    let action = config::Action::ALL.into_iter().find(|action| verb(*action) == trigger.verb)?;
    Some(config::Trigger { blocking, when, action })
}

fn timeouts(timeouts: &config::Timeouts) -> plan::Timeouts {
    let mut planned = plan::Timeouts::default();
    if let Some(any) = timeouts.any {
        planned.default = any;
    }
    planned.verbs.extend(timeouts.actions.iter().map(|(action, time)| (verb(*action), *time)));
    planned.verbs.extend(timeouts.status.map(|time| (Verb::Status, time)));
    planned
}

fn verb(action: config::Action) -> Verb {
    match action {
        config::Action::Start => Verb::Start,
        config::Action::Stop => Verb::Stop,
        config::Action::Run => Verb::Run,
        config::Action::Sync => Verb::Sync,
        config::Action::Provision => Verb::Provision,
        config::Action::Unprovision => Verb::Unprovision,
        config::Action::Migrate => Verb::Migrate,
    }
}
