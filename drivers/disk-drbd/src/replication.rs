//! The state of a DRBD resource, read from `drbdadm status` of drbd-utils 9, for DRBD 8 and DRBD 9.

/// The state of a resource that the kernel knows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ReplicationState {
    /// The connection, in the words of DRBD 8: `Connected`, `WFConnection`, `StandAlone`, `SyncTarget`…
    pub(crate) connection: String,
    /// The role of this node: `Primary` or `Secondary`.
    pub(crate) role: String,
    /// The role of the peer; `Unknown` if it is not connected.
    pub(crate) peer_role: String,
    /// The state of this node's disk: `UpToDate`, `Inconsistent`, `Diskless`…
    pub(crate) disk: String,
    /// The state of the peer's disk; `DUnknown` if it is not connected.
    pub(crate) peer_disk: String,
}

impl ReplicationState {
    /// Reads the output, or returns None if it is not a status. Of several peers, the one in the worst state counts: one that
    /// stands alone is worse than one that is not connected.
    pub(crate) fn parse(text: &str) -> Option<ReplicationState> {
        let mut own = ReplicationState {
            peer_role: "Unknown".to_owned(),
            peer_disk: "DUnknown".to_owned(),
            ..ReplicationState::default()
        };
        let mut peers: Vec<ReplicationState> = Vec::new();
        for line in text.lines() {
            let word = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
            // The lines of a peer are indented. The first of them contains its role, or its connection if there is no role.
            let is_peer = line.starts_with("  ") && (word("role:").is_some() || word("connection:").is_some());
            if is_peer {
                peers.push(ReplicationState { connection: "Connected".to_owned(), ..own.clone() });
            }
            match peers.last_mut() {
                None => {
                    own.role = word("role:").unwrap_or(own.role);
                    own.disk = word("disk:").unwrap_or(own.disk);
                }
                Some(peer) => {
                    peer.peer_role = word("role:").unwrap_or(peer.peer_role.clone());
                    peer.peer_disk = word("peer-disk:").unwrap_or(peer.peer_disk.clone());
                    // `Established` is the normal state of a connection. Others, such as SyncTarget, are worth showing.
                    let replication = word("replication:").filter(|state| state != "Established");
                    let connection = word("connection:").map(|state| as_version_8(&state)).or(replication);
                    peer.connection = connection.unwrap_or(peer.connection.clone());
                }
            }
        }
        let worst = peers.iter().find(|peer| peer.stands_alone());
        let worst = worst.or(peers.iter().find(|peer| peer.connection != "Connected")).or(peers.first());
        let whole = match worst {
            Some(peer) => ReplicationState { role: own.role, disk: own.disk, ..peer.clone() },
            // DRBD 8 prints no peer for a node that stands alone.
            None => ReplicationState { connection: "StandAlone".to_owned(), ..own },
        };
        Some(whole).filter(|seen| !seen.role.is_empty())
    }

    pub(crate) fn is_primary(&self) -> bool {
        self.role == "Primary"
    }

    /// Whether this node does not try to connect to the peer. A node whose peer died still tries.
    pub(crate) fn stands_alone(&self) -> bool {
        self.connection == "StandAlone"
    }

    /// Whether the peer is connected, whatever the state of its data.
    pub(crate) fn is_connected(&self) -> bool {
        !matches!(
            self.connection.as_str(),
            "StandAlone"
                | "WFConnection"
                | "Unconnected"
                | "Timeout"
                | "BrokenPipe"
                | "NetworkFailure"
                | "ProtocolError"
                | "TearDown"
                | "Disconnecting"
        )
    }

    /// The problems of the replication, and what to do about them.
    pub(crate) fn faults(&self, res: &str) -> Vec<String> {
        let mut faults = Vec::new();
        match self.connection.as_str() {
            "Connected" => {}
            "StandAlone" => faults.push(format!(
                "not replicated: this node refuses the peer, or was refused, as after a split brain; {}",
                remedy(res)
            )),
            _ if !self.is_connected() => {
                faults.push(format!("not replicated: the peer is not connected ({})", self.connection))
            }
            syncing => faults.push(format!("not replicated in full yet ({syncing})")),
        }
        if self.disk != "UpToDate" {
            faults.push(format!("the data of this node are {}", self.disk));
        }
        if self.is_connected() && self.peer_disk != "UpToDate" {
            faults.push(format!("the data of the peer are {}", self.peer_disk));
        }
        faults
    }
}

