//! Reads a journal again: what the action set out to do, and how far it got.

use std::time::Duration;

use driver::Change;
use model::Rid;

pub use super::frame::JournalTail;
use super::frame::decode;
use super::record::{JournalHeader, JournalRecord, PlannedStep};

/// An action that was interrupted, as its journal tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalledAction {
    /// The session.
    pub sid: String,
    /// The action.
    pub action: String,
    /// The boot of the node in which it ran.
    pub boot: String,
    /// The digest of its plan.
    pub plan: String,
    /// Its steps, in the order of the plan.
    pub steps: Vec<JournalledStep>,
    /// What is behind the last whole record.
    pub tail: JournalTail,
}

/// How far a step got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalledStep {
    /// The resource.
    pub rid: Rid,
    /// The resource's state before, as printed.
    pub prior: String,
    /// How long the stop that undoes it may take. None if it is never undone.
    pub undo: Option<Duration>,
    /// How long the resource's status may take.
    pub probe: Duration,
    /// Whether it was begun.
    pub begun: bool,
    /// Whether any effect of it survives a reboot.
    pub persistent: bool,
    /// Whether its failure would not have failed the action.
    pub optional: bool,
    /// Whether it has been undone.
    pub undone: bool,
    /// What the calls that have returned changed.
    settled: Change,
    /// Whether a call was begun and has not returned.
    open: bool,
    /// The calls that have not succeeded.
    calls_left: usize,
}

impl JournalledStep {
    /// Whether it changed anything.
    pub fn change(&self) -> Change {
        // A call without an end may have done all of its work, or none.
        if self.open { Change::Unknown } else { self.settled }
    }

    /// Whether all its calls succeeded.
    pub fn is_complete(&self) -> bool {
        self.calls_left == 0
    }

    fn end(&mut self, change: Change, failed: bool) {
        self.open = false;
        // A call that changed nothing does not take back what an earlier call of the step did.
        self.settled = if self.settled == Change::Unchanged { change } else { self.settled };
        self.calls_left = self.calls_left.saturating_sub(usize::from(!failed));
    }
}

impl JournalledAction {
    /// Whether only the last record is missing. An optional step may have failed, or never been tried. Where all steps are
    /// optional, as in an action on tasks or syncs, they all count.
    pub fn is_complete(&self) -> bool {
        // An optional step that is open counts: it may be half done, and must be undone.
        let counts = |step: &JournalledStep| step.open || !step.optional;
        let all_optional = self.steps.iter().all(|step| step.optional);
        let mut counting = self.steps.iter().filter(|step| all_optional || counts(step));
        self.tail != JournalTail::Damaged && counting.all(|step| step.is_complete() && !step.undone)
    }

    /// The steps that must be undone now, the last one first, each with its place in the plan. There are none if the journal is
    /// damaged: the records that cannot be read might be of steps that stand on these. Volatile effects of another boot are gone.
    pub fn to_undo<'a>(&'a self, boot: &'a str) -> impl Iterator<Item = (usize, &'a JournalledStep)> {
        let readable = self.tail != JournalTail::Damaged && !self.is_complete();
        let stands = move |step: &JournalledStep| {
            let touched = !step.undone && step.change() != Change::Unchanged;
            readable && touched && step.undo.is_some() && (step.persistent || self.boot == boot)
        };
        self.steps.iter().enumerate().rev().filter(move |(_, step)| stands(step))
    }
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JournalContent {
    /// Nothing, or an action that finished.
    Nothing,
    /// An action that was interrupted.
    Unfinished(JournalledAction),
    /// Something, but its beginning cannot be read.
    Unreadable,
}

/// Reads the content of a journal.
pub(super) fn tell(bytes: &[u8]) -> JournalContent {
    let (payloads, tail) = decode(bytes);
    let mut records = payloads.into_iter().map(serde_json::from_slice::<JournalRecord>);
    let mut story = match records.next() {
        None if tail == JournalTail::Damaged => return JournalContent::Unreadable,
        // No whole header: the action died before it touched anything.
        None => return JournalContent::Nothing,
        Some(Ok(JournalRecord::Plan(header))) => match begin(header, tail) {
            Some(story) => story,
            None => return JournalContent::Unreadable,
        },
        Some(_) => return JournalContent::Unreadable,
    };
    for record in records {
        match record {
            Ok(JournalRecord::Done) => return JournalContent::Nothing,
            Ok(record) if apply(&mut story, &record) => {}
            // A record that makes no sense was written by another version, or is damaged beyond its checksum.
            _ => {
                story.tail = JournalTail::Damaged;
                break;
            }
        }
    }
    JournalContent::Unfinished(story)
}

fn begin(header: JournalHeader, tail: JournalTail) -> Option<JournalledAction> {
    let step = |planned: PlannedStep| {
        Some(JournalledStep {
            rid: planned.rid.parse().ok()?,
            prior: planned.prior,
            undo: planned.undo_ms.map(Duration::from_millis),
            probe: Duration::from_millis(planned.probe_ms),
            begun: false,
            persistent: false,
            optional: planned.optional,
            undone: false,
            settled: Change::Unchanged,
            open: false,
            calls_left: planned.calls,
        })
    };
    let steps = header.steps.into_iter().map(step).collect::<Option<Vec<JournalledStep>>>()?;
    Some(JournalledAction { sid: header.sid, action: header.action, boot: header.boot, plan: header.plan, steps, tail })
}

