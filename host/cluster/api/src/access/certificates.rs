//! The authority of the API's certificates, as the daemon uses it: its own certificate, those of users, and what was revoked.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use certificate::{
    CertificateAuthority, CertificateError, CertificatePlace, IssuedLeaf, IssuedRegister, KeyedLeaf, LEAF_LIFE,
    LeafSubject, RENEW_LEFT,
};
use model::NodeName;
use protocol::daemon::{CertificateDocument, CertificateRequest, CertificateSummary};

use crate::access::ListenerSettings;

/// The authority, its files, and the list of what it issued. Its methods block.
#[derive(Debug)]
pub(crate) struct CertificateDesk {
    place: CertificatePlace,
    node: NodeName,
    /// None: it could not be read yet, and then every certificate is refused.
    register: Option<IssuedRegister>,
}

impl CertificateDesk {
    pub(crate) fn new(directory: PathBuf, node: NodeName) -> CertificateDesk {
        CertificateDesk { place: CertificatePlace::new(directory), node, register: None }
    }

    /// The certificate that this node presents, with that of the authority: a new one if there is none, if it has other names than
    /// it should, if it ends soon, or if `anew` says so.
    pub(crate) fn node_leaf(
        &mut self,
        settings: &ListenerSettings,
        anew: bool,
        now: SystemTime,
    ) -> Result<(KeyedLeaf, String), CertificateError> {
        let authority = self.authority(now)?;
        let called = called(&self.node, settings);
        if let Some((leaf, serial)) = self.place.node()?.filter(|_| !anew) {
            // One of another authority, which was replaced, is not in the list of this one.
            let known = self.register()?.find(&serial);
            let fits = |known: &IssuedLeaf| known.called == called && !known.revoked && left(known, now) > RENEW_LEFT;
            if known.is_some_and(fits) {
                return Ok((leaf, authority.certificate().to_owned()));
            }
        }
        let subject = LeafSubject::Node { name: self.node.to_string(), called };
        let leaf = authority.issue(&subject, now, LEAF_LIFE)?;
        // Before the files: a certificate that is not in the list is made anew at the next look.
        self.register()?.add(&leaf.certificate, &subject, now, LEAF_LIFE)?;
        self.place.write_node(&leaf)?;
        Ok((leaf, authority.certificate().to_owned()))
    }

    /// How much is left of the certificate that this node presents.
    pub(crate) fn node_left(&mut self, now: SystemTime) -> Option<Duration> {
        let (_, serial) = self.place.node().ok()??;
        self.register().ok()?.find(&serial).map(|leaf| left(leaf, now))
    }

    /// Signs the key of a user.
    pub(crate) fn sign(
        &mut self,
        request: &CertificateRequest,
        now: SystemTime,
    ) -> Result<CertificateDocument, CertificateError> {
        let authority = self.authority(now)?;
        let subject = LeafSubject::User(request.user.clone());
        let certificate = authority.sign(&request.public_key, &subject, now, LEAF_LIFE)?;
        let leaf = self.register()?.add(&certificate, &subject, now, LEAF_LIFE)?;
        let authority = authority.certificate().to_owned();
        Ok(CertificateDocument { serial: leaf.serial, ends_at: leaf.ends_at, certificate, authority })
    }

    /// All that were issued and have not long ended.
    pub(crate) fn list(&mut self) -> Result<Vec<CertificateSummary>, CertificateError> {
        let own = self.place.node()?.map(|(_, serial)| serial);
        let summary = |leaf: &IssuedLeaf| CertificateSummary {
            serial: leaf.serial.clone(),
            kind: if leaf.is_user { "user" } else { "node" }.to_owned(),
            name: leaf.name.clone(),
            issued_at: leaf.issued_at,
            ends_at: leaf.ends_at,
            revoked: leaf.revoked,
            in_use: own.as_ref() == Some(&leaf.serial),
        };
        Ok(self.register()?.all().iter().map(summary).collect())
    }

    /// Revokes the certificate of that serial number, or all of that user. Returns how many.
    pub(crate) fn revoke(&mut self, which: &str) -> Result<usize, CertificateError> {
        Ok(self.register()?.revoke(which)?)
    }

