//! Beginning a cluster: certificates, a first member of etcd, all that this node has moved into it, and `cluster.conf`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use agent::node::{ClusterData, EngineAddress};
use anyhow::{Context, anyhow};
use certificate::CertificateAuthority;
use etcd::{EngineProcess, EngineSeat, EngineStore, EtcdProgram, Finding, LocalSeat, Roster, RosterNode};
use model::NodeName;

use super::{LocalCluster, SeatOrder, external_files, open_engine, random_hex};
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// A first member has so long to answer.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// What names are made of.
const MOODS: [&str; 16] = [
    "amber", "brisk", "calm", "clever", "eager", "gentle", "golden", "jolly", "lucid", "mellow", "nimble", "quiet",
    "rapid", "silver", "sunny", "vivid",
];
const ANIMALS: [&str; 16] = [
    "badger", "crane", "dolphin", "falcon", "heron", "ibex", "jackdaw", "lynx", "marten", "otter", "owl", "puffin",
    "raven", "seal", "stork", "wren",
];

/// How a cluster is to begin.
#[derive(Debug, Clone)]
pub(crate) struct InitOrder {
    pub(crate) name: Option<String>,
    pub(crate) seat: SeatOrder,
    /// Empty: the engine is managed.
    pub(crate) engine: Vec<String>,
    /// Authority, certificate and key, for an engine of https that is not managed.
    pub(crate) files: Option<[PathBuf; 3]>,
    pub(crate) voters: usize,
}

/// A cluster that can begin: nothing stands in the way.
#[derive(Debug)]
pub(crate) struct InitPlan {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    /// What is worth a word, though it does not stand in the way.
    pub(crate) warnings: Vec<Finding>,
    seat: LocalSeat,
    engine: EngineAddress,
    order: InitOrder,
}

impl InitPlan {
    /// What other nodes join: the address, with the port if it is not the usual one.
    pub(crate) fn target(&self) -> String {
        match self.seat.api_port {
            1215 => self.address.to_string(),
            port => std::net::SocketAddr::new(self.address, port).to_string(),
        }
    }

    /// `etcd 3.4.23 on 10.0.0.1:2379,2380`.
    pub(crate) fn engine_words(&self) -> String {
        let Some(engine) = &self.seat.engine else { return format!("engine {}", self.engine.members.join(",")) };
        let version = EtcdProgram::find(engine.program.as_deref()).map(|program| program.version.to_string());
        format!(
            "engine etcd {} on {}:{},{}",
            version.unwrap_or_default(),
            self.address,
            engine.client_port,
            engine.peer_port
        )
    }
}

impl LocalCluster {
    /// Checks that this node can begin a cluster. Changes nothing.
    pub(crate) fn plan_init(&self, order: InitOrder, daemon_runs: bool) -> Reply<InitPlan> {
        if self.is_member() {
            let name = self.data()?.name;
            return Err(Failure::failed(format!("this node is in the cluster {name} already: om cluster status")));
        }
        let is_managed = order.engine.is_empty();
        let findings = self.demand(&order.seat, is_managed, daemon_runs)?;
        let address = match order.seat.address {
            Some(address) => address,
            None => etcd::own_address(None).map_err(Failure::failed)?,
        };
        let name = self.cluster_name(order.name.clone())?;
        let seat = match self.place.seat().context("cannot read this node's part in the cluster")? {
            // An earlier init was interrupted: its member goes on.
            Some(seat) if seat.engine.is_some() == is_managed && seat.address == address => seat,
            _ => self.new_seat(address, &order)?,
        };
        let engine = match seat.client_address().filter(|_| is_managed) {
            Some(member) => EngineAddress { members: vec![member], files: Some(self.engine_files()) },
            None => EngineAddress { members: order.engine.clone(), files: order.files.clone().map(external_files) },
        };
        let warnings = findings.into_iter().filter(|finding| finding.state == "warning").collect();
        Ok(InitPlan { name, address, warnings, seat, engine, order })
    }

    fn new_seat(&self, address: IpAddr, order: &InitOrder) -> Reply<LocalSeat> {
        let [api_port, client_port, peer_port] = order.seat.ports;
        let node = self.node();
        let name = format!("{node}-{}", random_hex(4)?);
        let peer = format!("https://{}", std::net::SocketAddr::new(address, peer_port));
        let engine = EngineSeat {
            initial: vec![(name.clone(), peer)],
            name,
            client_port,
            peer_port,
            cluster: random_hex(8)?,
            is_first: true,
            begun: false,
            program: order.seat.program.clone(),
        };
        Ok(LocalSeat { node, address, api_port, engine: order.engine.is_empty().then_some(engine), witness: None })
    }

