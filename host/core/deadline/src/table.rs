//! The deadlines of this node's slots: what the daemon may promise the keeper and the kernel.
//!
//! A beat extends only a slot whose token this process has confirmed (by a take or by asserting it again), never one whose hard
//! deadline has passed, and never to an earlier time than it has. What passed must be cut, and looked at, before it counts again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::page::NO_DEADLINE;
use crate::{SlotToken, hard_deadline};

/// The deadline of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotDeadline {
    pub token: SlotToken,
    /// Whether this process has confirmed the token. One that it only found in the page keeps its deadline, and gets no other.
    pub confirmed: bool,
    /// None before the first beat. [`NO_DEADLINE`] for one that was pinned.
    pub until: Option<Duration>,
}

/// Why a deadline stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionRefusal {
    /// This process has not confirmed that the slot is its own.
    #[error("the slot is not confirmed")]
    Unconfirmed,
    /// The token is not the one that was confirmed, or this node has given it up.
    #[error("the token is not the slot's")]
    Stale,
    /// The hard deadline has passed: what runs is cut, and must be looked at first.
    #[error("the deadline has passed")]
    Passed,
    /// The beat was acknowledged so late that its deadline has passed already.
    #[error("the beat was acknowledged too late")]
    Late,
}

/// The deadlines of all slots of this node, by the paths of their objects.
#[derive(Debug, Clone, Default)]
pub struct DeadlineTable {
    slots: BTreeMap<String, SlotDeadline>,
    /// The greatest token that was given up, by object. Nothing that is not greater counts any more.
    given_up: BTreeMap<String, SlotToken>,
}

impl DeadlineTable {
    /// Takes over a slot that a former process had, with its deadline.
    pub fn inherit(&mut self, object: &str, token: SlotToken, until: Duration) {
        self.slots.insert(object.to_owned(), SlotDeadline { token, confirmed: false, until: Some(until) });
    }

    /// A take or a re-assertion of the slot was acknowledged.
    pub fn confirm(&mut self, object: &str, token: SlotToken, now: Duration) -> Result<(), ExtensionRefusal> {
        if self.given_up.get(object).is_some_and(|dead| token <= *dead) {
            return Err(ExtensionRefusal::Stale);
        }
        let known = self.slots.get(object).copied();
        if known.is_some_and(|known| token < known.token) {
            return Err(ExtensionRefusal::Stale);
        }
        // Also for a greater token: what ran under the former one may still be there, and is cut first.
        if known.is_some_and(|known| has_passed(known.until, now)) {
            return Err(ExtensionRefusal::Passed);
        }
        // Kept: a slot that is asserted again has no more time by that, before a beat gives it some.
        let until = known.and_then(|known| known.until);
        self.slots.insert(object.to_owned(), SlotDeadline { token, confirmed: true, until });
        Ok(())
    }

    /// A beat that was sent at `sent` and is good for `validity` was acknowledged. Returns the moment until which the slot is this
    /// node's. One that was pinned gets a deadline again.
    pub fn extend(
        &mut self,
        object: &str,
        token: SlotToken,
        (sent, validity): (Duration, Duration),
        now: Duration,
    ) -> Result<Duration, ExtensionRefusal> {
        let slot = self.slots.get_mut(object).filter(|slot| slot.confirmed).ok_or(ExtensionRefusal::Unconfirmed)?;
        if slot.token != token {
            return Err(ExtensionRefusal::Stale);
        }
        if has_passed(slot.until, now) {
            return Err(ExtensionRefusal::Passed);
        }
        // A beat from the future promises nothing that is known.
        let until = sent.min(now).saturating_add(validity);
        if now >= hard_deadline(until) {
            return Err(ExtensionRefusal::Late);
        }
        let before = slot.until.filter(|until| *until != NO_DEADLINE);
        let until = before.map_or(until, |before| before.max(until));
        slot.until = Some(until);
        Ok(until)
    }

