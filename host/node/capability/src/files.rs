//! `wit/files.wit`: files and directories.

use std::path::Path;

use driver::Verb;
use grant::Permit;
use grant::op::{GiveToGroup, ReadPath, SetIdFile, WritePath, WriteTree};
use holding::{FileHolding, Holding};
use kernel::files::ownership::{self, OwnershipTerms};
use kernel::files::{self, FileLifetime};
use kernel::process::UserAccount;

use crate::argument::absolute;
use crate::holdings::ResourceLedger;
use crate::{CallContext, CapabilityError, Effect};

/// The largest file that a driver may read or write.
const MAX_CONTENT: u64 = 16 * 1024 * 1024;

/// The result of stat(2), as `metadata` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMetadata {
    /// `file`, `directory`, `symlink`, `block`, `char`, `fifo` or `socket`.
    pub kind: &'static str,
    /// In bytes.
    pub size: u64,
    /// The permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// The name of the owner, if the number has one.
    pub user: Option<String>,
    /// The name of the group, if the number has one.
    pub group: Option<String>,
    /// The number of the file system.
    pub device: u64,
    /// The number of the file in its file system.
    pub inode: u64,
}

/// Looks at the path itself, without following a link at its end. None if nothing is there.
pub async fn stat(context: &CallContext, path: &str) -> Result<Option<FileMetadata>, CapabilityError> {
    let path = absolute(path)?;
    let look = |permit: Permit<ReadPath>| Ok(Effect::Nothing(files::stat(&permit.op().path)?));
    let admitted = context.admit(ReadPath { path: path.clone() })?;
    let Some(stat) = admitted.blocking_at(&path, look).await? else { return Ok(None) };
    context.note_look(&path, (stat.device, stat.inode));
    let (user, group) = owner(context, stat.uid, stat.gid).await?;
    Ok(Some(FileMetadata {
        kind: stat.kind.as_str(),
        size: stat.size,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        user,
        group,
        device: stat.device,
        inode: stat.inode,
    }))
}

/// The names of a user and a group. The look-up may ask a directory service over the network, so it runs on a thread. Root's
/// names are known, and by far the most frequent.
async fn owner(context: &CallContext, uid: u32, gid: u32) -> Result<(Option<String>, Option<String>), CapabilityError> {
    if (uid, gid) == (0, 0) {
        let root = || Some("root".to_owned());
        return Ok((root(), root()));
    }
    let names = move || (ownership::user_name(uid), ownership::group_name(gid));
    context.aside(format!("the names of user {uid} and group {gid}"), names).await
}

/// The path with all links followed. None if nothing is there.
pub async fn real_path(context: &CallContext, path: &str) -> Result<Option<String>, CapabilityError> {
    let path = absolute(path)?;
    let grants = context.grants().clone();
    let follow = move |permit: Permit<ReadPath>| {
        let real = files::real_path(&permit.op().path)?.map(|real| real.to_string_lossy().into_owned());
        if let Some(real) = &real {
            grants.learn_path(&permit, real);
        }
        Ok(Effect::Nothing(real))
    };
    context.admit(ReadPath { path: path.clone() })?.blocking_at(&path, follow).await
}

/// Reads the whole content.
pub async fn read(context: &CallContext, path: &str) -> Result<Vec<u8>, CapabilityError> {
    let path = absolute(path)?;
    let read = |permit: Permit<ReadPath>| Ok(Effect::Nothing(files::read(&permit.op().path, MAX_CONTENT)?));
    context.admit(ReadPath { path: path.clone() })?.blocking_at(&path, read).await
}

/// Lists the names in a directory, sorted.
pub async fn list_directory(context: &CallContext, path: &str) -> Result<Vec<String>, CapabilityError> {
    let path = absolute(path)?;
    let list = |permit: Permit<ReadPath>| Ok(Effect::Nothing(files::list_directory(&permit.op().path)?));
    context.admit(ReadPath { path: path.clone() })?.blocking_at(&path, list).await
}

