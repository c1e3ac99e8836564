//! What a daemon does for the engine from time to time: its own member runs, the members are those that are wanted, the addresses
//! are those of the voters, and there is a recent backup.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use certificate::{
    CertificateAuthority, CertificateError, CertificatePlace, IssuedRegister, LEAF_LIFE, LeafSubject, RENEW_LEFT,
};
use model::NodeName;
use store::Store;
use store_etcd::EtcdStore;

use crate::archive::newest_age;
use crate::authority::{AuthorityTurn, write_first_list};
use crate::member::{self, ProgressNotes, chain};
use crate::place::INTERRUPTED;
use crate::plan::MemberStep;
use crate::{
    AuthorityFault, ClusterPlace, EngineProcess, EngineSeat, LocalSeat, Roster, RosterFault, back_up, change_roster,
    read_roster,
};

/// How often a backup is made.
const BACKUP: Duration = Duration::from_secs(6 * 3600);

/// How often it is looked whether the certificate ends soon.
const LOOK: Duration = Duration::from_secs(3600);

/// How often a learner is looked at, and what else is the leader's.
const CARE: Duration = Duration::from_millis(900);

/// A daemon that has not read the cluster yet tries it often for so long.
const BEGINNING: Duration = Duration::from_secs(30);

/// How often it is looked whether the witness answers.
const MEETING: Duration = Duration::from_secs(3);

/// An operator waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(120);

/// The upkeep of one daemon.
#[derive(Debug)]
pub struct EngineUpkeep {
    place: ClusterPlace,
    seat: Option<LocalSeat>,
    store: Arc<EtcdStore>,
    me: NodeName,
    notes: ProgressNotes,
    backed_up: Option<Instant>,
    looked: Option<Instant>,
    cared: Option<Instant>,
    /// The revision of the list of revoked certificates that the file has.
    revoked: Option<u64>,
    warned: Vec<String>,
    witness: Option<WitnessView>,
    met: Option<Instant>,
    began: Instant,
    /// Something is on its way, of which the outcome is waited for.
    awaited: bool,
    awaited_since: Option<Instant>,
    /// What was reported last of each kind: it is not repeated.
    faults: FaultNotes,
    said: Option<UpkeepRoster>,
}

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FaultKind {
    /// The member of this node.
    Member,
    Certificate,
    /// The certificates of all nodes.
    Authority,
    /// The room of the engine.
    Room,
}

/// The faults that last, each as it was reported.
#[derive(Debug, Default)]
struct FaultNotes(BTreeMap<FaultKind, String>);

impl FaultNotes {
    /// Whether the fault is new. One kind knows nothing of another: that the member runs again does not end that the engine is full.
    fn add(&mut self, kind: FaultKind, fault: &str) -> bool {
        self.0.insert(kind, fault.to_owned()).is_none_or(|known| known != fault)
    }

    fn end(&mut self, kind: FaultKind) {
        self.0.remove(&kind);
    }
}

/// The cluster, as its nodes should know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpkeepRoster {
    pub name: String,
    pub nodes: Vec<NodeName>,
    /// The addresses of the engine, that of this node first.
    pub engine: Vec<String>,
}

/// The witness of a cluster, as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessView {
    pub node: String,
    /// Where its member is reached. Empty: it has not started yet.
    pub address: String,
    pub answers: bool,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpkeepNews {
    Roster(UpkeepRoster),
    /// The cluster has this node no more.
    Removed,
    /// A sentence about a member.
    Member(String),
    /// What an operator should look at, one sentence each: all of it.
    Warnings(Vec<String>),
    /// How the witness is. None: the cluster has none.
    Witness(Option<WitnessView>),
    /// The member of this node does not run, or cannot be looked after, for this reason.
    Fault(String),
}

impl EngineUpkeep {
    /// For the daemon of a node. `seat` is None where `om cluster` did not make the cluster.
    pub fn new(place: ClusterPlace, seat: Option<LocalSeat>, store: Arc<EtcdStore>, me: NodeName) -> EngineUpkeep {
        EngineUpkeep {
            place,
            seat,
            store,
            me,
            notes: ProgressNotes::new(),
            backed_up: None,
            looked: None,
            cared: None,
            revoked: None,
            warned: Vec::new(),
            witness: None,
            met: None,
            began: Instant::now(),
            awaited: false,
            awaited_since: None,
            faults: FaultNotes::default(),
            said: None,
        }
    }

