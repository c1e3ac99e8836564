//! How a container shares the namespaces of namespaces(7): with nobody, with the node, with another container.

use std::fmt;

use model::Rid;

/// Whose namespace of one kind a container lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The engine's default, which is one of its own (for a network: on the engine's bridge).
    Default,
    /// One of its own, said so: `private`, `shareable`, and for a network `none`.
    Own(String),
    /// The node's.
    Host,
    /// That of the container of another resource of the same object.
    Resource(Rid),
    /// That of any other container, or a network by its name.
    Other(String),
}

/// The kinds of namespaces that differ in what words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Where `bridge` is the default, `none` is one of its own, and any other word is the name of a network.
    Network,
    /// All others.
    Plain,
}

impl Mode {
    /// As a keyword, an option or a request writes it.
    pub(crate) fn parse(kind: Kind, text: &str) -> Mode {
        match (kind, text) {
            (_, "") | (Kind::Network, "default" | "bridge") => Mode::Default,
            (_, "none") | (Kind::Plain, "private" | "shareable") => Mode::Own(text.to_owned()),
            (_, "host") => Mode::Host,
            _ => {
                let name = text.strip_prefix("container:").unwrap_or(text);
                let rid = name.parse().ok().filter(|_| name.contains('#'));
                rid.map_or_else(|| Mode::Other(text.to_owned()), Mode::Resource)
            }
        }
    }

    /// Whether this is never more than the other: `none` is less than a bridge, and one of its own as good as the default.
    pub(crate) fn is_within(&self, allowed: &Mode) -> bool {
        self == allowed
            || matches!((self, allowed), (Mode::Own(_), Mode::Default))
            || matches!((self, allowed), (Mode::Own(own), Mode::Own(allowed)) if own == "none" || allowed != "none")
            || matches!((self, allowed), (Mode::Default, Mode::Own(allowed)) if allowed != "none")
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Default => f.write_str("the engine's default"),
            Mode::Own(text) | Mode::Other(text) => f.write_str(text),
            Mode::Host => f.write_str("host"),
            Mode::Resource(rid) => write!(f, "container:{rid}"),
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
            let [of_asked, of_allowed] = [asked, allowed].map(|text| Mode::parse(Kind::Network, text));
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
            let [of_asked, of_allowed] = [asked, allowed].map(|text| Mode::parse(Kind::Plain, text));
            assert_eq!(of_asked.is_within(&of_allowed), expected, "{asked:?} in {allowed:?}");
        }
    }
}
