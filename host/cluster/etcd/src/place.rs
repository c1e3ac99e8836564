//! The files of this node's part in a cluster.
//!
//! ```text
//!   var/cluster/seat.json         how this node is reached, and its member of etcd
//!   var/cluster/join.json         how far a join has come
//!   var/cluster/leave.json        what a drain before a leave has stopped
//!   var/cluster/recovery.json     how far a new engine has come, which is made of what this node has
//!   var/cluster/rebuild.json      the member that takes the place of one whose data are lost
//!   var/cluster/etcd/<name>/      the data of the member
//!   var/cluster/aside/            stores and data of former lives, five of each
//!   var/cluster/backup/           archives of the store, by time
//!   var/certificate/{api,engine}/ the two authorities, and this node's certificates
//!   run/etcd                      the process
//!   log/etcd.log                  what it says
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use certificate::CertificatePlace;
use replica::{GenerationRow, generation_key};
use serde::{Deserialize, Serialize};
use store_etcd::{EtcdSettings, EtcdStore, EtcdTls, GenerationReader};

use crate::file;
use crate::{FileFault, ProcessFault};

/// What was moved aside of one kind, and is kept. The oldest ones go.
const ASIDE: usize = 5;

pub(crate) const INTERRUPTED: &str =
    "a recovery or a rebuild of the engine was interrupted on this node: the same command again goes on with it";

/// The directories of the agent, as far as they are needed here.
#[derive(Debug, Clone)]
pub struct ClusterPlace {
    pub var: PathBuf,
    pub run: PathBuf,
    pub log: PathBuf,
    /// The control group for etcd. None: this node has none.
    pub group: Option<PathBuf>,
}

/// How this node is reached, and its member of etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalSeat {
    pub node: String,
    pub address: IpAddr,
    pub api_port: u16,
    /// None: the engine is not managed, or this node has no member of it.
    pub engine: Option<EngineSeat>,
    /// This node is a witness: it runs nothing of the cluster, and has no `cluster.conf` that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessSeat>,
}

/// What a witness knows of the cluster that its member belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessSeat {
    pub cluster: String,
    /// The addresses of the voters.
    pub members: Vec<String>,
}

/// A member of etcd on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineSeat {
    /// Its name, which no other data directory has.
    pub name: String,
    pub client_port: u16,
    pub peer_port: u16,
    /// etcd's word for the cluster, so that members of two clusters refuse each other.
    pub cluster: String,
    /// All members by name and peer address, as they were when this one was made.
    pub initial: Vec<(String, String)>,
    /// Whether it begins a cluster.
    pub is_first: bool,
    /// Whether it has data: without them it must not start again, as it would vote without knowing what it has voted for.
    #[serde(default)]
    pub begun: bool,
    /// The program, if it is not the one that is found by its name.
    #[serde(default)]
    pub program: Option<PathBuf>,
}

impl ClusterPlace {
    pub(crate) fn directory(&self) -> PathBuf {
        self.var.join("cluster")
    }

    fn seat_file(&self) -> PathBuf {
        self.directory().join("seat.json")
    }

    /// How this node is reached in its cluster. None: it is in none that `om cluster` made.
    pub fn seat(&self) -> Result<Option<LocalSeat>, FileFault> {
        file::read(&self.seat_file())
    }

    pub fn write_seat(&self, seat: &LocalSeat) -> Result<(), FileFault> {
        file::write(&self.seat_file(), seat)
    }

    pub fn remove_seat(&self) -> Result<(), FileFault> {
        file::remove(&self.seat_file())
    }

