//! A ledger, read: what is held by what its lines say, and what is wrong with it.

use crate::event::{LedgerEvent, LedgerHeader, LedgerNamespaces, VERSION, decode};
use crate::record::{HoldingRecord, HoldingStage};

/// What a ledger says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerContent {
    /// The boot in which it was written.
    pub boot: Option<String>,
    /// The number of the next holding.
    pub next: u64,
    /// Where it was written.
    pub namespaces: Option<LedgerNamespaces>,
    /// When it was written anew.
    pub written: u64,
    /// What is intended or held, in the order in which it was made.
    pub records: Vec<HoldingRecord>,
    /// If there is any, `records` are not all: whether anything else is held is not known.
    pub damage: Option<LedgerDamage>,
}

/// Why a ledger does not say all that is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerDamage {
    /// The first line that cannot be read.
    #[error("line {line}: {why}")]
    Line { line: usize, why: String },
    /// The file cannot be read, or is not the one that was written.
    #[error("{0}")]
    File(String),
    /// All can be read, but not be looked for from here.
    #[error(
        "it was written in another {0} namespace than this command runs in, so that what it speaks of cannot be seen from here"
    )]
    Elsewhere(&'static str),
}

impl LedgerContent {
    /// Applies one event. An event about a number that is not there is none: its line came twice, or the record was damaged.
    pub fn apply(&mut self, event: LedgerEvent) {
        match event {
            LedgerEvent::Intended { number, rid, holding } => {
                // Also by a line whose record is gone by now: a number is not given to two things.
                self.next = self.next.max(number.saturating_add(1));
                self.records.retain(|record| record.number != number);
                self.records.push(HoldingRecord { rid, number, stage: HoldingStage::Intended, holding });
            }
            LedgerEvent::Held { number, holding } => {
                if let Some(record) = self.records.iter_mut().find(|record| record.number == number) {
                    (record.stage, record.holding) = (HoldingStage::Held, holding);
                }
            }
            LedgerEvent::Undone { number } => self.set_stage(number, HoldingStage::Undone),
            LedgerEvent::LetGo { number } => self.set_stage(number, HoldingStage::LetGo),
            LedgerEvent::Left { number } => self.set_stage(number, HoldingStage::Left),
            LedgerEvent::Released { number } => self.records.retain(|record| record.number != number),
        }
    }

    fn set_stage(&mut self, number: u64, stage: HoldingStage) {
        let record = self.records.iter_mut().find(|record| record.number == number);
        record.into_iter().for_each(|record| record.stage = stage);
    }

    fn damaged(&mut self, line: usize, why: String) {
        // The first one: what comes behind it may follow from it.
        self.damage.get_or_insert(LedgerDamage::Line { line, why });
    }
}

/// Reads a ledger. Never fails: whatever a line is, the others count.
pub fn replay(bytes: &[u8]) -> LedgerContent {
    let mut content = LedgerContent::default();
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').enumerate();
    match lines.next().map(|(_, line)| whole(line).and_then(decode::<LedgerHeader>)) {
        // Another version may mean anything by its lines.
        Some(Ok(header)) if header.ledger != VERSION => {
            content.boot = header.boot;
            content.damaged(1, format!("it is of version {}, and this agent knows version {VERSION}", header.ledger));
            return content;
        }
        Some(Ok(header)) => {
            (content.boot, content.next) = (header.boot, header.next);
            (content.namespaces, content.written) = (header.namespaces, header.written);
        }
        Some(Err(why)) => content.damaged(1, why),
        None => content.damaged(1, "it is empty".to_owned()),
    }
    for (at, line) in lines {
        match whole(line).and_then(decode) {
            Ok(event) => content.apply(event),
            // The lines behind it count all the same: what they say is held is more likely there than not, and a
            // damaged ledger never says that nothing is.
            Err(why) => content.damaged(at + 1, why),
        }
    }
    content
}

fn whole(line: &[u8]) -> Result<&[u8], String> {
    line.strip_suffix(b"\n").ok_or_else(|| "it is cut off".to_owned())
}
