//! The rows of the store about certificates, and the authority that comes next, which the former one's key seals.

use std::collections::BTreeMap;
use std::time::SystemTime;

use certificate::{CertificateAuthority, CertificateError, CertificatePlace, KeyedLeaf};
use model::datastore::{DataValue, NONCE_BYTES, SealingKey};
use model::{NodeName, ObjectKind};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{KeyQuery, KeyRange, Store, StoreError, TxnOutcome};

use super::RotationPhase;
use crate::roster::{guarded, parse};
use crate::token::{hex, now};
use crate::{ClusterPlace, Roster, RosterFault};

const PREFIX: &str = "cluster/pki/";
const ROTATION: &str = "cluster/pki/rotation";
const REVOKED: &str = "cluster/pki/revoked";
const NODE: &str = "cluster/pki/node/";

const VERSION: u32 = 1;

/// An authority takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotationRow {
    pub(super) version: u32,
    pub(super) phase: RotationPhase,
    pub(super) began_at: u64,
    /// Fingerprints.
    pub(super) old: String,
    pub(super) new: String,
    /// The certificate of the new one, in PEM, and its key, which the key of the old one seals.
    pub(super) certificate: String,
    pub(super) key: String,
}

/// What a node says of its certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeTrust {
    pub(super) version: u32,
    /// The fingerprints of the authorities that it trusts. The first one issues.
    pub(super) trusts: Vec<String>,
    /// Those that its member trusts, which it read when it started. None: it has no member.
    pub(super) member: Option<Vec<String>>,
    /// Whose its own certificate is.
    pub(super) issuer: String,
    pub(super) serial: String,
    /// Seconds since 1970.
    pub(super) ends_at: u64,
    pub(super) authority_ends_at: u64,
}

/// Certificates that members refuse: serial numbers, and when they end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RevokedRow {
    version: u32,
    pub(super) serials: BTreeMap<String, u64>,
}

/// All of them, and the revisions that a change compares.
#[derive(Debug, Clone, Default)]
pub(crate) struct PkiState {
    pub(super) rotation: Option<(RotationRow, u64)>,
    pub(super) revoked: (RevokedRow, u64),
    pub(super) nodes: BTreeMap<String, NodeTrust>,
}

/// Why an authority is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityFault {
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(
        "the engine is not managed: its certificates are those of cluster.engine_ca, engine_certificate and engine_key"
    )]
    Foreign,
    #[error("this node has no authority of the engine")]
    None,
    #[error(
        "the authority that comes next cannot be opened with the key that this node has: om cluster leave here, and om cluster join to come back"
    )]
    Sealed,
    #[error("the key of the authority cannot be sealed")]
    Seal,
}

impl From<StoreError> for AuthorityFault {
    fn from(error: StoreError) -> Self {
        AuthorityFault::Roster(error.into())
    }
}

impl PkiState {
    /// The nodes of the roster, each with what it has said.
    pub(super) fn said<'a>(&'a self, roster: &'a Roster) -> Vec<(&'a str, Option<&'a NodeTrust>)> {
        roster.nodes.iter().map(|node| (node.name.as_str(), self.nodes.get(node.name.as_str()))).collect()
    }

    pub(super) fn revoked_serials(&self) -> Vec<String> {
        self.revoked.0.serials.keys().cloned().collect()
    }
}

/// Reads all that the store knows of certificates.
pub(crate) async fn read_pki(store: &dyn Store) -> Result<PkiState, RosterFault> {
    let listing = store.list(&KeyQuery::current(KeyRange::prefix(PREFIX.as_bytes().to_vec()))).await?;
    let mut state = PkiState::default();
    for entry in &listing.entries {
        let key = String::from_utf8_lossy(&entry.key).into_owned();
        match &key[..] {
            ROTATION => state.rotation = Some((parse(&entry.key, &entry.value)?, entry.mod_revision)),
            REVOKED => state.revoked = (parse(&entry.key, &entry.value)?, entry.mod_revision),
            _ => {
                if let Some(node) = key.strip_prefix(NODE) {
                    state.nodes.insert(node.to_owned(), parse(&entry.key, &entry.value)?);
                }
            }
        }
    }
    Ok(state)
}

/// Begins to put another authority in the place of this one. False: that was begun before.
pub async fn begin_rotation(store: &dyn Store, place: &ClusterPlace) -> Result<bool, AuthorityFault> {
    let roster = crate::read_roster(store).await?.ok_or(RosterFault::None)?;
    if !roster.is_managed() {
        return Err(AuthorityFault::Foreign);
    }
    if read_pki(store).await?.rotation.is_some() {
        return Ok(false);
    }
    let files = place.engine_certificates();
    let (certificate, key) = files.authority_files().map_err(CertificateError::from)?.ok_or(AuthorityFault::None)?;
    // The name differs from that of every other one: a certificate names its authority by it.
    let next = CertificateAuthority::make(&format!("hostler engine {} {}", roster.name, now()), SystemTime::now())?;
    let row = RotationRow {
        version: VERSION,
        phase: RotationPhase::Trust,
        began_at: now(),
        old: fingerprint(&certificate),
        new: fingerprint(&next.certificate),
        key: seal(&key, &next.key)?,
        certificate: next.certificate,
    };
    let request = guarded(store).await?.if_unchanged(ROTATION, 0).put(ROTATION, bytes(&row));
    match store.txn(request).await? {
        TxnOutcome::Applied { .. } => Ok(true),
        TxnOutcome::Refused { .. } => Ok(false),
    }
}

