//! `placement = spread`: rendezvous hashing. Each object ranks the nodes by a hash of its own, so many objects spread evenly,
//! and the loss of a node moves its objects alone.

use model::{NodeName, ObjectPath};

/// The weight of a node for an object: an FNV-1a hash, mixed so that names that differ little have weights that differ much.
pub(super) fn weight(path: &ObjectPath, node: &NodeName) -> u64 {
    let parts = [path.namespace(), path.kind().as_str(), path.name(), node.as_str()];
    // A zero ends each part, so that `a` and `bc` are not `ab` and `c`. Every node computes this by itself: with
    // another hash, a node of a later version would rank them otherwise.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    mix(hash)
}

/// The finalizer of SplitMix64.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(path: &ObjectPath, nodes: &'a [NodeName]) -> &'a NodeName {
        nodes.iter().max_by_key(|node| weight(path, node)).unwrap()
    }

    #[test]
    fn objects_spread_evenly_and_the_loss_of_a_node_moves_its_own_alone() {
        let nodes: Vec<NodeName> = (1..=5).map(|number| format!("n{number}").parse().unwrap()).collect();
        let objects: Vec<ObjectPath> =
            (0..1000).map(|number| ObjectPath::svc(&format!("web{number}")).unwrap()).collect();
        for node in &nodes {
            let here = objects.iter().filter(|object| best(object, &nodes) == node).count();
            assert!((150..250).contains(&here), "{node} has {here} of 1000");
        }
        for object in &objects {
            let (before, after) = (best(object, &nodes), best(object, &nodes[..4]));
            assert!(before == after || *before == nodes[4], "{object} moved from {before} to {after}");
        }
    }
}
