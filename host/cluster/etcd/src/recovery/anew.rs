//! Making the new engine: apart from all others until its generation has begun, then as always.

use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use model::NodeName;
use replica::{GenerationRow, SharedKey, everything, generation_key};
use serde::{Deserialize, Serialize};
use store::copy::{CopySelection, EntrySource, FillOrder, StoreSource, fill_store};
use store::{KeyQuery, MemoryStore, Store, StoreError, TxnOperation, TxnRequest};
use store_etcd::{EtcdDataFile, EtcdStore};
use tokio::time::Instant;

use super::plan::{book, remembered};
use super::{OtherMember, RecoveryFault, RecoveryPlan};
use crate::archive::{MARK, is_of_all_lives};
use crate::program::LaunchMode;
use crate::token::hex;
use crate::{ClusterPlace, EngineProcess, EngineSeat, LocalSeat, Roster, RosterFault, RosterNode, file};

/// A member apart has so long to answer, and so has the new engine.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(20);

/// So many rows are deleted at once.
const BATCH: usize = 100;

/// How the new engine was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecoveryWay {
    /// The member of this node goes on, as the only one.
    Continued,
    /// What it had was copied into a new engine.
    Copied,
}

/// How far a recovery is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RecoveryProgress {
    /// The data of before are kept aside.
    aside: bool,
    /// A new member, which is filled.
    fresh: Option<EngineSeat>,
    /// The members that are lost: the new engine does not know them any more.
    #[serde(default)]
    pub(super) others: Vec<OtherMember>,
}

/// Makes the new engine. Returns how, and its generation. Afterwards [`end_recovery`] is called, when the node knows its address.
pub async fn recover(place: &ClusterPlace, plan: &RecoveryPlan) -> Result<(RecoveryWay, u64), RecoveryFault> {
    let mut progress: RecoveryProgress = file::read(&place.recovery_file())?.unwrap_or_default();
    if plan.answers {
        let way = if progress.fresh.is_some() { RecoveryWay::Copied } else { RecoveryWay::Continued };
        return Ok((way, plan.generation));
    }
    // Kept for a second try: in the new engine the lost members are not listed any more.
    progress.others.clone_from(&plan.others);
    // First, so that the daemon leaves the member alone.
    file::write(&place.recovery_file(), &progress)?;
    let process = |fault| RecoveryFault::Process(fault, place.engine_log());
    // Its data are read and copied below, which must be those of no running process.
    EngineProcess::stop(place).await.map_err(process)?;
    // The data may be older than what this node has seen: the generation must be greater than both, or old tokens
    // would not be smaller than new ones.
    let least = plan.generation.max(remembered(place)) + 1;
    if !progress.aside {
        place.copy_aside(&plan.engine)?;
        progress.aside = true;
        file::write(&place.recovery_file(), &progress)?;
    }
    // A follower cannot be made to go on alone, and damaged logs may keep a voter from it: then what the file has is copied.
    let continued = plan.voter && progress.fresh.is_none() && continue_alone(place, plan, least).await.is_ok();
    let (way, engine) = match continued {
        true => (RecoveryWay::Continued, plan.engine.clone()),
        false => {
            // It may run still, apart: `continue_alone` gives up without stopping it.
            EngineProcess::stop(place).await.map_err(process)?;
            let file = EtcdDataFile::read(&place.data(&plan.engine))?;
            let engine =
                fill_new(place, &plan.seat, &mut progress, &mut file.into_source(), last(least, None)?).await?;
            (RecoveryWay::Copied, engine)
        }
    };
    begin(place, &LocalSeat { engine: Some(engine), ..plan.seat.clone() }).await?;
    Ok((way, least))
}