/// Goes on to the next phase, or ends the rotation.
pub(super) async fn advance(store: &dyn Store, row: &RotationRow, revision: u64) -> Result<(), RosterFault> {
    let request = guarded(store).await?.if_unchanged(ROTATION, revision);
    let request = match row.phase.next() {
        Some(phase) => request.put(ROTATION, bytes(&RotationRow { phase, ..row.clone() })),
        None => request.delete(ROTATION),
    };
    // Another daemon may have done it.
    store.txn(request).await?;
    Ok(())
}

/// Says what this node has.
pub(super) async fn say(store: &dyn Store, node: &NodeName, trust: &NodeTrust) -> Result<(), RosterFault> {
    store.txn(guarded(store).await?.put(format!("{NODE}{node}"), bytes(trust))).await?;
    Ok(())
}

/// What is to be written when a node is taken out: its certificate is revoked, and what it said is forgotten.
pub(crate) struct NodeRevocation {
    revision: u64,
    row: Option<RevokedRow>,
    node: String,
}

/// Prepares the revocation of the certificate of a node.
pub(crate) async fn revoke_node(store: &dyn Store, node: &NodeName) -> Result<NodeRevocation, RosterFault> {
    let state = read_pki(store).await?;
    let (mut row, revision) = state.revoked;
    let at = now();
    row.version = VERSION;
    row.serials.retain(|_, ends_at| *ends_at > at);
    let had = state.nodes.get(node.as_str());
    let row = had.map(|had| {
        row.serials.insert(had.serial.clone(), had.ends_at);
        row
    });
    Ok(NodeRevocation { revision, row, node: format!("{NODE}{node}") })
}

impl NodeRevocation {
    pub(crate) fn along(&self, request: store::TxnRequest) -> store::TxnRequest {
        let request = request.delete(self.node.clone());
        match &self.row {
            Some(row) => request.if_unchanged(REVOKED, self.revision).put(REVOKED, bytes(row)),
            None => request,
        }
    }
}

/// The authority that comes next, opened by the key of the present one.
pub(super) fn open_next(place: &CertificatePlace, row: &RotationRow) -> Result<KeyedLeaf, AuthorityFault> {
    let (_, key) = place.authority_files().map_err(CertificateError::from)?.ok_or(AuthorityFault::None)?;
    let sealed = DataValue::parse(ObjectKind::Sec, &row.key).map_err(|_| AuthorityFault::Sealed)?;
    let opened = sealed.open(&sealing_key(&key)).map_err(|_| AuthorityFault::Sealed)?;
    let key = String::from_utf8(opened).map_err(|_| AuthorityFault::Sealed)?;
    Ok(KeyedLeaf { certificate: row.certificate.clone(), key })
}

fn seal(old: &str, new: &str) -> Result<String, AuthorityFault> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| RosterFault::Random)?;
    sealing_key(old).seal(nonce, new.as_bytes()).ok_or(AuthorityFault::Seal)
}

fn sealing_key(authority_key: &str) -> SealingKey {
    let mut digest = Sha256::new();
    digest.update(b"hostler: the authority that comes next\n");
    digest.update(authority_key.trim().as_bytes());
    SealingKey::new(digest.finalize().into())
}

/// The SHA-256 of a certificate in PEM, in hexadecimal digits.
pub(crate) fn fingerprint(pem: &str) -> String {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_or_else(|_| String::new(), |der| hex(&Sha256::digest(&der)))
}

/// Those of all authorities that are trusted in a directory.
pub(crate) fn fingerprints(place: &CertificatePlace) -> Result<Vec<String>, CertificateError> {
    Ok(place.trusted()?.iter().map(|pem| fingerprint(pem)).collect())
}

fn bytes(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_of_the_former_authority_opens_the_next_one() {
        let root = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(root.path().join("engine"));
        CertificateAuthority::open(&place, "old", SystemTime::now()).unwrap();
        let (_, key) = place.authority_files().unwrap().unwrap();
        let next = CertificateAuthority::make("new", SystemTime::now()).unwrap();
        let row = RotationRow {
            version: 1,
            phase: RotationPhase::Trust,
            began_at: 0,
            old: String::new(),
            new: fingerprint(&next.certificate),
            certificate: next.certificate.clone(),
            key: seal(&key, &next.key).unwrap(),
        };
        assert!(!row.key.contains(&next.key) && row.new.len() == 64);
        assert_eq!(open_next(&place, &row).unwrap().key, next.key);
        let other = CertificatePlace::new(root.path().join("other"));
        CertificateAuthority::open(&other, "other", SystemTime::now()).unwrap();
        assert!(matches!(open_next(&other, &row), Err(AuthorityFault::Sealed)));
    }
}
