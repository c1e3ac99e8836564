//! A new engine of what this node has, and a new member of an engine that answers.

use std::net::{IpAddr, SocketAddr};

use agent::node::{ClusterData, EngineAddress};
use anyhow::{Context, anyhow};
use etcd::{EngineProcess, EngineSeat, LocalSeat, RecoveryPlan, RecoveryWay, Roster, WitnessSeat};
use protocol::FailureKind;
use protocol::daemon::{SeatGrant, SeatRequest};

use super::{LocalCluster, open_engine, random_hex};
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// A node that gets another member of its engine.
#[derive(Debug)]
pub(crate) struct RebuiltSeat {
    seat: LocalSeat,
    /// The name of the new member, which goes with its data directory.
    member: String,
    pub(crate) roster: Roster,
    /// The addresses of the voters.
    engine: Vec<String>,
}

impl LocalCluster {
    /// What a new engine would be made of. Changes nothing.
    pub(crate) fn plan_recovery(&self) -> Reply<RecoveryPlan> {
        self.refuse_witness()?;
        let known = self.data()?.engine.map(|engine| engine.members).unwrap_or_default();
        Ok(block_on(etcd::plan_recovery(&self.place, &known))?.context("cannot recover")?)
    }

    /// Makes the new engine, and says how, and with which generation.
    pub(crate) fn recover(&self, plan: &RecoveryPlan) -> Reply<(RecoveryWay, u64)> {
        let made = block_on(etcd::recover(&self.place, plan))?.context("cannot recover")?;
        self.know_own_engine()?;
        Ok(made)
    }

    /// The recovery is complete.
    pub(crate) fn end_recovery(&self) -> Reply<()> {
        Ok(etcd::end_recovery(&self.place).context("cannot end the recovery")?)
    }

    /// Checks that a new engine may be made without the data of the old one.
    pub(crate) fn check_lost(&self) -> Reply<String> {
        self.refuse_witness()?;
        let data = self.data()?;
        let engine = self.engine()?;
        let unfinished = self.place.is_recovering();
        if !unfinished && block_on(etcd::read_roster(&engine))?.is_ok_and(|roster| roster.is_some()) {
            let text = "the engine answers: om cluster rebuild without --from-files gives this node its member again";
            return Err(Failure::failed(text.to_owned()));
        }
        Ok(data.name)
    }

    /// Begins a new engine, with what this node knows of the nodes. Returns the generation, and the nodes that are not in it because
    /// their address is not known.
    pub(crate) fn begin_from_files(&self) -> Reply<(u64, Vec<String>)> {
        let data = self.data()?;
        let made = block_on(etcd::begin_from_files(&self.place, &data.name, &data.nodes, 3))?;
        let (roster, generation) = made.context("cannot begin a new engine")?;
        self.know_own_engine()?;
        let missing = data.nodes.iter().filter(|node| roster.node(node.as_str()).is_none());
        Ok((generation, missing.map(ToString::to_string).collect()))
    }

    /// The engine is this node's member alone.
    fn know_own_engine(&self) -> Reply<()> {
        let seat = self.place.seat().context("cannot read this node's part in the cluster")?;
        let member = seat.and_then(|seat| seat.client_address()).context("this node has no member of the engine")?;
        let engine = Some(EngineAddress { members: vec![member], files: Some(self.engine_files()) });
        self.write_conf(&ClusterData { engine, ..self.data()? })
    }

    /// Forgets what was seen of the engine: the next daemon takes it as it is.
    pub(crate) fn forget_engine(&self) -> Reply<()> {
        Ok(self.place.forget_engine().context("cannot forget the engine")?)
    }

    /// Checks that the engine answers, and that this node is one of its cluster. Changes nothing.
    pub(crate) fn plan_rebuild(&self, from: Option<&str>) -> Reply<RebuiltSeat> {
        let data = self.data()?;
        let missing = "this node has no part in a cluster that om cluster made: om cluster init, om cluster join";
        let seat = self.place.seat().context("cannot read this node's part in the cluster")?;
        let seat = seat.ok_or_else(|| Failure::message(FailureKind::NotHere, missing.to_owned()))?;
        // A recovery makes an engine of this node's data, a rebuild sets them aside: only the one that began may go on.
        if self.place.is_recovering() && self.rebuilding()?.is_none() {
            let text = "a recovery was interrupted on this node: the same command again goes on with it";
            return Err(Failure::message(FailureKind::Busy, text.to_owned()));
        }
        let known = data.engine.context("cluster.conf names no engine")?;
        let port = seat.engine.as_ref().map_or(2379, |engine| engine.client_port);
        let given = from.map(|from| engine_address(from, port)).transpose()?;
        // Its own member is what was lost.
        let own = seat.client_address();
        let others = known.members.into_iter().filter(|member| Some(member) != own.as_ref());
        let members: Vec<String> = given.into_iter().chain(others).collect();
        if members.is_empty() {
            let text = "this node knows no other member of the engine: name a node that has one with --from";
            return Err(Failure::failed(text.to_owned()));
        }
        let store = open_engine(&members, Some(&self.engine_files()));
        let roster = block_on(etcd::read_roster(&store))?.with_context(|| {
            format!(
                "no engine answers at {}: om cluster recover makes a new one of what a node has",
                members.join(", ")
            )
        })?;
        let roster = roster.context("the engine holds no cluster that om cluster init made")?;
        if roster.name != data.name {
            let text = format!("that is the engine of the cluster {}, and this node is in {}", roster.name, data.name);
            return Err(Failure::failed(text));
        }
        let member = match self.rebuilding()? {
            Some(member) => member,
            None => {
                let peer = seat.peer_address().unwrap_or_default();
                let may = block_on(etcd::may_seat_again(&store, &self.node(), &peer))?;
                may.context("the member of this node cannot be replaced now")?;
                format!("{}-{}", self.node(), random_hex(4)?)
            }
        };
        Ok(RebuiltSeat { seat, member, roster, engine: members })
    }