    /// Does what is due. Errors of the engine are none: its absence is reported by those that need it.
    pub async fn turn(&mut self) -> Vec<UpkeepNews> {
        let mut news = Vec::new();
        // Another member may have taken the place of the former one. What cannot be read now is as it was.
        if let Ok(seat) = self.place.seat() {
            self.seat = seat.or(self.seat.take());
        }
        if self.seat.is_none() {
            return news;
        }
        // First: where only this node votes, the roster below is read from this very member.
        self.keep_running(&mut news).await;
        self.renew(&mut news).await;
        if let Ok(Some(roster)) = read_roster(&*self.store).await {
            self.awaited = roster.nodes.iter().any(|node| !node.joined);
            self.follow(&roster, &mut news).await;
            self.keep_certificates(&roster, &mut news).await;
            self.meet_witness(&roster, &mut news).await;
            self.care(&roster, &mut news).await;
        }
        self.awaited_since = self.awaited.then(|| self.awaited_since.unwrap_or_else(Instant::now));
        news
    }

    /// Whether the next turn should come soon: an operator waits for what is on its way, or this daemon has just begun.
    pub fn is_awaited(&self) -> bool {
        let is_recent = self.awaited_since.is_some_and(|since| since.elapsed() < PATIENCE);
        is_recent || (self.said.is_none() && self.seat.is_some() && self.began.elapsed() < BEGINNING)
    }

    /// The member of this node runs, whoever started it.
    async fn keep_running(&mut self, news: &mut Vec<UpkeepNews>) {
        let Some((seat, engine)) = self.seat.clone().and_then(|seat| Some((seat.clone(), seat.engine?))) else {
            return;
        };
        // A command that changes this node's part in the cluster starts and stops the member as it needs it.
        let Ok(Some(_turn)) = self.place.turn() else { return };
        if self.place.is_recovering() {
            return self.complain(FaultKind::Member, INTERRUPTED.to_owned(), news);
        }
        let ran = EngineProcess::find(&self.place).ok().flatten().is_some();
        match EngineProcess::ensure(&self.place, &seat, &engine).await {
            Ok(process) => {
                self.note_begun(&seat, &engine);
                if !ran {
                    news.push(UpkeepNews::Member(format!("{} was started: process {}", engine.name, process.pid)));
                }
                self.faults.end(FaultKind::Member);
            }
            Err(error) => self.complain(FaultKind::Member, chain(&error), news),
        }
    }

    /// Notes that the member has data.
    fn note_begun(&mut self, seat: &LocalSeat, engine: &EngineSeat) {
        if engine.begun || !self.place.has_data(engine) {
            return;
        }
        let seat = LocalSeat { engine: Some(EngineSeat { begun: true, ..engine.clone() }), ..seat.clone() };
        // What cannot be written now is written in the next turn.
        if self.place.write_seat(&seat).is_ok() {
            self.seat = Some(seat);
        }
    }

    fn complain(&mut self, kind: FaultKind, fault: String, news: &mut Vec<UpkeepNews>) {
        if self.faults.add(kind, &fault) {
            news.push(UpkeepNews::Fault(fault));
        }
    }

    /// The certificates of this node are as the cluster wants them.
    async fn keep_certificates(&mut self, roster: &Roster, news: &mut Vec<UpkeepNews>) {
        let Some(seat) = self.seat.clone().filter(|_| roster.is_managed()) else { return };
        let (place, store, me, written) = (&self.place, &*self.store, &self.me, &mut self.revoked);
        let mut turn = AuthorityTurn { place, seat: &seat, store, me, roster, written };
        match turn.run().await {
            Ok(done) => {
                self.faults.end(FaultKind::Authority);
                self.awaited |= done.rotates;
                news.extend(done.said.into_iter().map(UpkeepNews::Member));
                let warnings: Vec<String> = done.warnings.into_iter().chain(roster.lacks_witness()).collect();
                if self.warned != warnings {
                    self.warned.clone_from(&warnings);
                    news.push(UpkeepNews::Warnings(warnings));
                }
            }
            // The absence of the engine is reported by those that need it.
            Err(AuthorityFault::Roster(_)) => {}
            Err(error) => {
                self.complain(FaultKind::Authority, format!("the certificates for the engine: {}", chain(&error)), news)
            }
        }
    }

