//! What a node that joins a cluster and a node of it say to each other, and how a cluster's engine is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A node asks to be let in. Its token is the bearer of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    pub node: String,
    /// Where the others reach it.
    pub address: String,
    pub api_port: u16,
    /// A secret of the joiner's, by which it is known again when it asks for the next step, or asks again.
    pub key: String,
    /// The version of its agent.
    pub agent: String,
    /// Whether it only asks if it would be let in. Then nothing is changed, and no keys are in the answer.
    #[serde(default)]
    pub probe: bool,
    /// Whether it only gets a member of the engine, and runs nothing.
    #[serde(default)]
    pub witness: bool,
    /// The objects that it brings, and the SHA-256 of their configurations.
    #[serde(default)]
    pub objects: BTreeMap<String, String>,
}

/// What a node that was let in needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinGrant {
    /// The name of the cluster, and the id that no other cluster has.
    pub cluster: String,
    pub id: String,
    /// All nodes, with the one that joins.
    pub nodes: Vec<String>,
    /// The addresses of the voters of its engine.
    pub engine: Vec<String>,
    pub api: AuthorityGrant,
    /// None: the engine is not managed, and each node reaches it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_authority: Option<AuthorityGrant>,
    /// The clock of the node that answers. Seconds since 1970.
    pub now: u64,
}

/// An authority that every node of the cluster can issue certificates of. In PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityGrant {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for JoinGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the keys: it may be written to a log.
        f.debug_struct("JoinGrant").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AuthorityGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorityGrant").finish_non_exhaustive()
    }
}

/// The life of a node is to end, as it was seen: the revisions of its registration and of its last beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvictRequest {
    pub life: u64,
    pub beat: u64,
    /// Whether a fence has proven that the node has ended: then only its registration is compared.
    #[serde(default)]
    pub fenced: bool,
}

/// A node that was let in asks for a member of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRequest {
    pub node: String,
    pub key: String,
    /// The name of its member, which no other data directory has.
    pub name: String,
    /// Where the other members reach it, and where clients do.
    pub peer: String,
    pub client: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum SeatGrant {
    /// It follows, and is promoted when it is in step, if voters are wanted. All members by name and peer address.
    Learner { members: BTreeMap<String, String> },
    /// It gets none: there are members enough.
    Client,
    /// Not yet: what is waited for.
    Wait { reason: String },
}

/// How the engine of a cluster is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    pub cluster: String,
    pub id: String,
    /// Whether `om` manages its members.
    pub managed: bool,
    pub nodes: Vec<ClusterNodeLine>,
    pub members: Vec<EngineMemberLine>,
    /// How many voters there should be.
    pub voters: usize,
    pub revision: u64,
    pub generation: u64,
    /// In etcd's words.
    pub alarms: Vec<String>,
    /// What a loss would mean.
    pub loss: String,
    /// What should be done, one line each.
    pub advice: Vec<String>,
}

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNodeLine {
    pub node: String,
    pub address: String,
    /// `joined`, or `joining` until its join is complete. A node that only has a member of the engine is a `witness`.
    pub state: String,
}

/// A member of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineMemberLine {
    /// The node that it is on. Empty: it has not started yet, or is not managed.
    pub node: String,
    pub name: String,
    pub id: String,
    pub address: String,
    /// `voter` or `learner`.
    pub role: String,
    /// `up`, `down`, or `new` until it has started.
    pub state: String,
    pub leads: bool,
    pub version: Option<String>,
    pub revision: u64,
    /// How far it has applied what was agreed.
    pub applied: u64,
    pub bytes: u64,
    pub bytes_in_use: u64,
    /// Why it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What became of the fence of a node, or of a test of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FenceDocument {
    pub node: String,
    /// Whether it was only tried whether the node could be ended.
    pub test: bool,
    /// Whether it is proven that the node has ended.
    pub proof: bool,
    /// With a test: whether all fences of the node could be done. Else the same as `proof`.
    pub succeeded: bool,
    pub seconds: f64,
    /// In the order in which they were made.
    pub tries: Vec<FenceTryDocument>,
}

/// One try of one fence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FenceTryDocument {
    pub rid: String,
    pub driver: String,
    pub level: u32,
    pub proof: bool,
    /// What the driver says. May be empty.
    pub text: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
    pub seconds: f64,
}
