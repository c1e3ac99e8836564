//! The values of the store: JSON, with the version of its shape.
//!
//! A field that a later version added is ignored by an earlier one, and one that it misses has its default. So two versions
//! may share a store, as long as the earlier one does not rewrite a row of the later one, which it knows by `version`.

use std::collections::BTreeMap;
use std::time::Duration;

use model::NodeName;
use orchestrate::{
    ActionRecord, ActionSequence, BootTime, InstanceFailure, Intent, IntentGoal, IntentId, IntentOutcome, Reason,
    SlotState,
};
use ownership::Generation;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::word::{CauseWord, EndWord, action};
use orchestrate::InstanceAction;

/// The version of the shapes here.
const VERSION: u32 = 1;

/// A value that this version cannot read.
#[derive(Debug, Error)]
pub enum InvalidRow {
    #[error("the value of {key} is not what this version writes")]
    Shape { key: String, source: serde_json::Error },
    #[error("the value of {key} is {value:?}, expected a number and perhaps a nonce: another program wrote it")]
    Generation { key: String, value: String },
    #[error("the value of {key} is of version {version}, this agent knows {VERSION}: upgrade it")]
    Later { key: String, version: u32 },
}

/// The registration of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    pub version: u32,
    /// The boot of the node.
    pub boot: String,
    /// Whether that life was ended by another node.
    pub evicted: bool,
}

/// A beat of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeatRow {
    pub version: u32,
    /// Whether the services of the node go on while its daemon is away.
    #[serde(default)]
    pub pinned: bool,
    /// The revision of the list of nodes that it asks for promises.
    #[serde(default)]
    pub members: u64,
}

/// A life of the store: a number, and behind it a nonce if it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerationRow {
    pub number: u64,
    pub nonce: u64,
}

/// What operators said of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagsRow {
    pub version: u32,
    /// Whether nothing is done on the node of the daemon's own accord.
    #[serde(default)]
    pub frozen: bool,
}

/// What all nodes know of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRow {
    pub version: u32,
    /// The digest of its configuration, and the revision that put it there. 0: the row's own.
    pub checksum: String,
    #[serde(default)]
    pub config_revision: u64,
    #[serde(default)]
    pub tombstone: bool,
    #[serde(default)]
    pub(crate) intent: Option<IntentRow>,
    /// The instances, by node.
    #[serde(default)]
    pub instances: BTreeMap<String, MarkRow>,
}

/// What the store owns of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRow {
    #[serde(default)]
    pub frozen: bool,
    #[serde(default)]
    pub clears: u64,
    /// Whether the node has deleted its configuration and state. A configuration that is there all the same is a new object's.
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub(crate) failure: Option<FailureRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureRow {
    sequence: u64,
    #[serde(with = "action")]
    action: InstanceAction,
    cause: CauseWord,
    text: String,
}

