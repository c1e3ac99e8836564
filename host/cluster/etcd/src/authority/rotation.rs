//! What comes next in a rotation: decided from values alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::row::{NodeTrust, RotationRow};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationPhase {
    /// All come to trust the next authority, too.
    Trust,
    /// All get a certificate of it.
    Issue,
    /// All trust the former one no more.
    Retire,
}

impl RotationPhase {
    pub fn word(self) -> &'static str {
        match self {
            RotationPhase::Trust => "trust",
            RotationPhase::Issue => "issue",
            RotationPhase::Retire => "retire",
        }
    }

    pub(super) fn next(self) -> Option<RotationPhase> {
        match self {
            RotationPhase::Trust => Some(RotationPhase::Issue),
            RotationPhase::Issue => Some(RotationPhase::Retire),
            RotationPhase::Retire => None,
        }
    }
}

impl RotationRow {
    /// The authorities that are trusted when this phase is complete.
    pub(super) fn wanted(&self) -> BTreeSet<&str> {
        match self.phase {
            RotationPhase::Trust | RotationPhase::Issue => [&self.old[..], &self.new[..]].into(),
            RotationPhase::Retire => [&self.new[..]].into(),
        }
    }

    /// Whether the member of a node trusts whom it should. One without a member does.
    fn is_member_done(&self, node: &NodeTrust) -> bool {
        let member = node.member.as_ref();
        member.is_none_or(|trusts| trusts.iter().map(String::as_str).collect::<BTreeSet<_>>() == self.wanted())
    }

    fn is_done(&self, node: &NodeTrust) -> bool {
        let trusts: BTreeSet<&str> = node.trusts.iter().map(String::as_str).collect();
        let issued = self.phase == RotationPhase::Trust || node.issuer == self.new;
        trusts == self.wanted() && self.is_member_done(node) && issued
    }

    /// The nodes that this phase still waits for. One that has said nothing is waited for.
    pub(super) fn waits_for<'a>(&self, nodes: &[(&'a str, Option<&NodeTrust>)]) -> Vec<&'a str> {
        let open = nodes.iter().filter(|(_, said)| said.is_none_or(|said| !self.is_done(said)));
        open.map(|(node, _)| *node).collect()
    }

    /// Whether the member of this node may start again: those of the nodes in front of it have, so no two of them are away at once.
    pub(super) fn is_turn_of(&self, me: &str, nodes: &[(&str, Option<&NodeTrust>)]) -> bool {
        let mut before = nodes.iter().take_while(|(node, _)| *node != me);
        before.all(|(_, said)| said.is_some_and(|said| self.is_member_done(said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(phase: RotationPhase) -> RotationRow {
        let [old, new, text] = ["old", "new", ""].map(str::to_owned);
        RotationRow { version: 1, phase, began_at: 0, old, new, certificate: text.clone(), key: text }
    }

    fn node(trusts: &[&str], member: Option<&[&str]>, issuer: &str) -> NodeTrust {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        NodeTrust {
            version: 1,
            trusts: words(trusts),
            member: member.map(words),
            issuer: issuer.to_owned(),
            serial: "41".to_owned(),
            ends_at: 0,
            authority_ends_at: 0,
        }
    }

    #[test]
    fn a_phase_waits_for_every_node_and_for_those_that_say_nothing() {
        let (before, after) =
            (node(&["old"], Some(&["old"]), "old"), node(&["old", "new"], Some(&["new", "old"]), "old"));
        let half = node(&["old", "new"], Some(&["old"]), "old");
        let client = node(&["old", "new"], None, "old");
        let nodes =
            [("n1", Some(&after)), ("n2", Some(&before)), ("n3", Some(&half)), ("n4", Some(&client)), ("n5", None)];
        assert_eq!(row(RotationPhase::Trust).waits_for(&nodes), ["n2", "n3", "n5"]);
        // None of them has a certificate of the new one.
        assert_eq!(row(RotationPhase::Issue).waits_for(&nodes), ["n1", "n2", "n3", "n4", "n5"]);
        let issued = node(&["new", "old"], Some(&["old", "new"]), "new");
        assert!(row(RotationPhase::Issue).waits_for(&[("n1", Some(&issued))]).is_empty());
        assert_eq!(row(RotationPhase::Retire).waits_for(&[("n1", Some(&issued))]), ["n1"]);
        let retired = node(&["new"], Some(&["new"]), "new");
        assert!(row(RotationPhase::Retire).waits_for(&[("n1", Some(&retired))]).is_empty());
    }

    #[test]
    fn members_start_again_one_after_the_other() {
        let (before, after) =
            (node(&["old", "new"], Some(&["old"]), "old"), node(&["old", "new"], Some(&["new", "old"]), "old"));
        let client = node(&["old"], None, "old");
        let row = row(RotationPhase::Trust);
        let nodes = [("n1", Some(&after)), ("n2", Some(&client)), ("n3", Some(&before)), ("n4", Some(&before))];
        assert!(row.is_turn_of("n3", &nodes));
        assert!(!row.is_turn_of("n4", &nodes));
        assert!(!row.is_turn_of("n2", &[("n1", None), ("n2", Some(&before))]));
    }
}