/// Makes a new engine without the data of any: the daemons publish the configurations of their files in it. `nodes` are those of the
/// cluster that this node knows. Returns the roster, with those of which an address is known, and the generation.
pub async fn begin_from_files(
    place: &ClusterPlace,
    name: &str,
    nodes: &[NodeName],
    voters: usize,
) -> Result<(Roster, u64), RecoveryFault> {
    let seat = place.seat()?.filter(|seat| seat.engine.is_some()).ok_or(RecoveryFault::Seat)?;
    let mut progress: RecoveryProgress = file::read(&place.recovery_file())?.unwrap_or_default();
    file::write(&place.recovery_file(), &progress)?;
    EngineProcess::stop(place).await.map_err(|fault| RecoveryFault::Process(fault, place.engine_log()))?;
    let least = remembered(place) + 1;
    let roster = roster_of(place, &seat, name, nodes, voters)?;
    let nothing = MemoryStore::default();
    let mut source = StoreSource::open(&nothing, CopySelection::all()).await?;
    let engine = fill_new(place, &seat, &mut progress, &mut source, last(least, Some(&roster))?).await?;
    begin(place, &LocalSeat { engine: Some(engine), ..seat }).await?;
    Ok((roster, least))
}

/// The recovery is complete: the daemon looks after the member again.
pub fn end_recovery(place: &ClusterPlace) -> Result<(), RecoveryFault> {
    Ok(file::remove(&place.recovery_file())?)
}

/// The nodes of which the address is known: this one, and those that its daemon has spoken with.
fn roster_of(
    place: &ClusterPlace,
    seat: &LocalSeat,
    name: &str,
    nodes: &[NodeName],
    voters: usize,
) -> Result<Roster, RecoveryFault> {
    let book: Option<serde_json::Value> = file::read(&book(place)).ok().flatten();
    let address = |node: &NodeName| -> Option<std::net::SocketAddr> {
        book.as_ref()?[node.as_str()]["address"].as_str()?.parse().ok()
    };
    let entry = |name: &NodeName, address: std::net::SocketAddr| {
        let (address, api_port) = (address.ip(), address.port());
        RosterNode { name: name.clone(), address, api_port, key: None, joined: true, witness: false }
    };
    let own = |node: &&NodeName| node.as_str() == seat.node;
    let first = nodes.iter().find(own).ok_or(RecoveryFault::Seat)?;
    let first = entry(first, (seat.address, seat.api_port).into());
    let mut roster = Roster::new(name.to_owned(), hex(&random::<8>()?), voters, Vec::new(), first);
    let others = nodes.iter().filter(|node| !own(node));
    roster.nodes.extend(others.filter_map(|node| Some(entry(node, address(node)?))));
    Ok(roster)
}

/// The member goes on as the only one, with its data but for the lives of nodes.
async fn continue_alone(place: &ClusterPlace, plan: &RecoveryPlan, generation: u64) -> Result<(), RecoveryFault> {
    let store = start_apart(place, &plan.seat, &plan.engine, true).await?;
    let listing = store.list(&KeyQuery::current(everything())).await?;
    let of_lives =
        listing.entries.iter().map(|entry| &entry.key).filter(|key| !outlives(key) && **key != generation_key());
    let of_lives: Vec<&Bytes> = of_lives.collect();
    for batch in of_lives.chunks(BATCH) {
        // Without a guard: apart, no other client reaches this engine.
        store.txn(batch.iter().fold(TxnRequest::new(), |request, key| request.delete((*key).clone()))).await?;
    }
    let mut request = TxnRequest::new();
    // The generation is last. A command that is killed before leaves one whose lives are gone, and
    // `recovery.json`, so that no daemon starts it.
    request.operations = last(generation, None)?;
    store.txn(request).await?;
    EngineProcess::stop(place).await.map_err(|fault| RecoveryFault::Process(fault, place.engine_log()))
}

