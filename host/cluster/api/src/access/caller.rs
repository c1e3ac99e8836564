//! Who asks: a user, how the user proved it, and from where.

use std::fmt;
use std::net::IpAddr;

use model::{AccessRole, NodeName, ObjectPath, RoleGrants};
use serde_json::{Value, json};

/// The user that root is, and that no `usr` object can be.
pub(crate) const ROOT: &str = "root";

/// The connection of a client, and what it says of who is at its other end.
#[derive(Debug)]
pub(crate) enum ClientLink {
    Unix {
        uid: u32,
        /// Unknown if the process is of another pid namespace.
        pid: Option<i32>,
    },
    Tls {
        address: IpAddr,
        /// The serial number of that of a client that presented one, which the handshake has verified.
        certificate: Option<String>,
    },
    /// Another daemon of the cluster.
    Peer {
        address: IpAddr,
        /// What it has shown, in DER. The handshake has verified it; whether it still counts, the book of peers knows.
        certificate: Vec<u8>,
    },
}

impl ClientLink {
    /// The address of the client, if it is not on this node.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            ClientLink::Unix { .. } => None,
            ClientLink::Tls { address, .. } | ClientLink::Peer { address, .. } => Some(*address),
        }
    }

    /// For the trail.
    pub(crate) fn document(&self) -> Value {
        match self {
            ClientLink::Unix { uid, pid } => json!({"uid": uid, "pid": pid}),
            ClientLink::Tls { address, .. } | ClientLink::Peer { address, .. } => {
                json!({"address": address.to_string()})
            }
        }
    }
}

/// How the user proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallerCredential {
    /// The kernel says so.
    Process,
    Token {
        id: String,
        ends_at: u64,
    },
    Certificate {
        serial: String,
        ends_at: u64,
    },
    /// It is another daemon of the cluster, and no user at all.
    Peer(NodeName),
    /// A token of the cluster, by which a node joins. Only its route can tell whether it is one.
    Join {
        token: String,
    },
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: String,
    pub(crate) grants: RoleGrants,
    /// What the token was made for.
    pub(crate) limit: Option<RoleGrants>,
    pub(crate) credential: CallerCredential,
    pub(crate) address: Option<IpAddr>,
}

impl Caller {
    /// Whether the caller has this role in a namespace.
    pub(crate) fn has(&self, role: AccessRole, namespace: &str) -> bool {
        // Both: the limit of a token never adds to what its user may do now.
        self.grants.give(role, namespace) && self.limit.as_ref().is_none_or(|limit| limit.give(role, namespace))
    }

    /// Whether the caller may do everything.
    pub(crate) fn is_root(&self) -> bool {
        self.grants.is_root() && self.limit.as_ref().is_none_or(RoleGrants::is_root)
    }

    /// Whether the caller may know of an object.
    pub(crate) fn sees(&self, path: &ObjectPath) -> bool {
        self.has(AccessRole::Guest, path.namespace())
    }

    /// Whether nothing that this process does for the caller could not be done without it.
    pub(crate) fn is_local_root(&self) -> bool {
        self.credential == CallerCredential::Process && self.is_root()
    }

    /// The node whose daemon asks, if it is one.
    pub(crate) fn peer(&self) -> Option<&NodeName> {
        match &self.credential {
            CallerCredential::Peer(node) => Some(node),
            _ => None,
        }
    }

    /// The token of a node that joins. None: it is a user who asks.
    pub(crate) fn join_token(&self) -> Option<&str> {
        match &self.credential {
            CallerCredential::Join { token } => Some(token),
            _ => None,
        }
    }

    /// The id of what proves who it is.
    pub(crate) fn credential_id(&self) -> Option<&str> {
        match &self.credential {
            CallerCredential::Process | CallerCredential::Peer(_) | CallerCredential::Join { .. } => None,
            CallerCredential::Token { id, .. } => Some(id),
            CallerCredential::Certificate { serial, .. } => Some(serial),
        }
    }

    /// When what proves it ends. Seconds since 1970.
    pub(crate) fn ends_at(&self) -> Option<u64> {
        match self.credential {
            CallerCredential::Process | CallerCredential::Peer(_) | CallerCredential::Join { .. } => None,
            CallerCredential::Token { ends_at, .. } | CallerCredential::Certificate { ends_at, .. } => Some(ends_at),
        }
    }

    /// The word for how it was proved, as OpenSVC has it.
    pub(crate) fn auth(&self) -> &'static str {
        match self.credential {
            CallerCredential::Process => "uxsock",
            CallerCredential::Token { .. } => "token",
            CallerCredential::Certificate { .. } => "certificate",
            CallerCredential::Peer(_) => "peer",
            CallerCredential::Join { .. } => "join",
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)
    }
}
