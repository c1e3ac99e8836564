//! Configurations: their texts, changes of them, and the values of their keywords.

use std::fmt;

use model::ObjectPath;
use model::keyword::ValueKind;
use serde::{Deserialize, Serialize};

use crate::{ConfigCheck, word};

/// The configuration that a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigTarget {
    /// An object's.
    Object(#[serde(with = "word")] ObjectPath),
    /// The node's own: `node.conf`.
    Node,
}

impl fmt::Display for ConfigTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigTarget::Object(path) => path.fmt(f),
            ConfigTarget::Node => f.write_str("node"),
        }
    }
}

/// A configuration as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigText {
    /// Where it is stored.
    pub file: String,
    pub text: String,
}

/// Edits that are made together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChange {
    pub edits: Vec<ConfigEdit>,
    /// Whether it is saved even if it causes errors.
    pub force: bool,
}

/// One edit of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigEdit {
    /// `KEY=VALUE`, `KEY+=VALUE` and the other operators, as they are typed.
    Apply(String),
    /// Sets a keyword.
    Set { keyword: String, value: String },
    /// Sets a keyword of a section as the file names it.
    SetIn { section: String, keyword: String, value: String },
    /// Removes a keyword, or a section if it names one. It need not be there.
    Unset { keyword: String },
    /// Removes a section. It need not be there.
    UnsetSection { section: String },
    /// Removes a keyword of a section as the file names it. It need not be there.
    UnsetIn { section: String, keyword: String },
    /// Removes the section of a resource, which must be there.
    DeleteSection { section: String },
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigOutcome {
    /// The text was like that already.
    Unchanged,
    /// It was saved. The notes say what it does not change yet.
    Saved { notes: Vec<String> },
    /// It was not saved, because it would cause these errors.
    Refused(ConfigCheck),
}

/// The value of a keyword, evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedKeyword {
    pub kind: KeywordKind,
    /// In canonical form: milliseconds, bytes; one for each word of a list.
    pub values: Vec<String>,
    /// Whether the value must not be shown.
    pub secret: bool,
}

/// The type of a keyword's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeywordKind {
    String,
    Boolean,
    Integer,
    Size,
    Duration,
    List,
    Words,
    Command,
    Launcher,
    Path,
    Mode,
    Nodes,
    Schedule,
}

impl KeywordKind {
    /// The word in documents and manuals.
    pub fn as_str(self) -> &'static str {
        match self {
            KeywordKind::String => "string",
            KeywordKind::Boolean => "boolean",
            KeywordKind::Integer => "integer",
            KeywordKind::Size => "size",
            KeywordKind::Duration => "duration",
            KeywordKind::List => "list",
            KeywordKind::Words => "words",
            KeywordKind::Command => "command",
            KeywordKind::Launcher => "launcher",
            KeywordKind::Path => "path",
            KeywordKind::Mode => "mode",
            KeywordKind::Nodes => "nodes",
            KeywordKind::Schedule => "schedule",
        }
    }
}

impl From<ValueKind> for KeywordKind {
    fn from(kind: ValueKind) -> KeywordKind {
        match kind {
            ValueKind::String => KeywordKind::String,
            ValueKind::Boolean => KeywordKind::Boolean,
            ValueKind::Integer => KeywordKind::Integer,
            ValueKind::Size => KeywordKind::Size,
            ValueKind::Duration => KeywordKind::Duration,
            ValueKind::List => KeywordKind::List,
            ValueKind::Words => KeywordKind::Words,
            ValueKind::Command => KeywordKind::Command,
            ValueKind::Launcher => KeywordKind::Launcher,
            ValueKind::Path => KeywordKind::Path,
            ValueKind::Mode => KeywordKind::Mode,
            ValueKind::Nodes => KeywordKind::Nodes,
            ValueKind::Schedule => KeywordKind::Schedule,
        }
    }
}

/// A change of the keys of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// Adds a key, which must not be there.
    Add {
        key: String,
        value: Vec<u8>,
    },
    /// Changes the value of a key, which must be there.
    Change {
        key: String,
        value: Vec<u8>,
    },
    Remove {
        keys: Vec<String>,
    },
    Rename {
        key: String,
        to: String,
    },
}