    fn cluster_name(&self, wanted: Option<String>) -> Reply<String> {
        if let Some(name) = wanted {
            let is_name = name.parse::<NodeName>().is_ok();
            let text = || Failure::failed(format!("{name:?} is not a name: expected letters, digits, - and _"));
            return if is_name { Ok(name) } else { Err(text()) };
        }
        let written = self.agent.cluster().map_err(|error| anyhow!(agent::chain(&error)))?.name;
        if written != "default" {
            return Ok(written);
        }
        let random = random_hex(2)?;
        let pick = |of: &[&'static str], at: &str| of[usize::from_str_radix(at, 16).unwrap_or(0) % of.len()];
        Ok(format!("{}-{}", pick(&MOODS, &random[..2]), pick(&ANIMALS, &random[2..])))
    }

    /// Begins the cluster. The daemon does not run meanwhile: its store moves.
    pub(crate) fn begin(&self, plan: &InitPlan) -> Reply<()> {
        self.make_certificates(&plan.seat)?;
        // Before etcd starts: an init that is interrupted takes this seat again, and with it the data directory that
        // etcd has begun. A new name would be a second engine beside the first one.
        self.place.write_seat(&plan.seat).context("cannot begin the cluster")?;
        if let Some(engine) = &plan.seat.engine {
            let started = block_on(EngineProcess::ensure(&self.place, &plan.seat, engine))?;
            started.with_context(|| format!("cannot start the engine (see {})", self.place.engine_log().display()))?;
        }
        let store = open_engine(&plan.engine.members, plan.engine.files.as_ref());
        self.wait_for(&store)?;
        let node: NodeName = self.agent.node().name.clone();
        // The roster has etcd's word for the cluster, which is in the seat: by it an init that goes on knows its own
        // roster again. The seat of an engine that is not managed holds no such word: there an interrupted init is
        // refused below, like one for the engine of another cluster.
        let id = plan.seat.engine.as_ref().map_or_else(|| random_hex(8), |engine| Ok(engine.cluster.clone()))?;
        let first = RosterNode {
            name: node.clone(),
            address: plan.address,
            api_port: plan.seat.api_port,
            key: None,
            joined: true,
            witness: false,
        };
        let roster = Roster::new(plan.name.clone(), id, plan.order.voters, plan.order.engine.clone(), first);
        // Asked before anything is copied: what this node has would go into the store of a cluster that is at work.
        let is_there = block_on(etcd::read_roster(&store))?.context("cannot ask the engine")?;
        match is_there {
            // An earlier init was interrupted behind this.
            Some(known) if known.id == roster.id => {}
            Some(known) => {
                let text =
                    format!("the engine is that of the cluster {} already: om cluster join joins it", known.name);
                return Err(Failure::failed(text));
            }
            None => {
                block_on(etcd::take_over(&self.place, &store, &roster))?.context("cannot move into the engine")?;
            }
        }
        let engine = Some(plan.engine.clone());
        self.write_conf(&ClusterData { name: plan.name.clone(), nodes: vec![node], engine })?;
        self.place.set_own_store_aside().context("cannot move the node's own store aside")?;
        Ok(())
    }

    /// Both authorities, and this node's certificates by them.
    pub(super) fn make_certificates(&self, seat: &LocalSeat) -> Reply<()> {
        let now = std::time::SystemTime::now();
        let name = format!("hostler api {}", seat.node);
        CertificateAuthority::open(&self.place.api_certificates(), &name, now).context("cannot make an authority")?;
        if seat.engine.is_some() {
            self.place.prepare_certificates(seat).context("cannot make the certificate for the engine")?;
        }
        Ok(())
    }

    /// Waits until the engine answers.
    pub(super) fn wait_for(&self, store: &EngineStore) -> Reply<()> {
        let until = Instant::now() + PATIENCE;
        let log = self.place.engine_log();
        loop {
            let error = match block_on(etcd::read_roster(store))? {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if Instant::now() >= until {
                let error = anyhow::Error::new(error);
                return Err(error.context(format!("the engine does not answer (see {})", log.display())).into());
            }
            std::thread::sleep(PAUSE);
        }
    }
}
