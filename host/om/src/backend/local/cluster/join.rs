//! Joining a cluster: steps that may each be done again, and a file that says what was done.
//!
//! ```text
//!  let in (token, key) ─▶ authorities ─▶ seat: member added as a learner ─▶ etcd runs
//!     ─▶ [the daemon stops] ─▶ objects move in ─▶ cluster.conf ─▶ [the daemon starts] ─▶ in step, voter
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use agent::ObjectFiles;
use agent::node::{ClusterData, EngineAddress};
use anyhow::{Context, anyhow};
use client::{ClientError, DaemonClient, RemoteAccess};
use etcd::{EngineProcess, EngineSeat, JoinToken, LocalSeat, WitnessSeat, checksum};
use protocol::FailureKind;
use protocol::daemon::{JoinGrant, JoinRequest, SeatGrant, SeatRequest};
use serde::{Deserialize, Serialize};

use super::{LocalCluster, SeatOrder, external_files, open_engine, random_hex};
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// How a node joins.
#[derive(Debug, Clone)]
pub(crate) struct JoinOrder {
    /// `ADDR` or `ADDR:PORT`.
    pub(crate) node: String,
    pub(crate) token: String,
    pub(crate) seat: SeatOrder,
    /// Authority, certificate and key, for an engine of https that is not managed.
    pub(crate) files: Option<[PathBuf; 3]>,
    /// It only gets a member of the engine.
    pub(crate) witness: bool,
}

/// What was done of a join.
#[derive(Debug, Serialize, Deserialize)]
struct JoinProgress {
    /// By this secret the cluster knows the node again.
    key: String,
    /// The name of its member of the engine.
    member: String,
    address: IpAddr,
}

/// A join on its way: the node was let in.
#[derive(Debug)]
pub(crate) struct JoinStep {
    client: DaemonClient,
    progress: JoinProgress,
    order: JoinOrder,
    pub(crate) grant: JoinGrant,
}

impl LocalCluster {
    /// Whether a join was begun and not finished.
    fn progress(&self) -> Reply<Option<JoinProgress>> {
        Ok(self.place.progress().context("cannot read how far the join has come")?)
    }