/// Applies a record. Returns false if it does not fit the action.
fn apply(story: &mut JournalledAction, record: &JournalRecord) -> bool {
    let (JournalRecord::Begin { step, .. } | JournalRecord::End { step, .. } | JournalRecord::Undone { step }) = record
    else {
        return false;
    };
    let Some(step) = story.steps.get_mut(*step) else { return false };
    match record {
        JournalRecord::Begin { persistent, .. } => {
            step.begun = true;
            // One persistent call is enough: a reboot does not undo the step as a whole.
            step.persistent |= *persistent;
            step.open = true;
        }
        JournalRecord::End { change, failed, .. } => step.end((*change).into(), *failed),
        JournalRecord::Undone { .. } => step.undone = true,
        JournalRecord::Plan(_) | JournalRecord::Done => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::frame::{ChecksumChain, encode};
    use super::super::record::{RecordedChange, RecordedVerb};
    use super::*;

    fn header() -> JournalRecord {
        let step = |rid: &str| PlannedStep {
            rid: rid.to_owned(),
            calls: 1,
            optional: false,
            prior: "down".to_owned(),
            undo_ms: Some(1000),
            probe_ms: 1000,
        };
        let text = |text: &str| text.to_owned();
        let steps = vec![step("ip#1"), step("disk#1"), step("fs#1")];
        JournalRecord::Plan(JournalHeader {
            sid: text("5e55"),
            action: text("start"),
            boot: text("b"),
            plan: text("d1"),
            steps,
        })
    }

    fn begin(step: usize) -> JournalRecord {
        JournalRecord::Begin { step, verb: RecordedVerb::Start, persistent: false }
    }

    fn end(step: usize, change: RecordedChange, failed: bool) -> JournalRecord {
        JournalRecord::End { step, verb: RecordedVerb::Start, change, failed }
    }

    /// A start in the middle of its last step.
    fn half_done() -> Vec<JournalRecord> {
        vec![
            header(),
            begin(0),
            end(0, RecordedChange::Yes, false),
            begin(1),
            end(1, RecordedChange::No, false),
            begin(2),
        ]
    }

    fn bytes(records: &[JournalRecord]) -> Vec<u8> {
        let (mut bytes, mut chain) = (Vec::new(), ChecksumChain::default());
        for record in records {
            let (frame, next) = encode(chain, &serde_json::to_vec(record).unwrap());
            bytes.extend(frame);
            chain = next;
        }
        bytes.resize(bytes.len() + 256, 0);
        bytes
    }

    /// What recovery would undo.
    fn undone(bytes: &[u8]) -> BTreeSet<usize> {
        match tell(bytes) {
            JournalContent::Unfinished(story) => story.to_undo("b").map(|(at, _)| at).collect(),
            JournalContent::Nothing | JournalContent::Unreadable => BTreeSet::new(),
        }
    }

    #[test]
    fn only_steps_that_changed_or_may_have_changed_something_are_undone() {
        let check = |more: &[JournalRecord], expected: &[usize]| {
            let records = [half_done(), more.to_vec()].concat();
            assert_eq!(undone(&bytes(&records)), expected.iter().copied().collect(), "{more:?}");
        };
        check(&[], &[0, 2]);
        check(&[end(2, RecordedChange::Unknown, true)], &[0, 2]);
        check(&[end(2, RecordedChange::No, true)], &[0]);
        check(&[end(2, RecordedChange::Yes, true), JournalRecord::Undone { step: 2 }], &[0]);
        check(&[end(2, RecordedChange::Yes, false)], &[]);
        check(&[JournalRecord::Done], &[]);
        check(&[JournalRecord::Undone { step: 7 }], &[]);
    }

    #[test]
    fn a_journal_cut_anywhere_tells_what_was_written_before() {
        let records = half_done();
        let whole = bytes(&records);
        let mut last = BTreeSet::new();
        for length in 0..whole.len() {
            let cut = undone(&whole[..length]);
            let mut zeroed = whole[..length].to_vec();
            zeroed.resize(whole.len(), 0);
            assert_eq!(cut, undone(&zeroed), "cut at {length}");
            let steps: Vec<bool> = match tell(&zeroed) {
                JournalContent::Unfinished(story) => {
                    story.steps.iter().map(|step| step.open || step.calls_left == 0).collect()
                }
                JournalContent::Nothing => vec![false; 3],
                JournalContent::Unreadable => panic!("cut at {length}: a torn header is not a header"),
            };
            let begun = steps.iter().filter(|begun| **begun).count();
            assert!(steps[..begun].iter().all(|begun| *begun), "cut at {length}: {steps:?}");
            assert!(cut.iter().all(|at| steps[*at]), "cut at {length}: a step that was not begun");
            last = cut;
        }
        assert_eq!(last, BTreeSet::from([0, 2]));
    }

    #[test]
    fn no_flipped_bit_undoes_more() {
        let undoing = |step| JournalRecord::Undone { step };
        let finished = [half_done(), vec![end(2, RecordedChange::Yes, false), JournalRecord::Done]].concat();
        let rolled_back =
            [half_done(), vec![end(2, RecordedChange::Yes, true), undoing(2), undoing(0), JournalRecord::Done]]
                .concat();
        for records in [half_done(), finished, rolled_back] {
            let whole = bytes(&records);
            let (allowed, used) = (undone(&whole), whole.len() - 256);
            for bit in 0..whole.len() * 8 {
                let mut flipped = whole.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(undone(&flipped).is_subset(&allowed), "bit {bit} of {used} bytes");
            }
            // And many flips at once, always the same ones.
            let mut seed = 0x5eed_u64;
            for round in 0..2_000 {
                let mut flipped = whole.clone();
                for _ in 0..=round % 5 {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let bit = (seed >> 33) as usize % (flipped.len() * 8);
                    flipped[bit / 8] ^= 1 << (bit % 8);
                }
                assert!(undone(&flipped).is_subset(&allowed), "round {round}");
            }
        }
    }
}