/// Replaces the content. A new file gets `mode`.
pub async fn write(context: &CallContext, path: &str, content: Vec<u8>, mode: u32) -> Result<(), CapabilityError> {
    let path = absolute(path)?;
    check_mode(mode)?;
    if mode & files::SET_ID != 0 {
        may_set_id(context, &path)?;
    }
    if content.len() as u64 > MAX_CONTENT {
        return Err(CapabilityError::Invalid(format!("more than {MAX_CONTENT} bytes for {}", path.display())));
    }
    let volatile = path.starts_with(&context.paths().instance.rundir);
    let lifetime = if volatile { FileLifetime::UntilReboot } else { FileLifetime::Durable };
    let ledger = is_lasting(context, &path).then(|| context.ledger());
    let write = move |permit: Permit<WritePath>| {
        let path = &permit.op().path;
        let held = FileHolding { path: path.to_string_lossy().into_owned() };
        // Noted before the write. If the write fails, the note stays intended, as it is not known
        // how much of the file is there.
        let note = ledger.map(|ledger| ledger.intend_once(held.clone())).transpose()?.flatten();
        files::write(path, &content, mode, lifetime)?;
        if let Some(note) = note {
            note.held(held);
        }
        Ok(Effect::Touched(()))
    };
    context.admit(WritePath { path: path.clone() })?.noting("mode", format!("{mode:o}")).blocking_at(&path, write).await
}

/// Makes a sparse file of `size` bytes, or grows a smaller one.
pub async fn allocate(context: &CallContext, path: &str, size: u64) -> Result<(), CapabilityError> {
    let op = WritePath { path: absolute(path)? };
    // off_t of the kernel is signed.
    if i64::try_from(size).is_err() {
        return Err(CapabilityError::Invalid(format!("{size} bytes are more than a file can have")));
    }
    let allocated = context.admit(op)?.blocking(move |permit| {
        let grown = files::allocate(&permit.op().path, size)?;
        Ok(Effect::of(grown, ()))
    });
    allocated.await
}

/// Makes a directory and the missing ones above it. Returns true if it made any.
pub async fn make_directory(context: &CallContext, path: &str, mode: u32) -> Result<bool, CapabilityError> {
    let op = WritePath { path: absolute(path)? };
    check_mode(mode)?;
    let made = move |permit: Permit<WritePath>| Ok(Effect::whether(files::make_directory(&permit.op().path, mode)?));
    context.admit(op)?.noting("mode", format!("{mode:o}")).blocking(made).await
}

/// Removes a file or an empty directory. Returns false if there was nothing.
pub async fn remove(context: &CallContext, path: &str) -> Result<bool, CapabilityError> {
    let path = absolute(path)?;
    let ledger = context.ledger();
    let remove = move |permit: Permit<WritePath>| {
        let removed = files::remove(&permit.op().path)?;
        // Also where nothing was: another hand has removed it then, and it is not held any more.
        forget_below(&ledger, &permit.op().path);
        Ok(Effect::whether(removed))
    };
    context.admit(WritePath { path: path.clone() })?.blocking_at(&path, remove).await
}

/// Removes a directory and everything below it, without leaving its file system. Returns false if there was nothing.
pub async fn remove_tree(context: &CallContext, path: &str) -> Result<bool, CapabilityError> {
    let op = WriteTree { path: absolute(path)? };
    let ledger = context.ledger();
    let remove = move |permit: Permit<WriteTree>| {
        let removed = files::remove_tree(&permit.op().path)?;
        forget_below(&ledger, &permit.op().path);
        Ok(Effect::whether(removed))
    };
    context.admit(op)?.blocking(remove).await
}

/// Whether a file that is written there is a holding: a start made it, outside of the directories of the object.
fn is_lasting(context: &CallContext, path: &Path) -> bool {
    let paths = context.paths();
    let own = [&paths.instance.rundir, &paths.statedir, &paths.instance.config].iter().any(|own| path.starts_with(own));
    context.verb() == Verb::Start && !own
}

