//! One authority takes the place of another. `ca.pem` holds all that are trusted; the first of them issues.
//!
//! ```text
//!   ca.pem  old          ─▶ old new  ─▶ new old    ─▶ new
//!   ca.key  old             old         new           new
//!   next                    new         new           –
//! ```
//!
//! Each step may be done again after a crash in the middle of it.

use crate::{CertificateError, CertificateFacts, CertificatePlace, KeyedLeaf, PlaceError};

const END: &str = "-----END CERTIFICATE-----";

impl CertificatePlace {
    /// The authorities that are trusted, each in PEM with its name in front. The first one issues.
    pub fn trusted(&self) -> Result<Vec<String>, PlaceError> {
        Ok(self.authority()?.map_or_else(Vec::new, |text| each(&text)))
    }

    /// The authority that comes next. None: none does.
    pub fn next(&self) -> Result<Option<KeyedLeaf>, PlaceError> {
        let (certificate, key) = (self.read("next.pem")?, self.read("next.key")?);
        Ok(certificate.zip(key).map(|(certificate, key)| KeyedLeaf { certificate, key }))
    }

    /// Keeps the authority that comes next, and trusts it besides the present one.
    pub fn keep_next(&self, next: &KeyedLeaf) -> Result<(), PlaceError> {
        self.write("next.key", &next.key)?;
        self.write("next.pem", &next.certificate)?;
        let mut trusted = self.trusted()?;
        if trusted.contains(&next.certificate) {
            return Ok(());
        }
        trusted.push(next.certificate.clone());
        self.write("ca.pem", &trusted.concat())
    }

    /// Makes the next authority the one that issues. The place still trusts the former one. Returns false if it holds no next one.
    pub fn adopt_next(&self) -> Result<bool, PlaceError> {
        let Some(next) = self.next()? else { return Ok(false) };
        self.write("ca.key", &next.key)?;
        let mut trusted = self.trusted()?;
        trusted.retain(|known| *known != next.certificate);
        trusted.insert(0, next.certificate);
        self.write("ca.pem", &trusted.concat())?;
        Ok(true)
    }

    /// Trusts only the authority that issues.
    pub fn retire_former(&self) -> Result<(), PlaceError> {
        if let [first, _, ..] = &self.trusted()?[..] {
            self.write("ca.pem", first)?;
        }
        self.remove("next.key")?;
        self.remove("next.pem")
    }

    /// Whether the certificate of this node was issued by the authority that issues now. None: it has none.
    pub fn is_node_of_issuer(&self) -> Result<Option<bool>, CertificateError> {
        let Some((leaf, _)) = self.node()? else { return Ok(None) };
        let Some(authority) = self.authority()? else { return Ok(Some(false)) };
        let issuer = CertificateFacts::of_pem(&leaf.certificate)?.issuer;
        Ok(Some(CertificateFacts::of_pem(&authority)?.subject == issuer))
    }
}

/// The certificates of a text, with what stands in front of each.
fn each(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(END) {
        let line = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
        all.push(rest[..line].to_owned());
        rest = &rest[line..];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CertificateAuthority, LEAF_LIFE, LeafSubject};
    use std::time::SystemTime;

    #[test]
    fn an_authority_takes_the_place_of_another_in_steps_that_may_be_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(directory.path());
        let now = SystemTime::now();
        let subject = LeafSubject::User("alice".to_owned());
        let issue = || {
            let leaf =
                CertificateAuthority::open(&place, "none", now).unwrap().issue(&subject, now, LEAF_LIFE).unwrap();
            place.write_node(&leaf).unwrap();
        };
        CertificateAuthority::open(&place, "old", now).unwrap();
        issue();
        let next = CertificateAuthority::make("new", now).unwrap();
        assert!(!place.adopt_next().unwrap());
        for _ in 0..2 {
            place.keep_next(&next).unwrap();
            assert_eq!(place.trusted().unwrap().len(), 2);
            assert_eq!(place.is_node_of_issuer().unwrap(), Some(true));
        }
        // A crash between the two files.
        place.write("ca.key", &next.key).unwrap();
        for _ in 0..2 {
            assert!(place.adopt_next().unwrap());
            assert_eq!(place.trusted().unwrap()[0], next.certificate);
            assert_eq!(place.is_node_of_issuer().unwrap(), Some(false));
        }
        issue();
        assert_eq!(place.is_node_of_issuer().unwrap(), Some(true));
        for _ in 0..2 {
            place.retire_former().unwrap();
            assert_eq!(place.trusted().unwrap(), std::slice::from_ref(&next.certificate));
        }
        assert!(place.next().unwrap().is_none());
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["verify", "-CAfile"]).args(["ca.pem", "node.pem"]).current_dir(directory.path());
        assert!(openssl.output().unwrap().status.success());
    }
}
