//! From the object model to what the planner sees. Conversion only.

use std::collections::BTreeMap;

use model::object::Object;
use model::object::Topology;
use model::status::{Provisioned, State};
use model::{Group, Rid, Verb};

use crate::instance::Instance;
use crate::status::ResourceStatus;

/// The keyword by which a sync says where it copies to.
const TARGET: &str = "target";

/// The instance as the planner sees it, with what was just seen of it.
pub(crate) fn instance(instance: &Instance<'_>, seen: &[ResourceStatus], avail: State) -> plan::Instance {
    let object = instance.object;
    let seen: BTreeMap<&Rid, &ResourceStatus> = seen.iter().map(|seen| (&seen.rid, seen)).collect();
    let passive = passive(object, avail);
    let parallel = object.subsets.iter().filter(|(_, subset)| subset.parallel).map(|(name, _)| name.clone()).collect();
    plan::Instance {
        object: object.path.clone(),
        node: object.node.clone(),
        nodes: object.nodes.clone(),
        drpnodes: object.drpnodes.clone(),
        resources: object
            .resources
            .iter()
            .map(|r| resource(instance, r, seen.get(&r.rid).copied(), &passive))
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
        (Topology::Flex { .. }, Some(primary)) if !of_drp => Some(plan::Passive::NotPrimary(primary.clone())),
        _ => None,
    }
}

fn resource(
    instance: &Instance<'_>,
    r: &model::object::Resource,
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
        disabled_on: r.disabled_on.clone(),
        provision: r.provision && object.provision,
        unprovision: r.unprovision && object.unprovision,
        netns: r.joins.clone(),
        requires: r.requires.clone(),
        triggers: r.triggers.keys().copied().collect(),
        timeouts: r.timeouts.clone(),
        targets: targets(r),
        passive: passive.clone().filter(|_| !r.implicit),
        state,
        fault: seen.and_then(|seen| seen.fault.as_ref()).map(ToString::to_string),
        provisioned,
        ..plan::Resource::new(r.rid.clone(), r.driver.clone())
    }
}

/// The words of a sync's keyword `target`. They are part of the plan, so they cannot depend on what others expose later.
fn targets(r: &model::object::Resource) -> Option<Vec<String>> {
    let keywords = (r.rid.group() == Group::Sync).then(|| r.evaluate(&()).keywords)?;
    keywords.into_iter().find(|keyword| keyword.name == TARGET).map(|keyword| keyword.values)
}