    /// etcd reads its certificate again for each connection.
    async fn renew(&mut self, news: &mut Vec<UpkeepNews>) {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return;
        }
        // Before the outcome is known: what fails is complained about once an hour, not each second.
        self.looked = Some(Instant::now());
        let place = self.place.engine_certificates();
        // A node without a member needs a certificate, too. Without the authority the engine is not managed.
        let Some(seat) = self.seat.clone().filter(|_| place.authority_file().exists()) else { return };
        let renewed = tokio::task::spawn_blocking(move || renew_leaf(&place, &seat, false)).await;
        match renewed {
            Ok(Err(error)) => {
                let fault = format!("the certificate for the engine is not renewed: {}", chain(&error));
                self.complain(FaultKind::Certificate, fault, news);
            }
            Ok(Ok(())) => self.faults.end(FaultKind::Certificate),
            Err(_) => {}
        }
    }

    async fn follow(&mut self, roster: &Roster, news: &mut Vec<UpkeepNews>) {
        let Some(own) = roster.node(self.me.as_str()) else {
            // The roster is what counts. The engine may list the member of this node for a moment longer.
            news.push(UpkeepNews::Removed);
            return;
        };
        // Written by the daemon and not by `om cluster join`: the join is complete when the daemon of the node is
        // in the cluster.
        if !own.joined {
            let me = self.me.clone();
            let join = |roster: &mut Roster| {
                roster.nodes.iter_mut().filter(|node| node.name == me).for_each(|node| node.joined = true);
                Ok::<_, RosterFault>(())
            };
            // What fails now is tried in the next turn.
            let _ = change_roster(&*self.store, |request| request, join).await;
        }
        let engine = if roster.is_managed() { self.voters().await } else { Some(roster.external.clone()) };
        let Some(engine) = engine.filter(|engine| !engine.is_empty()) else { return };
        let nodes = roster.service_nodes().map(|node| node.name.clone()).collect();
        let found = UpkeepRoster { name: roster.name.clone(), nodes, engine };
        // Compared, as each report makes the daemon write cluster.conf.
        if self.said.as_ref() != Some(&found) {
            self.store.set_members(&found.engine);
            self.said = Some(found.clone());
            news.push(UpkeepNews::Roster(found));
        }
    }

    /// Whether the witness answers this node.
    async fn meet_witness(&mut self, roster: &Roster, news: &mut Vec<UpkeepNews>) {
        let witness = roster.nodes.iter().find(|node| node.witness && node.name != self.me);
        if self.met.is_some_and(|at| at.elapsed() < MEETING) && witness.is_some() == self.witness.is_some() {
            return;
        }
        self.met = Some(Instant::now());
        let seen = match witness {
            Some(node) => {
                let Ok(peers) = self.store.peers().await else { return };
                let own = peers.iter().find(|peer| crate::plan::node_of(&peer.name) == node.name.as_str());
                let address = own.and_then(|peer| peer.client_addresses.first().cloned()).unwrap_or_default();
                let answers = !address.is_empty() && self.store.report_at(&address).await.is_ok();
                Some(WitnessView { node: node.name.to_string(), address, answers })
            }
            None => None,
        };
        if self.witness != seen {
            self.witness.clone_from(&seen);
            news.push(UpkeepNews::Witness(seen));
        }
    }

    async fn voters(&self) -> Option<Vec<String>> {
        let mut addresses = member::voter_addresses(&self.store.peers().await.ok()?);
        let own = self.seat.as_ref().and_then(LocalSeat::client_address);
        // Its own member is near, and does not go with another machine.
        addresses.sort_by_key(|address| Some(address) != own.as_ref());
        Some(addresses)
    }

    /// What only the daemon beside the leader does.
    async fn care(&mut self, roster: &Roster, news: &mut Vec<UpkeepNews>) {
        let own = self.seat.as_ref().and_then(LocalSeat::client_address);
        let Some(own) = own.filter(|_| roster.is_managed()) else { return };
        if self.cared.is_some_and(|at| at.elapsed() < CARE) && !self.awaited {
            return;
        }
        self.cared = Some(Instant::now());
        // Before the question who leads: each node with a member keeps archives, as the leader's machine may be
        // the one that is lost.
        self.back_up_when_due().await;
        // One daemon at a time: two that promote and remove by their own looks could take two steps where one was
        // wanted.
        if !self.store.report_at(&own).await.is_ok_and(|report| report.is_leader()) {
            // Notes of an earlier lead would count the time since then as a stall.
            self.notes.clear();
            return;
        }
        let Ok(seen) = member::look(&self.store, &mut self.notes).await else { return };
        let name = |id: u64| {
            let found = seen.iter().find(|member| member.peer.id == id).map(|member| member.peer.name.clone());
            found.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{id:x}"))
        };
        self.awaited |= member::is_short_of_voters(roster, &seen);
        match member::step(&self.store, roster, &seen).await {
            Ok(Some(MemberStep::Promote(id))) => {
                news.push(UpkeepNews::Member(format!("{} votes from now on", name(id))));
            }
            Ok(Some(MemberStep::Remove(id))) => {
                let text = format!("{} was removed: it did not come into step", name(id));
                news.push(UpkeepNews::Member(text));
            }
            // A promotion that is refused is tried again: the engine may see the learner later than this did.
            Ok(None) | Err(_) => {}
        }
        self.make_room(news).await;
    }

    /// A full engine refuses every change. It has compacted itself, and gives the room back when it is asked.
    async fn make_room(&mut self, news: &mut Vec<UpkeepNews>) {
        // The alarm stays on until it is disarmed, even when there is room again (etcd 3.4.23), so it is asked for
        // and not the size.
        let Ok(alarms) = self.store.alarms().await else { return };
        if !alarms.iter().any(|alarm| alarm == "nospace") {
            self.faults.end(FaultKind::Room);
            return;
        }
        if let Ok(status) = self.store.status().await {
            // It may be compacted already.
            let _ = self.store.compact(status.revision).await;
        }
        // The quota counts the file: a compaction frees pages within it, and only a defragmentation makes it
        // smaller.
        match self.store.reclaim_space().await {
            Ok(()) => news.push(UpkeepNews::Member("the engine was full, and has room again".to_owned())),
            Err(error) => {
                self.complain(FaultKind::Room, format!("the engine is full: {}", chain(&error)), news);
            }
        }
    }

    async fn back_up_when_due(&mut self) -> Option<PathBuf> {
        // A daemon counts from the newest archive, made by whatever daemon: one that is started often makes no more for that, and no fewer.
        if self.backed_up.is_none() {
            let age = newest_age(&self.place, SystemTime::now());
            self.backed_up = age.and_then(|age| Instant::now().checked_sub(age));
        }
        if self.backed_up.is_some_and(|at| at.elapsed() < BACKUP) {
            return None;
        }
        self.backed_up = Some(Instant::now());
        // One that fails is missed by nobody but the next disaster: the next one comes in six hours.
        back_up(&self.place, &*self.store, None).await.ok().map(|(file, _)| file)
    }
}

