//! `wit/mount.wit`: file systems in the directory tree.

use std::time::Duration;

use grant::op::{MountFilesystem, SeeMount, UnmountTarget};
use kernel::{block, mount as mounts, mountinfo};

use crate::argument::absolute;
use crate::{Effect, Error, Scope, nfs};

/// A mount, as `mount-entry` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountEntry {
    /// Devices under the name that `block.find` gives them.
    pub source: String,
    /// The directory of the source that is mounted.
    pub root: String,
    /// Where.
    pub target: String,
    /// As in /proc/filesystems.
    pub fstype: String,
    /// Those of the mount, then those of the file system.
    pub options: Vec<String>,
}

/// What to mount, as `request` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A device, a directory for `bind`, or any word for file systems without a source.
    pub source: String,
    /// Where.
    pub target: String,
    /// As in /proc/filesystems, or `bind`.
    pub fstype: String,
    /// As in mount(8).
    pub options: Vec<String>,
}

/// Room in a mounted file system, in bytes.
pub use kernel::mount::Usage;

/// What is mounted at `target`, the topmost last.
pub async fn mounts_at(scope: &Scope, target: &str) -> Result<Vec<MountEntry>, Error> {
    let op = SeeMount { target: absolute(target)? };
    scope
        .look(op, |permit| Ok(mountinfo::mounts_at(&permit.op().target)?.into_iter().map(MountEntry::from).collect()))
        .await
}

impl From<mountinfo::MountEntry> for MountEntry {
    fn from(entry: mountinfo::MountEntry) -> MountEntry {
        MountEntry {
            source: block::canonical_source(&entry.source),
            root: entry.root.to_string_lossy().into_owned(),
            target: entry.target.to_string_lossy().into_owned(),
            fstype: entry.fstype,
            options: entry.options,
        }
    }
}

/// Whether the kernel knows the file system, or can load it. What the kernel knows is no secret: every driver may ask.
pub async fn supports(_: &Scope, fstype: &str) -> Result<bool, Error> {
    fstype_word(fstype)?;
    Ok(mounts::supports(fstype)?)
}

/// Mounts. The target must exist.
pub async fn mount(scope: &Scope, request: Request) -> Result<(), Error> {
    fstype_word(&request.fstype)?;
    let op = MountFilesystem {
        fstype: request.fstype,
        source: source(request.source)?,
        target: absolute(&request.target)?,
        // One word an option: a grant must not see less in them than the kernel will.
        options: request.options.iter().flat_map(|list| mountinfo::split_options(list)).collect(),
    };
    scope
        .change(op, |permit| {
            let op = permit.op();
            mounts::mount(mounts::Request {
                source: &op.source,
                target: &op.target,
                fstype: &op.fstype,
                options: &nfs::with_address(&op.fstype, &op.source, &op.options)?,
            })?;
            Ok(Effect::Touched(()))
        })
        .await
}

/// Unmounts the topmost mount of `target`.
pub async fn unmount(scope: &Scope, target: &str) -> Result<(), Error> {
    let op = UnmountTarget { target: absolute(target)? };
    scope.change(op, |permit| Ok(Effect::Touched(mounts::unmount_top(&permit.op().target)?))).await
}

/// statfs(2), given up after `timeout`.
pub async fn statfs(scope: &Scope, target: &str, timeout: Duration) -> Result<Usage, Error> {
    let op = SeeMount { target: absolute(target)? };
    let usage = scope.look(op, |permit| Ok(mounts::statfs(&permit.op().target)?));
    tokio::time::timeout(timeout, usage).await.unwrap_or(Err(Error::TimedOut))
}

fn fstype_word(fstype: &str) -> Result<(), Error> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if fstype.is_empty() || !fstype.chars().all(legal) {
        return Err(Error::Invalid(format!("{fstype:?} is no file system type")));
    }
    Ok(())
}

/// A path in its one spelling, or a word that is none.
fn source(source: String) -> Result<String, Error> {
    if source.is_empty() || source.contains('\0') {
        return Err(Error::Invalid(format!("{source:?} is no source of a mount")));
    }
    if source.starts_with('/') {
        absolute(&source)?;
    }
    Ok(source)
}
