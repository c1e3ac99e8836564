//! Tokens: JSON web tokens (RFC 7519) that this daemon signs and reads, with HMAC-SHA-256.
//!
//! One algorithm and one header are written and accepted, so that nothing in a token chooses how it is verified. Only when the
//! signature is right is anything else of it read.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};

use crate::access::register::{read_private, write_private};

/// The longest token that is looked at.
const LONGEST: usize = 4096;

/// The clocks of two nodes may differ by so many seconds.
const SKEW: u64 = 60;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenClaims {
    /// The node that made it.
    pub(crate) iss: String,
    /// The user.
    pub(crate) sub: String,
    /// Its id, by which it is revoked.
    pub(crate) jti: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    /// What it was made for. Empty: all that the user may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grant: Vec<String>,
}

/// Why a token is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is not one of om daemon auth")]
    Form,
    #[error(
        "the token was signed by another daemon, or with a key that was replaced: om daemon auth makes a new one here"
    )]
    Signature,
    #[error("the token expired {0} s ago: om daemon auth makes a new one")]
    Expired(u64),
    #[error("the token is from {0} s ahead of this node's clock: compare the clocks of the two nodes")]
    Future(u64),
}

/// The key that tokens are signed with.
pub(crate) struct TokenKey {
    key: hmac::Key,
    /// The first segment of every token: the algorithm, and the name of the key.
    header: String,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").finish_non_exhaustive()
    }
}

impl TokenKey {
    /// The key in a file, which is made if there is none.
    pub(crate) fn open(file: &Path) -> Result<TokenKey, String> {
        if let Some(text) = read_private(file)? {
            let secret = URL_SAFE_NO_PAD.decode(text.trim()).ok().filter(|secret| secret.len() == 32);
            let secret = secret.ok_or_else(|| format!("{} holds no key: remove it for a new one", file.display()))?;
            return Ok(TokenKey::of(&secret));
        }
        let secret: [u8; 32] = random()?;
        write_private(file, &(URL_SAFE_NO_PAD.encode(secret) + "\n"))?;
        Ok(TokenKey::of(&secret))
    }

    fn of(secret: &[u8]) -> TokenKey {
        let digest = digest::digest(&digest::SHA256, secret);
        let name: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let header = format!("{{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"{name}\"}}");
        TokenKey { key: hmac::Key::new(hmac::HMAC_SHA256, secret), header: URL_SAFE_NO_PAD.encode(header) }
    }

    /// The token that says this.
    pub(crate) fn sign(&self, claims: &TokenClaims) -> String {
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let text = format!("{}.{claims}", self.header);
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()));
        format!("{text}.{signature}")
    }

    /// What a token says, if it is genuine and has not expired.
    pub(crate) fn read(&self, token: &str, now: u64) -> Result<TokenClaims, TokenError> {
        let segments: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = segments[..] else { return Err(TokenError::Form) };
        if token.len() > LONGEST {
            return Err(TokenError::Form);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Form)?;
        let signed = format!("{header}.{claims}");
        // The whole header is compared, so that a token cannot choose its algorithm (RFC 8725, section 3.1).
        let genuine = header == self.header && hmac::verify(&self.key, signed.as_bytes(), &signature).is_ok();
        if !genuine {
            return Err(TokenError::Signature);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenError::Form)?;
        let claims: TokenClaims = serde_json::from_slice(&claims).map_err(|_| TokenError::Form)?;
        match (now.checked_sub(claims.exp), claims.iat.saturating_sub(now)) {
            (Some(ago), _) => Err(TokenError::Expired(ago)),
            (None, ahead) if ahead > SKEW => Err(TokenError::Future(ahead)),
            _ => Ok(claims),
        }
    }
}

/// A new id.
pub(crate) fn new_id() -> Result<String, String> {
    let bytes: [u8; 8] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the kernel gives no random numbers".to_owned())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn claims() -> TokenClaims {
        let (iss, sub, jti) = ("n1".to_owned(), "alice".to_owned(), "1".to_owned());
        TokenClaims { iss, sub, jti, iat: 1000, exp: 1600, grant: vec!["guest:ns1".to_owned()] }
    }

    fn key() -> TokenKey {
        TokenKey::of(&[7; 32])
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let token = key().sign(&claims());
        assert_eq!(key().read(&token, 1599), Ok(claims()));
        assert_eq!(key().read(&token, 1600), Err(TokenError::Expired(0)));
        assert_eq!(key().read(&token, 1605), Err(TokenError::Expired(5)));
        assert_eq!(key().read(&token, 900), Err(TokenError::Future(100)));
        assert_eq!(TokenKey::of(&[8; 32]).read(&token, 1100), Err(TokenError::Signature));
    }

    /// Whatever a token says of its algorithm, and whatever of it is changed: it is refused.
    #[test]
    fn no_other_header_and_no_changed_byte_is_accepted() {
        let token = key().sign(&claims());
        let (_, rest) = token.split_once('.').unwrap();
        let (body, _) = rest.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\",\"typ\":\"JWT\"}");
        assert_eq!(key().read(&format!("{none}.{body}."), 1100), Err(TokenError::Signature));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(key().read(&changed, 1100).is_err(), "{changed}");
        }
        for text in ["", "a", "a.b", "a.b.c.d", "..", "é.é.é"] {
            key().read(text, 1100).unwrap_err();
        }
        assert_eq!(key().read(&"a".repeat(10_000), 1100), Err(TokenError::Form));
    }

    #[test]
    fn the_key_is_made_once_for_its_owner_only_and_a_damaged_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token/key");
        let token = TokenKey::open(&file).unwrap().sign(&claims());
        assert_eq!(TokenKey::open(&file).unwrap().read(&token, 1100), Ok(claims()));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        assert!(TokenKey::open(&file).unwrap_err().contains("holds no key"));
    }
}