    /// The right to change this node's part in a cluster, for as long as the file is open. None: another command has it.
    pub fn claim(&self) -> Result<Option<File>, FileFault> {
        file::make_directory(&self.directory())?;
        let path = self.directory().join("lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        // flock(2): the kernel gives it up when the command ends, however it ends. The file stays, as a removed
        // one could be locked by two commands under one name.
        let lock = opened.map_err(FileFault::new("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileFault::new("lock", &path)(error)),
        }
    }

    /// A turn of the daemon's own, during which no command changes this node's part in a cluster. None: a command does.
    pub(crate) fn turn(&self) -> Result<Option<File>, FileFault> {
        let path = self.directory().join("lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = opened.map_err(FileFault::new("open", &path))?;
        match lock.try_lock_shared() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileFault::new("lock", &path)(error)),
        }
    }

    /// Whether a recovery or a rebuild has begun and not ended: the member of this node is not what it should be.
    pub fn is_recovering(&self) -> bool {
        self.recovery_file().exists() || self.rebuilding_file().exists()
    }

    fn rebuilding_file(&self) -> PathBuf {
        self.directory().join("rebuild.json")
    }

    /// The name of the member that takes the place of one whose data are lost. None: none is on its way.
    pub fn rebuilding(&self) -> Result<Option<String>, FileFault> {
        file::read(&self.rebuilding_file())
    }

    pub fn write_rebuilding(&self, member: &str) -> Result<(), FileFault> {
        file::write(&self.rebuilding_file(), &member)
    }

    pub fn remove_rebuilding(&self) -> Result<(), FileFault> {
        file::remove(&self.rebuilding_file())
    }

    pub(crate) fn recovery_file(&self) -> PathBuf {
        self.directory().join("recovery.json")
    }

    /// How far a join has come, in the words of its caller.
    pub fn progress<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, FileFault> {
        file::read(&self.directory().join("join.json"))
    }

    pub fn write_progress(&self, progress: &impl Serialize) -> Result<(), FileFault> {
        file::write(&self.directory().join("join.json"), progress)
    }

    pub fn remove_progress(&self) -> Result<(), FileFault> {
        file::remove(&self.directory().join("join.json"))
    }

    /// How far a drain before a leave has come, in the words of its caller.
    pub fn leaving<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, FileFault> {
        file::read(&self.directory().join("leave.json"))
    }

    pub fn write_leaving(&self, leaving: &impl Serialize) -> Result<(), FileFault> {
        file::write(&self.directory().join("leave.json"), leaving)
    }

    pub fn remove_leaving(&self) -> Result<(), FileFault> {
        file::remove(&self.directory().join("leave.json"))
    }

    /// The authority of the API, of users and nodes.
    pub fn api_certificates(&self) -> CertificatePlace {
        CertificatePlace::new(self.var.join("certificate/api"))
    }

    /// The authority of the engine, of nodes only: a user's certificate must not open etcd.
    pub fn engine_certificates(&self) -> CertificatePlace {
        CertificatePlace::new(self.engine_directory())
    }

    fn engine_directory(&self) -> PathBuf {
        self.var.join("certificate/engine")
    }

    /// The files by which this node proves itself to etcd: authority, certificate, key.
    pub fn engine_files(&self) -> [PathBuf; 3] {
        ["ca.pem", "node.pem", "node.key"].map(|name| self.engine_directory().join(name))
    }

    /// The engine at these addresses. `files` are authority, certificate and key, for `https`. Nothing is asked of it yet.
    pub fn open(members: Vec<String>, files: Option<[PathBuf; 3]>) -> EtcdStore {
        // The store compares the generation of each answer with the highest that it has seen: revisions alone do
        // not order two lives of an engine.
        let read = |value: &[u8]| GenerationRow::read(b"generation", value).ok().map(|row| row.number);
        EtcdStore::new(EtcdSettings {
            tls: files.map(|[authority, certificate, key]| EtcdTls { authority, certificate, key }),
            generation: Some(GenerationReader { key: Bytes::from(generation_key()), read }),
            ..EtcdSettings::new(members)
        })
    }

    /// Where the data of members is, by their names.
    pub(crate) fn data_directory(&self) -> PathBuf {
        self.directory().join("etcd")
    }

    /// What is wrong with this node's member, as far as its files say.
    pub fn member_fault(&self) -> Result<Option<String>, FileFault> {
        let engine = self.seat()?.and_then(|seat| seat.engine);
        let lost = engine.filter(|engine| engine.begun && !self.has_data(engine));
        Ok(match lost {
            _ if self.is_recovering() => Some(INTERRUPTED.to_owned()),
            Some(engine) => Some(ProcessFault::Lost(self.data(&engine)).to_string()),
            None => None,
        })
    }

    /// Whether the data of a member are there.
    pub(crate) fn has_data(&self, seat: &EngineSeat) -> bool {
        // The log and not the directory: etcd itself decides by `wal.Exist` whether a member begins or goes on,
        // and makes the rest before it.
        self.data(seat).join("member/wal").is_dir()
    }

    pub(crate) fn data(&self, seat: &EngineSeat) -> PathBuf {
        self.data_directory().join(&seat.name)
    }

    pub(crate) fn process_file(&self) -> PathBuf {
        self.run.join("etcd")
    }

    /// What etcd says.
    pub fn engine_log(&self) -> PathBuf {
        self.log.join("etcd.log")
    }

    pub(crate) fn own_store(&self) -> PathBuf {
        self.var.join("daemon")
    }

    /// Moves this node's own store aside, and forgets what was remembered of another one.
    pub fn set_own_store_aside(&self) -> Result<(), FileFault> {
        // In this order: after a crash in between, `made` without a store is a store that is lost, which the
        // commands of a cluster take for none. The other way round, a store without `made` would be opened as one
        // that is whole.
        self.set_aside("store", &self.own_store().join("store.redb"))?;
        file::remove(&self.own_store().join("made"))?;
        self.forget_engine()
    }

    /// Forgets which engine was seen, and which generation of it.
    pub fn forget_engine(&self) -> Result<(), FileFault> {
        let remembered = [self.own_store().join("mark"), self.own_store().join("generation"), self.run.join("life")];
        remembered.iter().try_for_each(|path| file::remove(path))
    }

    /// Moves the data of etcd aside, and what else this node has of the cluster.
    pub fn set_engine_aside(&self) -> Result<(), FileFault> {
        self.set_aside("etcd", &self.data_directory())
    }

    /// Moves the data of members aside that are not this one's.
    pub(crate) fn set_others_aside(&self, engine: &EngineSeat) -> Result<(), FileFault> {
        let entries = std::fs::read_dir(self.data_directory()).into_iter().flatten().flatten();
        let mut others = entries.map(|entry| entry.path()).filter(|path| *path != self.data(engine));
        others.try_for_each(|path| self.set_aside("etcd", &path))
    }

    /// Moves the authorities aside: certificates of theirs count for nothing from then on.
    pub fn set_certificates_aside(&self) -> Result<(), FileFault> {
        self.set_api_certificates_aside()?;
        self.set_engine_certificates_aside()
    }

    /// The same of the authority of the engine alone.
    pub fn set_engine_certificates_aside(&self) -> Result<(), FileFault> {
        self.set_aside("certificate_engine", &self.engine_directory())
    }

    /// The same of the authority of the API alone.
    pub fn set_api_certificates_aside(&self) -> Result<(), FileFault> {
        self.set_aside("certificate_api", &self.var.join("certificate/api"))
    }

    fn set_aside(&self, kind: &str, path: &Path) -> Result<(), FileFault> {
        if !path.exists() {
            return Ok(());
        }
        // A rename: after a crash, the data is in one of the two places, and whole.
        file::move_to(path, &self.place_aside(kind)?)?;
        self.keep_newest(&self.directory().join("aside"), kind, ASIDE);
        Ok(())
    }

    /// Copies the data of a member aside. It does not run meanwhile.
    pub(crate) fn copy_aside(&self, engine: &EngineSeat) -> Result<(), FileFault> {
        file::copy_tree(&self.data(engine), &self.place_aside("etcd")?)?;
        self.keep_newest(&self.directory().join("aside"), "etcd", ASIDE);
        Ok(())
    }

    fn place_aside(&self, kind: &str) -> Result<PathBuf, FileFault> {
        let aside = self.directory().join("aside");
        file::make_directory(&aside)?;
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        // Numbers of one length, so that the names are in the order of time.
        Ok(aside.join(format!("{kind}-{millis:015}")))
    }

    /// Removes all but the newest ones of a kind, as far as they can be removed.
    pub(crate) fn keep_newest(&self, directory: &Path, kind: &str, count: usize) {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_of_kind = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.rsplit_once('-').is_some_and(|(of, _)| of == kind)
        };
        let mut all: Vec<PathBuf> = entries.filter(is_of_kind).collect();
        all.sort();
        let old = all.len().saturating_sub(count);
        for path in all.drain(..old) {
            // What cannot be removed costs room and nothing else, and is tried with the next one.
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

impl LocalSeat {
    /// Where clients reach the member of this node.
    pub fn client_address(&self) -> Option<String> {
        self.engine.as_ref().map(|engine| https(self.address, engine.client_port))
    }

    /// Where the other members reach it.
    pub fn peer_address(&self) -> Option<String> {
        self.engine.as_ref().map(|engine| https(self.address, engine.peer_port))
    }
}

pub(crate) fn https(address: IpAddr, port: u16) -> String {
    format!("https://{}", SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_of_a_kind_are_kept_aside() {
        let root = tempfile::tempdir().unwrap();
        let [var, run, log] = ["var", "run", "log"].map(|name| root.path().join(name));
        let place = ClusterPlace { var, run, log, group: None };
        for _ in 0..7 {
            std::fs::create_dir_all(place.directory().join("etcd/n1")).unwrap();
            place.set_engine_aside().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        place.set_engine_aside().unwrap();
        assert_eq!(std::fs::read_dir(place.directory().join("aside")).unwrap().count(), ASIDE);
    }
}
