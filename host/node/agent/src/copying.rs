//! What a sync copies, and where to: from the words of a command to the targets of one resource.

use driver::KeywordValue;
use exec::Copying;
use model::NodeName;
use model::config::Object;

/// What a sync copies, as it is asked of an object.
#[derive(Debug, Clone, Default)]
pub struct CopyRequest {
    /// As drivers know it: `update`, `full`…
    pub verb: String,
    /// Where to. Empty: to all places that a resource copies to.
    pub places: Vec<Place>,
}

/// Where copies go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The other ones of `nodes`.
    Nodes,
    /// The other ones of `drpnodes`.
    Drpnodes,
    /// This node.
    Local,
    /// One other node.
    Node(NodeName),
}

impl std::str::FromStr for Place {
    type Err = <NodeName as std::str::FromStr>::Err;

    fn from_str(word: &str) -> Result<Place, Self::Err> {
        Ok(match word {
            "nodes" => Place::Nodes,
            "drp" | "drpnodes" => Place::Drpnodes,
            LOCAL => Place::Local,
            name => Place::Node(name.parse()?),
        })
    }
}

/// The target that is this node.
const LOCAL: &str = "local";

/// The keyword by which a resource says where it copies to.
const TARGET: &str = "target";

impl CopyRequest {
    /// What is asked of one resource: of the targets that its own keyword `target` names, those that are asked for.
    pub(crate) fn of(&self, object: &Object, keywords: &[KeywordValue]) -> Copying {
        let own = keywords.iter().find(|keyword| keyword.name == TARGET);
        let everywhere = ["nodes", "drpnodes", LOCAL].map(str::to_owned);
        let words = own.map_or(&everywhere[..], |keyword| &keyword.values);
        let mut targets: Vec<String> = Vec::new();
        for target in words.iter().filter_map(|word| word.parse().ok()).flat_map(|place| nodes(object, &place)) {
            if self.asks_for(object, &target) && !targets.contains(&target) {
                targets.push(target);
            }
        }
        Copying { verb: self.verb.clone(), targets }
    }

    fn asks_for(&self, object: &Object, target: &str) -> bool {
        let mut places = self.places.iter();
        self.places.is_empty() || places.any(|place| nodes(object, place).iter().any(|node| node == target))
    }
}

/// The targets that a place stands for.
fn nodes(object: &Object, place: &Place) -> Vec<String> {
    let others = |all: &[NodeName]| all.iter().filter(|node| **node != object.node).map(ToString::to_string).collect();
    match place {
        Place::Nodes => others(&object.nodes),
        Place::Drpnodes => others(&object.drpnodes),
        Place::Local => vec![LOCAL.to_owned()],
        Place::Node(name) => object.others().filter(|node| *node == name).map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use model::Group;
    use model::config::{DriverSchema, NodeData, Schemas, load};

    use super::*;

    struct NoDrivers;

    impl Schemas for NoDrivers {
        fn driver(&self, _: Group, _: &str) -> Option<DriverSchema<'_>> {
            None
        }
        fn names(&self, _: Group) -> Vec<String> {
            Vec::new()
        }
    }

    #[track_caller]
    fn check(own: &str, places: &str, expected: &str) {
        let text = "[DEFAULT]\nnodes = n1 n2 n3\ndrpnodes = n4\n";
        let mut node = NodeData::alone("n1".parse().unwrap());
        node.peers.extend(["n2", "n3", "n4"].map(|name| (name.parse().unwrap(), Default::default())));
        let object = load(&"web".parse().unwrap(), text, &node, &NoDrivers).object.unwrap();
        let values = own.split_whitespace().map(str::to_owned).collect();
        let keyword = KeywordValue { name: TARGET.to_owned(), values, secret: false, from: None };
        let places = places.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let request = CopyRequest { verb: "update".to_owned(), places };
        assert_eq!(request.of(&object, &[keyword]).targets.join(" "), expected);
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
