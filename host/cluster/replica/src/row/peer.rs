//! What nodes must know of each other without the store: where each is reached and by which key, and who may end whose life.

use std::collections::BTreeMap;

use model::NodeName;
use serde::{Deserialize, Serialize};

use super::VERSION;

/// A node's end of the link between the daemons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRow {
    pub version: u32,
    /// `10.0.0.1:1215`.
    pub address: String,
    /// The certificate that it shows, in PEM. The others accept exactly this one.
    pub certificate: String,
}

/// The nodes that may end the life of another one. A node adds itself when it comes, and is removed when its own life has ended and
/// it does not belong to the cluster any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersRow {
    pub version: u32,
    /// Grows with each change. Beats bear it.
    pub list: u64,
    /// The nodes, each with the first list that had it.
    pub nodes: BTreeMap<String, u64>,
}

impl PeerRow {
    pub fn new(address: String, certificate: String) -> PeerRow {
        PeerRow { version: VERSION, address, certificate }
    }
}

impl MembersRow {
    /// The list with another node. None: it has it.
    pub(crate) fn with(&self, node: &NodeName) -> Option<MembersRow> {
        (!self.nodes.contains_key(node.as_str())).then(|| {
            let mut row = self.next();
            // With the list that it came with: a holder whose beat bears an earlier one does not ask this node,
            // which may therefore not end that holder's life.
            row.nodes.insert(node.to_string(), row.list);
            row
        })
    }

    /// The list without a node. None: it does not have it.
    pub(crate) fn without(&self, node: &NodeName) -> Option<MembersRow> {
        self.nodes.contains_key(node.as_str()).then(|| {
            let mut row = self.next();
            row.nodes.remove(node.as_str());
            row
        })
    }

    fn next(&self) -> MembersRow {
        MembersRow { version: VERSION, list: self.list + 1, nodes: self.nodes.clone() }
    }

    /// The first list that had the node.
    pub fn since(&self, node: &NodeName) -> Option<u64> {
        self.nodes.get(node.as_str()).copied()
    }

    /// The nodes.
    pub fn names(&self) -> impl Iterator<Item = NodeName> {
        self.nodes.keys().filter_map(|name| name.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grows_with_each_change_and_knows_since_when_a_node_is_in_it() {
        let (n1, n2): (NodeName, NodeName) = ("n1".parse().unwrap(), "n2".parse().unwrap());
        let row = MembersRow::default().with(&n1).unwrap().with(&n2).unwrap();
        assert_eq!((row.list, row.since(&n1), row.since(&n2)), (2, Some(1), Some(2)));
        assert_eq!(row.with(&n2), None);
        let row = row.without(&n1).unwrap();
        assert_eq!((row.list, row.since(&n1), row.without(&n1)), (3, None, None));
        // One that comes again is a new one: the lists that had it before do not count.
        assert_eq!(row.with(&n1).unwrap().since(&n1), Some(4));
    }
}
