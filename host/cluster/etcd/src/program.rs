//! The program: found, asked for its version, and called with its options.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use store_etcd::EtcdVersion;

use crate::place::https;
use crate::{ClusterPlace, EngineSeat, LocalSeat};

/// Where it is looked for besides PATH, which a daemon may have a short one of.
const USUAL: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// The first version that has learners.
const OLDEST: EtcdVersion = EtcdVersion::new(3, 4, 0);

/// The program etcd of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdProgram {
    pub path: PathBuf,
    pub version: EtcdVersion,
}

/// How a member is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaunchMode {
    /// As one of its cluster.
    Usual,
    /// Reached on these ports of loopback and nowhere else, until its data are what they should be.
    Apart {
        client: u16,
        peer: u16,
        /// On the data of a cluster that has no majority any more: it goes on as the only member.
        alone: bool,
    },
}

/// Why there is no program to run.
#[derive(Debug, thiserror::Error)]
pub enum ProgramFault {
    #[error("no program etcd is found: install it (Debian: apt install etcd-server), or name the file with --etcd")]
    Missing,
    #[error("cannot run {0}")]
    Run(PathBuf, #[source] std::io::Error),
    #[error("{0} --version says {1:?}, expected the version of etcd")]
    Foreign(PathBuf, String),
    #[error("{0} is etcd {1}: expected {OLDEST} or later")]
    TooOld(PathBuf, EtcdVersion),
}

impl EtcdProgram {
    /// Finds the program, or asks the one that is named. Blocks.
    pub fn find(named: Option<&Path>) -> Result<EtcdProgram, ProgramFault> {
        let path = named.map(Path::to_owned).or_else(search).ok_or(ProgramFault::Missing)?;
        // Asked each time: a package may have replaced the program since, and the options below depend on its
        // version.
        let output = Command::new(&path).arg("--version").output();
        let output = output.map_err(|error| ProgramFault::Run(path.clone(), error))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let first = said.lines().next().unwrap_or_default();
        let version = first.strip_prefix("etcd Version: ").and_then(|version| version.trim().parse().ok());
        match version {
            None => Err(ProgramFault::Foreign(path, first.to_owned())),
            Some(version) if version < OLDEST => Err(ProgramFault::TooOld(path, version)),
            Some(version) => Ok(EtcdProgram { path, version }),
        }
    }

    /// The options of this node's member.
    pub(crate) fn arguments(
        &self,
        place: &ClusterPlace,
        seat: &LocalSeat,
        engine: &EngineSeat,
        mode: LaunchMode,
    ) -> Vec<String> {
        let (client, peer) = (https(seat.address, engine.client_port), https(seat.address, engine.peer_port));
        let loopback = |port| https(Ipv4Addr::LOCALHOST.into(), port);
        // Alone, it need not wait for others with an election.
        let (listen_client, listen_peer, [heartbeat, election]) = match mode {
            LaunchMode::Usual => (client.clone(), peer.clone(), ["100", "1000"]),
            LaunchMode::Apart { client, peer, .. } => (loopback(client), loopback(peer), ["10", "100"]),
        };
        let initial: Vec<String> = engine.initial.iter().map(|(name, peer)| format!("{name}={peer}")).collect();
        let [authority, certificate, key] = place.engine_files().map(|path| path.display().to_string());
        let data = place.data(engine).display().to_string();
        let mut options = vec![
            ("name", engine.name.clone()),
            ("data-dir", data),
            ("listen-client-urls", listen_client),
            ("advertise-client-urls", client),
            ("listen-peer-urls", listen_peer),
            ("initial-advertise-peer-urls", peer),
            ("initial-cluster", initial.join(",")),
            ("initial-cluster-state", if engine.is_first { "new" } else { "existing" }.to_owned()),
            ("initial-cluster-token", engine.cluster.clone()),
            ("heartbeat-interval", heartbeat.to_owned()),
            ("election-timeout", election.to_owned()),
            // Off by default before 3.5: a member that comes back after a cut would then raise the term, and end a
            // leader that works.
            ("pre-vote", "true".to_owned()),
            ("strict-reconfig-check", "true".to_owned()),
            ("quota-backend-bytes", (512 << 20).to_string()),
            ("auto-compaction-mode", "revision".to_owned()),
            ("auto-compaction-retention", "10000".to_owned()),
            // etcd keeps so many entries in memory. Before 3.6 the default is 100000, which beats alone would
            // fill.
            ("snapshot-count", "10000".to_owned()),
            // 3.4 has capnslog as its default, which 3.5 removed: one form in the log, whichever version runs.
            ("logger", "zap".to_owned()),
            ("log-level", "warn".to_owned()),
            ("client-cert-auth", "true".to_owned()),
            ("trusted-ca-file", authority.clone()),
            ("cert-file", certificate.clone()),
            ("key-file", key.clone()),
            ("peer-client-cert-auth", "true".to_owned()),
            ("peer-trusted-ca-file", authority),
            ("peer-cert-file", certificate),
            ("peer-key-file", key),
        ];
        let revoked = place.engine_certificates().revocation_file();
        // Without the file, a member that is to read it refuses everything.
        if revoked.exists() {
            let revoked = revoked.display().to_string();
            options.extend([("client-crl-file", revoked.clone()), ("peer-crl-file", revoked)]);
        }
        if self.version < EtcdVersion::new(3, 5, 0) {
            // Later versions have it by default, and end without it.
            options.push(("enable-v2", "false".to_owned()));
        }
        if matches!(mode, LaunchMode::Apart { alone: true, .. }) {
            options.push(("force-new-cluster", "true".to_owned()));
        }
        options.into_iter().map(|(name, value)| format!("--{name}={value}")).collect()
    }
}

fn search() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(USUAL.map(PathBuf::from));
    directories
        // An empty or relative word of PATH would find a file in the directory of the caller.
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("etcd"))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_program_is_asked_for_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("etcd");
        let found = |says: &str| {
            std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            EtcdProgram::find(Some(&path)).map(|program| program.version).map_err(|error| error.to_string())
        };
        assert_eq!(found("etcd Version: 3.5.28"), Ok(EtcdVersion::new(3, 5, 28)));
        assert!(found("etcd Version: 3.3.27").unwrap_err().ends_with("is etcd 3.3.27: expected 3.4.0 or later"));
        assert!(found("hello").unwrap_err().contains("says \"hello\""));
    }
}
