//! Names of nodes.

use std::fmt;
use std::str::FromStr;

/// The longest name, as in the domain name system.
const MAX_NAME: usize = 253;

/// The name of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(String);

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name up to the first dot.
    pub fn short(&self) -> &str {
        // `split` gives at least one part, so the fallback is never used.
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is not a node name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a node name: expected a host name, see hostname(7)")]
pub struct InvalidNodeName(pub String);

impl FromStr for NodeName {
    type Err = InvalidNodeName;

    fn from_str(s: &str) -> Result<NodeName, InvalidNodeName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let plain = !s.is_empty() && s.len() <= MAX_NAME && s.chars().all(legal);
        // Names become directories and arguments: `..` would be another directory, `-n1` an option.
        if !plain || s.starts_with(['.', '-']) {
            return Err(InvalidNodeName(s.to_owned()));
        }
        Ok(NodeName(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_cannot_be_directories_or_options() {
        for good in ["n1", "ca-dev", "ca-dev.wuc", "1ca-dev", "Node_7"] {
            assert_eq!(good.parse::<NodeName>().unwrap().as_str(), good);
        }
        for bad in ["", "ca&dev", "..", ".n1", "-n1", "n/1", "n 1"] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
        assert_eq!("n1.example.com".parse::<NodeName>().unwrap().short(), "n1");
    }
}
