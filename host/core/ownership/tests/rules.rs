//! The rules where they could be read in another way: each reading that was found to let two nodes own a slot is a test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::NodeName;
use orchestrate::{BootTime, FencingToken, NodeIncarnation, SlotState, StoreRevision};
use ownership::{
    Generation, GuardFinding, NodeMemory, NodeReading, Ownership, OwnershipEffect, OwnershipReading, OwnershipRequest,
    OwnershipTiming, RequestGuard, RequestOutcome, SentRequest, SlotName, SlotReading,
};

const GENERATION: Generation = Generation { number: 3, nonce: 77 };
const VALIDITY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(6);

fn at(seconds: u64) -> BootTime {
    BootTime::after_boot(Duration::from_secs(seconds))
}

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn web() -> SlotName {
    SlotName { path: "web".parse().unwrap(), index: 0 }
}

fn revision(number: u64) -> StoreRevision {
    StoreRevision(number)
}

fn alive(life: u64, beat: u64, boot: &str) -> NodeReading {
    let (life, beat, members) = (revision(life), revision(beat), revision(0));
    NodeReading { life, alive: true, boot: boot.to_owned(), beat, pinned: false, members }
}

fn held(at: u64, owner: &str, life: u64) -> SlotReading {
    let incarnation = NodeIncarnation { generation: GENERATION.number, revision: revision(life) };
    SlotReading { revision: revision(at), owner: name(owner), incarnation, state: SlotState::Held }
}

