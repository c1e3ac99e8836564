//! The roster: the nodes of a cluster that `om cluster` made, and where they are reached. It is one row of the store, so every
//! change of it compares the whole of it.

use std::net::IpAddr;

use model::NodeName;
use replica::generation_key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, TxnOutcome, TxnRequest};

pub(crate) const KEY: &[u8] = b"cluster/roster";

const VERSION: u32 = 1;

/// How often a change is tried against others.
const TRIES: usize = 8;

/// The nodes of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub(crate) version: u32,
    pub name: String,
    /// The id of the cluster, which no other cluster has.
    pub id: String,
    /// How many voters are wanted at most: 3 or 5.
    pub voters: usize,
    /// Whether `om` manages the engine. Else these are its addresses.
    #[serde(default)]
    pub external: Vec<String>,
    /// In the order in which they joined.
    pub nodes: Vec<RosterNode>,
}

/// A node of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterNode {
    #[serde(with = "node_name")]
    pub name: NodeName,
    pub address: IpAddr,
    pub api_port: u16,
    /// The digest of the secret by which a node that joins is known again.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether its join is complete.
    #[serde(default)]
    pub joined: bool,
    /// Whether it only has a member of the engine, and runs nothing.
    #[serde(default)]
    pub witness: bool,
}

/// Why the roster cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterFault {
    #[error("the engine of the cluster does not do it")]
    Store(#[from] StoreError),
    #[error("the value of {0} in the engine cannot be read: another version wrote it")]
    Row(String),
    #[error("the engine holds no cluster that om cluster init made")]
    None,
    #[error("others changed the cluster at the same time: try again")]
    Overtaken,
    #[error("the kernel gives no random numbers")]
    Random,
    #[error("the certificate of the API's authority cannot be read")]
    Authority,
}

impl Roster {
    pub fn new(name: String, id: String, voters: usize, external: Vec<String>, first: RosterNode) -> Roster {
        Roster { version: VERSION, name, id, voters, external, nodes: vec![first] }
    }

    pub fn node(&self, name: &str) -> Option<&RosterNode> {
        self.nodes.iter().find(|node| node.name.as_str() == name)
    }

    /// The nodes that run services.
    pub fn service_nodes(&self) -> impl Iterator<Item = &RosterNode> {
        self.nodes.iter().filter(|node| !node.witness)
    }

    /// What an operator of two nodes should know. None: there is a witness, or another number of nodes.
    pub(crate) fn lacks_witness(&self) -> Option<String> {
        let lacks = self.is_managed() && self.nodes.len() == 2 && self.service_nodes().count() == 2;
        let text = "two nodes without a witness: the loss of the one whose engine votes stops all changes (om cluster join --witness)";
        lacks.then(|| text.to_owned())
    }

    pub fn is_managed(&self) -> bool {
        self.external.is_empty()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The key of the roster, and its value.
    pub(crate) fn row(&self) -> (Vec<u8>, Vec<u8>) {
        (KEY.to_vec(), self.to_bytes())
    }
}

/// Reads the roster. None: the cluster is not one that `om cluster` made.
pub async fn read_roster(store: &dyn Store) -> Result<Option<Roster>, RosterFault> {
    Ok(read(store).await?.0)
}

async fn read(store: &dyn Store) -> Result<(Option<Roster>, u64), RosterFault> {
    let found = store.get(KEY).await?;
    let Some(entry) = found.entry else { return Ok((None, 0)) };
    Ok((Some(parse(&entry.key, &entry.value)?), entry.mod_revision))
}

/// Changes the roster, and with it what `along` adds to the transaction. The closure may be called again with a newer roster. Returns
/// the roster as it is then.
pub async fn change_roster<E: From<RosterFault>>(
    store: &dyn Store,
    along: impl Fn(TxnRequest) -> TxnRequest,
    change: impl Fn(&mut Roster) -> Result<(), E>,
) -> Result<Roster, E> {
    for _ in 0..TRIES {
        let (roster, revision) = read(store).await?;
        let Some(before) = roster else { return Err(RosterFault::None.into()) };
        let mut roster = before.clone();
        change(&mut roster)?;
        let request = along(guarded(store).await?.if_unchanged(KEY, revision));
        // A change that was made by an earlier try, whose answer was lost, ends here.
        if roster == before && request.operations.is_empty() {
            return Ok(roster);
        }
        let request = request.put(KEY, roster.to_bytes());
        if let TxnOutcome::Applied { .. } = store.txn(request).await.map_err(RosterFault::from)? {
            return Ok(roster);
        }
    }
    Err(RosterFault::Overtaken.into())
}

/// A transaction that holds in the present generation only.
pub(crate) async fn guarded(store: &dyn Store) -> Result<TxnRequest, RosterFault> {
    let generation = store.get(&generation_key()).await?.entry;
    Ok(match generation {
        Some(entry) => TxnRequest::new().if_value(generation_key(), entry.value),
        None => TxnRequest::new().if_unchanged(generation_key(), 0),
    })
}

pub(crate) fn parse<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, RosterFault> {
    serde_json::from_slice(value).map_err(|_| RosterFault::Row(String::from_utf8_lossy(key).into_owned()))
}

/// The name of a node, as text.
mod node_name {
    use model::NodeName;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(name: &NodeName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NodeName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
