//! Who votes: decided from values alone.
//!
//! Two voters survive the loss of none, so two nodes have one voter and a learner that follows. etcd allows one learner at a time
//! (before 3.6 without an option), so a third node joins when the second has become a voter.

use std::time::Duration;

/// A learner that has not come into step, and not moved for so long, is removed: it would keep others from joining.
pub const STALL: Duration = Duration::from_secs(300);

/// A member of the engine, as the leader's daemon sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    pub id: u64,
    /// Empty: it has never started.
    pub name: String,
    pub is_learner: bool,
    /// It answers.
    pub answers: bool,
    /// It has applied what the leader has, but for the last hundredth.
    pub in_step: bool,
    /// Since when it has made no progress, as long as it has not come into step once.
    pub stalled: Duration,
}

/// What the leader's daemon does next about the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberStep {
    Promote(u64),
    Remove(u64),
}

/// What becomes of a node that joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinerRole {
    /// It gets a member that follows, and may be promoted.
    Learner,
    /// Not yet: this learner has to be promoted first.
    After(String),
    /// It gets none: there are voters enough, and one that follows.
    Client,
}

/// How many voters so many nodes should have; `wish` is 3, or 5 for those who want to survive the loss of two.
pub fn wanted_voters(nodes: usize, wish: usize) -> usize {
    match nodes {
        0..=2 => 1,
        3 | 4 => 3,
        _ => {
            if wish >= 5 {
                5
            } else {
                3
            }
        }
    }
}

/// The next step towards the voters that so many nodes should have. A member is removed before another one is promoted, and nothing
/// is done while a voter is away: a change could then cost the majority.
pub fn next_step(members: &[MemberView], nodes: usize, wish: usize) -> Option<MemberStep> {
    let stalled = |member: &&MemberView| member.is_learner && !member.in_step && member.stalled >= STALL;
    // Even while a voter is away: a learner has no vote, so its removal changes no majority.
    if let Some(member) = members.iter().find(stalled) {
        return Some(MemberStep::Remove(member.id));
    }
    let voters = members.iter().filter(|member| !member.is_learner);
    let (count, away) = voters.fold((0, 0), |(count, away), voter| (count + 1, away + usize::from(!voter.answers)));
    if count >= wanted_voters(nodes, wish) || away > 0 {
        return None;
    }
    // etcd 3.4.23 would promote one that has never started.
    let ready = |member: &&MemberView| member.is_learner && !member.name.is_empty() && member.answers && member.in_step;
    members.iter().find(ready).map(|member| MemberStep::Promote(member.id))
}

/// What becomes of a node that joins; `nodes` counts it.
pub fn role_of_joiner(members: &[MemberView], nodes: usize, wish: usize) -> JoinerRole {
    // Also with voters enough: a learner takes the place of a voter that is lost without another join.
    let Some(learner) = members.iter().find(|member| member.is_learner) else { return JoinerRole::Learner };
    let voters = members.len() - members.iter().filter(|member| member.is_learner).count();
    if voters >= wanted_voters(nodes, wish) {
        return JoinerRole::Client;
    }
    let name = if learner.name.is_empty() { format!("{:x}", learner.id) } else { learner.name.clone() };
    JoinerRole::After(name)
}

/// Whether the rest has a majority without this member. The error says which voters would be missing.
pub fn may_remove(members: &[MemberView], id: u64) -> Result<(), String> {
    let Some(leaver) = members.iter().find(|member| member.id == id) else { return Ok(()) };
    if leaver.is_learner {
        return Ok(());
    }
    let rest: Vec<&MemberView> = members.iter().filter(|member| !member.is_learner && member.id != id).collect();
    let answering = rest.iter().filter(|voter| voter.answers).count();
    // Of the rest and not of all: the majority is counted without the member as soon as its removal is applied.
    if !rest.is_empty() && answering > rest.len() / 2 {
        return Ok(());
    }
    let missing: Vec<&str> = rest.iter().filter(|voter| !voter.answers).map(|voter| voter.name.as_str()).collect();
    Err(match rest.is_empty() {
        true => format!("{} is the only voter of the engine", leaver.name),
        false => format!("the rest of the engine would have no majority: {} does not answer", missing.join(", ")),
    })
}

/// In one line, what a loss would mean.
pub fn loss(members: &[MemberView], nodes: usize) -> String {
    let voters: Vec<&MemberView> = members.iter().filter(|member| !member.is_learner).collect();
    let answering = voters.iter().filter(|voter| voter.answers).count();
    let majority = voters.len() / 2 + 1;
    let down: Vec<&str> = voters.iter().filter(|voter| !voter.answers).map(|voter| voter.name.as_str()).collect();
    let hint = match nodes {
        1 => "join a second and a third node",
        2 => "join a third node, or a witness (om cluster join --witness)",
        _ => "bring back or replace the members that are missing",
    };
    match answering.checked_sub(majority) {
        None => format!("the engine has no majority: {} of {} voters answer", answering, voters.len()),
        Some(0) if voters.len() == 1 => {
            format!("no failure of {}'s engine is survived; {hint}", node_of(&voters[0].name))
        }
        Some(0) if down.is_empty() => format!("no failure of an engine is survived; {hint}"),
        Some(0) => format!("no further failure of an engine is survived: {} does not answer", down.join(", ")),
        Some(1) => "the loss of one engine is survived".to_owned(),
        Some(spare) => format!("the loss of {spare} engines is survived"),
    }
}

