//! The pools of this node, how much they have, and which volumes came out of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use config::{Document, Pool, PoolKind, PoolUsage};
use exec::blocking;
use model::{ObjectKind, ObjectPath};
use protocol::{PoolDocument, PoolList};

use crate::agent::Agent;
use crate::file::durable;
use crate::{Directories, ObjectFiles};

/// Asks LVM how much a group has.
const VGS: &str = "/sbin/vgs";

/// How long LVM may take to answer: its disks may not.
const PATIENCE: Duration = Duration::from_secs(10);

impl Agent {
    /// The pools of this node.
    pub async fn pools(&self) -> Vec<Pool> {
        let (home, places) = (self.home().clone(), self.node().places.clone());
        blocking(move || {
            let node = document(&home.node_config());
            let cluster = document(&home.config(&ObjectPath::cluster()));
            Pool::all(&[&node, &cluster], &places)
        })
        .await
    }

    /// The pools of this node, with what they have and the volumes that came out of them.
    pub async fn pool_list(&self) -> PoolList {
        let home = self.home().clone();
        let volumes = blocking(move || volumes(&home)).await;
        let mut list = PoolList::default();
        for pool in self.pools().await {
            let usage = usage_of(&pool).await;
            let (usage, error) = match usage {
                Ok(usage) => (usage, None),
                Err(error) => (None, Some(error)),
            };
            let own = volumes.iter().filter(|(_, of)| *of == pool.name).map(|(volume, _)| volume.clone());
            list.pools.push(PoolDocument {
                name: pool.name.clone(),
                kind: pool.kind.as_str().to_owned(),
                head: pool.kind.head(),
                capabilities: pool.capabilities().into_iter().map(str::to_owned).collect(),
                size: usage.map(|usage| usage.size),
                free: usage.map(|usage| usage.free),
                volumes: own.collect(),
                error,
            });
        }
        list
    }
}

/// The volumes of this node, each with the name of its pool. Blocks.
fn volumes(home: &Directories) -> Vec<(ObjectPath, String)> {
    let objects = ObjectFiles::of(home).list().unwrap_or_default();
    let volumes = objects.into_iter().filter(|object| object.kind() == ObjectKind::Vol);
    let pool = |object: ObjectPath| {
        let document = Document::parse(ObjectFiles::of(home).text(&object).ok()?);
        let pool = document.get(config::DEFAULT, "pool")?.to_owned();
        Some((object, pool))
    };
    volumes.filter_map(pool).collect()
}

fn document(path: &Path) -> Document {
    let content = durable::read(path).ok().flatten().unwrap_or_default();
    Document::parse(String::from_utf8_lossy(&content))
}

/// How much a pool has. None if that cannot be said. The error says why it is of no use now.
pub(super) async fn usage_of(pool: &Pool) -> Result<Option<PoolUsage>, String> {
    match &pool.kind {
        PoolKind::Directory { path } | PoolKind::Shm { path } | PoolKind::Loop { path } => {
            let path = PathBuf::from(path);
            blocking(move || of_directory(&path)).await.map(Some)
        }
        PoolKind::Vg { name } => of_group(name).await.map(Some),
        PoolKind::Drbd { vg } => of_group(vg).await.map(Some),
        PoolKind::Virtual { .. } => Ok(None),
    }
}

/// The file system of the directory, or of the one above it that exists.
fn of_directory(path: &Path) -> Result<PoolUsage, String> {
    // The directory is made with its first volume.
    let existing = path.ancestors().find(|above| above.is_dir()).unwrap_or(path);
    let usage = kernel::mount::statfs(existing).map_err(|error| format!("cannot be measured: {error}"))?;
    Ok(PoolUsage { size: usage.total, free: usage.free })
}

async fn of_group(name: &str) -> Result<PoolUsage, String> {
    // --readonly reads the metadata without a lock (lvm(8)), so that a command of LVM that
    // hangs does not hang this one too.
    let asking = tokio::process::Command::new(VGS)
        .args(["--readonly", "--noheadings", "--nosuffix", "--units", "b", "-o", "vg_size,vg_free", "--", name])
        // Nothing of the caller's environment: variables such as LVM_SYSTEM_DIR lead lvm(8) to another configuration.
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    let answer = answer.map_err(|_| format!("has a group {name} that LVM does not report within {PATIENCE:?}"))?;
    let answer = answer.map_err(|error| format!("needs LVM: {VGS}: {error}"))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(size), Some(free)) => Ok(PoolUsage { size, free }),
        _ => Err(format!("has no volume group {name} here")),
    }
}
