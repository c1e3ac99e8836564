//! Mounts: looked at, made and taken away.

use std::cell::RefCell;
use std::time::Duration;

use grant::op::{MountFilesystem, MountOption, SeeMount, UnmountTarget};
use holding::{Holding, MountHolding, PreparedMount};
use kernel::block;
use kernel::mount::{self as mounts, mountinfo};

use super::{nfs, options, place};
use crate::argument::absolute;
use crate::holdings::HoldingNote;
use crate::{CallContext, CapabilityError, Effect, holdings};

/// The room in a mounted file system, in bytes.
pub use kernel::mount::FilesystemUsage;

/// A mount, as `mount-entry` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountEntry {
    /// For a device, the name that `block.find` gives it.
    pub source: String,
    /// The directory of the source that is mounted.
    pub root: String,
    /// The directory that it is mounted on.
    pub target: String,
    /// As in /proc/filesystems.
    pub fstype: String,
    /// The options of the mount, then those of the file system.
    pub options: Vec<String>,
}

/// A mount to make, as `request` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// A device, a directory for `bind`, or any word for a file system without a source.
    pub source: String,
    /// The directory to mount it on.
    pub target: String,
    /// As in /proc/filesystems, or `bind`.
    pub fstype: String,
    /// As in mount(8).
    pub options: Vec<String>,
}

impl From<mountinfo::MountInfo> for MountEntry {
    fn from(mount: mountinfo::MountInfo) -> MountEntry {
        MountEntry {
            source: block::canonical_source(&mount.source),
            root: mount.root.to_string_lossy().into_owned(),
            target: mount.target.to_string_lossy().into_owned(),
            fstype: mount.fstype,
            options: mount.options,
        }
    }
}

/// Lists the mounts of `target`, the topmost last.
pub async fn mounts_at(context: &CallContext, target: &str) -> Result<Vec<MountEntry>, CapabilityError> {
    let op = SeeMount { target: absolute(target)? };
    let listed = context.admit(op)?.blocking(|permit| {
        let mounts = mountinfo::mounts_at(&permit.op().target)?.into_iter();
        Ok(Effect::Nothing(mounts.map(MountEntry::from).collect()))
    });
    listed.await
}

/// Whether the kernel knows the file system, or can load it. That is not a secret: every driver may ask, without a grant.
pub async fn supports(_: &CallContext, fstype: &str) -> Result<bool, CapabilityError> {
    check_fstype(fstype)?;
    Ok(mounts::supports(fstype)?)
}

/// Mounts a file system. The target must exist.
pub async fn mount(context: &CallContext, request: MountRequest) -> Result<(), CapabilityError> {
    check_fstype(&request.fstype)?;
    let freedom = context.mount_freedom();
    let op = MountFilesystem {
        fstype: request.fstype,
        source: source(request.source)?,
        target: absolute(&request.target)?,
        options: options::confined(options::read_options(&request.options)?, freedom),
        freedom,
        binds_file: false,
    };
    options::check_group(&op.options, freedom)?;
    options::check_memory(&op.fstype, &op.options, freedom)?;
    let binds_file = op.is_bind() && std::fs::metadata(&op.source).is_ok_and(|found| found.is_file());
    let op = MountFilesystem { binds_file, ..op };
    let (ledger, judge) = (context.ledger(), context.place_judge());
    let shown: Vec<String> = op.options.iter().map(MountOption::text).collect();
    let admitted = context.admit(op)?.noting("options", shown.join(","));
    let mounted = admitted.blocking(move |permit| {
        let op = permit.op();
        // On this thread, because resolving the name of the server may take long.
        let options = nfs::with_address(&op.fstype, &op.source, &op.options)?;
        let note = RefCell::new(None);
        // Only once it exists: what is mounted on the same place by another program later must not be taken for it.
        let intend = |mount: mounts::DetachedMount| -> Result<(), CapabilityError> {
            drop(note.replace(Some(ledger.intend(intended(op, mount))?)));
            Ok(())
        };
        let made = place::mount(&judge, op, &options::words(&options), &intend);
        match (made, note.into_inner()) {
            (Ok(made), note) => {
                if let Some(note) = note {
                    note.held(made_mount(op, &made));
                }
                hold_below(&ledger, op, &made)?;
            }
            // ESTALE may mean that the mount went elsewhere and could not be undone.
            (Err(error @ CapabilityError::Os { errno: ESTALE, .. }), _) => return Err(error),
            (Err(error), note) => {
                note.into_iter().for_each(HoldingNote::nothing);
                return Err(error);
            }
        }
        Ok(Effect::Touched(()))
    });
    mounted.await
}

