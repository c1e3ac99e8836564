//! The values of the store: JSON, with the version of its shape.
//!
//! A field that a later version added is ignored by an earlier one, and one that it misses has its default. So two versions
//! may share a store, as long as the earlier one does not rewrite a row of the later one, which it knows by `version`.

mod fence;
mod order;
mod peer;
mod report;

use std::collections::BTreeMap;

use model::NodeName;
use orchestrate::{ActionSequence, InstanceAction, InstanceFailure, SlotState};
use ownership::Generation;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::fence::FenceRow;
pub(crate) use self::order::IntentRow;
pub use self::order::RowClock;
pub use self::peer::{MembersRow, PeerRow};
pub use self::report::{ActionRow, ConfigRow, InfoRow, InstanceRow, NodeWord, StatusRow};
use crate::word::{CauseWord, action};

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
    /// Then the revision of the registration that it ended, 0 if that is not known.
    #[serde(default)]
    pub ended: u64,
    /// And whether it was proven from outside that the node had ended.
    #[serde(default)]
    pub fenced: bool,
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
    /// While it is drained: until when at the latest, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<u64>,
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
        NodeRow { version: VERSION, boot: boot.to_owned(), evicted: false, ended: 0, fenced: false }
    }

    /// The end of a life.
    pub(crate) fn evicted(ended: u64, fenced: bool) -> NodeRow {
        NodeRow { version: VERSION, boot: String::new(), evicted: true, ended, fenced }
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
            // What `found` writes, byte for byte: requests compare the value.
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
    pub(crate) fn new(frozen: bool, drain: Option<u64>) -> FlagsRow {
        FlagsRow { version: VERSION, frozen, drain }
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
    // Before the whole row is parsed: that of a later version may have another shape, and the error has to say
    // why.
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

#[cfg(test)]
mod tests {
    use super::*;

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
