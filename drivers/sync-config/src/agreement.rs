//! The record of which node has which configuration. It is kept in a file and updated by each copy.
//!
//! The file is copied with the configuration, so that the receiving nodes know as much as the sending one. It contains digests
//! instead of text: one line for each node, with its name and the digest of its configuration.

use std::collections::BTreeMap;

/// The digests of the nodes' configurations.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ConfigAgreement(BTreeMap<String, String>);

impl ConfigAgreement {
    /// Reads the file. Invalid lines are ignored.
    pub(crate) fn parse(text: &str) -> ConfigAgreement {
        // An unreadable line only makes a node look unknown, which the next sync corrects.
        let line = |line: &str| line.split_once(' ').map(|(node, digest)| (node.to_owned(), digest.to_owned()));
        ConfigAgreement(text.lines().filter_map(line).collect())
    }

    /// The content of the file.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(node, digest)| format!("{node} {digest}\n")).collect()
    }

    /// Records that the node has this configuration now.
    pub(crate) fn note(&mut self, node: &str, digest: &str) {
        self.0.insert(node.to_owned(), digest.to_owned());
    }

    /// Whether the node is recorded with this configuration.
    pub(crate) fn has(&self, node: &str, digest: &str) -> bool {
        self.0.get(node).is_some_and(|known| known == digest)
    }

    /// Whether the node is recorded with any configuration.
    pub(crate) fn knows(&self, node: &str) -> bool {
        self.0.contains_key(node)
    }
}

/// The digest of a configuration: FNV-1a and the length. It distinguishes an old configuration from a new one, and need not
/// resist deliberate collisions.
pub(crate) fn digest(content: &[u8]) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = content.iter().fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:016x}-{}", content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fnv_1a() {
        assert_eq!(digest(b""), "cbf29ce484222325-0");
        assert_eq!(digest(b"a"), "af63dc4c8601ec8c-1");
        assert_eq!(digest(b"foobar"), "85944171f73967e8-6");
    }

    #[test]
    fn written_records_are_read_back() {
        let mut agreement = ConfigAgreement::parse("n3 old\njunk\n");
        agreement.note("n2", "new");
        assert_eq!(agreement.text(), "n2 new\nn3 old\n");
        assert_eq!(ConfigAgreement::parse(&agreement.text()), agreement);
        assert!(agreement.has("n2", "new") && !agreement.has("n3", "new"));
        assert!(agreement.knows("n3") && !agreement.knows("n4"));
    }
}