/// The node in the name of a member: `n1-5f3c1a2b`.
pub fn node_of(member: &str) -> &str {
    member.rsplit_once('-').map_or(member, |(node, _)| node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voter(id: u64) -> MemberView {
        let name = format!("n{id}-00000000");
        MemberView { id, name, is_learner: false, answers: true, in_step: true, stalled: Duration::ZERO }
    }

    fn learner(id: u64) -> MemberView {
        MemberView { is_learner: true, ..voter(id) }
    }

    #[test]
    fn voters_follow_the_number_of_nodes() {
        let wanted: Vec<usize> = (1..=6).map(|nodes| wanted_voters(nodes, 3)).collect();
        assert_eq!(wanted, [1, 1, 3, 3, 3, 3]);
        assert_eq!((wanted_voters(4, 5), wanted_voters(5, 5)), (3, 5));
    }

    #[test]
    fn a_learner_is_promoted_when_a_third_node_comes_and_it_is_in_step() {
        let two = [voter(1), learner(2)];
        assert_eq!(next_step(&two, 2, 3), None);
        assert_eq!(next_step(&two, 3, 3), Some(MemberStep::Promote(2)));
        let late = MemberView { in_step: false, ..learner(2) };
        let unborn = MemberView { name: String::new(), ..learner(2) };
        let silent = MemberView { answers: false, ..learner(2) };
        for not_ready in [late, unborn, silent] {
            assert_eq!(next_step(&[voter(1), not_ready], 3, 3), None);
        }
    }

    #[test]
    fn nothing_is_promoted_while_a_voter_is_away_and_none_beyond_what_is_wanted() {
        let away = MemberView { answers: false, ..voter(1) };
        assert_eq!(next_step(&[voter(2), away, learner(3)], 3, 3), None);
        assert_eq!(next_step(&[voter(1), voter(2), voter(3), learner(4)], 4, 3), None);
    }

    #[test]
    fn a_learner_that_never_comes_is_removed_and_one_that_follows_is_not() {
        let stuck = MemberView { in_step: false, answers: false, stalled: STALL, ..learner(2) };
        assert_eq!(next_step(&[voter(1), stuck.clone()], 3, 3), Some(MemberStep::Remove(2)));
        let moving = MemberView { stalled: STALL - Duration::from_secs(1), ..stuck };
        assert_eq!(next_step(&[voter(1), moving], 3, 3), None);
    }

    #[test]
    fn a_joiner_waits_for_the_learner_before_it() {
        assert_eq!(role_of_joiner(&[voter(1)], 2, 3), JoinerRole::Learner);
        assert_eq!(role_of_joiner(&[voter(1), learner(2)], 3, 3), JoinerRole::After("n2-00000000".to_owned()));
        assert_eq!(role_of_joiner(&[voter(1), voter(2)], 3, 3), JoinerRole::Learner);
        assert_eq!(role_of_joiner(&[voter(1), voter(2), voter(3)], 4, 3), JoinerRole::Learner);
        assert_eq!(role_of_joiner(&[voter(1), voter(2), voter(3), learner(4)], 5, 3), JoinerRole::Client);
    }

    #[test]
    fn a_member_leaves_only_if_the_rest_has_a_majority() {
        let down = MemberView { answers: false, ..voter(3) };
        assert_eq!(may_remove(&[voter(1), voter(2), voter(3)], 3), Ok(()));
        assert_eq!(may_remove(&[voter(1), learner(2)], 2), Ok(()));
        assert_eq!(may_remove(&[voter(1), voter(2), down.clone()], 3), Ok(()));
        let error = may_remove(&[voter(1), voter(2), down], 2).unwrap_err();
        assert_eq!(error, "the rest of the engine would have no majority: n3-00000000 does not answer");
        assert!(may_remove(&[voter(1), learner(2)], 1).unwrap_err().contains("the only voter"));
    }

    #[test]
    fn a_loss_is_told_in_one_line() {
        let down = MemberView { answers: false, ..voter(3) };
        let check = |members: &[MemberView], nodes, expected: &str| assert_eq!(loss(members, nodes), expected);
        check(
            &[voter(1), learner(2)],
            2,
            "no failure of n1's engine is survived; join a third node, or a witness (om cluster join --witness)",
        );
        check(&[voter(1), voter(2), voter(3)], 3, "the loss of one engine is survived");
        let further = "no further failure of an engine is survived: n3-00000000 does not answer";
        check(&[voter(1), voter(2), down.clone()], 3, further);
        let silent = MemberView { answers: false, ..voter(2) };
        check(&[voter(1), silent, down], 3, "the engine has no majority: 1 of 3 voters answer");
    }
}
