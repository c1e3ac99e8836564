//! The key that seals the secrets of this node, in a file that only the agent's user may read. It is created with the first
//! secret. An operator who copies a store to another node must copy the file too.

use std::path::PathBuf;

use model::datastore::{NONCE_BYTES, SEALING_KEY_BYTES, SealingKey};

use crate::Directories;
use crate::file::durable::{self, FileError};

/// Why secrets can be neither read nor written on this node.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The key does not exist.
    #[error("the key file {} is missing, with which secrets are encrypted: put it back", .0.display())]
    Missing(PathBuf),
    /// The file holds something that is not a key.
    #[error("{} is not a key file: put back the one that secrets were encrypted with", .0.display())]
    NoKey(PathBuf),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The kernel did not return random bytes.
    #[error("cannot get random bytes from the kernel")]
    Random(#[source] getrandom::Error),
}

/// The key, if it was created already.
pub(crate) fn find(home: &Directories) -> Result<Option<SealingKey>, SealingError> {
    let file = home.sealing_key();
    let Some(content) = durable::read(&file)? else { return Ok(None) };
    SealingKey::parse(&content).map(Some).ok_or(SealingError::NoKey(file))
}

/// The key, which must exist.
pub(crate) fn get(home: &Directories) -> Result<SealingKey, SealingError> {
    find(home)?.ok_or_else(|| SealingError::Missing(home.sealing_key()))
}

/// Creates the key. If another process was faster, its key is the result.
pub(crate) fn make(home: &Directories) -> Result<SealingKey, SealingError> {
    let key = SealingKey::new(random::<SEALING_KEY_BYTES>()?);
    // Only made, never replaced: of two processes that seal the first secret at once, both must use one key.
    match durable::make(&home.sealing_key(), key.to_text().as_bytes())? {
        true => Ok(key),
        false => get(home),
    }
}

/// A nonce: no two secrets may share one.
pub(crate) fn nonce() -> Result<[u8; NONCE_BYTES], SealingError> {
    random()
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], SealingError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(SealingError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_process_creates_the_key_and_only_its_owner_may_read_it() {
        let (_root, home) = Directories::temporary();
        assert!(matches!(get(&home), Err(SealingError::Missing(_))));
        let keys = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| make(&home).unwrap())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| Some(key) == find(&home).unwrap().as_ref()));
        let mode = std::fs::metadata(home.sealing_key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&home.etc).unwrap().count(), 1);
        durable::write(&home.sealing_key(), b"junk").unwrap();
        assert!(matches!(find(&home), Err(SealingError::NoKey(_))));
    }
}