    /// Takes the deadline away: another node cannot take the slot until this node is back. Only what has not passed.
    pub fn pin(&mut self, object: &str, now: Duration) {
        if let Some(slot) = self.slots.get_mut(object).filter(|slot| !has_passed(slot.until, now)) {
            slot.until = Some(NO_DEADLINE);
        }
    }

    /// The slot is another node's, or is becoming so: what runs is cut at once. An object without a slot here gets one that is over.
    pub fn forfeit(&mut self, object: &str, now: Duration) {
        let unknown = SlotDeadline { token: SlotToken::default(), confirmed: false, until: Some(now) };
        let slot = self.slots.entry(object.to_owned()).or_insert(unknown);
        // No beat may extend it from here on, and the time that is over is the keeper's order to cut.
        slot.confirmed = false;
        slot.until = Some(slot.until.map_or(now, |until| until.min(now)));
    }

    /// The slot is given up, after a proven stop or a proven cut: its token is dead.
    pub fn release(&mut self, object: &str) {
        if let Some(slot) = self.slots.remove(object) {
            let dead = self.given_up.entry(object.to_owned()).or_default();
            // The greatest stays: answers to beats and takes of before may still arrive.
            *dead = slot.token.max(*dead);
        }
    }

    /// All slots.
    pub fn slots(&self) -> impl Iterator<Item = (&str, &SlotDeadline)> {
        self.slots.iter().map(|(object, slot)| (object.as_str(), slot))
    }

    /// The slot of an object.
    pub fn slot_of(&self, object: &str) -> Option<&SlotDeadline> {
        self.slots.get(object)
    }

    /// The slots whose hard deadline has passed.
    pub fn passed(&self, now: Duration) -> Vec<String> {
        let passed = self.slots.iter().filter(|(_, slot)| has_passed(slot.until, now));
        passed.map(|(object, _)| object.clone()).collect()
    }
}

