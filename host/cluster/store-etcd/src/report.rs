//! What a member says of itself.

use std::fmt;
use std::str::FromStr;

use crate::EngineMark;
use crate::rpc::etcdserverpb::StatusResponse;

/// What a member says of itself. It is not agreed with the others: a member that lags says what it knows.
#[derive(Debug, Clone)]
pub struct MemberReport {
    /// The address that was asked.
    pub address: String,
    pub id: u64,
    pub version: EtcdVersion,
    /// The member that it takes for the leader, 0 without one.
    pub leader: u64,
    pub is_learner: bool,
    pub bytes: u64,
    pub bytes_in_use: u64,
    pub raft_term: u64,
    pub raft_index: u64,
    /// How far it has applied what was agreed.
    pub raft_applied_index: u64,
    pub mark: EngineMark,
}

impl MemberReport {
    pub(crate) fn of(address: &str, status: &StatusResponse, generation: u64) -> Option<Self> {
        let header = status.header.as_ref()?;
        let revision = u64::try_from(header.revision).ok()?;
        Some(Self {
            address: address.to_owned(),
            id: header.member_id,
            version: status.version.parse().ok()?,
            leader: status.leader,
            is_learner: status.is_learner,
            bytes: u64::try_from(status.db_size).ok()?,
            bytes_in_use: u64::try_from(status.db_size_in_use).ok()?,
            raft_term: status.raft_term,
            raft_index: status.raft_index,
            raft_applied_index: status.raft_applied_index,
            mark: EngineMark { cluster: header.cluster_id, generation, revision },
        })
    }

    pub fn is_leader(&self) -> bool {
        self.leader == self.id
    }
}

/// A version of etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtcdVersion {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl EtcdVersion {
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Whether it has all that is asked of it: learners, progress of watches.
    pub(crate) fn is_usable(self) -> bool {
        self >= Self::new(3, 4, 0)
    }

    /// What speaks against it although it works.
    pub fn advice(self) -> Option<&'static str> {
        if self < Self::new(3, 5, 0) {
            Some("its line is not maintained since June 2026: use 3.5.28 or 3.6.9, or later")
        } else if self < Self::new(3, 5, 28) || (self >= Self::new(3, 6, 0) && self < Self::new(3, 6, 9)) {
            Some("it may answer reads with old data after its process was paused: use 3.5.28 or 3.6.9, or later")
        } else {
            None
        }
    }
}

impl fmt::Display for EtcdVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for EtcdVersion {
    type Err = ();

    /// Of a version with a suffix, as `3.7.0-rc.1`, the numbers.
    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| part.parse().map_err(|_| ()));
        let mut next = || parts.next().unwrap_or(Err(()));
        Ok(Self { major: next()?, minor: next()?, patch: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        let version = |text: &str| text.parse::<EtcdVersion>();
        assert_eq!(version("3.4.23"), Ok(EtcdVersion::new(3, 4, 23)));
        assert_eq!(version("3.7.0-rc.1"), Ok(EtcdVersion::new(3, 7, 0)));
        assert!(version("").is_err() && version("3.4").is_err() && version("x.y.z").is_err());
        assert!(!version("3.3.27").unwrap().is_usable() && version("3.4.0").unwrap().is_usable());
    }

    #[test]
    fn advice_is_given_where_a_version_is_known_to_err() {
        for (version, warned) in
            [("3.4.23", true), ("3.5.27", true), ("3.5.28", false), ("3.6.8", true), ("3.6.9", false)]
        {
            assert_eq!(version.parse::<EtcdVersion>().unwrap().advice().is_some(), warned, "{version}");
        }
        assert_eq!(EtcdVersion::new(3, 7, 2).advice(), None);
    }
}
