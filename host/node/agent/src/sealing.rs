//! The key that this node encrypts secrets with: a file of its own, made when the first secret is added, which nobody but the
//! agent's user may read. Whoever copies a store to another node must copy the file too.

use std::path::PathBuf;

use model::datastore::{NONCE_BYTES, SEALING_KEY_BYTES, SealingKey};

use crate::Directories;
use crate::file::durable::{self, FileError};

/// Why secrets can be neither read nor written here.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// There is no key.
    #[error("{} is missing, which secrets are encrypted with: put it back", .0.display())]
    Missing(PathBuf),
    /// The file holds something else.
    #[error("{} is no key: put the one back that secrets were encrypted with", .0.display())]
    NoKey(PathBuf),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The kernel gives no random bytes.
    #[error("cannot get random bytes from the kernel")]
    Random(#[source] getrandom::Error),
}

/// The key, if there is one yet.
pub(crate) fn find(home: &Directories) -> Result<Option<SealingKey>, SealingError> {
    let file = home.sealing_key();
    let Some(content) = durable::read(&file)? else { return Ok(None) };
    SealingKey::parse(&content).map(Some).ok_or(SealingError::NoKey(file))
}

/// The key that must be there.
pub(crate) fn get(home: &Directories) -> Result<SealingKey, SealingError> {
    find(home)?.ok_or_else(|| SealingError::Missing(home.sealing_key()))
}

/// Makes the key. Where another process was faster, it is that one's.
pub(crate) fn make(home: &Directories) -> Result<SealingKey, SealingError> {
    let key = SealingKey::new(random::<SEALING_KEY_BYTES>()?);
    match durable::make(&home.sealing_key(), key.to_text().as_bytes())? {
        true => Ok(key),
        false => get(home),
    }
}

/// What no two secrets share.
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
    fn the_key_is_made_once_by_whoever_is_first_and_is_the_owners_alone() {
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
