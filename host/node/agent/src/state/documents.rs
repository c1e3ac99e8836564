//! Small JSON documents that may be lost: one that does not parse, after a failure of the disk, counts as absent.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::file::durable::{self, FileError};

/// The document, unless it is absent or torn.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    Ok(durable::read(path)?.and_then(|content| serde_json::from_slice(&content).ok()))
}

/// Replaces the document.
pub(crate) fn store<T: Serialize>(path: &Path, document: &T) -> Result<(), FileError> {
    durable::write(path, &encode(path, document)?)
}

/// Replaces a document that every look rewrites, without waiting for the disk.
pub(super) fn jot<T: Serialize>(path: &Path, document: &T) -> Result<(), FileError> {
    durable::note(path, &encode(path, document)?)
}

fn encode<T: Serialize>(path: &Path, document: &T) -> Result<Vec<u8>, FileError> {
    serde_json::to_vec(document)
        .map_err(|error| FileError::new("write", path)(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
}