/// Records what a recursive bind brought along, each mount by itself: none of them goes with the one above it.
fn hold_below(
    ledger: &holdings::ResourceLedger,
    op: &MountFilesystem,
    made: &mounts::MadeMount,
) -> Result<(), CapabilityError> {
    if !op.options.iter().any(|option| option.name == "rbind") {
        return Ok(());
    }
    for info in mountinfo::below(made.info.id)? {
        let signature = holdings::signature_of(&info, None);
        let below = mounts::MadeMount { info, signature };
        ledger.intend(made_mount(op, &below))?.held(made_mount(op, &below));
    }
    Ok(())
}

/// errno(3) of a path that led elsewhere meanwhile.
const ESTALE: i32 = 116;

fn intended(op: &MountFilesystem, mount: mounts::DetachedMount) -> MountHolding {
    let mounts::MountSignature { unique, superblock } = mount.signature;
    MountHolding {
        source: block::canonical_source(&op.source),
        target: op.target.to_string_lossy().into_owned(),
        fstype: kind_of(op),
        prepared: Some(PreparedMount { id: mount.id, unique, superblock }),
        made: None,
    }
}

fn made_mount(op: &MountFilesystem, made: &mounts::MadeMount) -> MountHolding {
    let info = &made.info;
    MountHolding {
        source: block::canonical_source(&info.source),
        target: info.target.to_string_lossy().into_owned(),
        fstype: kind_of(op),
        prepared: None,
        made: Some(holdings::made_identity(info, &made.signature)),
    }
}

/// The type, or `bind`, which options can ask for too.
fn kind_of(op: &MountFilesystem) -> String {
    if op.is_bind() { "bind".to_owned() } else { op.fstype.clone() }
}

/// Unmounts the topmost mount of `target`.
pub async fn unmount(context: &CallContext, target: &str) -> Result<(), CapabilityError> {
    let op = UnmountTarget { target: absolute(target)? };
    let ledger = context.ledger();
    let unmounted = context.admit(op)?.blocking(move |permit| {
        let gone = mounts::unmount_top(&permit.op().target)?;
        ledger.released(|held| matches!(held, Holding::Mount(mount) if holdings::sees(&gone, |sight| mount.is(sight))));
        Ok(Effect::Touched(()))
    });
    unmounted.await
}

/// Calls statfs(2), and gives up after `timeout`.
pub async fn statfs(
    context: &CallContext,
    target: &str,
    timeout: Duration,
) -> Result<FilesystemUsage, CapabilityError> {
    let op = SeeMount { target: absolute(target)? };
    let usage = context.admit(op)?.blocking(|permit| Ok(Effect::Nothing(mounts::statfs(&permit.op().target)?)));
    // Giving up leaves the resource stuck: the thread stays in statfs(2) until a dead server answers.
    tokio::time::timeout(timeout, usage).await.unwrap_or(Err(CapabilityError::TimedOut))
}

/// How many errors the file system on `target` has counted. None if it counts none.
pub async fn errors_of(context: &CallContext, target: &str) -> Result<Option<u64>, CapabilityError> {
    let op = SeeMount { target: absolute(target)? };
    let counted = context.admit(op)?.blocking(|permit| Ok(Effect::Nothing(mounts::errors_of(&permit.op().target)?)));
    counted.await
}

fn check_fstype(fstype: &str) -> Result<(), CapabilityError> {
    // The kernel loads the module `fs-TYPE` for a type that it does not know: so a type is a word and nothing else.
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if fstype.is_empty() || !fstype.chars().all(legal) {
        return Err(CapabilityError::Invalid(format!("{fstype:?} is not a file system type")));
    }
    Ok(())
}

/// Checks a source: a path in its one spelling, or a word that is not a path.
fn source(source: String) -> Result<String, CapabilityError> {
    if source.is_empty() || source.contains('\0') {
        return Err(CapabilityError::Invalid(format!("{source:?} is not a source of a mount")));
    }
    if source.starts_with('/') {
        absolute(&source)?;
    }
    Ok(source)
}