fn forget_below(ledger: &ResourceLedger, path: &Path) {
    ledger.released(|held| matches!(held, Holding::File(file) if Path::new(&file.path).starts_with(path)));
}

/// Sets the mode, as chmod(2).
pub async fn set_mode(context: &CallContext, path: &str, mode: u32) -> Result<(), CapabilityError> {
    let op = WritePath { path: absolute(path)? };
    check_mode(mode)?;
    let looked_at = context.looked_at(&op.path);
    let set_id = mode & files::SET_ID != 0 && may_set_id(context, &op.path).is_ok();
    let terms = OwnershipTerms { looked_at, set_id };
    let set = move |permit: Permit<WritePath>| Ok(Effect::of(ownership::set_mode(&permit.op().path, mode, terms)?, ()));
    let path = op.path.clone();
    let set = context.admit(op)?.noting("mode", format!("{mode:o}")).blocking(set).await;
    // The permit for this change has discarded all looks. But the file is still the one that the driver looked at, and
    // it may change its owner next.
    looked_at.filter(|_| set.is_ok()).inspect(|file| context.note_look(&path, *file));
    set
}

/// Sets the owner and the group, as chown(2). Each is a name or a number; None leaves it as it is.
pub async fn set_owner(
    context: &CallContext,
    path: &str,
    user: Option<String>,
    group: Option<String>,
) -> Result<(), CapabilityError> {
    let op = WritePath { path: absolute(path)? };
    let (looked_at, path) = (context.looked_at(&op.path), op.path.clone());
    let terms = OwnershipTerms { looked_at, set_id: false };
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let admitted = context.admit(op)?.noting("owner", format!("{}:{}", part(&user), part(&group)));
    if let Some(group) = &group {
        may_give_to_group(context, &path, user.clone(), group).await?;
    }
    let set = admitted.blocking(move |permit| {
        let uid = user.as_deref().map(ownership::uid_of).transpose()?;
        let gid = group.as_deref().map(ownership::gid_of).transpose()?;
        Ok(Effect::of(ownership::set_owner(&permit.op().path, uid, gid, terms)?, ()))
    });
    let set = set.await;
    looked_at.filter(|_| set.is_ok()).inspect(|file| context.note_look(&path, *file));
    set
}

/// Whether a file may run as its owner or its group, whoever runs it. In other namespaces than `root` none may.
fn may_set_id(context: &CallContext, path: &Path) -> Result<(), CapabilityError> {
    if !context.is_of_root() {
        return Err(CapabilityError::Denied("a set-user-id file, which no namespace but root may have".to_owned()));
    }
    // Dropped unused, it leaves no record: the write itself is what the audit shows.
    context.admit(SetIdFile { path: path.to_owned() }).map(drop)
}

/// Whether a file may be given to a group. Outside of the namespace `root`, that is one of its owner's own, or one that the grants name:
/// a set-group-id directory gives its group to all that is made in it.
async fn may_give_to_group(
    context: &CallContext,
    path: &Path,
    owner: Option<String>,
    group: &str,
) -> Result<(), CapabilityError> {
    if context.is_of_root() {
        return Ok(());
    }
    let (asked, at) = (group.to_owned(), path.to_owned());
    let is_own = move || {
        let of_now = || files::stat(&at).map(|found| found.map(|found| found.uid.to_string()));
        let owner = owner.map_or_else(of_now, |owner| Ok(Some(owner)))?;
        owner.map_or(Ok(false), |owner| UserAccount::owns_group(Some(&owner), &asked))
    };
    let is_own: Result<bool, kernel::KernelError> = context.aside(format!("the groups of {group}"), is_own).await?;
    if is_own? {
        return Ok(());
    }
    context.admit(GiveToGroup { path: path.to_owned(), group: group.to_owned() }).map(drop)
}

fn check_mode(mode: u32) -> Result<(), CapabilityError> {
    if mode & !files::PERMISSIONS != 0 {
        return Err(CapabilityError::Invalid(format!("{mode:o} is not a mode: expected at most 7777")));
    }
    Ok(())
}
