//! Values as they stand in the file: `literal:TEXT` and `base64:…` in a store of plain configuration, `crypt:…` in a store of
//! secrets, which is base64 of nonce, AES-256-GCM ciphertext and tag.

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::ObjectKind;

/// The length of a key for secrets.
pub const SEALING_KEY_BYTES: usize = 32;
/// The length of the nonce of a secret. No two secrets may have the same nonce.
pub const NONCE_BYTES: usize = 12;

const LITERAL: &str = "literal:";
const BASE64_TEXT: &str = "base64:";
const CRYPT: &str = "crypt:";

/// The key that secrets are encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; SEALING_KEY_BYTES]);

/// The key is a secret itself, so it is never shown.
impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// Makes a key of random bytes.
    pub const fn new(bytes: [u8; SEALING_KEY_BYTES]) -> SealingKey {
        SealingKey(bytes)
    }

    /// Reads the text that [`SealingKey::to_text`] wrote.
    pub fn parse(text: &[u8]) -> Option<SealingKey> {
        // `to_text` ends the file with a line feed.
        let bytes = BASE64.decode(text.trim_ascii()).ok()?;
        bytes.try_into().ok().map(SealingKey)
    }

    /// The text of its file.
    pub fn to_text(&self) -> String {
        format!("{}\n", BASE64.encode(self.0))
    }

    /// A value as a store of secrets holds it. None if it is longer than the cipher takes.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], value: &[u8]) -> Option<String> {
        let sealed = Aes256Gcm::new(&self.0.into()).encrypt(&nonce.into(), value).ok()?;
        Some(format!("{CRYPT}{}", BASE64.encode([&nonce[..], &sealed].concat())))
    }

    /// The value that was sealed with this key.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        // The nonce is not secret and stands in front. A changed byte anywhere makes the decryption fail, as GCM
        // authenticates.
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        Aes256Gcm::new(&self.0.into()).decrypt(nonce.into(), sealed).ok()
    }
}

/// A value as a store of plain configuration holds it: as it is, where it would be read back so.
pub fn plain(value: &[u8]) -> String {
    // The file trims lines, and control characters would not survive it.
    let reads_back = |text: &&str| !text.contains(char::is_control) && text.trim_end() == *text;
    match std::str::from_utf8(value).ok().filter(reads_back) {
        Some(text) => format!("{LITERAL}{text}"),
        None => format!("{BASE64_TEXT}{}", BASE64.encode(value)),
    }
}

/// A value as it was read from a data store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataValue {
    /// The value.
    Plain(Vec<u8>),
    /// An encrypted value.
    Sealed(Vec<u8>),
}

/// A text that is not a value of a data store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDataValue {
    /// A secret that is not encrypted.
    #[error("is not encrypted")]
    Open,
    /// An encrypted value in a store of plain configuration.
    #[error("is encrypted, which only values of a store of secrets are")]
    Sealed,
    /// The text behind the prefix is not base64.
    #[error("is not base64")]
    Base64,
}

/// A secret that was encrypted with another key, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("was encrypted with another key, or is damaged")]
pub struct UnsealError;

impl DataValue {
    /// Reads the value of a key of a store of that kind. What has no prefix, as people write it, is taken as it stands.
    pub fn parse(kind: ObjectKind, written: &str) -> Result<DataValue, InvalidDataValue> {
        // A long value may be wrapped: the document joins its lines by line feeds.
        let decode = |text: &str| BASE64.decode(text.replace('\n', "")).map_err(|_| InvalidDataValue::Base64);
        match (kind, written.strip_prefix(CRYPT)) {
            (ObjectKind::Sec, Some(text)) => decode(text).map(DataValue::Sealed),
            // A secret in plain text is refused rather than used, or it would stay readable in the file.
            (ObjectKind::Sec, None) => Err(InvalidDataValue::Open),
            (_, Some(_)) => Err(InvalidDataValue::Sealed),
            (_, None) => match (written.strip_prefix(BASE64_TEXT), written.strip_prefix(LITERAL)) {
                (Some(text), _) => decode(text).map(DataValue::Plain),
                (None, text) => Ok(DataValue::Plain(text.unwrap_or(written).into())),
            },
        }
    }

    /// Decrypts the value with the key that it was sealed with.
    pub fn open(&self, key: &SealingKey) -> Result<Vec<u8>, UnsealError> {
        match self {
            DataValue::Plain(value) => Ok(value.clone()),
            DataValue::Sealed(sealed) => key.open(sealed).ok_or(UnsealError),
        }
    }
}
