//! Whether a container has namespaces(7) of its own, or shares those of the node or of another container.

use std::fmt;

use model::Rid;

/// The namespace of one kind that a container lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamespaceMode {
    /// The engine's default, which is one of its own (for a network: on the engine's bridge).
    Default,
    /// Explicitly one of its own: `private`, `shareable`, and for a network `none`.
    Own(String),
    /// The node's namespace.
    Host,
    /// The namespace of the container of another resource of the same object.
    Resource(Rid),
    /// The namespace of any other container, or a network by its name.
    Other(String),
}

/// The kinds of namespaces, as far as they read words differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamespaceKind {
    /// `bridge` is the default, `none` is one of its own, and any other word is the name of a network.
    Network,
    /// All other kinds.
    Plain,
}

impl NamespaceMode {
    /// Reads the word of a keyword, an option or a request.
    pub(crate) fn parse(kind: NamespaceKind, text: &str) -> NamespaceMode {
        match (kind, text) {
            (_, "") | (NamespaceKind::Network, "default" | "bridge") => NamespaceMode::Default,
            (_, "none") | (NamespaceKind::Plain, "private" | "shareable") => NamespaceMode::Own(text.to_owned()),
            (_, "host") => NamespaceMode::Host,
            _ => {
                // Keywords name a resource with or without the prefix, requests a container always with it.
                let name = text.strip_prefix("container:").unwrap_or(text);
                let rid = name.parse().ok().filter(|_| name.contains('#'));
                rid.map_or_else(|| NamespaceMode::Other(text.to_owned()), NamespaceMode::Resource)
            }
        }
    }

    /// Whether this never gives more than the other: `none` gives less than a bridge, and a namespace of its own as much as the
    /// default.
    pub(crate) fn is_within(&self, allowed: &NamespaceMode) -> bool {
        self == allowed
            || matches!((self, allowed), (NamespaceMode::Own(_), NamespaceMode::Default))
            || matches!((self, allowed), (NamespaceMode::Own(own), NamespaceMode::Own(allowed)) if own == "none" || allowed != "none")
            || matches!((self, allowed), (NamespaceMode::Default, NamespaceMode::Own(allowed)) if allowed != "none")
    }
}

impl fmt::Display for NamespaceMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamespaceMode::Default => f.write_str("the engine's default"),
            NamespaceMode::Own(text) | NamespaceMode::Other(text) => f.write_str(text),
            NamespaceMode::Host => f.write_str("host"),
            NamespaceMode::Resource(rid) => write!(f, "container:{rid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_allowed_and_more_is_not() {
        for (asked, allowed, expected) in [
            ("", "", true),
            ("bridge", "", true),
            ("none", "", true),
            ("", "none", false),
            ("private", "", false),
            ("host", "", false),
            ("host", "host", true),
            ("", "host", false),
            ("container:db", "container:db", true),
            ("container:db", "container:web", false),
            ("container:container#1", "container#1", true),
            ("lan", "lan", true),
            ("lan", "", false),
        ] {
            let [of_asked, of_allowed] =
                [asked, allowed].map(|text| NamespaceMode::parse(NamespaceKind::Network, text));
            assert_eq!(of_asked.is_within(&of_allowed), expected, "{asked:?} in {allowed:?}");
        }
    }

    #[test]
    fn words_mean_something_else_for_other_kinds() {
        for (asked, allowed, expected) in [
            ("private", "", true),
            ("", "private", true),
            ("none", "private", true),
            ("", "none", false),
            ("bridge", "", false),
            ("host", "private", false),
        ] {
            let [of_asked, of_allowed] = [asked, allowed].map(|text| NamespaceMode::parse(NamespaceKind::Plain, text));
            assert_eq!(of_asked.is_within(&of_allowed), expected, "{asked:?} in {allowed:?}");
        }
    }
}
