//! What a daemon decides and does, as it does it: for an operator who watches it at work. Nothing is kept of it.

use model::{NodeName, ObjectPath, Rid};
use serde::{Deserialize, Serialize};

use crate::daemon::ReasonDocument;
use crate::word;

/// One thing that a daemon did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// Seconds since 1970.
    pub at: f64,
    #[serde(with = "word")]
    pub node: NodeName,
    /// The object that it is about. None: the reader missed entries.
    #[serde(default, with = "word::optional", skip_serializing_if = "Option::is_none")]
    pub path: Option<ObjectPath>,
    #[serde(flatten)]
    pub matter: TraceMatter,
}

/// What a daemon did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TraceMatter {
    /// It decided about an object.
    Decision {
        /// What it does now, a few words each.
        steps: Vec<String>,
        /// Why it does nothing else.
        reasons: Vec<ReasonDocument>,
        /// In how many seconds it decides again, if nothing changes.
        again_in: Option<f64>,
    },
    /// It begins a step of a decision, or leaves it out because of something that is under way.
    Step {
        step: String,
        /// What the step waits for, if it is not begun.
        held_back: Option<String>,
    },
    /// A driver was called.
    Call {
        #[serde(with = "word")]
        rid: Rid,
        driver: String,
        verb: String,
        /// `done`, or a word for what went wrong, such as `failed`, `deadline` or `trap`.
        end: String,
        /// `yes`, `no`, or `unknown` if the call was cut short.
        changed: String,
        took_ms: f64,
    },
    /// An instance was looked at.
    Look {
        /// Its avail status. None: the look failed.
        avail: Option<String>,
        /// Why the look counts for nothing: it failed, or an action has begun meanwhile.
        fault: Option<String>,
        took_ms: f64,
    },
    /// An action, or a run of a task, is over.
    End {
        action: String,
        cause: String,
        /// `done`, `failed` or `interrupted`.
        end: String,
        error: Option<String>,
        took_ms: f64,
    },
    /// The reader was too slow, and missed so many entries.
    Missed { count: u64 },
}

impl TraceMatter {
    /// Its kind.
    pub fn kind(&self) -> TraceKind {
        match self {
            TraceMatter::Decision { .. } => TraceKind::Decision,
            TraceMatter::Step { .. } => TraceKind::Step,
            TraceMatter::Call { .. } => TraceKind::Call,
            TraceMatter::Look { .. } => TraceKind::Look,
            TraceMatter::End { .. } => TraceKind::End,
            TraceMatter::Missed { .. } => TraceKind::Missed,
        }
    }
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceKind {
    Decision,
    Step,
    Call,
    Look,
    End,
    Missed,
}

impl TraceKind {
    /// Every kind.
    pub const ALL: [TraceKind; 6] =
        [TraceKind::Decision, TraceKind::Step, TraceKind::Call, TraceKind::Look, TraceKind::End, TraceKind::Missed];

    /// As commands name it.
    pub fn as_str(self) -> &'static str {
        match self {
            TraceKind::Decision => "decision",
            TraceKind::Step => "step",
            TraceKind::Call => "call",
            TraceKind::Look => "look",
            TraceKind::End => "end",
            TraceKind::Missed => "missed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_flat_document_that_reads_back() {
        let matter = TraceMatter::Call {
            rid: "fs#1".parse().unwrap(),
            driver: "fs.flag".to_owned(),
            verb: "start".to_owned(),
            end: "done".to_owned(),
            changed: "yes".to_owned(),
            took_ms: 2.5,
        };
        let (node, path) = ("n1".parse().unwrap(), Some("web".parse().unwrap()));
        let entry = TraceEntry { at: 1.5, node, path, matter };
        let text = serde_json::to_string(&entry).unwrap();
        let expected = r#"{"at":1.5,"node":"n1","path":"web","kind":"call","rid":"fs#1","driver":"fs.flag","verb":"start","end":"done","changed":"yes","took_ms":2.5}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<TraceEntry>(&text).unwrap(), entry);
    }

    #[test]
    fn a_kind_is_named_as_it_is_written() {
        for kind in TraceKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
