//! The certificate of a node or of a user: what is written into it.
//!
//! Of a certificate that comes back, only the serial number is read: the register knows whose it is, and one that it does not know
//! is nobody's. So nothing is decided by the text of a subject.

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PublicKeyData,
    SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use webpki::EndEntityCert;

use crate::CertificateError;
use crate::authority::new_key;

/// How long a certificate is valid.
pub const LEAF_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// A node renews its own when so little of its life is left.
pub const RENEW_LEFT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Clocks differ: a certificate is valid from so long before it was made.
const EARLIER: Duration = Duration::from_secs(3600);

const NODES: &str = "hostler nodes";
const USERS: &str = "hostler users";

/// Whose certificate it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeafSubject {
    /// A node, and the names and addresses that clients call it by.
    Node {
        name: String,
        called: Vec<String>,
    },
    User(String),
}

/// A certificate and its private key, both in PEM.
#[derive(Clone)]
pub struct KeyedLeaf {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for KeyedLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedLeaf").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl KeyedLeaf {
    /// A certificate that no authority has issued: who knows it accepts exactly this one.
    pub fn self_signed(subject: &LeafSubject, now: SystemTime, life: Duration) -> Result<KeyedLeaf, CertificateError> {
        let key = new_key()?;
        let certificate = subject.params(now, life)?.self_signed(&key)?.pem();
        Ok(KeyedLeaf { certificate, key: key.serialize_pem() })
    }

    /// Whether the key is that of the certificate.
    pub(crate) fn is_pair(&self) -> Result<bool, CertificateError> {
        let der = der_of_pem(&self.certificate)?;
        let certificate = EndEntityCert::try_from(&der).map_err(|_| CertificateError::Unreadable)?;
        let key = KeyPair::from_pem(&self.key).ok();
        let own = certificate.subject_public_key_info();
        Ok(key.is_some_and(|key| key.subject_public_key_info() == own.as_ref()))
    }
}

impl LeafSubject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            LeafSubject::Node { name, .. } | LeafSubject::User(name) => name,
        }
    }

    /// The contents of a certificate that is valid from now on, for so long.
    pub(crate) fn params(&self, now: SystemTime, life: Duration) -> Result<CertificateParams, CertificateError> {
        let (organization, called) = match self {
            LeafSubject::Node { called, .. } => (NODES, called.clone()),
            LeafSubject::User(_) => (USERS, Vec::new()),
        };
        let mut params = CertificateParams::new(called)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, organization);
        name.push(DnType::CommonName, self.name());
        params.distinguished_name = name;
        (params.not_before, params.not_after) = ((now - EARLIER).into(), (now + life).into());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match self {
            // A node asks other nodes, too.
            LeafSubject::Node { .. } => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            LeafSubject::User(_) => vec![ExtendedKeyUsagePurpose::ClientAuth],
        };
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(new_serial()?);
        Ok(params)
    }
}

/// A number that no other certificate has. Left to itself, rcgen makes it of the key, and a key that is signed again would get the
/// number of a certificate that was revoked.
fn new_serial() -> Result<SerialNumber, CertificateError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| CertificateError::Random)?;
    // Positive, and as long as all others.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The serial number of a certificate, in lower-case hexadecimal digits. The register knows all else of it.
pub fn serial_of(certificate: &CertificateDer<'_>) -> Result<String, CertificateError> {
    let certificate = EndEntityCert::try_from(certificate).map_err(|_| CertificateError::Unreadable)?;
    let bytes = certificate.serial();
    // DER puts a zero before a number whose first bit is set.
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    Ok(bytes[first..].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The same, of a certificate in PEM.
pub(crate) fn serial_of_pem(text: &str) -> Result<String, CertificateError> {
    serial_of(&der_of_pem(text)?)
}

fn der_of_pem(text: &str) -> Result<CertificateDer<'static>, CertificateError> {
    CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| CertificateError::Unreadable)
}
