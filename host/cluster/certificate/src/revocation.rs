//! The list of what an authority has revoked, in the form that other programs read (RFC 5280).

use std::time::{Duration, SystemTime};

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber};

use crate::{CertificateAuthority, CertificateError};

/// A new list is made whenever something changes, so this one need not end.
const LIST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl CertificateAuthority {
    /// The list of these serial numbers, in PEM. What is not a serial number is left out.
    pub fn revocation_list(&self, serials: &[String], now: SystemTime) -> Result<String, CertificateError> {
        let revoked = serials.iter().filter_map(|serial| bytes_of(serial)).map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial),
            revocation_time: now.into(),
            reason_code: Some(RevocationReason::CessationOfOperation),
            invalidity_date: None,
        });
        let number = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let list = CertificateRevocationListParams {
            this_update: now.into(),
            next_update: (now + LIST_LIFE).into(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(self.issuer())?.pem()?)
    }
}

/// The bytes of hexadecimal digits.
fn bytes_of(serial: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = serial.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    let whole = pairs.remainder().is_empty() && !digits.is_empty();
    whole.then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CertificatePlace;

    #[test]
    fn openssl_reads_the_list_that_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let authority =
            CertificateAuthority::open(&CertificatePlace::new(directory.path()), "one", SystemTime::now()).unwrap();
        let list = |serials: &[&str]| {
            let serials: Vec<String> = serials.iter().map(|serial| (*serial).to_owned()).collect();
            let file = directory.path().join("crl.pem");
            std::fs::write(&file, authority.revocation_list(&serials, SystemTime::now()).unwrap()).unwrap();
            let mut openssl = std::process::Command::new("openssl");
            let read = openssl.args(["crl", "-noout", "-text", "-CAfile"]).arg(directory.path().join("ca.pem"));
            let read = read.arg("-in").arg(&file).output().unwrap();
            String::from_utf8_lossy(&read.stdout).into_owned() + &String::from_utf8_lossy(&read.stderr)
        };
        let empty = list(&[]);
        assert!(empty.contains("verify OK") && empty.contains("No Revoked Certificates"), "{empty}");
        let two = list(&["41ab", "42cd", "nonsense", "abc"]);
        assert!(two.contains("Serial Number: 41AB") && two.contains("Serial Number: 42CD"), "{two}");
        assert_eq!(two.matches("Serial Number:").count(), 2, "{two}");
    }
}
