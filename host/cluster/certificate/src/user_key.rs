//! The key of a user: made where it shall stay. Only its public half goes to the authority.

use crate::CertificateError;
use crate::authority::new_key;

/// A private key and its public half, both in PEM.
pub struct UserKey {
    pub private: String,
    pub public: String,
}

impl UserKey {
    /// Makes a key.
    pub fn new() -> Result<UserKey, CertificateError> {
        let key = new_key()?;
        Ok(UserKey { private: key.serialize_pem(), public: key.public_key_pem() })
    }
}
