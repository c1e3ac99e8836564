//! The instance as the planner sees it: a conversion from the object model and the status, which decides nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::object::{Object, ResolvedKeyword, Topology};
use model::status::{Provisioned, State};
use model::{DriverName, Group, Rid};

use crate::status::ResourceStatus;

/// The keyword with the targets of a sync.
const TARGET: &str = "target";

/// The instance as the planner sees it, with the status that was just seen. `migrates` says which drivers can migrate.
pub(super) fn instance(
    object: &Object,
    seen: &[ResourceStatus],
    avail: State,
    migrates: impl Fn(&DriverName) -> bool,
) -> plan::InstanceFacts {
    let seen: BTreeMap<&Rid, &ResourceStatus> = seen.iter().map(|seen| (&seen.rid, seen)).collect();
    let passive = passive(object, avail);
    let parallel = object.subsets.iter().filter(|(_, subset)| subset.parallel).map(|(name, _)| name.clone()).collect();
    plan::InstanceFacts {
        object: object.path.clone(),
        node: object.node.clone(),
        nodes: object.nodes.clone(),
        drpnodes: object.drpnodes.clone(),
        resources: object
            .resources
            .iter()
            .map(|r| resource(object, r, seen.get(&r.rid).copied(), &passive, migrates(&r.driver)))
            .collect(),
        parallel,
        rollback: object.rollback,
    }
}

/// Why this node must not copy to others: the data that counts is where the service runs.
fn passive(object: &Object, avail: State) -> Option<plan::PassiveReason> {
    // An object whose resources do not count may still have something to copy.
    if !matches!(avail, State::Up | State::Na) {
        return Some(plan::PassiveReason::NotRunning(avail));
    }
    let primary = object.flex_primary.as_ref().filter(|primary| **primary != object.node);
    // The nodes of disaster recovery have a primary of their own.
    let of_drp = object.drp_flex_primary.as_ref() == Some(&object.node);
    match (object.topology, primary) {
        (Topology::Flex { .. }, Some(primary)) if !of_drp => Some(plan::PassiveReason::NotPrimary(primary.clone())),
        _ => None,
    }
}

fn resource(
    object: &Object,
    r: &model::object::Resource,
    seen: Option<&ResourceStatus>,
    passive: &Option<plan::PassiveReason>,
    migrates: bool,
) -> plan::ResourceFacts {
    // A resource that was not looked at is undef: the planner must assume neither up nor down.
    let unknown = (State::Undef, Provisioned::Undef);
    let (state, provisioned) = seen.map_or(unknown, |seen| (seen.state, seen.flags.provisioned));
    plan::ResourceFacts {
        subset: r.subset.clone(),
        // As in OpenSVC, the tag `noaction` keeps every action from a resource, which is looked at all the same.
        disable: r.disable || object.disable || r.tags.iter().any(|tag| tag == "noaction"),
        encap: r.encap,
        optional: r.optional,
        standby: r.standby,
        shared: r.shared,
        migrates,
        disabled_on: r.disabled_on.clone(),
        provision: r.provision && object.provision,
        unprovision: r.unprovision && object.unprovision,
        netns: r.joins.clone(),
        shares: r.shares(),
        requires: r.requires.clone(),
        triggers: r.triggers.keys().copied().collect(),
        timeouts: r.timeouts.clone(),
        targets: targets(r),
        // The implicit sync of the configuration is not about data: it runs everywhere.
        passive: passive.clone().filter(|_| !r.implicit),
        place: paths(r, |keyword| keyword.place).pop(),
        paths: paths(r, |_| true),
        state,
        fault: seen.and_then(|seen| seen.fault.as_ref()).map(ToString::to_string),
        provisioned,
        ..plan::ResourceFacts::new(r.rid.clone(), r.driver.clone())
    }
}

/// The absolute paths in its keywords, as far as they do not depend on what other resources expose.
fn paths(r: &model::object::Resource, of: impl Fn(&ResolvedKeyword) -> bool) -> Vec<PathBuf> {
    let values = r.keywords.iter().filter(|keyword| of(keyword)).filter_map(|keyword| keyword.known.as_ref()).flatten();
    values.filter(|value| value.starts_with('/')).map(PathBuf::from).collect()
}

/// The targets of a sync, from its keyword `target`. They are part of the plan, so they cannot depend on what other resources
/// expose later.
fn targets(r: &model::object::Resource) -> Option<Vec<String>> {
    let keywords = (r.rid.group() == Group::Sync).then(|| r.evaluate(&()).keywords)?;
    keywords.into_iter().find(|keyword| keyword.name == TARGET).map(|keyword| keyword.values)
}
