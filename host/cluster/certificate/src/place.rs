//! The directory of an authority: `ca.pem` and `ca.key`, `node.pem` and `node.key`, `issued.jsonl`, and for as long as one authority takes
//! the place of another, `next.pem` and `next.key`. For etcd there is `crl.pem`.
//!
//! Files are replaced whole. The directory and all that is in it are for its owner only.

use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::leaf::serial_of_pem;
use crate::{CertificateError, KeyedLeaf};

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("cannot {0} {1}")]
    File(&'static str, PathBuf, #[source] io::Error),
    /// Without its key an authority is of no use, and a new one would make every certificate worthless.
    #[error("{0} is missing, and {1} is there: bring it back, or remove both for a new authority")]
    Half(PathBuf, PathBuf),
}

/// The directory of an authority.
#[derive(Debug, Clone)]
pub struct CertificatePlace {
    directory: PathBuf,
}

impl CertificatePlace {
    pub fn new(directory: impl Into<PathBuf>) -> CertificatePlace {
        CertificatePlace { directory: directory.into() }
    }

    /// The certificate of the authority, which clients must know.
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The list of what was revoked, for etcd.
    pub fn revocation_file(&self) -> PathBuf {
        self.directory.join("crl.pem")
    }

    /// Replaces that list.
    pub fn write_revocations(&self, list: &str) -> Result<(), PlaceError> {
        self.write("crl.pem", list)
    }

    /// The list of what was issued.
    pub fn register_file(&self) -> PathBuf {
        self.directory.join("issued.jsonl")
    }

    /// The certificate of the authority. None if there is none yet.
    pub fn authority(&self) -> Result<Option<String>, PlaceError> {
        self.half("ca.pem", "ca.key")
    }

    /// The certificate and the key of the authority, for another node that is to issue certificates too. None if there is none yet.
    pub fn authority_files(&self) -> Result<Option<(String, String)>, PlaceError> {
        Ok(self.authority()?.zip(self.authority_key()?))
    }

    /// Takes over the authority of other nodes. One that is there already must be moved aside first.
    pub fn adopt_authority(&self, certificate: String, key: String) -> Result<(), PlaceError> {
        self.write_authority(&KeyedLeaf { certificate, key })
    }

    pub(crate) fn authority_key(&self) -> Result<Option<String>, PlaceError> {
        self.half("ca.key", "ca.pem")
    }

    /// The certificate of this node, its key, and its serial number. None if there is none yet, or if the key is not that of the
    /// certificate: a crash between the two files leaves such a pair, and only new ones end it.
    pub fn node(&self) -> Result<Option<(KeyedLeaf, String)>, CertificateError> {
        let (certificate, key) = (self.read("node.pem")?, self.read("node.key")?);
        let Some((certificate, key)) = certificate.zip(key) else { return Ok(None) };
        let serial = serial_of_pem(&certificate)?;
        let leaf = KeyedLeaf { certificate, key };
        Ok(leaf.is_pair()?.then_some((leaf, serial)))
    }

    pub fn write_node(&self, leaf: &KeyedLeaf) -> Result<(), PlaceError> {
        self.write("node.key", &leaf.key)?;
        self.write("node.pem", &leaf.certificate)
    }

    pub(crate) fn write_authority(&self, authority: &KeyedLeaf) -> Result<(), PlaceError> {
        // The key first: one without a certificate is replaced, a certificate without its key is an error.
        self.write("ca.key", &authority.key)?;
        self.write("ca.pem", &authority.certificate)
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), PlaceError> {
        let path = self.directory.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PlaceError::File("remove", path, error)),
            _ => Ok(()),
        }
    }

    /// Reads a file. If it is missing although its other half is there, that is an error.
    fn half(&self, name: &str, other: &str) -> Result<Option<String>, PlaceError> {
        let text = self.read(name)?;
        let is_half = text.is_none() && name == "ca.key" && self.directory.join(other).exists();
        if is_half { Err(PlaceError::Half(self.directory.join(name), self.directory.join(other))) } else { Ok(text) }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, PlaceError> {
        read(&self.directory.join(name))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), PlaceError> {
        write(&self.directory.join(name), text)
    }
}

pub(crate) fn read(path: &Path) -> Result<Option<String>, PlaceError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PlaceError::File("read", path.to_owned(), error)),
    }
}

/// Replaces a file, which only its owner may read.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), PlaceError> {
    let try_it = || {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        // Made with mode 0600.
        let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(directory)?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(path).map_err(|error| error.error)?;
        std::fs::File::open(directory)?.sync_all()
    };
    try_it().map_err(|error| PlaceError::File("write", path.to_owned(), error))
}
