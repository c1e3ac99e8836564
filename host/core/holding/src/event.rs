//! The lines of a ledger: a checksum, a space, and a JSON document.

use serde::{Deserialize, Serialize};

use crate::Holding;

/// The version of the lines. A ledger of another version is not read.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHeader {
    /// The version of the other lines.
    pub ledger: u32,
    /// The boot in which it was written, if a reboot makes it void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The first number that no earlier ledger of the instance has used.
    pub next: u64,
    /// Where it was written, if a look from elsewhere would miss what it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<LedgerNamespaces>,
    /// When it was written anew, in nanoseconds since the boot: of two files of one boot, the later one counts.
    #[serde(default)]
    pub written: u64,
}

/// The namespaces of the agent that writes a ledger, by their inodes: addresses and routes without a namespace of their own are in this
/// one, and the numbers of processes and their mount tables are this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerNamespaces {
    pub net: u64,
    pub pid: u64,
}

/// What became of a holding. Each but the first names it by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LedgerEvent {
    /// A call that makes it is about to begin.
    Intended { number: u64, rid: String, holding: Holding },
    /// It is there, and this is what identifies it.
    Held { number: u64, holding: Holding },
    /// A call has undone it.
    Undone { number: u64 },
    /// A call has undone it, and programs may use it on.
    LetGo { number: u64 },
    /// It was undone, and something of it is left.
    Left { number: u64 },
    /// It is not there any more, or never was.
    Released { number: u64 },
}

/// The header as a line.
pub fn encode_header(header: &LedgerHeader) -> String {
    line(header)
}

/// An event as a line.
pub fn encode_event(event: &LedgerEvent) -> String {
    line(event)
}

fn line(document: &impl Serialize) -> String {
    // Strings, numbers and lists alone: such a document can always be written.
    let json = serde_json::to_string(document).unwrap_or_default();
    // The end of the line comes last: a line that a crash cut off is known by its absence.
    format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
}

/// The document of a line without its end.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not text".to_owned())?;
    let (sum, json) = text.split_once(' ').ok_or("it has no checksum")?;
    if sum != format!("{:08x}", crc32fast::hash(json.as_bytes())) {
        return Err("its checksum is wrong".to_owned());
    }
    serde_json::from_str(json).map_err(|error| error.to_string())
}
