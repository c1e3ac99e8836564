//! Accepting an engine that is not the one that this node knows, or not as far: after a restore by other means, or a recovery on another
//! node. Only a person can know that it is right.

use replica::{GenerationRow, SharedKey, everything, generation_key};
use serde::Serialize;
use store::{KeyQuery, Store, TxnOutcome, TxnRequest};
use store_etcd::{EngineMark, EtcdStore};

use super::RecoveryFault;
use super::anew::last;
use super::plan::{remembered, remembered_mark};
use crate::{ClusterPlace, RosterFault};

/// What a node knows of its engine, and what the one says that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineComparison {
    pub known: EngineWord,
    pub found: EngineWord,
    /// Whether the daemon takes it as it is.
    pub accepted: bool,
}

/// Which engine, and how far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineWord {
    /// The id that etcd has given it. Empty: this node has seen none.
    pub id: String,
    pub generation: u64,
    pub revision: u64,
}

impl EngineWord {
    fn of(mark: EngineMark, generation: u64) -> EngineWord {
        let id = if mark.cluster == 0 { String::new() } else { format!("{:x}", mark.cluster) };
        EngineWord { id, generation, revision: mark.revision }
    }
}

/// Compares the engine that answers with what this node remembers. `store` knows no mark yet.
pub async fn compare_engine(place: &ClusterPlace, store: &EtcdStore) -> Result<EngineComparison, RecoveryFault> {
    let row = generation(store).await?;
    let mark = store.mark();
    let found = EngineWord::of(mark, row.number);
    let known = EngineWord::of(remembered_mark(place), remembered(place));
    // A wiped engine has another id, one that was restored may have the same: hence both compares.
    let same = known.id.is_empty() || known.id == found.id;
    // The mark on disk is up to a minute old: what it refuses, the daemon refuses too.
    let accepted = same && (found.generation, found.revision) >= (known.generation, known.revision);
    Ok(EngineComparison { known, found, accepted })
}

/// Makes the engine one that every node of the cluster takes, as far as its generation says: behind all that this node knows. Returns
/// the generation. Tokens of slots go on growing.
pub async fn accept_generation(place: &ClusterPlace, store: &EtcdStore) -> Result<u64, RecoveryFault> {
    let row = generation(store).await?;
    let known = remembered(place);
    if row.number > known {
        return Ok(row.number);
    }
    let listing = store.list(&KeyQuery::current(everything())).await?;
    let before = listing.entries.iter().find(|entry| entry.key == generation_key()).map(|entry| entry.value.clone());
    // In one step with the generation: in the new one, a life of the old one must not be found.
    let of_lives = |key: &[u8]| matches!(SharedKey::parse(key), Some(SharedKey::Node(_) | SharedKey::Members));
    let lives = listing.entries.iter().map(|entry| entry.key.clone()).filter(|key| of_lives(key));
    let request = match before {
        Some(value) => TxnRequest::new().if_value(generation_key(), value),
        None => TxnRequest::new().if_unchanged(generation_key(), 0),
    };
    let mut request = lives.fold(request, |request, key| request.delete(key));
    request.operations.extend(last(known + 1, None)?);
    match store.txn(request).await? {
        TxnOutcome::Applied { .. } => Ok(known + 1),
        TxnOutcome::Refused { .. } => Err(RosterFault::Overtaken.into()),
    }
}

async fn generation(store: &EtcdStore) -> Result<GenerationRow, RecoveryFault> {
    let found = store.get(&generation_key()).await?.entry;
    Ok(found.and_then(|entry| GenerationRow::read(&entry.key, &entry.value).ok()).unwrap_or_default())
}