/// Who owns a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    pub version: u32,
    pub owner: String,
    /// The generation in which it was taken.
    #[serde(default = "first_generation")]
    pub generation: u64,
    /// The revision of the owner's registration.
    pub incarnation: u64,
    pub state: SlotWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotWord {
    Held,
    Released,
    Blocked,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IntentRow {
    id: u128,
    goal: GoalRow,
    /// How long it may take, in milliseconds.
    lifetime: u64,
    /// When it was accepted: the boot of the node, and the time since then in milliseconds. On another node or boot, the time
    /// counts from when it was first seen.
    boot: String,
    accepted: u64,
    #[serde(default)]
    records: BTreeMap<String, Vec<RecordRow>>,
    #[serde(default)]
    outcome: Option<OutcomeRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordRow {
    sequence: u64,
    #[serde(with = "action")]
    action: InstanceAction,
    end: EndWord,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoalRow {
    Started { order: Vec<String>, count: usize },
    Stopped,
    Restarted { order: Vec<String> },
    Placed { on: Vec<String> },
    Provisioned { leader: String },
    Unprovisioned { leader: String },
    Purged { leader: String },
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeRow {
    Done,
    Failure(ReasonRow),
    Abortion,
    Supersession(u128),
    Expiry(Vec<ReasonRow>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReasonRow {
    code: String,
    text: String,
}

/// The moment at which a node reads or writes the times of orders.
#[derive(Debug, Clone, Copy)]
pub struct RowClock<'a> {
    /// The boot of this node.
    pub boot: &'a str,
    pub now: BootTime,
}

impl IntentRow {
    pub(crate) fn of(intent: &Intent, clock: RowClock<'_>) -> IntentRow {
        let records = intent
            .records
            .iter()
            .map(|(node, records)| (node.to_string(), records.iter().map(RecordRow::of).collect()));
        IntentRow {
            id: intent.id.0,
            goal: GoalRow::of(&intent.goal),
            lifetime: millis(intent.expires.since(clock.now)),
            boot: clock.boot.to_owned(),
            accepted: millis(clock.now.since_boot()),
            records: records.collect(),
            outcome: intent.outcome.as_ref().map(OutcomeRow::of),
        }
    }

    /// The intent. `seen` is when this node first saw it.
    pub(crate) fn intent(&self, boot: &str, seen: BootTime) -> Intent {
        let accepted = if self.boot == boot { at(self.accepted) } else { seen };
        let records = self
            .records
            .iter()
            .filter_map(|(node, records)| Some((node.parse().ok()?, records.iter().map(RecordRow::record).collect())));
        Intent {
            id: IntentId(self.id),
            goal: self.goal.goal(),
            expires: accepted + Duration::from_millis(self.lifetime),
            records: records.collect(),
            outcome: self.outcome.as_ref().map(OutcomeRow::outcome),
        }
    }

    pub(crate) fn id(&self) -> IntentId {
        IntentId(self.id)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Ends it, unless it has ended.
    pub(crate) fn end(&mut self, outcome: &IntentOutcome) {
        self.outcome.get_or_insert_with(|| OutcomeRow::of(outcome));
    }

    /// Forgets failures, so that they are tried again.
    pub(crate) fn clear(&mut self) {
        for records in self.records.values_mut() {
            records.retain(|record| !matches!(record.end, EndWord::Failure(_)));
        }
    }

    /// Adds what an instance did. The same record may arrive twice.
    pub(crate) fn note(&mut self, node: &NodeName, record: &ActionRecord) {
        let records = self.records.entry(node.to_string()).or_default();
        if records.iter().all(|known| known.sequence != record.sequence.0) {
            records.push(RecordRow::of(record));
        }
    }
}

impl RecordRow {
    fn of(record: &ActionRecord) -> RecordRow {
        RecordRow { sequence: record.sequence.0, action: record.action, end: record.end.clone().into() }
    }

    fn record(&self) -> ActionRecord {
        ActionRecord { sequence: ActionSequence(self.sequence), action: self.action, end: self.end.clone().into() }
    }
}

impl GoalRow {
    fn of(goal: &IntentGoal) -> GoalRow {
        let names = |nodes: &[NodeName]| nodes.iter().map(NodeName::to_string).collect();
        match goal {
            IntentGoal::Started { order, count } => GoalRow::Started { order: names(order), count: *count },
            IntentGoal::Stopped => GoalRow::Stopped,
            IntentGoal::Restarted { order } => GoalRow::Restarted { order: names(order) },
            IntentGoal::Placed { on } => GoalRow::Placed { on: names(on) },
            IntentGoal::Provisioned { leader } => GoalRow::Provisioned { leader: leader.to_string() },
            IntentGoal::Unprovisioned { leader } => GoalRow::Unprovisioned { leader: leader.to_string() },
            IntentGoal::Purged { leader } => GoalRow::Purged { leader: leader.to_string() },
            IntentGoal::Deleted => GoalRow::Deleted,
        }
    }

    fn goal(&self) -> IntentGoal {
        // What was written were names of nodes; one that is not is another version's, and no node here answers to it.
        let nodes = |names: &[String]| names.iter().filter_map(|name| name.parse().ok()).collect();
        let node = |name: &String| name.parse().unwrap_or_else(|_| nobody());
        match self {
            GoalRow::Started { order, count } => IntentGoal::Started { order: nodes(order), count: *count },
            GoalRow::Stopped => IntentGoal::Stopped,
            GoalRow::Restarted { order } => IntentGoal::Restarted { order: nodes(order) },
            GoalRow::Placed { on } => IntentGoal::Placed { on: nodes(on) },
            GoalRow::Provisioned { leader } => IntentGoal::Provisioned { leader: node(leader) },
            GoalRow::Unprovisioned { leader } => IntentGoal::Unprovisioned { leader: node(leader) },
            GoalRow::Purged { leader } => IntentGoal::Purged { leader: node(leader) },
            GoalRow::Deleted => IntentGoal::Deleted,
        }
    }
}

fn nobody() -> NodeName {
    "nobody".parse().expect("this is the name of a node")
}

impl OutcomeRow {
    fn of(outcome: &IntentOutcome) -> OutcomeRow {
        match outcome {
            IntentOutcome::Done => OutcomeRow::Done,
            IntentOutcome::Failure(reason) => OutcomeRow::Failure(ReasonRow::of(reason)),
            IntentOutcome::Abortion => OutcomeRow::Abortion,
            IntentOutcome::Supersession(id) => OutcomeRow::Supersession(id.0),
            IntentOutcome::Expiry(reasons) => OutcomeRow::Expiry(reasons.iter().map(ReasonRow::of).collect()),
        }
    }

    fn outcome(&self) -> IntentOutcome {
        match self {
            OutcomeRow::Done => IntentOutcome::Done,
            OutcomeRow::Failure(reason) => IntentOutcome::Failure(reason.reason()),
            OutcomeRow::Abortion => IntentOutcome::Abortion,
            OutcomeRow::Supersession(id) => IntentOutcome::Supersession(IntentId(*id)),
            OutcomeRow::Expiry(reasons) => IntentOutcome::Expiry(reasons.iter().map(ReasonRow::reason).collect()),
        }
    }
}

impl ReasonRow {
    fn of(reason: &Reason) -> ReasonRow {
        ReasonRow { code: reason.code().to_owned(), text: reason.to_string() }
    }

    fn reason(&self) -> Reason {
        Reason::Recorded { code: self.code.clone(), text: self.text.clone() }
    }
}

impl FailureRow {
    pub(crate) fn of(failure: &InstanceFailure) -> FailureRow {
        FailureRow {
            sequence: failure.sequence.0,
            action: failure.action,
            cause: failure.cause.into(),
            text: failure.text.clone(),
        }
    }

    pub(crate) fn failure(&self) -> InstanceFailure {
        InstanceFailure {
            sequence: ActionSequence(self.sequence),
            action: self.action,
            cause: self.cause.into(),
            text: self.text.clone(),
        }
    }
}

impl NodeRow {
    /// The registration of a boot.
    pub fn alive(boot: &str) -> NodeRow {
        NodeRow { version: VERSION, boot: boot.to_owned(), evicted: false }
    }

    /// The end of a life.
    pub(crate) fn evicted() -> NodeRow {
        NodeRow { version: VERSION, boot: String::new(), evicted: true }
    }
}

impl BeatRow {
    pub(crate) fn new(pinned: bool, members: u64) -> BeatRow {
        BeatRow { version: VERSION, pinned, members }
    }
}

impl GenerationRow {
    pub fn of(generation: Generation) -> GenerationRow {
        GenerationRow { number: generation.number, nonce: generation.nonce }
    }

    pub fn generation(self) -> Generation {
        Generation { number: self.number, nonce: self.nonce }
    }

    /// As the store has it: requests compare these bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        match self.nonce {
            0 => self.number.to_string().into(),
            nonce => format!("{} {nonce:016x}", self.number).into(),
        }
    }

    /// Reads what [`GenerationRow::to_bytes`] wrote.
    pub fn read(key: &[u8], value: &[u8]) -> Result<GenerationRow, InvalidRow> {
        let text = str::from_utf8(value).unwrap_or_default();
        let (number, nonce) = text.split_once(' ').unwrap_or((text, "0"));
        let row = number.parse().ok().zip(u64::from_str_radix(nonce, 16).ok());
        row.map(|(number, nonce)| GenerationRow { number, nonce }).ok_or_else(|| InvalidRow::Generation {
            key: String::from_utf8_lossy(key).into_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        })
    }
}

/// That of slots which were taken before their rows named it.
fn first_generation() -> u64 {
    1
}

impl FlagsRow {
    pub(crate) fn new(frozen: bool) -> FlagsRow {
        FlagsRow { version: VERSION, frozen }
    }
}

impl ObjectRow {
    /// The row of an object that is new to the store.
    pub fn new(checksum: &str) -> ObjectRow {
        ObjectRow { version: VERSION, checksum: checksum.to_owned(), ..ObjectRow::default() }
    }
}

impl SlotRow {
    /// `life` is the owner's: the generation, and the revision of its registration.
    pub(crate) fn of(owner: &NodeName, (generation, incarnation): (u64, u64), state: SlotWord) -> SlotRow {
        SlotRow { version: VERSION, owner: owner.to_string(), generation, incarnation, state }
    }
}

impl From<SlotWord> for SlotState {
    fn from(word: SlotWord) -> SlotState {
        match word {
            SlotWord::Held => SlotState::Held,
            SlotWord::Released => SlotState::Released,
            SlotWord::Blocked => SlotState::Blocked,
        }
    }
}

/// Reads a value. Refuses that of a later version, as this one would lose a part of it.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(key: &[u8], value: &[u8]) -> Result<T, InvalidRow> {
    #[derive(Deserialize)]
    struct RowVersion {
        #[serde(default)]
        version: u32,
    }
    let key = || String::from_utf8_lossy(key).into_owned();
    let shape = |source| InvalidRow::Shape { key: key(), source };
    let version = serde_json::from_slice::<RowVersion>(value).map_err(shape)?.version;
    if version > VERSION {
        return Err(InvalidRow::Later { key: key(), version });
    }
    serde_json::from_slice(value).map_err(shape)
}

/// Writes a value.
pub(crate) fn write<T: Serialize>(row: &T) -> Vec<u8> {
    // Rows are plain data with string keys: serde_json has no reason to fail.
    serde_json::to_vec(row).expect("a row is plain data")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn at(millis: u64) -> BootTime {
    BootTime::after_boot(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written_and_expires_at_the_same_time_in_the_same_boot() {
        let node: NodeName = "n1".parse().unwrap();
        let record = ActionRecord {
            sequence: ActionSequence(4),
            action: InstanceAction::Start,
            end: orchestrate::ActionEnd::Failure("no".to_owned()),
        };
        let intent = Intent {
            id: IntentId(7 << 100),
            goal: IntentGoal::Started { order: vec![node.clone()], count: 1 },
            expires: at(61_000),
            records: BTreeMap::from([(node, vec![record])]),
            outcome: Some(IntentOutcome::Failure(Reason::Recorded { code: "failure".into(), text: "no".into() })),
        };
        let row = IntentRow::of(&intent, RowClock { boot: "b1", now: at(1000) });
        let again: IntentRow = serde_json::from_slice(&write(&row)).unwrap();
        assert_eq!(again.intent("b1", at(50_000)), intent);
        // After a reboot, the whole time counts again.
        assert_eq!(again.intent("b2", at(5000)).expires, at(65_000));
    }

    #[test]
    fn a_generation_is_read_as_it_was_written() {
        for (row, text) in [
            (GenerationRow { number: 1, nonce: 0 }, "1"),
            (GenerationRow { number: 2, nonce: 255 }, "2 00000000000000ff"),
        ] {
            assert_eq!(row.to_bytes(), text.as_bytes());
            assert_eq!(GenerationRow::read(b"generation", text.as_bytes()).unwrap(), row);
        }
        for text in ["", "x", "1 2 3", "1 xyz", "-1"] {
            assert!(GenerationRow::read(b"generation", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_of_a_later_version_is_refused_by_name() {
        let error = read::<ObjectRow>(b"object/root/svc/web/shared", br#"{"version":2,"new":[]}"#).unwrap_err();
        let expected = "the value of object/root/svc/web/shared is of version 2, this agent knows 1: upgrade it";
        assert_eq!(error.to_string(), expected);
        assert!(matches!(read::<ObjectRow>(b"k", b"{\"version\":1"), Err(InvalidRow::Shape { .. })));
    }
}
