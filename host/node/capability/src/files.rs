//! `wit/files.wit`: files and directories.

use grant::Permit;
use grant::op::{ReadPath, WritePath, WriteTree};
use kernel::{files, ownership};

use crate::argument::absolute;
use crate::{Effect, Error, Scope};

/// The largest file that a driver may read, and write, at once.
const MAX_CONTENT: u64 = 16 * 1024 * 1024;

/// What stat(2) says, as `metadata` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `file`, `directory`, `symlink`, `block`, `char`, `fifo` or `socket`.
    pub kind: &'static str,
    /// Bytes.
    pub size: u64,
    /// The permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The owner's name, if there is one.
    pub user: Option<String>,
    /// The group's name, if there is one.
    pub group: Option<String>,
    /// The number of the file system.
    pub device: u64,
    /// The number of the file in it.
    pub inode: u64,
}

/// Of the path itself, or none if there is nothing.
pub async fn stat(scope: &Scope, path: &str) -> Result<Option<Metadata>, Error> {
    let path = absolute(path)?;
    let look = |permit: Permit<ReadPath>| Ok(files::stat(&permit.op().path)?);
    let Some(stat) = scope.look_at(&path, ReadPath { path: path.clone() }, look).await? else { return Ok(None) };
    let (user, group) = owner(scope, stat.uid, stat.gid).await?;
    Ok(Some(Metadata {
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

/// The names of a user and a group. A directory service may have to be asked for them, but not for root's.
async fn owner(scope: &Scope, uid: u32, gid: u32) -> Result<(Option<String>, Option<String>), Error> {
    if (uid, gid) == (0, 0) {
        let root = || Some("root".to_owned());
        return Ok((root(), root()));
    }
    let names = move || (ownership::user_name(uid), ownership::group_name(gid));
    scope.aside(format!("the names of user {uid} and group {gid}"), names).await
}

/// The whole content.
pub async fn read(scope: &Scope, path: &str) -> Result<Vec<u8>, Error> {
    let path = absolute(path)?;
    scope
        .look_at(&path, ReadPath { path: path.clone() }, |permit| Ok(files::read(&permit.op().path, MAX_CONTENT)?))
        .await
}

/// The names in a directory, sorted.
pub async fn list_directory(scope: &Scope, path: &str) -> Result<Vec<String>, Error> {
    let path = absolute(path)?;
    scope.look_at(&path, ReadPath { path: path.clone() }, |permit| Ok(files::list_directory(&permit.op().path)?)).await
}

/// Replaces the content. A new file gets `mode`.
pub async fn write(scope: &Scope, path: &str, content: Vec<u8>, mode: u32) -> Result<(), Error> {
    let path = absolute(path)?;
    permissions(mode)?;
    if content.len() as u64 > MAX_CONTENT {
        return Err(Error::Invalid(format!("more than {MAX_CONTENT} bytes for {}", path.display())));
    }
    let op = WritePath { path: path.clone() };
    let write = move |permit: Permit<WritePath>| Ok(Effect::Touched(files::write(&permit.op().path, &content, mode)?));
    scope.change_at(&path, op, write).await
}

/// Makes a sparse file of `size` bytes, or grows a smaller one.
pub async fn allocate(scope: &Scope, path: &str, size: u64) -> Result<(), Error> {
    let op = WritePath { path: absolute(path)? };
    if i64::try_from(size).is_err() {
        return Err(Error::Invalid(format!("{size} bytes are more than a file can have")));
    }
    scope.change(op, move |permit| Ok(told(files::allocate(&permit.op().path, size)?, ()))).await
}

/// Makes a directory and the missing ones above it. True if it made any.
pub async fn make_directory(scope: &Scope, path: &str, mode: u32) -> Result<bool, Error> {
    let op = WritePath { path: absolute(path)? };
    permissions(mode)?;
    scope.change(op, move |permit| Ok(whether(files::make_directory(&permit.op().path, mode)?))).await
}

/// Removes a file or an empty directory. False if there was nothing.
pub async fn remove(scope: &Scope, path: &str) -> Result<bool, Error> {
    let path = absolute(path)?;
    let op = WritePath { path: path.clone() };
    scope.change_at(&path, op, |permit| Ok(whether(files::remove(&permit.op().path)?))).await
}

/// Removes a directory and everything below it, without leaving its file system. False if there was nothing.
pub async fn remove_tree(scope: &Scope, path: &str) -> Result<bool, Error> {
    let op = WriteTree { path: absolute(path)? };
    scope.change(op, |permit| Ok(whether(files::remove_tree(&permit.op().path)?))).await
}

/// chmod(2).
pub async fn set_mode(scope: &Scope, path: &str, mode: u32) -> Result<(), Error> {
    let op = WritePath { path: absolute(path)? };
    permissions(mode)?;
    scope.change(op, move |permit| Ok(told(ownership::set_mode(&permit.op().path, mode)?, ()))).await
}

/// chown(2). Names or numbers; none leaves it.
pub async fn set_owner(scope: &Scope, path: &str, user: Option<String>, group: Option<String>) -> Result<(), Error> {
    let op = WritePath { path: absolute(path)? };
    scope
        .change(op, move |permit| {
            let uid = user.as_deref().map(ownership::uid_of).transpose()?;
            let gid = group.as_deref().map(ownership::gid_of).transpose()?;
            Ok(told(ownership::set_owner(&permit.op().path, uid, gid)?, ()))
        })
        .await
}

fn permissions(mode: u32) -> Result<(), Error> {
    if mode & !files::PERMISSIONS != 0 {
        return Err(Error::Invalid(format!("{mode:o} is no mode: expected at most 7777")));
    }
    Ok(())
}

/// For functions that say whether they found anything to do.
fn whether(touched: bool) -> Effect<bool> {
    told(touched, touched)
}

fn told<T>(touched: bool, value: T) -> Effect<T> {
    if touched { Effect::Touched(value) } else { Effect::Nothing(value) }
}
