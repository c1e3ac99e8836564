//! `om cluster` on this node: its files, its member of the engine, and the engine itself. The daemon is not asked: what is done
//! here must also be possible when it does not run.
//!
//! ```text
//!  om/cluster (words, text) ──▶ LocalCluster ──▶ agent: cluster.conf, objects
//!                                     └────────▶ etcd: seat, process, roster, tokens, archives
//! ```

mod admit;
mod archive;
mod cert;
mod init;
mod join;
mod leave;
mod operator;
mod rebuild;

pub(in crate::backend) use admit::{admit, seat};
pub(crate) use init::InitOrder;
pub(crate) use join::{JoinOrder, JoinStep};
pub(crate) use leave::LeaveProgress;

use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent::node::{ClusterData, EngineAddress, EngineFiles};
use agent::{Agent, ChangeAuthor};
use anyhow::{Context, anyhow};
use etcd::{ClusterPlace, EngineProcess, EngineStore, Finding, Preflight, TokenLine, WitnessSeat};
use protocol::FailureKind;
use protocol::daemon::EngineReport;

use super::open_agent;
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// How long the right to change this node's part in a cluster is waited for.
const CLAIM_WAIT: Duration = Duration::from_secs(2);
const CLAIM_PAUSE: Duration = Duration::from_millis(20);

/// This node's part in a cluster.
pub(crate) struct LocalCluster {
    agent: Agent,
    place: ClusterPlace,
    typed: String,
}

/// How this node is to be reached.
#[derive(Debug, Clone)]
pub(crate) struct SeatOrder {
    pub(crate) address: Option<IpAddr>,
    /// Of the API, of the engine for clients, and for members.
    pub(crate) ports: [u16; 3],
    pub(crate) program: Option<PathBuf>,
}

pub(in crate::backend) fn place_of(agent: &Agent) -> ClusterPlace {
    let home = agent.home();
    let (var, run, log) = (home.var.clone(), home.run.clone(), home.log.clone());
    ClusterPlace { var, run, log, group: agent.control_group_of_all() }
}

impl LocalCluster {
    pub(crate) fn open(root: Option<&Path>, typed: &str) -> Reply<LocalCluster> {
        let agent = open_agent(root)?;
        let place = place_of(&agent);
        Ok(LocalCluster { agent, place, typed: typed.to_owned() })
    }

    fn author(&self) -> ChangeAuthor {
        ChangeAuthor::of_process(&*self.typed)
    }

    /// The right to change this node's part in a cluster, for as long as this command has the file open.
    pub(crate) fn claim(&self) -> Reply<File> {
        let until = Instant::now() + CLAIM_WAIT;
        loop {
            match self.place.claim().context("cannot begin")? {
                Some(claimed) => return Ok(claimed),
                // The daemon has it for a moment, each time it looks after the engine.
                None if Instant::now() < until => std::thread::sleep(CLAIM_PAUSE),
                None => {
                    let text = "another om cluster command changes this node's part in a cluster";
                    return Err(Failure::message(FailureKind::Busy, text.to_owned()));
                }
            }
        }
    }

    fn node(&self) -> String {
        self.agent.node().name.to_string()
    }

    /// Whether this node only has a member of the engine.
    pub(crate) fn is_witness(&self) -> bool {
        self.witness().is_some()
    }

    fn witness(&self) -> Option<WitnessSeat> {
        let written = self.agent.cluster().is_ok_and(|data| data.engine.is_some());
        self.place.seat().ok().flatten()?.witness.filter(|_| !written)
    }

    /// What a witness cannot do, as it is no node of the cluster.
    fn refuse_witness(&self) -> Reply<()> {
        let text = "this node is a witness: do it on a node of the cluster";
        if self.is_witness() { Err(Failure::message(FailureKind::NotSupported, text.to_owned())) } else { Ok(()) }
    }

    /// What `cluster.conf` says, or a witness knows. An error if it names no engine.
    fn data(&self) -> Reply<ClusterData> {
        if let Some(WitnessSeat { cluster, members }) = self.witness() {
            let engine = Some(EngineAddress { members, files: Some(self.engine_files()) });
            return Ok(ClusterData { name: cluster, nodes: Vec::new(), engine });
        }
        let data = self.agent.cluster().map_err(|error| anyhow!(agent::chain(&error)))?;
        if data.engine.is_none() {
            let text = "this node is in no cluster: om cluster init begins one, om cluster join joins one";
            return Err(Failure::message(FailureKind::NotHere, text.to_owned()));
        }
        Ok(data)
    }

    /// Whether this node has begun or joined a cluster.
    fn is_member(&self) -> bool {
        self.is_witness() || self.agent.cluster().is_ok_and(|data| data.engine.is_some())
    }

