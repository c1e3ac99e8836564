//! The state of a node's membership.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use agent::Directories;
use agent::node::ClusterData;
use deadline::CUT_BUDGET;
use etcd::WitnessView;
use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, FencingToken, StoreRevision};
use ownership::{FailsafeQuestion, Ownership, OwnershipTiming, RequestOutcome, SlotName};
use protocol::daemon::{FenceDocument, PingAnswer};
use store::{StoreError, StoreStatus, TxnOutcome};
use store_etcd::EtcdStore;

use super::fence::{FenceWatch, FoundFences};
use super::link::LinkState;
use super::memory::MemoryFiles;
use super::operator::EvictAskers;
use super::say::ReportState;
use crate::guard::VALIDITY;

/// After the first registration of a boot, better placed nodes are waited for so long.
pub(super) const REJOIN_GRACE: Duration = Duration::from_secs(15);

/// What is sent to the owner by what runs beside it for the cluster.
pub(crate) enum ClusterMessage {
    /// The store has answered a request of ownership.
    Owned { sent: ownership::SentRequest, answer: Result<TxnOutcome, StoreError> },
    /// What is held of an object whose slot is to be given up.
    Proven { path: ObjectPath, slot: SlotName, held: Vec<String> },
    /// A configuration of the store was written to its file, or the file of a deleted object removed.
    Installed { path: ObjectPath, fault: Option<String> },
    /// The file says what the store says of the freeze of an instance.
    Flagged { path: ObjectPath },
    /// The addresses have lifetimes again.
    TermsFinite,
    /// The nodes of the cluster, by its roster.
    Roster(Vec<NodeName>),
    /// An operator has taken this node out of the cluster.
    Removed,
    /// What an operator should look at, one sentence each.
    Warnings(Vec<String>),
    /// How the witness is. None: the cluster has none.
    Witness(Option<WitnessView>),
    /// What `cluster.conf` says of fences.
    Fences(FoundFences),
    /// What became of the fence of a node.
    Fenced { node: NodeName, done: Result<FenceDocument, String> },
    /// How the engine is.
    Engine(Result<StoreStatus, StoreError>),
    /// What another daemon answered. None: it did not.
    Pinged { node: NodeName, question: Option<FailsafeQuestion>, answer: Option<PingAnswer> },
}

/// What a node of several knows of its own life and of its slots.
pub(crate) struct Membership {
    pub(super) cluster: ClusterData,
    pub(super) ownership: Ownership,
    files: MemoryFiles,
    /// Why what must be remembered cannot be written down. Then nothing is sent.
    pub(super) fault: Option<String>,
    /// Whether all of the store was listed once.
    pub(super) listed: bool,
    /// When the last beat was sent.
    pub(super) beaten: BootTime,
    /// When the last request was sent that the engine has answered; before the first one, when the daemon began.
    pub(super) acknowledged: BootTime,
    pub(super) link: LinkState,
    /// The engine, which an operator may accept as another one. None in a test without one.
    pub(super) engine: Option<Arc<EtcdStore>>,
    /// The nodes whose lives operators end, and where the answers go.
    pub(super) evicting: EvictAskers,
    /// The slots in which something may be started, as the views were told.
    pub(super) live: BTreeMap<SlotName, FencingToken>,
    /// The life and the beat of each other node as they were first seen, and those that have changed since: these nodes live.
    first: BTreeMap<NodeName, (StoreRevision, StoreRevision)>,
    met: BTreeSet<NodeName>,
    pub(super) rejoin: Option<BootTime>,
    /// The generation in which this process has registered a life.
    pub(super) registered: Option<u64>,
    pub(super) departure: Departure,
    pub(super) said: ReportState,
    /// When the engine was asked how it is.
    pub(super) examined: Option<BootTime>,
    /// Why the engine refuses changes, although it answers.
    pub(super) alarm: Option<String>,
    /// Whether this node was taken out of the cluster: it begins no life in it any more.
    pub(super) removed: bool,
    /// The highest generation of the engine that another node knows, and its name.
    pub(super) newer: Option<(u64, NodeName)>,
    /// What an operator should look at, one sentence each.
    pub(crate) warnings: Vec<String>,
    pub(super) witness: Option<WitnessView>,
    pub(crate) fences: FenceWatch,
}

