//! Tokens by which nodes join: shown once, and kept hashed.
//!
//! A token is `H1.`, its id, and in base64 a secret and the digest of the authority that the joiner may trust. So one line tells
//! the joiner who the cluster is, and the cluster who the joiner is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{KeyQuery, KeyRange, Store, TxnOutcome};

use crate::RosterFault;
use crate::roster::{guarded, parse};

const FORM: &str = "H1";
const SECRET: usize = 16;
const DIGEST: usize = 32;

/// A token whose time is over is forgotten after so many seconds. Until then it is known why it is refused.
const REMEMBERED: u64 = 24 * 3600;

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    pub id: String,
    secret: [u8; SECRET],
    /// The SHA-256 of the certificate of the API's authority.
    pub authority: [u8; DIGEST],
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The secret must not come into a log or an error by `{:?}`.
        f.debug_struct("JoinToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token is not one of om cluster init or om cluster token create: expected H1.…")]
    Form,
    #[error("the token {0} is not one of this cluster, or was revoked: om cluster token create makes a new one")]
    Unknown(String),
    #[error("the token {0} expired {1} s ago: om cluster token create makes a new one")]
    Expired(String, u64),
    #[error("the token {0} was used up: om cluster token create makes a new one")]
    Used(String),
}

/// What the store keeps of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenRow {
    version: u32,
    /// The SHA-256 of the secret.
    hash: String,
    made_at: u64,
    ends_at: u64,
    uses: u32,
    /// The nodes that have used it, with the digest of the key by which each of them is known again.
    #[serde(default)]
    used: BTreeMap<String, String>,
}

/// A token, without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenLine {
    pub id: String,
    /// Seconds since 1970.
    pub made_at: u64,
    pub ends_at: u64,
    pub uses_left: u32,
    pub used_by: Vec<String>,
    pub expired: bool,
}

impl JoinToken {
    fn new(authority: [u8; DIGEST]) -> Result<JoinToken, RosterFault> {
        let mut bytes = [0; SECRET + 4];
        getrandom::fill(&mut bytes).map_err(|_| RosterFault::Random)?;
        let (id, secret) = bytes.split_at(4);
        let mut token = JoinToken { id: hex(id), secret: [0; SECRET], authority };
        token.secret.copy_from_slice(secret);
        Ok(token)
    }

    fn hash(&self) -> String {
        digest_of(&self.secret)
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = [&self.secret[..], &self.authority[..]].concat();
        write!(f, "{FORM}.{}.{}", self.id, URL_SAFE_NO_PAD.encode(body))
    }
}

impl FromStr for JoinToken {
    type Err = TokenFault;

    fn from_str(text: &str) -> Result<JoinToken, TokenFault> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let [FORM, id, body] = parts[..] else { return Err(TokenFault::Form) };
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| TokenFault::Form)?;
        let is_id = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (secret, authority) = body.split_at_checked(SECRET).ok_or(TokenFault::Form)?;
        match (secret.try_into(), authority.try_into()) {
            (Ok(secret), Ok(authority)) if is_id => Ok(JoinToken { id: id.to_owned(), secret, authority }),
            _ => Err(TokenFault::Form),
        }
    }
}

impl TokenRow {
    /// Whether the node may join, or go on joining, by the token. None: it is known already.
    fn judge(&self, token: &JoinToken, node: &str, key: &str, now: u64) -> Result<Option<TokenRow>, TokenFault> {
        // The same error as for an id that does not exist: an asker cannot find out ids.
        if self.hash != token.hash() {
            return Err(TokenFault::Unknown(token.id.clone()));
        }
        // A join that has begun may be finished.
        if self.used.get(node).is_some_and(|known| known == key) {
            return Ok(None);
        }
        if let Some(ago) = now.checked_sub(self.ends_at) {
            return Err(TokenFault::Expired(token.id.clone(), ago));
        }
        if self.left() == 0 {
            return Err(TokenFault::Used(token.id.clone()));
        }
        let mut row = self.clone();
        row.used.insert(node.to_owned(), key.to_owned());
        Ok(Some(row))
    }

    fn left(&self) -> u32 {
        self.uses.saturating_sub(u32::try_from(self.used.len()).unwrap_or(u32::MAX))
    }
}

/// Makes a token for so many nodes, and forgets those that have long expired.
pub async fn create_token(
    store: &dyn Store,
    authority: &str,
    life: Duration,
    uses: u32,
) -> Result<(JoinToken, u64), RosterFault> {
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).map_err(|_| RosterFault::Authority)?;
    let token = JoinToken::new(Sha256::digest(authority.as_ref()).into())?;
    let made_at = now();
    let ends_at = made_at.saturating_add(life.as_secs());
    let row = TokenRow { version: 1, hash: token.hash(), made_at, ends_at, uses, used: BTreeMap::new() };
    let listing = store.list(&KeyQuery::current(KeyRange::prefix(prefix()))).await?;
    // An id has four bytes: it is compared that it is new, and a clash is an error that the operator may repeat.
    let mut request = guarded(store).await?.if_unchanged(key(&token.id), 0).put(key(&token.id), bytes(&row));
    for entry in &listing.entries {
        if parse::<TokenRow>(&entry.key, &entry.value)?.ends_at.saturating_add(REMEMBERED) < made_at {
            request = request.delete(entry.key.clone());
        }
    }
    match store.txn(request).await? {
        TxnOutcome::Applied { .. } => Ok((token, ends_at)),
        TxnOutcome::Refused { .. } => Err(RosterFault::Overtaken),
    }
}