fn reading(
    at: u64,
    nodes: impl IntoIterator<Item = (&'static str, NodeReading)>,
    slot: Option<SlotReading>,
) -> OwnershipReading {
    OwnershipReading {
        revision: revision(at),
        generation: GENERATION,
        nodes: nodes.into_iter().map(|(node, reading)| (name(node), reading)).collect(),
        slots: slot.map(|slot| (web(), slot)).into_iter().collect::<BTreeMap<_, _>>(),
    }
}

fn process(memory: NodeMemory, running: bool) -> Ownership {
    let timing = OwnershipTiming { validity: VALIDITY, patience: PATIENCE };
    Ownership::new(name("me"), "boot-1".to_owned(), timing, memory, running.then(web))
}

/// A node that is long settled in its generation, and has not registered in this boot.
fn settled() -> NodeMemory {
    NodeMemory { generation: Some(GENERATION), settled: true, ..NodeMemory::default() }
}

/// A node that registered at revision 10, with a peer of life 4 and beat 9.
fn registered() -> Ownership {
    let mut me = process(settled(), false);
    me.observe(reading(9, [("peer", alive(4, 9, "x"))], None), at(0));
    let sent = me.register(at(0)).unwrap();
    me.answer(&sent, &RequestOutcome::Applied(revision(10)), at(0));
    me
}

/// The same, with the slot taken at revision 20, and a beat at revision 21 that was sent at 1 s.
fn owner() -> Ownership {
    let mut me = registered();
    let take = me.take(&web(), at(1)).unwrap();
    me.answer(&take, &RequestOutcome::Applied(revision(20)), at(1));
    let beat = me.beat(at(1)).unwrap();
    me.answer(&beat, &RequestOutcome::Applied(revision(21)), at(2));
    me.started(web());
    me
}

fn refused(sent: &SentRequest, replace: impl Fn(&RequestGuard) -> Option<GuardFinding>) -> RequestOutcome {
    let holds = |guard: &RequestGuard| match guard {
        RequestGuard::Generation(generation) => GuardFinding::Generation(*generation),
        RequestGuard::Life(_, found) => GuardFinding::Life(*found),
        RequestGuard::LifeGone(_, life) => GuardFinding::Life(revision(life.0 + 1)),
        RequestGuard::Beat(_, found) => GuardFinding::Beat(*found),
        RequestGuard::Slot(_, found) => GuardFinding::Slot((found.0 > 0).then(|| held(found.0, "me", 10))),
    };
    RequestOutcome::Refused(sent.guards().iter().map(|guard| replace(guard).unwrap_or_else(|| holds(guard))).collect())
}

fn extensions(effects: &[OwnershipEffect]) -> Vec<(FencingToken, BootTime)> {
    let extension = |effect: &OwnershipEffect| match effect {
        OwnershipEffect::Extend { token, sent, .. } => Some((*token, *sent)),
        _ => None,
    };
    effects.iter().filter_map(extension).collect()
}

#[test]
fn every_request_compares_the_generation_and_all_but_a_registration_its_own_life() {
    let mut me = owner();
    me.observe(
        reading(30, [("me", alive(10, 21, "boot-1")), ("peer", alive(4, 9, "x"))], Some(held(20, "me", 10))),
        at(2),
    );
    let evict = me.evict(&name("peer"), at(7)).unwrap().0;
    let beat = me.beat(at(7)).unwrap();
    me.stopped(&web());
    let release = me.release(&web(), at(7)).unwrap();
    let take = me.take(&web(), at(7)).unwrap();
    for sent in [evict, beat, release, take] {
        let guards = sent.guards();
        assert_eq!(guards[..2], [RequestGuard::Generation(GENERATION), RequestGuard::Life(name("me"), revision(10))]);
        assert!(guards.len() > 2, "{guards:?}");
    }
    let mut fresh = process(settled(), false);
    fresh.observe(reading(9, [("me", alive(4, 5, "boot-0"))], None), at(0));
    let register = fresh.register(at(0)).unwrap();
    // A registration replaces nothing that it has not read.
    assert_eq!(register.guards(), [RequestGuard::Generation(GENERATION), RequestGuard::Life(name("me"), revision(4))]);
}

#[test]
fn same_beat_means_the_pair_of_life_and_beat() {
    let mut me = registered();
    // The life changed, the beat did not: the wait begins anew.
    me.observe(reading(11, [("me", alive(10, 10, "boot-1")), ("peer", alive(11, 9, "y"))], None), at(4));
    assert_eq!(me.evict(&name("peer"), at(6)), None);
    // The beat changed, the life did not.
    me.observe(reading(12, [("me", alive(10, 10, "boot-1")), ("peer", alive(11, 12, "y"))], None), at(9));
    assert_eq!(me.evict(&name("peer"), at(14)), None);
    let (evict, _) = me.evict(&name("peer"), at(15)).unwrap();
    let guards = evict.guards();
    assert_eq!(
        guards[2..],
        [RequestGuard::Life(name("peer"), revision(11)), RequestGuard::Beat(name("peer"), revision(12))]
    );
}

#[test]
fn an_observer_counts_from_the_arrival_of_the_answer() {
    let mut me = process(settled(), false);
    // Asked for at 0 s, arrived at 3 s.
    me.observe(reading(9, [("peer", alive(4, 9, "x"))], None), at(3));
    let sent = me.register(at(3)).unwrap();
    me.answer(&sent, &RequestOutcome::Applied(revision(10)), at(3));
    assert_eq!(me.evict(&name("peer"), at(8)), None);
    assert!(me.evict(&name("peer"), at(9)).is_some());
}

#[test]
fn a_read_that_is_older_than_what_is_known_is_no_change() {
    let mut me = registered();
    let older = reading(8, [("peer", alive(4, 7, "x"))], None);
    assert_eq!(me.observe(older, at(5)), []);
    assert!(me.evict(&name("peer"), at(6)).is_some(), "the wait goes on");
}

#[test]
fn a_deadline_counts_from_when_the_beat_was_sent() {
    let mut me = owner();
    let beat = me.beat(at(4)).unwrap();
    assert_eq!(me.beat(at(5)), None, "one is in flight");
    let effects = me.answer(&beat, &RequestOutcome::Applied(revision(22)), at(7));
    let token = FencingToken { generation: 3, revision: revision(20) };
    assert_eq!(extensions(&effects), [(token, at(4))]);
    assert!(me.may_start(&web(), at(8)) && !me.may_start(&web(), at(9)));
}

#[test]
fn a_registration_or_a_take_gives_no_deadline() {
    let mut me = registered();
    let take = me.take(&web(), at(1)).unwrap();
    let effects = me.answer(&take, &RequestOutcome::Applied(revision(20)), at(1));
    assert_eq!(extensions(&effects), []);
    assert!(!me.may_start(&web(), at(1)), "no beat was acknowledged since");
}

#[test]
fn a_beat_goes_on_from_an_earlier_one_that_was_applied_late() {
    let mut me = owner();
    let given_up = me.beat(at(3)).unwrap();
    me.answer(&given_up, &RequestOutcome::Unknown, at(4));
    let next = me.beat(at(4)).unwrap();
    let late =
        |guard: &RequestGuard| matches!(guard, RequestGuard::Beat(..)).then_some(GuardFinding::Beat(revision(25)));
    assert_eq!(extensions(&me.answer(&next, &refused(&next, late), at(4))), []);
    let again = me.beat(at(4)).unwrap();
    assert!(again.guards().contains(&RequestGuard::Beat(name("me"), revision(25))));
}

#[test]
fn gone_means_another_life_and_not_an_absent_key() {
    let mut me = registered();
    let own = ("me", alive(10, 10, "boot-1"));
    me.observe(reading(30, [own.clone(), ("peer", alive(4, 29, "x"))], Some(held(20, "peer", 4))), at(1));
    assert_eq!(me.take(&web(), at(1)), None, "it lives");
    // It is there and alive, in another life.
    me.observe(reading(31, [own, ("peer", alive(31, 31, "y"))], Some(held(20, "peer", 4))), at(1));
    let guards = me.take(&web(), at(1)).unwrap().guards();
    assert_eq!(
        guards[2..],
        [RequestGuard::Slot(web(), revision(20)), RequestGuard::LifeGone(name("peer"), revision(4))]
    );
}

#[test]
fn token_is_dead_when_its_release_is_sent() {
    let mut me = owner();
    assert_eq!(me.release(&web(), at(3)), None, "something runs in it");
    me.stopped(&web());
    let beat = me.beat(at(3)).unwrap();
    let release = me.release(&web(), at(3)).unwrap();
    let token = FencingToken { generation: 3, revision: revision(20) };
    assert!(release.guards().contains(&RequestGuard::Slot(web(), token.revision)));
    assert!(!me.may_start(&web(), at(3)));
    // A beat that was sent before gives nothing any more.
    assert_eq!(extensions(&me.answer(&beat, &RequestOutcome::Applied(revision(22)), at(3))), []);
    me.answer(&release, &RequestOutcome::Unknown, at(4));
    assert!(me.release(&web(), at(4)).is_some(), "it is repeated");
    // Only another take gives the slot back, and a late answer of the first one does not.
    let own = [("me", alive(10, 22, "boot-1")), ("peer", alive(4, 9, "x"))];
    me.observe(reading(22, own, Some(held(20, "me", 10))), at(4));
    let take = me.take(&web(), at(4)).unwrap();
    me.answer(&take, &RequestOutcome::Applied(revision(20)), at(4));
    assert_eq!(me.token(&web()), None, "a token that is not greater than the one that was given up");
    me.answer(&take, &RequestOutcome::Applied(revision(23)), at(4));
    assert_eq!(me.token(&web()).unwrap().revision, revision(23));
}

#[test]
fn slot_that_is_another_s_by_now_is_cut() {
    let mut me = owner();
    let own = [("me", alive(10, 21, "boot-1")), ("peer", alive(4, 9, "x"))];
    let effects = me.observe(reading(40, own, Some(held(40, "peer", 4))), at(3));
    assert_eq!(effects, [OwnershipEffect::Keep, OwnershipEffect::Cut { slot: web() }]);
}

#[test]
fn restarted_process_goes_on_with_its_life_and_must_take_its_slots_again() {
    let memory = owner().memory().clone();
    let mut me = process(memory, true);
    let rows = [("me", alive(10, 21, "boot-1")), ("peer", alive(4, 9, "x"))];
    assert!(
        !me.observe(reading(30, rows, Some(held(20, "me", 10))), at(9)).contains(&OwnershipEffect::Cut { slot: web() })
    );
    assert_eq!(me.register(at(9)), None);
    let beat = me.beat(at(9)).unwrap();
    assert_eq!(extensions(&me.answer(&beat, &RequestOutcome::Applied(revision(31)), at(9))), [], "it was only read");
    let take = me.take(&web(), at(9)).unwrap();
    assert_eq!(take.guards()[2..], [RequestGuard::Slot(web(), revision(20))]);
    me.answer(&take, &RequestOutcome::Applied(revision(32)), at(9));
    let beat = me.beat(at(9)).unwrap();
    let effects = me.answer(&beat, &RequestOutcome::Applied(revision(33)), at(9));
    assert_eq!(extensions(&effects), [(FencingToken { generation: 3, revision: revision(32) }, at(9))]);
}

#[test]
fn restarted_process_observes_from_nothing() {
    let mut me = process(registered().memory().clone(), false);
    me.observe(reading(30, [("me", alive(10, 21, "boot-1")), ("peer", alive(4, 9, "x"))], None), at(100));
    assert_eq!(me.evict(&name("peer"), at(105)), None, "it may have promised before");
    assert!(me.evict(&name("peer"), at(106)).is_some());
}

#[test]
fn node_that_was_evicted_cuts_before_it_registers_anew() {
    let mut me = owner();
    let beat = me.beat(at(3)).unwrap();
    let lost =
        |guard: &RequestGuard| matches!(guard, RequestGuard::Life(..)).then_some(GuardFinding::Life(revision(50)));
    let effects = me.answer(&beat, &refused(&beat, lost), at(3));
    assert_eq!(effects, [OwnershipEffect::Keep, OwnershipEffect::Cut { slot: web() }]);
    assert_eq!((me.incarnation(), me.token(&web())), (None, None));
    let mut evicted = alive(50, 21, "boot-1");
    evicted.alive = false;
    me.observe(reading(50, [("me", evicted), ("peer", alive(4, 9, "x"))], Some(held(20, "me", 10))), at(3));
    assert_eq!(me.register(at(3)), None, "it still runs");
    me.stopped(&web());
    assert!(me.register(at(4)).is_some());
}

#[test]
fn registration_whose_answer_was_lost_is_found() {
    let mut me = process(settled(), false);
    me.observe(reading(9, [], None), at(0));
    let sent = me.register(at(0)).unwrap();
    me.answer(&sent, &RequestOutcome::Unknown, at(2));
    me.observe(reading(12, [("me", alive(12, 12, "boot-1"))], None), at(2));
    assert_eq!(me.incarnation().unwrap().revision, revision(12));
    // Not one of an earlier boot.
    let mut other = process(settled(), false);
    other.observe(reading(12, [("me", alive(12, 12, "boot-0"))], None), at(2));
    assert_eq!(other.incarnation(), None);
}

#[test]
fn answer_of_an_earlier_life_says_nothing() {
    let mut me = registered();
    let take = me.take(&web(), at(1)).unwrap();
    let mut evicted = alive(15, 10, "boot-1");
    evicted.alive = false;
    me.observe(reading(15, [("me", evicted)], None), at(1));
    let again = me.register(at(1)).unwrap();
    me.answer(&again, &RequestOutcome::Applied(revision(16)), at(1));
    me.answer(&take, &RequestOutcome::Applied(revision(14)), at(2));
    assert_eq!(me.token(&web()), None);
}

#[test]
fn all_means_all_that_are_configured() {
    let mut me = owner();
    let all: BTreeSet<NodeName> = ["me", "peer", "unreachable"].map(name).into_iter().collect();
    let question = me.ask(&all, at(3)).unwrap();
    assert_eq!(extensions(&me.promised(&question, &name("peer"))), []);
    let token = FencingToken { generation: 3, revision: revision(20) };
    // From when it was asked, whenever the last one says yes.
    assert_eq!(extensions(&me.promised(&question, &name("unreachable"))), [(token, at(3))]);
}

#[test]
fn a_round_that_not_all_answer_gives_way_to_the_next_one() {
    let mut me = owner();
    let all: BTreeSet<NodeName> = ["me", "peer", "other"].map(name).into_iter().collect();
    let first = me.ask(&all, at(3)).unwrap();
    me.promised(&first, &name("peer"));
    assert_eq!(me.ask(&all, at(3)), None, "it has just been asked");
    let second = me.ask(&all, at(4)).unwrap();
    // A yes to the first round is not one to the second, and counts no more.
    assert_eq!(extensions(&me.promised(&first, &name("other"))), []);
    assert_eq!(extensions(&me.promised(&second, &name("other"))), []);
    let token = FencingToken { generation: 3, revision: revision(20) };
    assert_eq!(extensions(&me.promised(&second, &name("peer"))), [(token, at(4))]);
}

#[test]
fn a_node_that_holds_nothing_asks_too() {
    let mut me = registered();
    let all: BTreeSet<NodeName> = ["me", "peer"].map(name).into_iter().collect();
    let question = me.ask(&all, at(3)).unwrap();
    assert_eq!(me.promised(&question, &name("peer")), []);
}

#[test]
fn the_next_eviction_is_due_when_the_silence_and_a_promise_are_over() {
    let rows = [("me", alive(10, 10, "boot-1")), ("peer", alive(4, 9, "x"))];
    let mut me = registered();
    me.observe(reading(11, rows, None), at(1));
    let due = at(0) + PATIENCE;
    assert_eq!(me.next_evict(at(1)), Some(due));
    assert_eq!(me.next_evict(due), None, "it is past: something else is in its way");
    let asker =
        ownership::FailsafeQuestion { asker: name("peer"), generation: GENERATION, life: revision(4), asked: at(0) };
    assert!(me.promise(&asker, at(2)));
    assert_eq!(me.next_evict(at(2)), Some(at(2) + PATIENCE));
    assert!(me.evict(&name("peer"), at(2) + PATIENCE).is_some());
    assert_eq!(me.next_evict(at(3)), None, "it was sent");
}

#[test]
fn a_promise_needs_a_life_that_was_read_and_no_eviction_that_may_come() {
    let asker = |life: u64| ownership::FailsafeQuestion {
        asker: name("peer"),
        generation: GENERATION,
        life: revision(life),
        asked: at(0),
    };
    let rows = |beat| [("me", alive(10, 10, "boot-1")), ("peer", alive(4, beat, "x"))];
    let mut me = registered();
    assert!(!me.promise(&asker(4), at(1)), "nothing was read since the registration");
    me.observe(reading(11, rows(9), None), at(1));
    assert!(!me.promise(&asker(5), at(1)), "another life");
    let other = ownership::FailsafeQuestion { generation: Generation { number: 2, nonce: 1 }, ..asker(4) };
    assert!(!me.promise(&other, at(1)), "another generation");
    assert!(me.promise(&asker(4), at(5)));
    assert_eq!(me.evict(&name("peer"), at(10)), None, "it promised");
    assert!(me.evict(&name("peer"), at(11)).is_some());
    // The eviction may be applied, also after a restart, until a newer beat than it compared was read.
    assert!(!me.promise(&asker(4), at(12)));
    let mut again = process(me.memory().clone(), false);
    assert!(!again.promise(&asker(4), at(13)));
    again.observe(reading(14, rows(14), None), at(14));
    assert!(again.promise(&asker(4), at(14)));
}

#[test]
fn node_that_the_holder_does_not_ask_leaves_its_life_alone() {
    let mut me = registered();
    me.set_members(revision(8), revision(8));
    let mut peer = alive(4, 9, "x");
    peer.members = revision(7);
    me.observe(reading(11, [("me", alive(10, 10, "boot-1")), ("peer", peer.clone())], None), at(0));
    me.observe(reading(12, [("me", alive(10, 10, "boot-1")), ("peer", alive(4, 12, "x"))], None), at(0));
    assert_eq!(me.evict(&name("peer"), at(50)), None);
    peer.beat = revision(13);
    peer.members = revision(8);
    me.observe(reading(13, [("me", alive(10, 10, "boot-1")), ("peer", peer)], None), at(50));
    assert!(me.evict(&name("peer"), at(56)).is_some());
}

#[test]
fn addresses_get_no_end_only_after_the_pinned_beat_is_acknowledged() {
    let mut me = owner();
    let before = me.beat(at(2)).unwrap();
    me.pin();
    let effects = me.answer(&before, &RequestOutcome::Applied(revision(22)), at(2));
    assert!(!effects.contains(&OwnershipEffect::PinHolds), "that beat was not pinned");
    let pinned = me.beat(at(3)).unwrap();
    assert!(matches!(pinned.request, OwnershipRequest::Beat { pinned: true, .. }));
    assert!(me.answer(&pinned, &RequestOutcome::Applied(revision(23)), at(3)).contains(&OwnershipEffect::PinHolds));

    // The process that returns beats pinned until all that runs has a deadline again.
    let mut me = process(me.memory().clone(), true);
    let mut own = alive(10, 23, "boot-1");
    own.pinned = true;
    me.observe(reading(30, [("me", own)], Some(held(20, "me", 10))), at(90));
    me.unpin(at(90));
    let beat = me.beat(at(90)).unwrap();
    assert!(matches!(beat.request, OwnershipRequest::Beat { pinned: true, .. }));
    me.answer(&beat, &RequestOutcome::Applied(revision(31)), at(90));
    let take = me.take(&web(), at(90)).unwrap();
    me.answer(&take, &RequestOutcome::Applied(revision(32)), at(90));
    let beat = me.beat(at(91)).unwrap();
    assert!(me.answer(&beat, &RequestOutcome::Applied(revision(33)), at(91)).contains(&OwnershipEffect::EndPin));
    me.unpin(at(91));
    assert!(matches!(me.beat(at(92)).unwrap().request, OwnershipRequest::Beat { pinned: false, .. }));
}

#[test]
fn a_pin_has_no_end_by_time() {
    let mut me = registered();
    let mut peer = alive(4, 12, "x");
    peer.pinned = true;
    me.observe(reading(12, [("me", alive(10, 10, "boot-1")), ("peer", peer)], None), at(1));
    assert_eq!(me.evict(&name("peer"), at(1_000_000)), None);
    // A person who saw that its services are stopped ends it, by what was shown.
    let (evict, _) = me.evict_by_hand(&name("peer"), (revision(4), revision(12)), at(2)).unwrap();
    assert!(evict.guards().contains(&RequestGuard::Beat(name("peer"), revision(12))));
}

#[test]
fn a_fence_ends_the_life_that_was_read_before_it() {
    let mut me = registered();
    let (evict, _) = me.evict_fenced(&name("peer"), (revision(4), revision(9)), at(2)).unwrap();
    let guards = evict.guards();
    assert_eq!(
        guards[2..],
        [RequestGuard::Life(name("peer"), revision(4))],
        "the node that is born again is another life"
    );
}

#[test]
fn new_generation_ends_everything_and_is_waited_in() {
    let mut me = owner();
    let next = Generation { number: 4, nonce: 1 };
    let restored = |at: u64, slot| OwnershipReading { generation: next, ..reading(at, [], slot) };
    // Its revisions begin again, below those that were seen.
    let effects = me.observe(restored(5, Some(held(3, "peer", 4))), at(3));
    assert!(!effects.contains(&OwnershipEffect::Cut { slot: web() }), "it goes on until its old deadline: {effects:?}");
    assert_eq!((me.incarnation(), me.token(&web())), (None, None));
    let register = me.register(at(3)).unwrap();
    me.answer(&register, &RequestOutcome::Applied(revision(6)), at(3));
    // What it runs itself it may claim at once, whatever the restored rows say.
    let claim = me.take(&web(), at(3)).unwrap();
    assert_eq!(claim.guards()[2..], [RequestGuard::Slot(web(), revision(3))]);
    me.stopped(&web());
    assert_eq!(me.take(&web(), at(8)), None, "others may not have seen the generation yet");
    assert!(me.take(&web(), at(9)).is_some());
    // What is left of the old generation does not come back.
    assert_eq!(me.observe(reading(99, [], None), at(9)), []);
    assert_eq!(me.incarnation().unwrap().generation, 4);
}

#[test]
fn what_runs_since_an_earlier_generation_is_taken_again_unless_another_node_has_it() {
    let next = Generation { number: 4, nonce: 5 };
    let restored = |at: u64, slot| OwnershipReading { generation: next, ..reading(at, [], slot) };
    let begun = |slot: Option<SlotReading>| {
        let mut me = owner();
        me.started(web());
        me.observe(restored(1, slot.clone()), at(2));
        me.observe(restored(2, slot.clone()), at(2));
        assert_eq!(me.reclaimable(at(2)).count(), 0, "it has no life yet");
        let sent = me.register(at(2)).unwrap();
        me.answer(&sent, &RequestOutcome::Applied(revision(3)), at(2));
        me
    };
    // Its row is gone, or of the generation before.
    for slot in [None, Some(held(20, "me", 10)), Some(held(20, "peer", 4))] {
        let mut me = begun(slot);
        assert_eq!(me.reclaimable(at(3)).collect::<Vec<_>>(), [&web()]);
        let sent = me.take(&web(), at(3)).unwrap();
        me.answer(&sent, &RequestOutcome::Applied(revision(4)), at(3));
        assert_eq!(me.reclaimable(at(3)).count(), 0, "it is confirmed");
    }
    assert_eq!(begun(None).reclaimable(at(9)).count(), 0, "others may take it from now on");
    let incarnation = NodeIncarnation { generation: 4, revision: revision(2) };
    let taken = SlotReading { incarnation, ..held(2, "peer", 2) };
    assert_eq!(begun(Some(taken)).reclaimable(at(3)).count(), 0, "it is another's");
}

#[test]
fn node_without_a_memory_waits_in_the_generation_that_it_finds() {
    let mut me = process(NodeMemory::default(), false);
    me.observe(reading(9, [], None), at(1));
    let sent = me.register(at(1)).unwrap();
    me.answer(&sent, &RequestOutcome::Applied(revision(10)), at(1));
    assert_eq!(me.take(&web(), at(6)), None);
    assert!(me.take(&web(), at(7)).is_some());
    me.observe(reading(10, [("me", alive(10, 10, "boot-1"))], None), at(8));
    assert!(me.memory().settled);
}

#[test]
fn blocked_slot_is_taken_by_nobody() {
    let mut me = registered();
    let blocked = SlotReading { state: SlotState::Blocked, ..held(20, "peer", 3) };
    me.observe(reading(30, [("me", alive(10, 10, "boot-1"))], Some(blocked)), at(1));
    assert_eq!(me.take(&web(), at(1)), None);
}