    /// The certificate of that serial number. None: it is none of this authority.
    pub(crate) fn find(&mut self, serial: &str) -> Result<Option<IssuedLeaf>, CertificateError> {
        Ok(self.register()?.find(serial).cloned())
    }

    fn authority(&self, now: SystemTime) -> Result<CertificateAuthority, CertificateError> {
        let name = format!("hostler api {} {}", self.node, seconds(now));
        CertificateAuthority::open(&self.place, &name, now)
    }

    fn register(&mut self) -> Result<&mut IssuedRegister, CertificateError> {
        let register = match self.register.take() {
            Some(register) => register,
            None => IssuedRegister::open(&self.place)?,
        };
        Ok(self.register.insert(register))
    }
}

/// The names and addresses that clients call this node by.
fn called(node: &NodeName, settings: &ListenerSettings) -> Vec<String> {
    // 0.0.0.0 is where the node listens and not what a client calls it.
    let unspecified = |address: &&IpAddr| !address.is_unspecified();
    let addresses = settings.addresses.iter().filter(unspecified).map(ToString::to_string);
    let own = [node.to_string(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let mut called: Vec<String> = Vec::new();
    for name in own.into_iter().chain(addresses).chain(settings.names.iter().cloned()) {
        if !called.contains(&name) {
            called.push(name);
        }
    }
    called
}

/// How much of its life is left.
fn left(leaf: &IssuedLeaf, now: SystemTime) -> Duration {
    Duration::from_secs(leaf.ends_at.saturating_sub(seconds(now)))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(directory: &std::path::Path) -> CertificateDesk {
        CertificateDesk::new(directory.to_owned(), "n1".parse().unwrap())
    }

    #[test]
    fn the_node_s_certificate_is_kept_until_its_names_change_or_it_ends_soon() {
        let directory = tempfile::tempdir().unwrap();
        let (mut desk, now) = (desk(directory.path()), SystemTime::now());
        let one = ListenerSettings { addresses: vec!["10.0.0.1".parse().unwrap()], ..ListenerSettings::default() };
        let other = ListenerSettings { names: vec!["n1.example.com".to_owned()], ..one.clone() };
        let serial = |desk: &mut CertificateDesk, settings: &ListenerSettings, anew, now| {
            desk.node_leaf(settings, anew, now).unwrap();
            desk.place.node().unwrap().unwrap().1
        };
        let first = serial(&mut desk, &one, false, now);
        assert_eq!(serial(&mut desk, &one, false, now), first);
        let renamed = serial(&mut desk, &other, false, now);
        assert_ne!(renamed, first);
        let day = Duration::from_secs(24 * 3600);
        assert_eq!(serial(&mut desk, &other, false, now + 59 * day), renamed);
        let renewed = serial(&mut desk, &other, false, now + 61 * day);
        assert_ne!(renewed, renamed);
        assert_ne!(serial(&mut desk, &other, true, now + 61 * day), renewed);
        assert_eq!(desk.list().unwrap().iter().filter(|leaf| leaf.in_use).count(), 1);
    }

    #[test]
    fn a_user_s_certificate_is_revoked_by_its_number_or_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let (mut desk, now) = (desk(directory.path()), SystemTime::now());
        let public_key = certificate::UserKey::new().unwrap().public;
        let sign = |desk: &mut CertificateDesk, user: &str| {
            let request = CertificateRequest { user: user.to_owned(), public_key: public_key.clone() };
            desk.sign(&request, now).unwrap().serial
        };
        let (alice, bob) = (sign(&mut desk, "alice"), sign(&mut desk, "bob"));
        assert_eq!((desk.revoke(&alice).unwrap(), desk.revoke("bob").unwrap()), (1, 1));
        assert_eq!(desk.revoke("n1").unwrap(), 0);
        let mut again = CertificateDesk::new(directory.path().to_owned(), "n1".parse().unwrap());
        assert!([alice, bob].iter().all(|serial| again.find(serial).unwrap().unwrap().revoked));
    }
}
