//! A public key that was made elsewhere.

use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

/// All that stands in front of the point in the DER of a P-256 key (RFC 5480): the algorithm and the curve, whose lengths are fixed.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A point of the curve that is not compressed: a mark, and two coordinates.
const POINT: usize = 65;

/// A public key of ECDSA P-256.
pub(crate) struct ForeignKey([u8; POINT]);

impl ForeignKey {
    /// Reads a key in PEM.
    pub(crate) fn of_pem(text: &str) -> Option<ForeignKey> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).ok()?;
        // Any other algorithm or curve has another beginning, so none of them needs to be named.
        let point = <[u8; POINT]>::try_from(info.as_ref().strip_prefix(&PREFIX)?).ok()?;
        (point[0] == 0x04).then_some(ForeignKey(point))
    }
}

impl PublicKeyData for ForeignKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
