//! What an authority has issued, to whom, and what of it was revoked: one line a certificate.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::leaf::serial_of_pem;
use crate::place::{read, write};
use crate::{CertificateError, CertificatePlace, LeafSubject, PlaceError};

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedLeaf {
    pub serial: String,
    /// The name of its node or user.
    pub name: String,
    pub is_user: bool,
    /// The names and addresses that clients call the node by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called: Vec<String>,
    /// Seconds since 1970.
    pub issued_at: u64,
    pub ends_at: u64,
    #[serde(default)]
    pub revoked: bool,
}

/// All of them, but for those that have long ended.
#[derive(Debug, Clone)]
pub struct IssuedRegister {
    place: CertificatePlace,
    all: Vec<IssuedLeaf>,
}

impl IssuedRegister {
    /// Reads the list. A line that cannot be read is an error: it may be the one that revokes.
    pub fn open(place: &CertificatePlace) -> Result<IssuedRegister, PlaceError> {
        let file = place.register_file();
        let text = read(&file)?.unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let all = lines.map_err(|error| PlaceError::File("read", file, error.into()))?;
        Ok(IssuedRegister { place: place.clone(), all })
    }

    pub fn all(&self) -> &[IssuedLeaf] {
        &self.all
    }

    /// The certificate of that serial number. None: this authority has issued none, or it has long ended.
    pub fn find(&self, serial: &str) -> Option<&IssuedLeaf> {
        self.all.iter().find(|leaf| leaf.serial == serial)
    }

    /// Adds a certificate in PEM. Those that ended before are dropped.
    pub fn add(
        &mut self,
        certificate: &str,
        subject: &LeafSubject,
        now: SystemTime,
        life: Duration,
    ) -> Result<IssuedLeaf, CertificateError> {
        let (is_user, called) = match subject {
            LeafSubject::Node { called, .. } => (false, called.clone()),
            LeafSubject::User(_) => (true, Vec::new()),
        };
        let (issued_at, ends_at) = (seconds(now), seconds(now + life));
        let (serial, name) = (serial_of_pem(certificate)?, subject.name().to_owned());
        let leaf = IssuedLeaf { serial, name, is_user, called, issued_at, ends_at, revoked: false };
        self.keep(leaf.clone())?;
        Ok(leaf)
    }

    fn keep(&mut self, leaf: IssuedLeaf) -> Result<(), PlaceError> {
        let now = leaf.issued_at;
        // One that has ended is refused for that: its revocation need not be remembered.
        self.all.retain(|known| known.ends_at >= now);
        self.all.push(leaf);
        self.write()
    }

    /// Revokes those whose serial number is this, or whose user is called so. Returns how many.
    pub fn revoke(&mut self, which: &str) -> Result<usize, PlaceError> {
        let named = |leaf: &&mut IssuedLeaf| leaf.serial == which || (leaf.is_user && leaf.name == which);
        let mut count = 0;
        for leaf in self.all.iter_mut().filter(named).filter(|leaf| !leaf.revoked) {
            leaf.revoked = true;
            count += 1;
        }
        if count > 0 {
            self.write()?;
        }
        Ok(count)
    }

    fn write(&self) -> Result<(), PlaceError> {
        let line = |leaf: &IssuedLeaf| serde_json::to_string(leaf).unwrap_or_default() + "\n";
        write(&self.place.register_file(), &self.all.iter().map(line).collect::<String>())
    }
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(serial: &str, name: &str, issued_at: u64) -> IssuedLeaf {
        let (serial, name) = (serial.to_owned(), name.to_owned());
        IssuedLeaf {
            serial,
            name,
            is_user: true,
            called: Vec::new(),
            issued_at,
            ends_at: issued_at + 10,
            revoked: false,
        }
    }

    #[test]
    fn what_is_revoked_stays_so_and_what_has_ended_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let place = CertificatePlace::new(directory.path());
        let mut register = IssuedRegister::open(&place).unwrap();
        register.keep(leaf("01", "alice", 100)).unwrap();
        register.keep(leaf("02", "alice", 105)).unwrap();
        register.keep(leaf("03", "bob", 106)).unwrap();
        assert_eq!(register.revoke("03").unwrap(), 1);
        assert_eq!(register.revoke("03").unwrap(), 0);
        assert_eq!(register.revoke("alice").unwrap(), 2);
        let mut register = IssuedRegister::open(&place).unwrap();
        assert!(["01", "02", "03"].iter().all(|serial| register.find(serial).is_some_and(|leaf| leaf.revoked)));
        register.keep(leaf("04", "carol", 112)).unwrap();
        assert_eq!(register.all().iter().map(|leaf| leaf.serial.as_str()).collect::<Vec<_>>(), ["02", "03", "04"]);
        std::fs::write(place.register_file(), "{\"serial\"\n").unwrap();
        IssuedRegister::open(&place).unwrap_err();
    }
}