/// How to resolve a split brain.
pub(crate) fn remedy(res: &str) -> String {
    format!(
        "on the node whose changes are to be discarded: drbdadm -- --discard-my-data connect {res}; on the other: drbdadm \
         connect {res}"
    )
}

/// Translates a connection state of DRBD 9 to that of DRBD 8.
fn as_version_8(connection: &str) -> String {
    if connection == "Connecting" { "WFConnection".to_owned() } else { connection.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connection: &str, roles: [&str; 2], disks: [&str; 2]) -> ReplicationState {
        ReplicationState {
            connection: connection.to_owned(),
            role: roles[0].to_owned(),
            peer_role: roles[1].to_owned(),
            disk: disks[0].to_owned(),
            peer_disk: disks[1].to_owned(),
        }
    }

    #[test]
    fn the_answer_is_read_with_its_peers() {
        let check =
            |text: &str, expected: Option<ReplicationState>| assert_eq!(ReplicationState::parse(text), expected);
        check(
            "r0 role:Primary\n  disk:UpToDate\n  n2 role:Secondary\n    peer-disk:UpToDate\n",
            Some(seen("Connected", ["Primary", "Secondary"], ["UpToDate", "UpToDate"])),
        );
        check(
            "r0 role:Secondary\n  disk:Inconsistent\n  n2 role:Primary\n    replication:SyncTarget peer-disk:UpToDate done:5.00\n",
            Some(seen("SyncTarget", ["Secondary", "Primary"], ["Inconsistent", "UpToDate"])),
        );
        check(
            "r0 role:Primary\n  disk:UpToDate\n  n2 role:Secondary\n    peer-disk:UpToDate\n  n3 connection:Connecting\n",
            Some(seen("WFConnection", ["Primary", "Unknown"], ["UpToDate", "DUnknown"])),
        );
        check(
            "r0 role:Secondary\n  disk:Inconsistent\n  peer connection:Connecting\n\n",
            Some(seen("WFConnection", ["Secondary", "Unknown"], ["Inconsistent", "DUnknown"])),
        );
        check(
            "r0 role:Secondary\n  disk:UpToDate\n\n",
            Some(seen("StandAlone", ["Secondary", "Unknown"], ["UpToDate", "DUnknown"])),
        );
        check(
            "r0 role:Primary\n  disk:UpToDate\n  peer connection:StandAlone\n",
            Some(seen("StandAlone", ["Primary", "Unknown"], ["UpToDate", "DUnknown"])),
        );
        check(
            "r0 role:Secondary\n  disk:UpToDate\n  n2 connection:Connecting\n  n3 connection:StandAlone\n",
            Some(seen("StandAlone", ["Secondary", "Unknown"], ["UpToDate", "DUnknown"])),
        );
        check("r0: not defined\n", None);
    }

    #[test]
    fn deviations_are_reported() {
        let check = |seen: ReplicationState, expected: &str| assert_eq!(seen.faults("r0").join("; "), expected);
        check(seen("Connected", ["Primary", "Secondary"], ["UpToDate", "UpToDate"]), "");
        check(
            seen("WFConnection", ["Primary", "Unknown"], ["UpToDate", "DUnknown"]),
            "not replicated: the peer is not connected (WFConnection)",
        );
        check(
            seen("SyncSource", ["Primary", "Secondary"], ["UpToDate", "Inconsistent"]),
            "not replicated in full yet (SyncSource); the data of the peer are Inconsistent",
        );
        check(
            seen("Connected", ["Primary", "Secondary"], ["Diskless", "UpToDate"]),
            "the data of this node are Diskless",
        );
        let split = seen("StandAlone", ["Secondary", "Unknown"], ["UpToDate", "DUnknown"]).faults("r0");
        assert!(
            split[0].contains("drbdadm -- --discard-my-data connect r0; on the other: drbdadm connect r0"),
            "{split:?}"
        );
    }
}
