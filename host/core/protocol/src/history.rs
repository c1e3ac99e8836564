//! The history of a configuration.

use serde::{Deserialize, Serialize};

/// The versions of a configuration that are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigHistory {
    /// Where they are kept.
    pub file: String,
    /// The oldest first. The last one is the present text.
    pub revisions: Vec<ConfigRevision>,
    /// How many versions were lost, because their lines in the file are torn or damaged.
    pub damaged: usize,
}

/// A version of a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigRevision {
    pub revision: u64,
    /// When it was written, in seconds since 1970.
    pub at: f64,
    /// Of the text: SHA-256, in hexadecimal.
    pub digest: String,
    /// Who wrote it. None: an editor or another program did.
    pub user: Option<String>,
    pub uid: Option<u32>,
    /// The user that logged in, if it is another one.
    pub login: Option<String>,
    /// The command that wrote it, without secrets.
    pub command: Option<String>,
    /// The keywords that it has changed.
    pub changed: Vec<String>,
}

/// What differs between two versions. Secret values are `***` in all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigDiff {
    /// 0: from nothing.
    pub from: u64,
    pub to: u64,
    /// The lines that differ, as `diff -u` prints them.
    pub unified: Vec<String>,
    pub keywords: Vec<KeywordChange>,
}

/// A keyword that has two values in two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordChange {
    pub keyword: String,
    /// None: it was not set.
    pub before: Option<String>,
    /// None: it is not set any more.
    pub after: Option<String>,
}
