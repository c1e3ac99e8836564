//! The request of a sync: how to copy, and where to, in the words of a command.

use model::NodeName;

/// How a sync copies, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// How to copy, in the words of drivers: `update`, `full`…
    pub verb: String,
    /// Where to. Empty: to all places that a resource copies to.
    pub places: Vec<CopyPlace>,
}

impl Default for CopyRequest {
    /// Changes only, to all places.
    fn default() -> CopyRequest {
        CopyRequest { verb: "update".to_owned(), places: Vec::new() }
    }
}

/// A place that copies go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlace {
    /// The peers among `nodes`.
    Nodes,
    /// The peers among `drpnodes`.
    Drpnodes,
    /// This node.
    Local,
    /// One peer.
    Node(NodeName),
}

impl std::str::FromStr for CopyPlace {
    type Err = <NodeName as std::str::FromStr>::Err;

    fn from_str(word: &str) -> Result<CopyPlace, Self::Err> {
        Ok(match word {
            "nodes" => CopyPlace::Nodes,
            "drp" | "drpnodes" => CopyPlace::Drpnodes,
            LOCAL => CopyPlace::Local,
            // A peer may be named like a place. The place wins.
            name => CopyPlace::Node(name.parse()?),
        })
    }
}

/// The target that is this node.
pub(crate) const LOCAL: &str = "local";