/// A new member of an engine of its own, filled from a source. The data of before go aside when it is whole.
async fn fill_new(
    place: &ClusterPlace,
    seat: &LocalSeat,
    progress: &mut RecoveryProgress,
    source: &mut dyn EntrySource,
    last: Vec<TxnOperation>,
) -> Result<EngineSeat, RecoveryFault> {
    let before = seat.engine.as_ref().ok_or(RecoveryFault::Seat)?;
    let engine = match &progress.fresh {
        Some(engine) => engine.clone(),
        None => {
            let name = format!("{}-{}", seat.node, hex(&random::<4>()?));
            let initial = vec![(name.clone(), seat.peer_address().unwrap_or_default())];
            EngineSeat { name, initial, cluster: hex(&random::<8>()?), is_first: true, begun: false, ..before.clone() }
        }
    };
    // Noted before anything is made, so that another try finds the directory by its name.
    progress.fresh = Some(engine.clone());
    file::write(&place.recovery_file(), progress)?;
    if engine.name == before.name {
        // It was filled, and the command interrupted behind that.
        place.set_others_aside(&engine)?;
        return Ok(engine);
    }
    // One that was not filled to its end begins anew.
    file::remove_tree(&place.data(&engine))?;
    let fresh = LocalSeat { engine: Some(engine.clone()), ..seat.clone() };
    let store = start_apart(place, &fresh, &engine, false).await?;
    let selection = CopySelection { range: everything(), keep: &outlives };
    let order = FillOrder { selection, mark: Bytes::from_static(MARK), last };
    fill_store(source, &store, &order, &mut |_| {}).await?;
    EngineProcess::stop(place).await.map_err(|fault| RecoveryFault::Process(fault, place.engine_log()))?;
    // The seat is the step that counts: from here on the new member is this node's, and a repeated command goes
    // the way above.
    place.write_seat(&fresh)?;
    place.set_others_aside(&engine)?;
    Ok(engine)
}

/// Starts a member on loopback, and waits until it answers.
async fn start_apart(
    place: &ClusterPlace,
    seat: &LocalSeat,
    engine: &EngineSeat,
    alone: bool,
) -> Result<EtcdStore, RecoveryFault> {
    let log = || place.engine_log();
    let ports = || -> std::io::Result<[u16; 2]> {
        // Both are open at the same time, so they differ. Another program may take one of them before etcd does,
        // then the command fails and is repeated.
        let [client, peer] = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        Ok([client.local_addr()?.port(), peer.local_addr()?.port()])
    };
    let [client, peer] = ports().map_err(crate::FileFault::new("reserve ports for", &place.data(engine)))?;
    let mode = LaunchMode::Apart { client, peer, alone };
    let started = EngineProcess::start(place, seat, engine, mode).await;
    let process = started.map_err(|fault| RecoveryFault::Process(fault, log()))?;
    let store = ClusterPlace::open(vec![format!("https://127.0.0.1:{client}")], Some(place.engine_files()));
    wait_for(place, &store, &process).await?;
    Ok(store)
}

/// Starts the new engine for all, and waits until it answers.
async fn begin(place: &ClusterPlace, seat: &LocalSeat) -> Result<(), RecoveryFault> {
    let engine = seat.engine.as_ref().ok_or(RecoveryFault::Seat)?;
    let process = EngineProcess::ensure(place, seat, engine).await;
    let process = process.map_err(|fault| RecoveryFault::Process(fault, place.engine_log()))?;
    let store = ClusterPlace::open(seat.client_address().into_iter().collect(), Some(place.engine_files()));
    wait_for(place, &store, &process).await
}

async fn wait_for(place: &ClusterPlace, store: &EtcdStore, process: &EngineProcess) -> Result<(), RecoveryFault> {
    let until = Instant::now() + PATIENCE;
    loop {
        let error: StoreError = match store.get(&generation_key()).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // A process that has exited is not waited for: its reason is in the log.
        if Instant::now() >= until || !process.lives() {
            return Err(RecoveryFault::Silent(place.engine_log(), Some(error)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What belongs to the cluster, whichever lives its nodes have. So does where their daemons are reached, and by which keys: one that
/// comes back with the old engine learns of the new one from the others.
fn outlives(key: &[u8]) -> bool {
    is_of_all_lives(key) || key.starts_with(b"cluster/") || matches!(SharedKey::parse(key), Some(SharedKey::Peer(_)))
}

/// What makes the new engine valid: its generation, and the roster if there was none.
pub(super) fn last(generation: u64, roster: Option<&Roster>) -> Result<Vec<TxnOperation>, RecoveryFault> {
    let row = GenerationRow { number: generation, nonce: u64::from_be_bytes(random::<8>()?) };
    let put = |(key, value): (Vec<u8>, Vec<u8>)| TxnOperation::Put { key: key.into(), value: value.into() };
    let generation = (generation_key(), row.to_bytes());
    Ok([generation].into_iter().chain(roster.map(Roster::row)).map(put).collect())
}

fn random<const N: usize>() -> Result<[u8; N], RecoveryFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RosterFault::Random)?;
    Ok(bytes)
}