    fn engine(&self) -> Reply<EngineStore> {
        let engine = self.data()?.engine.context("cluster.conf names no engine")?;
        Ok(open_engine(&engine.members, engine.files.as_ref()))
    }

    /// How the cluster is.
    pub(crate) fn status(&self) -> Reply<EngineReport> {
        let engine = self.engine()?;
        Ok(block_on(etcd::cluster_status(&engine))?.context("cannot see how the cluster is")?)
    }

    /// The tokens of the cluster.
    pub(crate) fn tokens(&self) -> Reply<Vec<TokenLine>> {
        let engine = self.engine()?;
        Ok(block_on(etcd::list_tokens(&engine))?.context("cannot list the tokens")?)
    }

    /// Makes a token, and says until when it is good.
    pub(crate) fn create_token(&self, life: Duration, uses: u32) -> Reply<(String, u64)> {
        self.refuse_witness()?;
        let engine = self.engine()?;
        let authority = self.place.api_certificates().authority().context("cannot read the authority")?;
        let authority =
            authority.context("the authority of the API is missing on this node: om daemon start makes it")?;
        let made = block_on(etcd::create_token(&engine, &authority, life, uses))?;
        let (token, ends_at) = made.context("cannot make a token")?;
        Ok((token.to_string(), ends_at))
    }

    pub(crate) fn revoke_token(&self, id: &str) -> Reply<()> {
        let engine = self.engine()?;
        match block_on(etcd::revoke_token(&engine, id))?.context("cannot revoke the token")? {
            true => Ok(()),
            false => {
                let text = format!("there is no token {id}: om cluster token ls lists them");
                Err(Failure::message(FailureKind::NoMatch, text))
            }
        }
    }

    /// What stands in the way of this node's part in a cluster.
    pub(crate) fn check(&self, order: &SeatOrder, is_managed: bool, daemon_runs: bool) -> Reply<Vec<Finding>> {
        let address = match order.address {
            Some(address) => address,
            None => match self.place.seat().context("cannot read this node's part in the cluster")? {
                Some(seat) => seat.address,
                None => match etcd::own_address(None) {
                    Ok(address) => address,
                    Err(text) => return Ok(vec![Finding::error("address", text)]),
                },
            },
        };
        let [api, client, peer] = order.ports;
        // Its own processes use them rightly.
        let engine_runs = EngineProcess::find(&self.place).context("cannot look for etcd")?.is_some();
        let mut ports = Vec::new();
        ports.extend((!daemon_runs).then_some(api));
        ports.extend([client, peer].into_iter().filter(|_| is_managed && !engine_runs));
        let preflight = Preflight {
            node: &self.node(),
            address,
            ports: &ports,
            program: order.program.as_deref(),
            is_managed,
            data: &self.place.var.join("cluster/etcd"),
        };
        let mut findings = preflight.check();
        let fault = self.place.member_fault().context("cannot look at this node's member of the engine")?;
        findings.extend(fault.map(|text| Finding::error("member", text)));
        Ok(findings)
    }

    /// The same, as an error that names all that stands in the way.
    fn demand(&self, order: &SeatOrder, is_managed: bool, daemon_runs: bool) -> Reply<Vec<Finding>> {
        let findings = self.check(order, is_managed, daemon_runs)?;
        let faults: Vec<&str> =
            findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.text.as_str()).collect();
        if faults.is_empty() { Ok(findings) } else { Err(Failure::failed(faults.join("; "))) }
    }

    fn write_conf(&self, data: &ClusterData) -> Reply<()> {
        let written = agent::node::write_cluster(self.agent.home(), data, &self.author());
        written.map_err(|error| anyhow!(agent::chain(&error)).context("cannot write cluster.conf"))?;
        Ok(())
    }

    fn engine_files(&self) -> EngineFiles {
        let [authority, certificate, key] = self.place.engine_files();
        EngineFiles { authority, certificate, key }
    }
}

fn random_hex(bytes: usize) -> Reply<String> {
    let mut file = std::fs::File::open("/dev/urandom").context("cannot read random numbers")?;
    let mut random = vec![0; bytes];
    std::io::Read::read_exact(&mut file, &mut random).context("cannot read random numbers")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn external_files([authority, certificate, key]: [PathBuf; 3]) -> EngineFiles {
    EngineFiles { authority, certificate, key }
}

fn open_engine(members: &[String], files: Option<&EngineFiles>) -> EngineStore {
    let files = files.map(|files| [files.authority.clone(), files.certificate.clone(), files.key.clone()]);
    ClusterPlace::open(members.to_vec(), files)
}