/// The tokens that are remembered.
pub async fn list_tokens(store: &dyn Store) -> Result<Vec<TokenLine>, RosterFault> {
    let listing = store.list(&KeyQuery::current(KeyRange::prefix(prefix()))).await?;
    let now = now();
    let line = |entry: &store::KeyEntry| {
        let row: TokenRow = parse(&entry.key, &entry.value)?;
        let id = String::from_utf8_lossy(&entry.key[prefix().len()..]).into_owned();
        let (uses_left, expired) = (row.left(), row.ends_at <= now);
        let used_by = row.used.into_keys().collect();
        Ok(TokenLine { id, made_at: row.made_at, ends_at: row.ends_at, uses_left, used_by, expired })
    };
    listing.entries.iter().map(line).collect()
}

/// Revokes a token. False: there is none of that id.
pub async fn revoke_token(store: &dyn Store, id: &str) -> Result<bool, RosterFault> {
    let found = store.get(&key(id)).await?;
    if found.entry.is_none() {
        return Ok(false);
    }
    // Not compared with what was read: a use at the same moment must not keep a revocation from being done.
    store.txn(guarded(store).await?.delete(key(id))).await?;
    Ok(true)
}

/// Checks that a node may join by a token, and what is to be written when it does: the key, the revision that it must still have, and
/// its value. None: it was let in before.
pub(crate) async fn judge_token(
    store: &dyn Store,
    token: &JoinToken,
    node: &str,
    joiner_key: &str,
) -> Result<Option<(Vec<u8>, u64, Vec<u8>)>, Result<TokenFault, RosterFault>> {
    let found = store.get(&key(&token.id)).await.map_err(|error| Err(error.into()))?;
    let Some(entry) = found.entry else { return Err(Ok(TokenFault::Unknown(token.id.clone()))) };
    let row: TokenRow = parse(&entry.key, &entry.value).map_err(Err)?;
    let used = row.judge(token, node, &digest_of(joiner_key.as_bytes()), now()).map_err(Ok)?;
    Ok(used.map(|row| (key(&token.id), entry.mod_revision, bytes(&row))))
}

fn prefix() -> Vec<u8> {
    b"cluster/token/".to_vec()
}

fn key(id: &str) -> Vec<u8> {
    [&prefix()[..], id.as_bytes()].concat()
}

fn bytes(row: &TokenRow) -> Vec<u8> {
    serde_json::to_vec(row).unwrap_or_default()
}

/// Of a configuration, as the store keeps it.
pub fn checksum(text: &str) -> String {
    digest_of(text.as_bytes())
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        JoinToken { id: "5f3c1a2b".to_owned(), secret: [7; SECRET], authority: [9; DIGEST] }
    }

    fn row(uses: u32) -> TokenRow {
        TokenRow { version: 1, hash: token().hash(), made_at: 0, ends_at: 100, uses, used: BTreeMap::new() }
    }

    #[test]
    fn a_token_is_read_as_it_is_written() {
        let text = token().to_string();
        assert_eq!(text.parse(), Ok(token()));
        for wrong in
            ["", "H1", "H2.5f3c1a2b.AA", "H1.x.AA", "H1.5f3c1a2b.", &text[..text.len() - 2], &(text.clone() + "AAAA")]
        {
            assert_eq!(wrong.parse::<JoinToken>(), Err(TokenFault::Form), "{wrong}");
        }
    }

    #[test]
    fn a_token_lets_in_as_many_nodes_as_it_is_for_until_it_expires() {
        let used = row(1).judge(&token(), "n2", "k", 99).unwrap().unwrap();
        assert_eq!(used.judge(&token(), "n3", "k", 99), Err(TokenFault::Used("5f3c1a2b".to_owned())));
        // The same machine goes on, whenever it comes again; another one of that name does not.
        assert_eq!(used.judge(&token(), "n2", "k", 500), Ok(None));
        assert!(used.judge(&token(), "n2", "other", 99).is_err());
        assert_eq!(row(1).judge(&token(), "n2", "k", 107), Err(TokenFault::Expired("5f3c1a2b".to_owned(), 7)));
        let forged = JoinToken { secret: [8; SECRET], ..token() };
        assert_eq!(row(1).judge(&forged, "n2", "k", 1), Err(TokenFault::Unknown("5f3c1a2b".to_owned())));
    }
}
