//! `sync <verb>`: what is copied, and to where.

use protocol::CopyOrder;

/// The order that the words of the command line make: `all`, `nodes` and `drp` say where to copy, all others how.
pub(crate) fn copying(verb: &str, target: Option<&str>) -> CopyOrder {
    let (how, targets) = match verb {
        "all" => ("update", target),
        // The verb already says where to copy, so --target has no effect.
        "nodes" | "drp" => ("update", Some(verb)),
        how => (how, target),
    };
    let targets = targets.map(|words| words.split(',').map(|word| word.trim().to_owned()).collect());
    CopyOrder { verb: how.to_owned(), targets: targets.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_says_where_or_how() {
        let check = |verb: &str, target: Option<&str>, how: &str, targets: &[&str]| {
            let order = copying(verb, target);
            assert_eq!((order.verb.as_str(), order.targets), (how, targets.iter().map(|t| (*t).to_owned()).collect()));
        };
        check("all", None, "update", &[]);
        check("all", Some("drp"), "update", &["drp"]);
        check("nodes", None, "update", &["nodes"]);
        check("drp", Some("nodes"), "update", &["drp"]);
        check("update", Some("local,n2"), "update", &["local", "n2"]);
        check("full", None, "full", &[]);
        check("resync", Some("nodes"), "resync", &["nodes"]);
    }
}