    fn rebuilding(&self) -> Reply<Option<String>> {
        Ok(self.place.rebuilding().context("cannot read how far the member is")?)
    }

    /// Takes the place of the former member. Some(reason): not yet.
    pub(crate) fn rebuild(&self, rebuilt: &RebuiltSeat) -> Reply<Option<String>> {
        let peer = rebuilt.seat.peer_address();
        let (Some(peer), Some(former)) = (peer, rebuilt.seat.engine.clone()) else {
            // It had none, and shall know where the engine is.
            return self.enter_again(rebuilt, &rebuilt.seat).map(|()| None);
        };
        // The name is kept before anything is stopped. Asked with another one, the engine would take a member that has
        // started for a former life of this node, and remove it.
        if self.rebuilding()?.is_none() {
            self.place.write_rebuilding(&rebuilt.member).context("cannot begin")?;
            block_on(EngineProcess::stop(&self.place))?.context("cannot stop the engine")?;
            self.place.set_engine_aside().context("cannot move the engine's data aside")?;
        }
        self.place.prepare_certificates(&rebuilt.seat).context("cannot make the certificate for the engine")?;
        let client = rebuilt.seat.client_address().unwrap_or_default();
        let request = SeatRequest { node: self.node(), key: String::new(), name: rebuilt.member.clone(), peer, client };
        let store = open_engine(&rebuilt.engine, Some(&self.engine_files()));
        let engine = match block_on(etcd::seat_again(&store, &request))?.context("cannot get another member")? {
            SeatGrant::Wait { reason } => return Ok(Some(reason)),
            SeatGrant::Client => None,
            SeatGrant::Learner { members } => Some(EngineSeat {
                name: rebuilt.member.clone(),
                cluster: rebuilt.roster.id.clone(),
                initial: members.into_iter().collect(),
                is_first: false,
                begun: false,
                ..former
            }),
        };
        let seat = LocalSeat { engine, ..rebuilt.seat.clone() };
        self.enter_again(rebuilt, &seat)?;
        if let Some(engine) = &seat.engine {
            let started = block_on(EngineProcess::ensure(&self.place, &seat, engine))?;
            started.with_context(|| format!("cannot start the engine (see {})", self.place.engine_log().display()))?;
        }
        // Until here the daemon leaves the member alone, and `member_fault` says that the same command goes on.
        self.place.remove_rebuilding().context("cannot end the rebuild")?;
        Ok(None)
    }

    fn enter_again(&self, rebuilt: &RebuiltSeat, seat: &LocalSeat) -> Reply<()> {
        let keep =
            |seat: &LocalSeat| self.place.write_seat(seat).context("cannot keep this node's part in the cluster");
        if seat.witness.is_some() {
            // It is no node of the cluster, so no cluster.conf names it.
            let witness = Some(WitnessSeat { cluster: rebuilt.roster.name.clone(), members: rebuilt.engine.clone() });
            return Ok(keep(&LocalSeat { witness, ..seat.clone() })?);
        }
        keep(seat)?;
        let nodes = rebuilt.roster.service_nodes().map(|node| node.name.clone()).collect();
        let engine = Some(EngineAddress { members: rebuilt.engine.clone(), files: Some(self.engine_files()) });
        self.write_conf(&ClusterData { name: rebuilt.roster.name.clone(), nodes, engine })
    }
}

/// Where the engine answers on a node.
fn engine_address(text: &str, port: u16) -> Reply<String> {
    let plain = text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, port));
    let found = plain.or_else(|| text.parse().ok());
    let wrong = || anyhow!("{text:?} is not the address of a node: expected ADDR or ADDR:PORT");
    Ok(found.map(|address| format!("https://{address}")).ok_or_else(wrong)?)
}
