//! The authority that issues certificates: a self-signed certificate, and the key behind it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};

use crate::foreign_key::ForeignKey;
use crate::leaf::KeyedLeaf;
use crate::{CertificatePlace, LeafSubject, PlaceError};

/// How long the authority itself is valid.
const AUTHORITY_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Why a certificate cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    #[error("it is not a certificate in PEM")]
    Unreadable,
    #[error("{0} does not begin with the name of the authority")]
    Name(PathBuf),
    #[error("the kernel gives no random numbers")]
    Random,
    #[error("it is not a public key of ECDSA P-256 in PEM: om daemon cert create makes one")]
    PublicKey,
}

/// An authority that can issue certificates.
#[derive(Debug)]
pub struct CertificateAuthority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// The authority of a directory. It is made if there is none: `name` is what its certificate calls it.
    pub fn open(
        place: &CertificatePlace,
        name: &str,
        now: SystemTime,
    ) -> Result<CertificateAuthority, CertificateError> {
        if let (Some(text), Some(key)) = (place.authority()?, place.authority_key()?) {
            // Its name stands in front of it, where readers of PEM look over it.
            let (name, _) = text.split_once('\n').filter(|(name, _)| !name.starts_with('-')).unwrap_or_default();
            if name.is_empty() {
                return Err(CertificateError::Name(place.authority_file()));
            }
            // rcgen cannot read a certificate without x509-parser: made of the same name and key, it issues the
            // same.
            let issuer = Issuer::new(authority_params(name, now), KeyPair::from_pem(&key)?);
            return Ok(CertificateAuthority { certificate: text, issuer });
        }
        let made = CertificateAuthority::make(name, now)?;
        place.write_authority(&made)?;
        let issuer = Issuer::new(authority_params(name, now), KeyPair::from_pem(&made.key)?);
        Ok(CertificateAuthority { certificate: made.certificate, issuer })
    }

    /// A new authority that is not in force: [`CertificatePlace::keep_next`] keeps it until it is.
    pub fn make(name: &str, now: SystemTime) -> Result<KeyedLeaf, CertificateError> {
        let key = new_key()?;
        let certificate = format!("{name}\n{}", authority_params(name, now).self_signed(&key)?.pem());
        Ok(KeyedLeaf { certificate, key: key.serialize_pem() })
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    /// Its own certificate, which clients must know.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Issues a certificate with a new key.
    pub fn issue(&self, subject: &LeafSubject, now: SystemTime, life: Duration) -> Result<KeyedLeaf, CertificateError> {
        let key = new_key()?;
        let certificate = subject.params(now, life)?.signed_by(&key, &self.issuer)?.pem();
        Ok(KeyedLeaf { certificate, key: key.serialize_pem() })
    }

    /// Issues a certificate for a public key in PEM.
    pub fn sign(
        &self,
        public_key: &str,
        subject: &LeafSubject,
        now: SystemTime,
        life: Duration,
    ) -> Result<String, CertificateError> {
        let key = ForeignKey::of_pem(public_key).ok_or(CertificateError::PublicKey)?;
        Ok(subject.params(now, life)?.signed_by(&key, &self.issuer)?.pem())
    }
}

fn authority_params(name: &str, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "hostler authorities");
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    (params.not_before, params.not_after) = (now.into(), (now + AUTHORITY_LIFE).into());
    // It issues leaves only, and no other authority.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

pub(crate) fn new_key() -> Result<KeyPair, CertificateError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::serial_of_pem;
    use crate::{LEAF_LIFE, UserKey};
    use std::os::unix::fs::PermissionsExt;

    fn now() -> SystemTime {
        SystemTime::now()
    }

    #[test]
    fn an_authority_is_made_once_and_its_key_is_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(directory.path().join("api"));
        let first = CertificateAuthority::open(&place, "one", now()).unwrap();
        let again = CertificateAuthority::open(&place, "two", now()).unwrap();
        assert_eq!(first.certificate(), again.certificate());
        let mode =
            |name: &str| std::fs::metadata(directory.path().join("api").join(name)).unwrap().permissions().mode();
        assert_eq!((mode("ca.key") & 0o777, mode("") & 0o777), (0o600, 0o700));
    }

    #[test]
    fn a_damaged_key_is_an_error_and_not_a_new_authority() {
        let directory = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(directory.path());
        CertificateAuthority::open(&place, "one", now()).unwrap();
        std::fs::write(directory.path().join("ca.key"), "no key").unwrap();
        CertificateAuthority::open(&place, "one", now()).unwrap_err();
        std::fs::remove_file(directory.path().join("ca.key")).unwrap();
        let lost = CertificateAuthority::open(&place, "one", now()).unwrap_err().to_string();
        assert!(lost.contains("ca.key is missing"), "{lost}");
    }

    #[test]
    fn every_certificate_has_a_serial_number_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::open(&CertificatePlace::new(directory.path()), "one", now()).unwrap();
        let called = ["n1", "10.0.0.1", "::1"].map(str::to_owned).to_vec();
        let node = LeafSubject::Node { name: "n1".to_owned(), called };
        let serial = || serial_of_pem(&authority.issue(&node, now(), LEAF_LIFE).unwrap().certificate).unwrap();
        let (one, other) = (serial(), serial());
        assert!(one != other && one.len() > 20 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
        assert_eq!(serial_of_pem("nonsense").unwrap_err().to_string(), "it is not a certificate in PEM");
    }

    #[test]
    fn the_key_of_a_user_is_signed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::open(&CertificatePlace::new(directory.path()), "one", now()).unwrap();
        let alice = LeafSubject::User("alice".to_owned());
        let key = UserKey::new().unwrap();
        let serial = || serial_of_pem(&authority.sign(&key.public, &alice, now(), LEAF_LIFE).unwrap()).unwrap();
        assert_ne!(serial(), serial(), "a key that is signed again");
        for wrong in ["nonsense", &key.private, authority.certificate()] {
            let error = authority.sign(wrong, &alice, now(), LEAF_LIFE).unwrap_err();
            assert!(error.to_string().contains("not a public key of ECDSA P-256"), "{error}");
        }
    }

    /// What openssl thinks of the certificates: it verifies them, and says who they are of.
    #[test]
    fn another_implementation_verifies_what_is_issued() {
        let directory = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::open(&CertificatePlace::new(directory.path()), "one", now()).unwrap();
        let again = CertificateAuthority::open(&CertificatePlace::new(directory.path()), "two", now()).unwrap();
        let file = directory.path().join("leaf.pem");
        for authority in [authority, again] {
            let leaf = authority.issue(&LeafSubject::User("alice".to_owned()), now(), LEAF_LIFE).unwrap();
            std::fs::write(&file, leaf.certificate).unwrap();
            let mut openssl = std::process::Command::new("openssl");
            openssl
                .args(["verify", "-purpose", "sslclient", "-CAfile"])
                .arg(directory.path().join("ca.pem"))
                .arg(&file);
            let verified = openssl.output().unwrap();
            assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        }
    }
}
