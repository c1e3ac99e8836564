//! `sync <verb>`: what is copied, and where to.

use anyhow::anyhow;
use plan::{CopyPlace, CopyRequest};

use crate::exit::Failure;

/// The words of the command line, as drivers know them: `all`, `nodes` and `drp` say where, all others how.
pub(crate) fn copying(verb: &str, target: Option<&str>) -> Result<CopyRequest, Failure> {
    let (how, places) = match verb {
        "all" => ("update", target),
        "nodes" | "drp" => ("update", Some(verb)),
        how => (how, target),
    };
    let place = |word: &str| {
        let wrong =
            |_| anyhow!("--target {word}: expected nodes, drp, local or the name of a node, with commas between them");
        word.trim().parse::<CopyPlace>().map_err(wrong)
    };
    let places = places.map_or(Ok(Vec::new()), |words| words.split(',').map(place).collect::<Result<_, _>>())?;
    Ok(CopyRequest { verb: how.to_owned(), places })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_says_where_or_how() {
        let check = |verb: &str, target: Option<&str>, how: &str, places: &[CopyPlace]| {
            let copying = copying(verb, target).ok().unwrap();
            assert_eq!((copying.verb.as_str(), &*copying.places), (how, places), "{verb} {target:?}");
        };
        let n2 = || CopyPlace::Node("n2".parse().unwrap());
        check("all", None, "update", &[]);
        check("all", Some("drp"), "update", &[CopyPlace::Drpnodes]);
        check("nodes", None, "update", &[CopyPlace::Nodes]);
        check("drp", Some("nodes"), "update", &[CopyPlace::Drpnodes]);
        check("update", Some("local,n2"), "update", &[CopyPlace::Local, n2()]);
        check("full", None, "full", &[]);
        check("resync", Some("nodes"), "resync", &[CopyPlace::Nodes]);
        assert!(copying("full", Some("nodes,-x")).is_err());
    }
}
