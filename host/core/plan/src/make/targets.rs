//! Where one resource copies to.

use model::NodeName;

use crate::sync::LOCAL;
use crate::{CopyPlace, CopyRequest, InstanceFacts, ResourceFacts};

/// Where a resource copies to: of the targets that its own keyword names, those that are requested, each once.
pub(crate) fn targets(instance: &InstanceFacts, resource: &ResourceFacts, request: &CopyRequest) -> Vec<String> {
    let everywhere = ["nodes", "drpnodes", LOCAL].map(str::to_owned);
    let words = resource.targets.as_deref().unwrap_or(&everywhere);
    let requested = |target: &String| {
        let mut places = request.places.iter();
        request.places.is_empty() || places.any(|place| expand(instance, place).contains(target))
    };
    let mut targets: Vec<String> = Vec::new();
    // A word that cannot be the name of a node stands for no place, so it adds no target.
    for target in words.iter().filter_map(|word| word.parse().ok()).flat_map(|place| expand(instance, &place)) {
        // A node may be in `nodes` and named by itself: it is copied to once.
        if requested(&target) && !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// The targets that a place stands for.
fn expand(instance: &InstanceFacts, place: &CopyPlace) -> Vec<String> {
    let peers =
        |nodes: &[NodeName]| nodes.iter().filter(|node| **node != instance.node).map(ToString::to_string).collect();
    let is_peer = |name: &NodeName| {
        *name != instance.node && instance.nodes.iter().chain(&instance.drpnodes).any(|node| node == name)
    };
    match place {
        CopyPlace::Nodes => peers(&instance.nodes),
        CopyPlace::Drpnodes => peers(&instance.drpnodes),
        CopyPlace::Local => vec![LOCAL.to_owned()],
        CopyPlace::Node(name) if is_peer(name) => vec![name.to_string()],
        // This node, or one that the object does not have: no copy of it belongs there.
        CopyPlace::Node(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(own: &str, places: &str, expected: &str) {
        let instance = InstanceFacts {
            object: "web".parse().unwrap(),
            node: "n1".parse().unwrap(),
            nodes: ["n1", "n2", "n3"].map(|name| name.parse().unwrap()).to_vec(),
            drpnodes: vec!["n4".parse().unwrap()],
            resources: Vec::new(),
            parallel: BTreeSet::new(),
            rollback: true,
        };
        let mut resource = ResourceFacts::new("sync#1".parse().unwrap(), "sync.test".parse().unwrap());
        resource.targets = Some(own.split_whitespace().map(str::to_owned).collect());
        let places = places.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let request = CopyRequest { places, ..CopyRequest::default() };
        assert_eq!(targets(&instance, &resource, &request).join(" "), expected);
    }

    #[test]
    fn a_resource_copies_to_those_of_its_targets_that_are_asked_for() {
        check("nodes drpnodes local", "", "n2 n3 n4 local");
        check("nodes drpnodes local", "nodes", "n2 n3");
        check("nodes drpnodes local", "drp", "n4");
        check("nodes drpnodes local", "local n3", "n3 local");
        check("local", "nodes", "");
        check("nodes", "drp", "");
        check("drpnodes", "n2", "");
        check("nodes", "n1", "");
    }
}