/// Makes this node's certificate for the engine, unless it has one that is good for long enough, and `anew` does not ask for another.
pub(crate) fn renew_leaf(place: &CertificatePlace, seat: &LocalSeat, anew: bool) -> Result<(), CertificateError> {
    let now = SystemTime::now();
    let called = vec![seat.address.to_string(), seat.node.clone(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut register = IssuedRegister::open(place)?;
    if let Some((_, serial)) = place.node()?.filter(|_| !anew)
        && place.is_node_of_issuer()? == Some(true)
    {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let left = |leaf: &certificate::IssuedLeaf| Duration::from_secs(leaf.ends_at.saturating_sub(seconds));
        // A node that has got another address needs another certificate at once.
        if register.find(&serial).is_some_and(|leaf| leaf.called == called && left(leaf) > RENEW_LEFT) {
            return Ok(());
        }
    }
    let authority = CertificateAuthority::open(place, &format!("hostler engine {}", seat.node), now)?;
    let subject = LeafSubject::Node { name: seat.node.clone(), called };
    let leaf = authority.issue(&subject, now, LEAF_LIFE)?;
    register.add(&leaf.certificate, &subject, now, LEAF_LIFE)?;
    Ok(place.write_node(&leaf)?)
}

impl ClusterPlace {
    /// Makes this node's certificate for the engine, and the authority if there is none. Blocks.
    pub fn prepare_certificates(&self, seat: &LocalSeat) -> Result<(), CertificateError> {
        let place = self.engine_certificates();
        renew_leaf(&place, seat, false)?;
        write_first_list(&place)
    }

    /// Makes another certificate of this node for the engine. Blocks.
    pub fn renew_engine_certificate(&self, seat: &LocalSeat) -> Result<(), CertificateError> {
        renew_leaf(&self.engine_certificates(), seat, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_lasts_is_told_once_whatever_else_ends() {
        let mut faults = FaultNotes::default();
        assert!(faults.add(FaultKind::Room, "the engine is full"));
        // The member of this node runs, as it does in each turn.
        faults.end(FaultKind::Member);
        assert!(!faults.add(FaultKind::Room, "the engine is full"));
        assert!(faults.add(FaultKind::Room, "the engine is full, for another reason"));
        faults.end(FaultKind::Room);
        assert!(faults.add(FaultKind::Room, "the engine is full"));
    }

    #[test]
    fn a_backup_is_due_by_the_age_of_the_newest_one_and_not_of_the_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let [var, run, log] = ["var", "run", "log"].map(|name| directory.path().join(name));
        let place = ClusterPlace { var, run, log, group: None };
        let now = SystemTime::now();
        assert_eq!(newest_age(&place, now), None);
        let backup = place.directory().join("backup");
        std::fs::create_dir_all(&backup).unwrap();
        let write = |name: &str, hours: u64| {
            let file = std::fs::File::create(backup.join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(hours * 3600)).unwrap();
        };
        write("store-1", 20);
        write("store-2", 7);
        write("other", 1);
        let age = newest_age(&place, now).unwrap();
        assert!(age >= BACKUP && age < Duration::from_secs(8 * 3600), "{age:?}");
        write("store-3", 0);
        assert!(newest_age(&place, now).unwrap() < BACKUP);
    }
}
