//! What a certificate says of itself: who issued it, to whom, and until when. Whether that is true is for TLS to decide.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::CertificateError;
use crate::leaf::serial_of;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version of a certificate, which it need not name.
const VERSION: u8 = 0xa0;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// In lower-case hexadecimal digits.
    pub serial: String,
    /// The names of its authority and of its owner, in DER.
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    pub ends_at: SystemTime,
}

impl CertificateFacts {
    /// Of the first certificate of a text in PEM.
    pub fn of_pem(text: &str) -> Result<CertificateFacts, CertificateError> {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| CertificateError::Unreadable)?;
        let serial = serial_of(&certificate)?;
        read(&certificate, serial).ok_or(CertificateError::Unreadable)
    }
}

/// RFC 5280, 4.1: the fields in front of the key.
fn read(certificate: &[u8], serial: String) -> Option<CertificateFacts> {
    let (_, outer, _) = value(certificate)?;
    let (_, body, _) = value(outer)?;
    let (first, _, rest) = value(body)?;
    let fields = if first == VERSION { rest } else { body };
    let (_, _, fields) = value(fields).filter(|(tag, ..)| *tag == INTEGER)?;
    let (_, _, fields) = value(fields).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, issuer, fields) = value(fields)?;
    let (_, validity, fields) = value(fields)?;
    let (_, subject, _) = value(fields)?;
    let (_, _, end) = value(validity)?;
    let (tag, end, _) = value(end)?;
    Some(CertificateFacts { serial, issuer: issuer.to_vec(), subject: subject.to_vec(), ends_at: moment(tag, end)? })
}

/// A value of DER: its tag, what it holds, and what comes behind it.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (held, behind) = rest.split_at_checked(length)?;
    Some((tag, held, behind))
}

/// `YYMMDDhhmmssZ` until 2049, and `YYYYMMDDhhmmssZ` from then on.
fn moment(tag: u8, text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let year: i64 = text[..2].parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        (GENERALIZED_TIME, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (number(0)?, number(2)?);
    let seconds = days(year, month, day) * 86_400 + number(4)? * 3600 + number(6)? * 60 + number(8)?;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// The days since 1970 of a date of the Gregorian calendar, with years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CertificateAuthority, CertificatePlace, LEAF_LIFE, LeafSubject};

    #[test]
    fn a_certificate_says_who_issued_it_and_until_when() {
        let directory = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(directory.path());
        let now = SystemTime::now();
        let authority = CertificateAuthority::open(&place, "one", now).unwrap();
        let leaf = authority.issue(&LeafSubject::User("alice".to_owned()), now, LEAF_LIFE).unwrap();
        let root = CertificateFacts::of_pem(authority.certificate()).unwrap();
        let leaf = CertificateFacts::of_pem(&leaf.certificate).unwrap();
        assert_eq!((&root.issuer, &leaf.issuer), (&root.subject, &root.subject));
        assert_ne!(leaf.subject, leaf.issuer);
        let left = leaf.ends_at.duration_since(now).unwrap();
        assert!(left <= LEAF_LIFE && LEAF_LIFE - left < Duration::from_secs(2), "{left:?}");
    }

    #[test]
    fn dates_are_read_in_both_forms_and_nothing_else_is() {
        let seconds = |tag, text: &str| Some(moment(tag, text.as_bytes())?.duration_since(UNIX_EPOCH).ok()?.as_secs());
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, "240229123456Z"), Some(1_709_210_096));
        assert_eq!(seconds(GENERALIZED_TIME, "20500301000000Z"), Some(2_529_705_600));
        for wrong in ["", "Z", "240229123456", "24022912345xZ", "20240229123456Z"] {
            assert_eq!(seconds(UTC_TIME, wrong), None, "{wrong}");
        }
        for cut in 0..40 {
            assert!(read(&[0x30, 0x82, 0x01, 0x00, 0x30, 0x20][..cut.min(6)], String::new()).is_none());
        }
    }
}
