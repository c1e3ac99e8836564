//! Who asks the daemon, tokens, certificates, and the trail of who did what.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who asks, as the daemon knows the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerDocument {
    pub node: String,
    pub user: String,
    /// `uxsock`, `token` or `certificate`.
    pub auth: String,
    /// The id of the token, or the serial number of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Seconds since 1970. None: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<u64>,
    /// The address of the client. None for the unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the user may do.
    pub grant: Vec<String>,
    /// What the token was made for. What both allow is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Vec<String>>,
}

/// A token that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    /// For this user. None: for the user who asks. Only root may name another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it is good for, as grants. None: all that the user may do.
    pub role: Vec<String>,
    /// Seconds. None: ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}

/// A token that was made. It is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenDocument {
    pub token: String,
    pub id: String,
    pub user: String,
    pub ends_at: u64,
}

/// A token, without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSummary {
    pub id: String,
    pub user: String,
    /// What it was made for. Empty: all that the user may do.
    pub role: Vec<String>,
    pub issued_at: u64,
    pub ends_at: u64,
    /// Who made it.
    pub by: String,
    #[serde(default)]
    pub revoked: bool,
}

/// A certificate that is wanted for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    pub user: String,
    /// A public key of ECDSA P-256, in PEM.
    pub public_key: String,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateDocument {
    pub serial: String,
    pub ends_at: u64,
    /// In PEM.
    pub certificate: String,
    /// The certificate of the authority, in PEM: what a client trusts the daemon by.
    pub authority: String,
}

/// A certificate that the authority has issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSummary {
    pub serial: String,
    /// `node` or `user`.
    pub kind: String,
    pub name: String,
    pub issued_at: u64,
    pub ends_at: u64,
    pub revoked: bool,
    /// Whether the daemon presents it now.
    pub in_use: bool,
}

/// A request for records of who did what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessQuery {
    pub user: Option<String>,
    pub path: Option<String>,
    /// Whether only what was refused is asked for.
    pub denied: bool,
    /// The number of the last records. Zero: all.
    pub lines: usize,
}

/// A record, as it is in the file: one of another version may have other members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessEntry(pub Value);

impl AccessEntry {
    /// The text of a member, empty if there is none.
    pub fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }
}

impl AccessQuery {
    /// Whether the record is asked for.
    pub fn accepts(&self, record: &AccessEntry) -> bool {
        let is = |member: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|one| record.text(member) == one);
        is("user", &self.user) && is("path", &self.path) && (!self.denied || record.text("outcome") == "denied")
    }
}