    /// Checks what can be checked here, and asks to be let in. If it is refused, nothing is changed on either side.
    pub(crate) fn ask_in(&self, order: JoinOrder, daemon_runs: bool) -> Reply<JoinStep> {
        let token: JoinToken =
            order.token.parse().map_err(|error| Failure::message(FailureKind::Denied, format!("{error}")))?;
        let begun = self.progress()?;
        if begun.is_none() && self.is_member() {
            let name = self.data()?.name;
            let text = format!("this node is in the cluster {name} already: om cluster leave takes it out");
            return Err(Failure::failed(text));
        }
        let mut objects = self.own_objects()?;
        if order.witness {
            // They stay this node's own.
            if let Some(service) = objects.keys().next() {
                let text =
                    format!("a witness runs no services, and {service} is one of this node: join without --witness");
                return Err(Failure::failed(text));
            }
            objects.clear();
        }
        let remote = remote_address(&order.node)?;
        // A member that was added with one address cannot start at another, and the route to the cluster may have
        // changed since the first try.
        let address = match (&begun, order.seat.address) {
            (Some(begun), None) => begun.address,
            (_, Some(address)) => address,
            (None, None) => etcd::own_address(Some(remote.ip())).map_err(Failure::failed)?,
        };
        let seat = SeatOrder { address: Some(address), ..order.seat.clone() };
        let progress = match begun {
            Some(begun) => begun,
            None => {
                let member = format!("{}-{}", self.node(), random_hex(4)?);
                JoinProgress { key: random_hex(16)?, member, address }
            }
        };
        // The token holds the digest of the cluster's authority. Without it this node would take the keys of the
        // cluster from whatever answers at the address.
        let access = RemoteAccess {
            url: format!("https://{remote}"),
            token: Some(order.token.trim().to_owned()),
            pinned: Some(token.authority),
            ..RemoteAccess::default()
        };
        let client = DaemonClient::remote(&access)?;
        let mut request = JoinRequest {
            node: self.node(),
            address: address.to_string(),
            api_port: order.seat.ports[0],
            key: progress.key.clone(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            probe: true,
            witness: order.witness,
            objects,
        };
        // It knows whether the engine is managed, so what this node needs is checked behind that, and still nothing is changed.
        let probe = block_on(client.join_cluster(&request))??;
        self.demand(&seat, probe.engine_authority.is_some(), daemon_runs)?;
        request.probe = false;
        // Known again after a lost answer, or the use of the token would be lost, too.
        self.place.write_progress(&progress).context("cannot begin the join")?;
        let grant = block_on(client.join_cluster(&request))??;
        Ok(JoinStep { client, progress, order: JoinOrder { seat, ..order }, grant })
    }

    /// The configurations of this node, by their digests.
    fn own_objects(&self) -> Reply<BTreeMap<String, String>> {
        let files = ObjectFiles::of(self.agent.home());
        let paths = files.list().context("cannot list the objects")?;
        let mut objects = BTreeMap::new();
        for path in paths.into_iter().filter(|path| path.kind().has_instances()) {
            let text = files.text(&path).map_err(|error| anyhow!(agent::chain(&error)))?;
            objects.insert(path.to_string(), checksum(&text));
        }
        Ok(objects)
    }

    /// Gets this node's member of the engine, and starts it. Some(reason): not yet.
    pub(crate) fn take_seat(&self, step: &JoinStep) -> Reply<Option<String>> {
        let Some(authority) = &step.grant.engine_authority else {
            self.write_seat(step, None)?;
            return Ok(None);
        };
        let [_, client_port, peer_port] = step.order.seat.ports;
        let mut seat = self.seat_of(step, None);
        let place = self.place.engine_certificates();
        if place.authority().context("cannot read the authority")?.as_ref() != Some(&authority.certificate) {
            let adopted = place.adopt_authority(authority.certificate.clone(), authority.key.clone());
            adopted.context("cannot keep the authority of the engine")?;
        }
        self.place.prepare_certificates(&seat).context("cannot make the certificate for the engine")?;
        let at = |port| format!("https://{}", SocketAddr::new(step.progress.address, port));
        let request = SeatRequest {
            node: self.node(),
            key: step.progress.key.clone(),
            name: step.progress.member.clone(),
            peer: at(peer_port),
            client: at(client_port),
        };
        let engine = match block_on(step.client.seat_node(&request))?? {
            SeatGrant::Wait { reason } => return Ok(Some(reason)),
            SeatGrant::Client if step.order.witness => {
                let text = "the engine has members enough: a witness would have none";
                return Err(Failure::failed(text.to_owned()));
            }
            SeatGrant::Client => None,
            SeatGrant::Learner { members } => Some(EngineSeat {
                name: step.progress.member.clone(),
                client_port,
                peer_port,
                cluster: step.grant.id.clone(),
                initial: members.into_iter().collect(),
                is_first: false,
                begun: false,
                program: step.order.seat.program.clone(),
            }),
        };
        self.write_seat(step, engine.clone())?;
        if let Some(engine) = engine {
            seat.engine = Some(engine.clone());
            let started = block_on(EngineProcess::ensure(&self.place, &seat, &engine))?;
            started.with_context(|| format!("cannot start the engine (see {})", self.place.engine_log().display()))?;
        }
        Ok(None)
    }

    fn seat_of(&self, step: &JoinStep, engine: Option<EngineSeat>) -> LocalSeat {
        let (node, api_port) = (self.node(), step.order.seat.ports[0]);
        let witness = step
            .order
            .witness
            .then(|| WitnessSeat { cluster: step.grant.cluster.clone(), members: step.grant.engine.clone() });
        LocalSeat { node, address: step.progress.address, api_port, engine, witness }
    }

    fn write_seat(&self, step: &JoinStep, engine: Option<EngineSeat>) -> Reply<()> {
        let seat = self.seat_of(step, engine);
        Ok(self.place.write_seat(&seat).context("cannot keep this node's part in the cluster")?)
    }

    /// Moves this node's objects into the cluster, and makes it one of its nodes. The daemon does not run meanwhile.
    pub(crate) fn enter(&self, step: &JoinStep) -> Reply<usize> {
        let files = match step.grant.engine_authority {
            Some(_) => Some(self.engine_files()),
            None => step.order.files.clone().map(external_files),
        };
        let store = open_engine(&step.grant.engine, files.as_ref());
        self.wait_for(&store)?;
        if step.order.witness {
            // It goes on as a node of its own besides.
            self.place.remove_progress().context("cannot end the join")?;
            return Ok(0);
        }
        let moved =
            block_on(etcd::move_in(&self.place, &store))?.context("cannot move the objects into the cluster")?;
        let place = self.place.api_certificates();
        if place.authority().context("cannot read the authority")?.as_ref() != Some(&step.grant.api.certificate) {
            self.place.set_api_certificates_aside().context("cannot move the node's own authority aside")?;
            let adopted = place.adopt_authority(step.grant.api.certificate.clone(), step.grant.api.key.clone());
            adopted.context("cannot keep the authority of the API")?;
        }
        let parse = |name: &String| name.parse().map_err(|error| anyhow!("the node {name:?} of the cluster: {error}"));
        let nodes = step.grant.nodes.iter().map(parse).collect::<Result<_, _>>()?;
        let engine = Some(EngineAddress { members: step.grant.engine.clone(), files });
        // The store goes aside first: with cluster.conf written, the node counts as one of the cluster.
        self.place.set_own_store_aside().context("cannot move the node's own store aside")?;
        self.write_conf(&ClusterData { name: step.grant.cluster.clone(), nodes, engine })?;
        self.place.remove_progress().context("cannot end the join")?;
        Ok(moved)
    }

    /// The role of this node's member, once it is what it shall be. None: not yet.
    pub(crate) fn role(&self) -> Reply<Option<&'static str>> {
        // The engine may elect a leader just now, for one member more: the caller asks again until its time is over.
        let Ok(report) = self.status() else { return Ok(None) };
        let node = self.node();
        let seat = self.place.seat().context("cannot read this node's part in the cluster")?;
        let has_member = seat.is_some_and(|seat| seat.engine.is_some());
        let is_in = report.nodes.iter().any(|line| line.node == node && line.state != "joining");
        let own = report.members.iter().find(|member| member.node == node);
        let voters = report.members.iter().filter(|member| member.role == "voter").count();
        Ok(match own {
            _ if !is_in => None,
            // It is not known by its name before it has started.
            None if has_member => None,
            None => Some("without a member of the engine: there are enough"),
            Some(own) if own.state != "up" => None,
            Some(own) if own.role == "voter" => Some("voter"),
            Some(_) if voters >= report.voters => Some("standby: it follows, and does not vote"),
            Some(_) => None,
        })
    }
}

/// The address of a node of the cluster.
fn remote_address(node: &str) -> Reply<SocketAddr> {
    let default = |host: &str| (host, 1215).to_socket_addrs().ok().and_then(|mut found| found.next());
    let found = node.to_socket_addrs().ok().and_then(|mut found| found.next()).or_else(|| default(node));
    let text = || format!("{node:?} is not the address of a node: expected ADDR or ADDR:PORT");
    found.ok_or_else(|| Failure::failed(text()))
}

impl JoinStep {
    /// Whether a failure of the engine may go away by itself, so that the next step may be tried again.
    pub(crate) fn is_transient(error: &Failure) -> bool {
        error.error.downcast_ref::<ClientError>().is_some_and(|error| error.is_absence() || error.is_doubtful())
    }
}
