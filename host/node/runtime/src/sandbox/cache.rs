//! Compiled components on disk. Only files that the agent's own uid wrote are loaded: the code in them runs as the agent.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::compile;
use super::engine::COMPILER_SETTINGS;

/// A component larger than this is refused before it is compiled, in bytes.
pub const LARGEST: usize = 64 << 20;

/// The end of the name of a file that says how another one looked when its content was last found right.
const SEEN: &str = "seen";

/// A file that was changed so recently may change once more and look the same: the kernel's clock ticks every few milliseconds.
const AT_REST: Duration = Duration::from_secs(1);

/// A draft that is older was left by a process that was killed.
const OLD_DRAFT: Duration = Duration::from_secs(3600);

/// The directory of compiled components.
pub(crate) struct ComponentCache {
    directory: PathBuf,
    compiler: PathBuf,
}

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is too large to be compiled.
    #[error("the component has more than {LARGEST} bytes")]
    TooLarge,
    /// It does not compile.
    #[error("it does not compile: {0}")]
    Compile(String),
    /// Its compiled form does not load.
    #[error("its compiled form does not load")]
    Component(#[source] wasmtime::Error),
    /// Its `describe` failed.
    #[error("it does not describe itself: {0}")]
    Describe(String),
    /// Its imports or exports are not those of the contract.
    #[error("it does not fit the contract: {0}")]
    Contract(String),
    /// Its component cannot be read.
    #[error("its component cannot be read")]
    Read(#[source] io::Error),
    /// Its component is not the one that was installed.
    #[error("its component is {found}, not the {expected} that was installed")]
    Digest {
        /// The digest of what was installed.
        expected: String,
        /// The digest of what is there.
        found: String,
    },
    /// A line of its grants cannot be parsed.
    #[error("it asks for something that is not a grant")]
    Grant(#[source] grant::GrantRequestError),
    /// A line of its grants names a keyword that its manifest lacks: it would never be granted, for no visible reason.
    #[error("its grant {line:?} names {keyword:?}, which is not one of its keywords")]
    Keyword {
        /// The line.
        line: String,
        /// The keyword.
        keyword: String,
    },
    /// The site's policy does not let it run.
    #[error("{0}")]
    Refused(String),
}

impl LoadError {
    pub(crate) fn contract(error: wasmtime::Error) -> LoadError {
        LoadError::Contract(format!("{error:#}"))
    }
}

/// The sha256 of bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ComponentCache {
    pub(crate) fn new(directory: PathBuf, compiler: PathBuf) -> ComponentCache {
        ComponentCache { directory, compiler }
    }

    /// The component, ready to be linked: from the cache, or compiled in a child process and then cached. A cache that cannot be
    /// used costs time, and nothing else.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        let path = self.compiled_path(engine, digest);
        if let Some(component) = self.cached(engine, &path) {
            return Ok(component);
        }
        if bytes.len() > LARGEST {
            return Err(LoadError::TooLarge);
        }
        let compiled = compile::in_child(&self.compiler, bytes).map_err(LoadError::Compile)?;
        // From the file that was just written: the kernel shares its pages between all processes. The copy in memory is for a
        // cache that cannot be written.
        if self.write(&path, &compiled).is_ok()
            && let Some(component) = self.cached(engine, &path)
        {
            return Ok(component);
        }
        from_bytes(engine, &compiled).map_err(LoadError::Component)
    }

    /// The component of an installed file, which must have this digest. Neither the file nor its compiled form is read whole if both
    /// look as they did when they were last found right.
    pub(crate) fn load_file(
        &self,
        engine: &wasmtime::Engine,
        hex: &str,
        path: &Path,
        expected: &str,
    ) -> Result<Component, LoadError> {
        let file = File::open(path).map_err(LoadError::Read)?;
        let seen = file.metadata().map_err(LoadError::Read)?;
        check_ours(path, &seen).map_err(LoadError::Read)?;
        // One stamp for each place: two agents may share a cache.
        let mut hasher = std::hash::DefaultHasher::new();
        path.hash(&mut hasher);
        let stamp = self.directory.join(format!("{hex}-{:016x}.{SEEN}", hasher.finish()));
        if self.is_as_seen(&stamp, &seen)
            && let Some(component) = self.cached(engine, &self.compiled_path(engine, hex))
        {
            return Ok(component);
        }
        let bytes = read(file, expected)?;
        let component = self.load(engine, hex, &bytes)?;
        self.note_seen(&stamp, &seen);
        Ok(component)
    }

    fn compiled_path(&self, engine: &wasmtime::Engine, digest: &str) -> PathBuf {
        self.directory.join(format!("{digest}-{:016x}.cwasm", compatibility(engine)))
    }

    /// Whether a file looks as it did when its stamp was written.
    fn is_as_seen(&self, stamp: &Path, seen: &fs::Metadata) -> bool {
        let own = rustix::process::geteuid().as_raw();
        // Without NONBLOCK, open(2) of a FIFO in its place would wait for a writer.
        let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32;
        let Ok(file) = File::options().read(true).custom_flags(flags).open(stamp) else { return false };
        let is_own =
            file.metadata().is_ok_and(|found| found.is_file() && found.uid() == own && found.mode() & 0o022 == 0);
        let mut text = String::new();
        is_own
            && private(&self.directory, own)
            && file.take(256).read_to_string(&mut text).is_ok()
            && text == look_of(seen)
    }

    /// Remembers how a file looks whose content was found right. It may fail: then the content is looked at again.
    fn note_seen(&self, stamp: &Path, seen: &fs::Metadata) {
        let changed = Duration::new(seen.ctime().max(0).unsigned_abs(), seen.ctime_nsec().max(0) as u32);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // In a directory of others, a stamp could be another user's word that a file is as it was.
        if private(&self.directory, rustix::process::geteuid().as_raw()) && now.saturating_sub(changed) >= AT_REST {
            let _ = self.place(stamp, |file| file.write_all(look_of(seen).as_bytes()));
        }
    }

    /// Removes what belongs to none of these digests, and what processes that were killed have left.
    pub(crate) fn prune(&self, kept: &dyn Fn(&str) -> bool) {
        // What is in a directory of others is not this agent's to remove, whatever its name.
        if !private(&self.directory, rustix::process::geteuid().as_raw()) {
            return;
        }
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_old_draft = || {
                let age = entry.metadata().ok().and_then(|found| found.modified().ok()?.elapsed().ok());
                name.starts_with('.') && age.is_some_and(|age| age > OLD_DRAFT)
            };
            let hex = name.split_once('-').map(|(hex, _)| hex).filter(|hex| is_digest(hex));
            if hex.is_some_and(|hex| !kept(hex)) || is_old_draft() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The cached form. A file that another engine or another user wrote is treated as absent.
    fn cached(&self, engine: &wasmtime::Engine, path: &Path) -> Option<Component> {
        let file =
            // Not through a symbolic link, which may lead to any file of this uid: not each of them is compiled code.
            File::options().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(path).ok()?;
        // All checks are made on the open file, which no other process can replace, and not on its path.
        let seen = file.metadata().ok()?;
        let own = rustix::process::geteuid().as_raw();
        if !seen.is_file() || seen.uid() != own || seen.mode() & 0o022 != 0 || !private(&self.directory, own) {
            return None;
        }
        let stamp = path.with_added_extension(SEEN);
        if !self.is_as_seen(&stamp, &seen) {
            if !intact(&file, seen.len()).is_ok_and(|intact| intact) {
                return None;
            }
            self.note_seen(&stamp, &seen);
        }
        from_file(engine, &file).ok()
    }

    fn write(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        self.place(path, |file| seal(file, compiled))
    }

    fn place(&self, path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        // Written aside and renamed, so that no other process ever loads half a file.
        let draft = self.directory.join(format!(".{}-{:x}", std::process::id(), nonce()));
        let written = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            // Synced before it gets its name: otherwise a power loss could leave an empty file there, and cost a compilation.
            .and_then(|mut file| write(&mut file).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

/// Writes the compiled form, and a checksum behind it: the engine checks only its own headers, and would run whatever a failing
/// disk made of the code between them.
fn seal(file: &mut File, compiled: &[u8]) -> io::Result<()> {
    file.write_all(compiled)?;
    file.write_all(&crc32fast::hash(compiled).to_le_bytes())
}

/// Whether the file is as it was sealed. Read piece by piece: memory for the whole of it costs more than the checksum.
fn intact(file: &File, length: u64) -> io::Result<bool> {
    const SEAL: u64 = size_of::<u32>() as u64;
    let Some(mut left) = length.checked_sub(SEAL) else { return Ok(false) };
    let (mut hasher, mut piece, mut at) = (crc32fast::Hasher::new(), vec![0; 64 << 10], 0);
    while left > 0 {
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read_at(&mut piece[..wanted], at)?;
        if read == 0 {
            return Ok(false);
        }
        hasher.update(&piece[..read]);
        (at, left) = (at + read as u64, left - read as u64);
    }
    let mut seal = [0; SEAL as usize];
    file.read_exact_at(&mut seal, at)?;
    Ok(hasher.finalize().to_le_bytes() == seal)
}

/// Checks that no other user can change an installed component. Whoever installed it has checked the directories above.
fn check_ours(path: &Path, seen: &fs::Metadata) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    let path = path.display();
    let reason = if seen.mode() & 0o022 != 0 {
        let mode = seen.mode() & 0o7777;
        format!("{path} can be written by others (mode {mode:o}): install the driver again, or type chmod go-w {path}")
    } else if ![0, own].contains(&seen.uid()) {
        format!("{path} belongs to another user ({}): install the driver again", seen.uid())
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// Whether no other user can put a file into the directory.
fn private(directory: &Path, own: u32) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|seen| seen.is_dir() && seen.uid() == own && seen.mode() & 0o022 == 0)
}

/// Makes the names of this process's drafts differ.
fn nonce() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A hash of what compiled code must have in common with an engine to run in it, apart from the processor: the engine refuses
/// code for another one, which is then compiled again.
fn compatibility(engine: &wasmtime::Engine) -> u64 {
    // The standard hasher without keys is the same in every process.
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    COMPILER_SETTINGS.hash(&mut hasher);
    hasher.finish()
}

/// Maps the file that was checked, whatever its path names by now.
#[expect(unsafe_code, reason = "the agent wrote this file itself, into a directory that only its own uid can write")]
fn from_file(engine: &wasmtime::Engine, file: &File) -> wasmtime::Result<Component> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the file and its directory belong to this uid and no other user can write them, both checked on what is open; the
    // engine refuses what another version or configuration of itself has compiled.
    unsafe { Component::deserialize_file(engine, path) }
}

#[expect(unsafe_code, reason = "the agent wrote this file itself: these bytes came from its own child process")]
fn from_bytes(engine: &wasmtime::Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes were compiled just now by a child process of this program and have touched no disk.
    unsafe { Component::deserialize(engine, compiled) }
}

/// What tells a file from any other, and from itself after a change.
fn look_of(seen: &fs::Metadata) -> String {
    let (modified, changed) = ((seen.mtime(), seen.mtime_nsec()), (seen.ctime(), seen.ctime_nsec()));
    format!("{} {} {} {modified:?} {changed:?}", seen.dev(), seen.ino(), seen.len())
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads a component's file, and checks its digest.
fn read(file: File, expected: &str) -> Result<Vec<u8>, LoadError> {
    let mut bytes = Vec::new();
    // The limit is on what is read, not on the size that the file claims: it may grow meanwhile.
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(LoadError::Read)?;
    if bytes.len() > LARGEST {
        return Err(LoadError::TooLarge);
    }
    let found = format!("sha256:{}", digest(&bytes));
    if found != expected {
        return Err(LoadError::Digest { expected: expected.to_owned(), found });
    }
    Ok(bytes)
}