fn has_passed(until: Option<Duration>, now: Duration) -> bool {
    until.is_some_and(|until| until != NO_DEADLINE && now >= hard_deadline(until))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T: Duration = Duration::from_secs(6);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn token(revision: u64) -> SlotToken {
        SlotToken { generation: 1, revision }
    }

    #[test]
    fn a_slot_is_extended_from_the_time_at_which_the_beat_was_sent() {
        let mut table = DeadlineTable::default();
        assert_eq!(table.extend("web", token(1), (s(10), T), s(10)), Err(ExtensionRefusal::Unconfirmed));
        table.confirm("web", token(1), s(10)).unwrap();
        assert_eq!(table.extend("web", token(1), (s(10), T), s(12)), Ok(s(16)));
        assert_eq!(table.extend("web", token(2), (s(13), T), s(13)), Err(ExtensionRefusal::Stale));
        // An earlier beat that is acknowledged later takes nothing away.
        assert_eq!(table.extend("web", token(1), (s(9), T), s(13)), Ok(s(16)));
        assert_eq!(table.extend("web", token(1), (s(13), T), s(14)), Ok(s(19)));
        assert_eq!(table.passed(s(17)), Vec::<String>::new());
        assert_eq!(table.passed(s(18)), ["web"]);
        assert_eq!(table.extend("web", token(1), (s(18), T), s(18)), Err(ExtensionRefusal::Passed));
        assert_eq!(table.confirm("web", token(3), s(18)), Err(ExtensionRefusal::Passed));
        table.release("web");
        assert_eq!(table.confirm("web", token(1), s(18)), Err(ExtensionRefusal::Stale));
        table.confirm("web", token(3), s(18)).unwrap();
        assert_eq!(table.extend("web", token(3), (s(10), T), s(18)), Err(ExtensionRefusal::Late));
    }

    #[test]
    fn what_is_forfeited_is_cut_at_once_and_counts_again_only_with_another_token() {
        let mut table = DeadlineTable::default();
        table.confirm("web", token(1), s(10)).unwrap();
        table.extend("web", token(1), (s(10), T), s(10)).unwrap();
        table.forfeit("web", s(11));
        table.forfeit("db", s(11));
        assert_eq!(table.passed(s(11)), ["db", "web"]);
        assert_eq!(table.extend("web", token(1), (s(11), T), s(11)), Err(ExtensionRefusal::Unconfirmed));
        table.release("web");
        table.release("db");
        assert_eq!(table.confirm("web", token(1), s(12)), Err(ExtensionRefusal::Stale));
        table.confirm("web", token(2), s(12)).unwrap();
        table.confirm("db", token(1), s(12)).unwrap();
    }

    #[test]
    fn what_a_former_process_had_keeps_its_deadline_until_it_is_asserted_again() {
        let mut table = DeadlineTable::default();
        table.inherit("web", token(4), s(20));
        assert_eq!(table.extend("web", token(4), (s(15), T), s(15)), Err(ExtensionRefusal::Unconfirmed));
        assert_eq!(table.confirm("web", token(3), s(15)), Err(ExtensionRefusal::Stale));
        table.confirm("web", token(5), s(15)).unwrap();
        assert_eq!(table.slot_of("web").unwrap().until, Some(s(20)));
        assert_eq!(table.extend("web", token(5), (s(15), T), s(15)), Ok(s(21)));
    }

    #[test]
    fn a_pin_has_no_end_and_a_beat_ends_it() {
        let mut table = DeadlineTable::default();
        table.confirm("web", token(1), s(1)).unwrap();
        table.extend("web", token(1), (s(1), T), s(1)).unwrap();
        table.pin("web", s(2));
        assert_eq!(table.passed(s(1_000_000)), Vec::<String>::new());
        assert_eq!(table.extend("web", token(1), (s(50), T), s(50)), Ok(s(56)));
        table.pin("web", s(56));
        assert_eq!(table.passed(s(56)), ["web"], "what has passed is not saved by a pin");
    }

    #[derive(Debug, Clone)]
    enum Event {
        Confirm(u64),
        Extend { token: u64, sent: u64 },
        Release,
        Wait(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (1..12_u64).prop_map(Event::Confirm),
            (1..12_u64, 0..60_u64).prop_map(|(token, sent)| Event::Extend { token, sent }),
            Just(Event::Release),
            (1..3_u64).prop_map(Event::Wait),
        ]
    }

    proptest! {
        /// Whatever comes in whatever order: a deadline never outlasts the latest beat that was sent, shrinks only with its token,
        /// and no token that was given up gets one.
        #[test]
        fn no_order_of_answers_extends_too_far(events in proptest::collection::vec(event(), 0..60)) {
            let mut table = DeadlineTable::default();
            let (mut now, mut dead) = (0_u64, 0_u64);
            let mut before: Option<SlotDeadline> = None;
            for event in events {
                match event {
                    Event::Wait(seconds) => now += seconds,
                    Event::Release => {
                        dead = before.map_or(dead, |slot| slot.token.revision.max(dead));
                        table.release("web");
                        before = None;
                    }
                    Event::Confirm(revision) => {
                        if table.confirm("web", token(revision), s(now)).is_ok() {
                            prop_assert!(revision > dead, "a dead token was confirmed");
                        }
                    }
                    Event::Extend { token: revision, sent } => {
                        let passed = !table.passed(s(now)).is_empty();
                        if let Ok(until) = table.extend("web", token(revision), (s(sent), T), s(now)) {
                            prop_assert!(!passed && revision > dead);
                            prop_assert!(until <= s(now) + T);
                            let old = before.and_then(|slot| slot.until).unwrap_or_default();
                            prop_assert!(until == old || until == s(sent.min(now)) + T);
                        }
                    }
                }
                let after = table.slot_of("web").copied();
                if let (Some(before), Some(after)) = (before, after) {
                    prop_assert!(after.until >= before.until && after.token >= before.token);
                }
                before = after;
            }
        }
    }
}
