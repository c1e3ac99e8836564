//! What the daemons of a cluster tell each other directly. Who asks is known by the connection, and is in no document.

use serde::{Deserialize, Serialize};

/// What a daemon tells another one again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingRequest {
    /// While the engine is away: whether the other node will leave the life of this one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<PromiseQuestion>,
}

/// The life that a promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseQuestion {
    /// The generation of the store, and its nonce.
    pub generation: u64,
    pub nonce: u64,
    /// The revision of the registration of the node that asks.
    pub life: u64,
}

/// What a daemon answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingAnswer {
    /// Whether it sees the beats of the node that asks, by the store.
    #[serde(default)]
    pub sees_beat: bool,
    /// Whether it gives the promise that it was asked for: it ends that life for as long as an observer waits under no circumstances.
    #[serde(default)]
    pub promised: bool,
    /// The generation of the engine that it knows. A higher one than that of the node that asks: that node's engine was replaced.
    #[serde(default)]
    pub generation: u64,
}

/// A command of `om` that another node shall run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// On whose behalf, between daemons. A client is known by its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The selector, the action and its options.
    pub words: Vec<String>,
}

/// A piece of what it prints, or its end: a line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandOutput {
    /// On standard output, with its line end if it has come.
    Output(String),
    /// On standard error.
    Error(String),
    /// The exit code.
    End(u8),
}
