//! How to reach etcd, and how long to wait for it.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::EngineMark;

/// How to reach an engine.
#[derive(Debug, Clone)]
pub struct EtcdSettings {
    /// The addresses of its members, as `http://10.0.0.1:2379`, the preferred one first.
    pub members: Vec<String>,
    /// The files for `https`.
    pub tls: Option<EtcdTls>,
    pub limits: EtcdLimits,
    /// Where the generation of the engine stands; without it, only cluster and revision are compared.
    pub generation: Option<GenerationReader>,
    /// The highest mark that this node has seen, also in earlier lives of the process.
    pub mark: EngineMark,
}

impl EtcdSettings {
    /// An engine of which nothing is known.
    pub fn new(members: impl IntoIterator<Item = String>) -> Self {
        let members = members.into_iter().collect();
        Self { members, tls: None, limits: EtcdLimits::default(), generation: None, mark: EngineMark::default() }
    }
}

/// The files for a connection by TLS. They are read for each connection, so a renewed certificate needs no restart.
#[derive(Debug, Clone)]
pub struct EtcdTls {
    /// The certificate of the authority that signs the members' certificates, in PEM.
    pub authority: PathBuf,
    /// The certificate of this client, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EtcdLimits {
    /// For a connection.
    pub connect: Duration,
    /// For an answer: an election of etcd's and a little more.
    pub answer: Duration,
    /// For what takes longer by its nature: a change of members, a defragmentation.
    pub change: Duration,
    /// How long a connection or a watch may be silent before it is asked whether it lives. It is lost after the same time again.
    pub silence: Duration,
}

impl Default for EtcdLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            answer: Duration::from_millis(1500),
            change: Duration::from_secs(30),
            silence: Duration::from_secs(1),
        }
    }
}

/// Where the generation of an engine stands, and how it is read.
#[derive(Debug, Clone)]
pub struct GenerationReader {
    pub key: Bytes,
    /// The number in a value. None: the value is not one of ours.
    pub read: fn(&[u8]) -> Option<u64>,
}
