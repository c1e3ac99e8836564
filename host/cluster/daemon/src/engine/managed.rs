//! The engine that `om cluster` manages: this node's member of it runs, and `cluster.conf` follows the roster of the cluster.
//!
//! A task beside the owner, which hears of what concerns it. It ends with the owner; etcd does not.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent::node::{ClusterData, EngineAddress, EngineFiles, write_cluster};
use agent::{Agent, ChangeAuthor, chain};
use etcd::{ClusterPlace, EngineProcess, EngineUpkeep, LocalSeat, UpkeepNews, UpkeepRoster, WitnessSeat};
use model::NodeName;
use protocol::daemon::EventKind;
use serde_json::json;
use store_etcd::EtcdStore;
use tokio::sync::mpsc::UnboundedSender;

use crate::EventLog;
use crate::cluster::ClusterMessage;
use crate::owner::Message;

/// The pause between two turns.
const PERIOD: Duration = Duration::from_secs(1);

/// The same while an operator waits for the outcome: a node joins, a member becomes a voter, an authority is replaced.
const SHORT_PERIOD: Duration = Duration::from_millis(150);

/// The upkeep of the engine on this node.
pub(crate) struct ManagedEngine {
    pub(crate) agent: Agent,
    pub(crate) me: NodeName,
    pub(crate) store: Arc<EtcdStore>,
    pub(crate) events: EventLog,
    pub(crate) mail: UnboundedSender<Message>,
    /// Whether this node only has a member of the engine.
    pub(crate) is_witness: bool,
}

/// The files of this node's part in a cluster.
pub(crate) fn place(agent: &Agent) -> ClusterPlace {
    let home = agent.home();
    let (var, run, log) = (home.var.clone(), home.run.clone(), home.log.clone());
    ClusterPlace { var, run, log, group: agent.control_group_of_all() }
}

/// Starts this node's member of the engine, if it has one and it does not run. What cannot be done now the upkeep tries again.
pub(crate) async fn start_member(place: &ClusterPlace, seat: Option<&LocalSeat>) {
    if place.is_recovering() {
        return;
    }
    if let Some((seat, engine)) = seat.and_then(|seat| Some((seat, seat.engine.as_ref()?))) {
        let _ = EngineProcess::ensure(place, seat, engine).await;
    }
}

/// The engine of which this node, a witness, has a member. None where this node is not a witness.
pub(crate) fn witnessed(place: &ClusterPlace, seat: Option<&LocalSeat>) -> Option<Arc<EtcdStore>> {
    let members = seat?.witness.as_ref()?.members.clone();
    Some(Arc::new(ClusterPlace::open(members, Some(place.engine_files()))))
}

impl ManagedEngine {
    /// Looks after the engine until the owner is gone.
    pub(crate) async fn keep_up(self, place: ClusterPlace, seat: Option<LocalSeat>) {
        let mut upkeep = EngineUpkeep::new(place.clone(), seat, Arc::clone(&self.store), self.me.clone());
        while !self.mail.is_closed() {
            for news in upkeep.turn().await {
                self.take_in(&place, news).await;
            }
            let pause = if upkeep.is_awaited() { SHORT_PERIOD } else { PERIOD };
            tokio::time::sleep(pause).await;
        }
    }

    async fn take_in(&self, place: &ClusterPlace, news: UpkeepNews) {
        match news {
            UpkeepNews::Roster(roster) => self.follow(place, roster).await,
            UpkeepNews::Removed => {
                let _ = self.mail.send(Message::Cluster(ClusterMessage::Removed));
            }
            UpkeepNews::Witness(seen) => {
                let _ = self.mail.send(Message::Cluster(ClusterMessage::Witness(seen)));
            }
            UpkeepNews::Warnings(warnings) => {
                let certificates = warnings.iter().filter(|warning| warning.contains("certificate"));
                certificates.for_each(|text| self.say(EventKind::CertExpiring, json!({ "reason": text })));
                let _ = self.mail.send(Message::Cluster(ClusterMessage::Warnings(warnings)));
            }
            UpkeepNews::Member(text) => self.say(EventKind::EngineMember, json!({ "text": text })),
            UpkeepNews::Fault(reason) => self.say(EventKind::EngineMember, json!({ "problem": reason })),
        }
    }

    async fn follow(&self, place: &ClusterPlace, roster: UpkeepRoster) {
        if self.is_witness {
            return self.follow_as_witness(place, roster).await;
        }
        let (agent, nodes, place) = (self.agent.clone(), roster.nodes.clone(), place.clone());
        let write = move || {
            let by = ChangeAuthor::of_process("om daemon (from the cluster)");
            let known = agent.cluster().ok().and_then(|cluster| cluster.engine);
            // Those of an engine that is not managed are the operator's.
            let has_member = place.seat().is_ok_and(|seat| seat.is_some_and(|seat| seat.engine.is_some()));
            let files = if has_member { Some(engine_files(&place)) } else { known.and_then(|engine| engine.files) };
            let engine = Some(EngineAddress { members: roster.engine, files });
            let cluster = ClusterData { name: roster.name, nodes: roster.nodes, engine };
            write_cluster(agent.home(), &cluster, &by)
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            self.say(EventKind::EngineMember, json!({ "problem": chain(&error) }));
        }
        let _ = self.mail.send(Message::Cluster(ClusterMessage::Roster(nodes)));
    }

    /// A witness has no `cluster.conf` that names the cluster: no service runs on it.
    async fn follow_as_witness(&self, place: &ClusterPlace, roster: UpkeepRoster) {
        let place = place.clone();
        let write = move || {
            let seat = place.seat()?;
            let witness = Some(WitnessSeat { cluster: roster.name, members: roster.engine });
            seat.map_or(Ok(()), |seat| place.write_seat(&LocalSeat { witness, ..seat }))
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            self.say(EventKind::EngineMember, json!({ "problem": chain(&error) }));
        }
    }

    fn say(&self, kind: EventKind, data: serde_json::Value) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.events.add(at, kind, None, data);
    }
}

fn engine_files(place: &ClusterPlace) -> EngineFiles {
    let [authority, certificate, key] = place.engine_files();
    EngineFiles { authority, certificate, key }
}