/// How far a daemon is that goes and leaves its services running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// It stays.
    None,
    /// The others are to know that the services go on.
    Announced { at: BootTime },
    /// They know.
    Known,
    /// They could not be told: the services have their deadlines.
    Unknown,
}

impl Membership {
    pub(crate) fn new(
        cluster: ClusterData,
        home: &Directories,
        (me, boot): (&NodeName, &str),
        (link, engine): (LinkState, Option<Arc<EtcdStore>>),
    ) -> Membership {
        let (files, memory) = MemoryFiles::read(home, boot);
        // T − M and T × 1.01: M is what a cut may take, and a hundredth is by how much the clocks of two nodes may
        // differ in their rates.
        let timing = OwnershipTiming { validity: VALIDITY - CUT_BUDGET, patience: VALIDITY + VALIDITY / 100 };
        Membership {
            cluster,
            ownership: Ownership::new(me.clone(), boot.to_owned(), timing, memory, []),
            files,
            fault: None,
            listed: false,
            beaten: BootTime::BOOT,
            acknowledged: crate::clock::now(),
            link,
            engine,
            evicting: EvictAskers::default(),
            live: BTreeMap::new(),
            first: BTreeMap::new(),
            met: BTreeSet::new(),
            rejoin: None,
            registered: None,
            departure: Departure::None,
            said: ReportState::default(),
            examined: None,
            alarm: None,
            removed: false,
            newer: None,
            warnings: Vec::new(),
            witness: None,
            fences: FenceWatch::default(),
        }
    }

    /// The generation of the engine that this node knows.
    pub(super) fn generation(&self) -> u64 {
        self.ownership.memory().generation.map_or(0, |generation| generation.number)
    }

    /// The node that knows a newer engine than this one: the others have made a new one without this node, and what this node does by
    /// the old one could be done twice.
    pub(super) fn superseded(&self) -> Option<&NodeName> {
        self.newer.as_ref().filter(|(number, _)| *number > self.generation()).map(|(_, node)| node)
    }

    /// Writes down what must be remembered. False: it cannot be, and nothing may be sent.
    pub(super) fn keep(&mut self) -> bool {
        let kept = self.files.keep(self.ownership.memory());
        self.fault = kept.err().map(|error| agent::chain(&error));
        self.fault.is_none()
    }

    /// Notes which other nodes are seen to live.
    pub(super) fn meet(&mut self, nodes: &BTreeMap<NodeName, ownership::NodeReading>, me: &NodeName) {
        for (name, node) in nodes.iter().filter(|(name, node)| *name != me && node.alive) {
            let pair = (node.life, node.beat);
            // The first beat that is seen may be from before a power cut of all nodes: only another one shows that
            // the node lives.
            if *self.first.entry(name.clone()).or_insert(pair) != pair {
                self.met.insert(name.clone());
            }
        }
        if self.cluster.nodes.iter().all(|node| node == me || self.met.contains(node)) {
            self.rejoin = None;
        }
    }
}

/// What became of a request of ownership, and the revision of what it changed.
pub(super) fn outcome_of(
    sent: &ownership::SentRequest,
    answer: &Result<TxnOutcome, StoreError>,
) -> (RequestOutcome, Option<u64>) {
    let applied = match answer {
        Ok(TxnOutcome::Applied { revision }) => Some(*revision),
        Ok(TxnOutcome::Refused { .. }) | Err(_) => None,
    };
    (replica::ownership_outcome(sent, answer), applied)
}
