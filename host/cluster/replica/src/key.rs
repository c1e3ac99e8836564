//! The keys of the store.
//!
//! ```text
//!  generation                          which life of the store this is: a restored one begins another
//!  node/<node>                         the registration of a node, never deleted: its revision is the node's life
//!  beat/<node>                         the last beat of a node
//!  flags/<node>                        what operators said of a node
//!  info/<node>                         what a node says of itself
//!  fence/<node>                        the fence of a node that is under way, or has failed
//!  peer/<node>                         where its daemon is reached by the others, and the certificate that it shows them
//!  members                             the nodes that may end the lives of others: those that a holder asks for promises
//!  object/<ns>/<kind>/<name>/shared    what all nodes know of an object
//!  object/<ns>/<kind>/<name>/config    the text of its configuration
//!  object/<ns>/<kind>/<name>/slot/<k>  who owns its k-th slot
//!  object/<ns>/<kind>/<name>/instance/<node>
//!                                      what a node says of its instance
//! ```

use model::{NodeName, ObjectPath};
use store::KeyRange;

const GENERATION: &str = "generation";
const MEMBERS: &str = "members";

/// A key that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedKey {
    Generation,
    Node(NodeName),
    Beat(NodeName),
    NodeFlags(NodeName),
    NodeInfo(NodeName),
    Peer(NodeName),
    Fence(NodeName),
    Members,
    Object(ObjectPath),
    Config(ObjectPath),
    Slot(ObjectPath, usize),
    Instance(ObjectPath, NodeName),
}

/// All keys.
pub fn everything() -> KeyRange {
    KeyRange::all()
}

/// The key of the generation.
pub fn generation_key() -> Vec<u8> {
    SharedKey::Generation.to_bytes()
}

impl SharedKey {
    /// As the store has it.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            SharedKey::Generation => GENERATION.into(),
            SharedKey::Node(node) => format!("node/{node}").into(),
            SharedKey::Beat(node) => format!("beat/{node}").into(),
            SharedKey::NodeFlags(node) => format!("flags/{node}").into(),
            SharedKey::NodeInfo(node) => format!("info/{node}").into(),
            SharedKey::Peer(node) => format!("peer/{node}").into(),
            SharedKey::Fence(node) => format!("fence/{node}").into(),
            SharedKey::Members => MEMBERS.into(),
            SharedKey::Object(path) => format!("{}shared", prefix(path)).into(),
            SharedKey::Config(path) => format!("{}config", prefix(path)).into(),
            SharedKey::Slot(path, index) => format!("{}slot/{index}", prefix(path)).into(),
            SharedKey::Instance(path, node) => format!("{}instance/{node}", prefix(path)).into(),
        }
    }

    /// The key of these bytes. None: another version's.
    pub fn parse(bytes: &[u8]) -> Option<SharedKey> {
        let text = std::str::from_utf8(bytes).ok()?;
        if text == GENERATION {
            return Some(SharedKey::Generation);
        }
        if text == MEMBERS {
            return Some(SharedKey::Members);
        }
        if let Some(node) = text.strip_prefix("peer/") {
            return Some(SharedKey::Peer(node.parse().ok()?));
        }
        if let Some(node) = text.strip_prefix("fence/") {
            return Some(SharedKey::Fence(node.parse().ok()?));
        }
        if let Some(node) = text.strip_prefix("node/") {
            return Some(SharedKey::Node(node.parse().ok()?));
        }
        if let Some(node) = text.strip_prefix("beat/") {
            return Some(SharedKey::Beat(node.parse().ok()?));
        }
        if let Some(node) = text.strip_prefix("flags/") {
            return Some(SharedKey::NodeFlags(node.parse().ok()?));
        }
        if let Some(node) = text.strip_prefix("info/") {
            return Some(SharedKey::NodeInfo(node.parse().ok()?));
        }
        let mut parts = text.strip_prefix("object/")?.split('/');
        let (namespace, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
        let path = ObjectPath::new(namespace, kind.parse().ok()?, name).ok()?;
        match (parts.next()?, parts.next(), parts.next()) {
            ("shared", None, None) => Some(SharedKey::Object(path)),
            ("config", None, None) => Some(SharedKey::Config(path)),
            ("instance", Some(node), None) => Some(SharedKey::Instance(path, node.parse().ok()?)),
            ("slot", Some(index), None) => Some(SharedKey::Slot(path, index.parse().ok()?)),
            // A later version may put other keys below an object, also the mark of a copy: this one leaves them
            // alone.
            _ => None,
        }
    }
}

/// All keys of an object.
pub(crate) fn of_object(path: &ObjectPath) -> KeyRange {
    KeyRange::prefix(prefix(path))
}

fn prefix(path: &ObjectPath) -> String {
    format!("object/{}/{}/{}/", path.namespace(), path.kind().as_str(), path.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let (web, of_ns1): (ObjectPath, ObjectPath) = ("web".parse().unwrap(), "ns1/vol/data".parse().unwrap());
        let keys = [
            (SharedKey::Generation, "generation"),
            (SharedKey::Node("n1".parse().unwrap()), "node/n1"),
            (SharedKey::Beat("n1".parse().unwrap()), "beat/n1"),
            (SharedKey::NodeFlags("n1".parse().unwrap()), "flags/n1"),
            (SharedKey::NodeInfo("n1".parse().unwrap()), "info/n1"),
            (SharedKey::Peer("n1".parse().unwrap()), "peer/n1"),
            (SharedKey::Fence("n1".parse().unwrap()), "fence/n1"),
            (SharedKey::Members, "members"),
            (SharedKey::Object(web.clone()), "object/root/svc/web/shared"),
            (SharedKey::Config(web.clone()), "object/root/svc/web/config"),
            (SharedKey::Instance(web.clone(), "n1".parse().unwrap()), "object/root/svc/web/instance/n1"),
            (SharedKey::Slot(web.clone(), 2), "object/root/svc/web/slot/2"),
            (SharedKey::Object(of_ns1), "object/ns1/vol/data/shared"),
        ];
        for (key, text) in keys {
            assert_eq!(key.to_bytes(), text.as_bytes());
            assert_eq!(SharedKey::parse(text.as_bytes()), Some(key));
        }
        for foreign in ["", "object/root/svc/web", "object/root/svc/web/slot/x", "object/root/svc/web/later", "node/!"]
        {
            assert_eq!(SharedKey::parse(foreign.as_bytes()), None, "{foreign}");
        }
        assert!(of_object(&web).contains(b"object/root/svc/web/slot/2"));
        assert!(!of_object(&web).contains(b"object/root/svc/web2/shared"));
    }
}
