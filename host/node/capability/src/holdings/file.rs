//! One ledger on disk: appended to under a lock, read again when another process has changed it.
//!
//! That of the boot scope has a second name in another directory, a hard link. After an operator has removed the file, it
//! is found again by that name, and a file that was put in its place counts as damage. So does one that was cut short at its end: its
//! length stands in a file beside the second name. Otherwise the agent would forget what is held.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use holding::{
    HoldingRecord, HoldingScope, HoldingStage, LedgerContent, LedgerDamage, LedgerEvent, LedgerHeader,
    LedgerNamespaces, VERSION, encode_event, encode_header, replay,
};

/// One file of a ledger.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    /// Its second name.
    link: Option<PathBuf>,
    /// Where its length is written down.
    length: Option<PathBuf>,
    scope: HoldingScope,
    boot: Option<String>,
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    content: LedgerContent,
    /// The file that `content` was read from.
    read: Option<FileMark>,
    /// Whether the file is of an earlier boot, so that nothing of it counts.
    void: bool,
    open: Option<File>,
    /// The file in which its length is written down.
    length: Option<File>,
}

/// A file as it was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileMark {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl FileMark {
    fn of(found: &Metadata) -> FileMark {
        FileMark { inode: found.ino(), length: found.len(), modified: (found.mtime(), found.mtime_nsec()) }
    }
}

impl LedgerFile {
    /// That of what a boot ends.
    pub(super) fn of_boot(path: &Path, link: &Path) -> LedgerFile {
        // No object has a name that begins with a dot.
        let name = link.file_name().map(|name| format!(".length.{}", name.to_string_lossy()));
        LedgerFile {
            path: path.to_owned(),
            link: Some(link.to_owned()),
            length: name.map(|name| link.with_file_name(name)),
            scope: HoldingScope::Boot,
            boot: kernel::clock::boot_id(),
            state: Mutex::default(),
        }
    }

    /// That of what outlives a boot.
    pub(super) fn persistent(path: &Path) -> LedgerFile {
        let (path, scope) = (path.to_owned(), HoldingScope::Persistent);
        LedgerFile { path, link: None, length: None, scope, boot: None, state: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn state(&self) -> MutexGuard<'_, FileState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says now. A file that cannot be read is damage, as something may stand in it.
    pub(super) fn read<T>(&self, see: impl FnOnce(&LedgerContent) -> T) -> T {
        let mut state = self.state();
        self.refresh(&mut state);
        see(&state.content)
    }

    /// Appends the events that `make` makes of what the ledger says, all in one write. Of the persistent scope, `synced` returns when
    /// they are on disk.
    pub(super) fn append(&self, synced: bool, make: impl FnOnce(&LedgerContent) -> Vec<LedgerEvent>) -> io::Result<()> {
        let mut state = self.state();
        let file = self.locked(&mut state)?;
        // This process cannot see what the ledger speaks of, so that it may take nothing out, and mix nothing new in.
        if let Some(damage @ LedgerDamage::Elsewhere(_)) = &state.content.damage {
            return Err(io::Error::other(damage.to_string()));
        }
        // After damage the last line may be cut off: this one must not become a part of it.
        let start = if state.content.damage.is_some() { "\n" } else { "" };
        let events = make(&state.content);
        let text: String = events.iter().map(encode_event).collect();
        let written = (&file.0).write_all(format!("{start}{text}").as_bytes());
        let length = file.0.metadata().and_then(|found| written.map(|()| found));
        // If it failed, how much of it is there is not known: then the file is read again.
        state.read = None;
        let found = length?;
        self.note_length(&mut state.length, found.ino(), found.len());
        if synced && self.scope == HoldingScope::Persistent {
            file.0.sync_data()?;
        }
        events.into_iter().for_each(|event| state.content.apply(event));
        (state.read, state.open) = (Some(FileMark::of(&found)), file.into_inner());
        Ok(())
    }

    /// Writes the ledger anew without what is not held any more; an empty one is removed. A damaged one is left alone.
    pub(super) fn compact(&self) -> io::Result<()> {
        self.rewrite(|content| content.damage.is_none())
    }

    /// Writes the ledger anew without these records. What was damaged is given up.
    pub(super) fn give_up(&self, given_up: impl Fn(&HoldingRecord) -> bool) -> io::Result<()> {
        self.rewrite(|content| {
            content.records.retain(|record| !given_up(record));
            true
        })
    }

    fn rewrite(&self, change: impl FnOnce(&mut LedgerContent) -> bool) -> io::Result<()> {
        let mut state = self.state();
        if !self.exists() {
            return Ok(());
        }
        let _locked = self.locked(&mut state)?;
        if change(&mut state.content) {
            match state.content.records.is_empty() {
                true => self.remove()?,
                false => self.replace(&state.content)?,
            }
            *state = FileState::default();
        }
        Ok(())
    }

    fn exists(&self) -> bool {
        self.path.exists() || self.link.as_ref().is_some_and(|link| link.exists())
    }

    fn remove(&self) -> io::Result<()> {
        // The second name first: alone, it would bring the file back.
        self.link.iter().chain(&self.length).try_for_each(|beside| absent(fs::remove_file(beside)))?;
        fs::remove_file(&self.path)
    }

    /// Puts a ledger of this content in the place of the one that is there.
    fn replace(&self, content: &LedgerContent) -> io::Result<()> {
        let beside = self.beside(content)?;
        fs::rename(&beside, &self.path)?;
        self.link_again()?;
        self.note_new_length();
        self.sync_directory()
    }

    /// Writes down how long the file is, which only grows until another one takes its place. Without that, only a cut at its end goes
    /// unnoticed.
    fn note_length(&self, open: &mut Option<File>, inode: u64, length: u64) {
        let Some(path) = &self.length else { return };
        if open.is_none() {
            *open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).ok();
        }
        // Of a fixed length, so that the numbers of before are always written over.
        let written = open.as_ref().map(|file| file.write_all_at(format!("{inode:020} {length:020}\n").as_bytes(), 0));
        if !matches!(written, Some(Ok(()))) {
            *open = None;
        }
    }

    fn note_new_length(&self) {
        if let Ok(found) = fs::metadata(&self.path) {
            self.note_length(&mut None, found.ino(), found.len());
        }
    }

    /// Whether lines are missing at the end of the file, by its length that was written down.
    fn is_cut_short(&self, found: FileMark) -> bool {
        let Some(path) = &self.length else { return false };
        let noted = || {
            let text = fs::read_to_string(path).ok()?;
            let (inode, length) = text.trim_end().split_once(' ')?;
            let (inode, length): (u64, u64) = (inode.parse().ok()?, length.parse().ok()?);
            (inode == found.inode && length > found.length).then_some(length)
        };
        // Twice: another process may be writing it down at this moment, or may have appended since the file was read.
        noted().is_some_and(|first| {
            let is_as_it_was = fs::metadata(&self.path).is_ok_and(|now| now.len() == found.length);
            is_as_it_was && noted() == Some(first)
        })
    }

    /// Gives the file its second name, which may still be an earlier file's.
    fn link_again(&self) -> io::Result<()> {
        let Some(link) = &self.link else { return Ok(()) };
        link.parent().map_or(Ok(()), fs::create_dir_all)?;
        let beside = link.with_added_extension(std::process::id().to_string());
        let _ = fs::remove_file(&beside);
        fs::hard_link(&self.path, &beside)?;
        let renamed = fs::rename(&beside, link);
        // Two names of one file: then rename(2) does nothing, and leaves both.
        let _ = fs::remove_file(&beside);
        renamed
    }

    /// Makes a ledger without events, unless another process made one meanwhile.
    fn create(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let beside = self.beside(&LedgerContent { next: 1, ..LedgerContent::default() })?;
        // By link(2), which fails if another process has made the ledger meanwhile. rename(2) would replace it, with
        // the lines that are in it.
        let linked = fs::hard_link(&beside, &self.path);
        fs::remove_file(&beside)?;
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => {
                linked.and_then(|()| self.link_again())?;
                self.note_new_length();
                self.sync_directory()
            }
        }
    }

    /// A whole ledger under a name of this process: a reader never sees one without its first line.
    fn beside(&self, content: &LedgerContent) -> io::Result<PathBuf> {
        let of_boot = self.scope == HoldingScope::Boot;
        let header = LedgerHeader {
            ledger: VERSION,
            boot: self.boot.clone(),
            next: content.next,
            namespaces: of_boot.then(own_namespaces).flatten(),
            written: u64::try_from(kernel::clock::boot().as_nanos()).unwrap_or(u64::MAX),
        };
        let mut text = encode_header(&header);
        for HoldingRecord { rid, number, stage, holding } in content.records.iter().cloned() {
            text.push_str(&encode_event(&LedgerEvent::Intended { number, rid, holding: holding.clone() }));
            let stage = match stage {
                HoldingStage::Intended => continue,
                HoldingStage::Held => LedgerEvent::Held { number, holding },
                HoldingStage::Undone => LedgerEvent::Undone { number },
                HoldingStage::LetGo => LedgerEvent::LetGo { number },
                HoldingStage::Left => LedgerEvent::Left { number },
            };
            text.push_str(&encode_event(&stage));
        }
        let beside = self.path.with_added_extension(std::process::id().to_string());
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        if self.scope == HoldingScope::Persistent {
            file.sync_all()?;
        }
        Ok(beside)
    }

    fn sync_directory(&self) -> io::Result<()> {
        match self.path.parent().filter(|_| self.scope == HoldingScope::Persistent) {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    /// The ledger of this boot, read, open and locked against other processes. It is the one that stands at the path: another process
    /// may have replaced the one that was open.
    fn locked(&self, state: &mut FileState) -> io::Result<LockedFile> {
        loop {
            let file = match state.open.take() {
                Some(file) => file,
                None => {
                    // Another process may have removed and made both files since.
                    state.length = None;
                    self.open()?
                }
            };
            file.lock()?;
            let file = LockedFile(file);
            if fs::metadata(&self.path).map(|here| here.ino()).ok() != Some(file.0.metadata()?.ino()) {
                continue;
            }
            self.refresh(state);
            if !state.void {
                return Ok(file);
            }
            self.replace(&LedgerContent { next: 1, ..LedgerContent::default() })?;
        }
    }

    fn open(&self) -> io::Result<File> {
        let open = || OpenOptions::new().append(true).open(&self.path);
        match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if self.found_again()?.is_none() {
                    self.create()?;
                }
                open()
            }
            opened => opened,
        }
    }

    fn refresh(&self, state: &mut FileState) {
        let found = match fs::metadata(&self.path) {
            Ok(found) => FileMark::of(&found),
            Err(error) if error.kind() == ErrorKind::NotFound => match self.found_again() {
                Ok(Some(found)) => found,
                Ok(None) => {
                    (state.content, state.read, state.void) = (LedgerContent::default(), None, false);
                    return;
                }
                Err(error) => return self.unreadable(state, &error),
            },
            Err(error) => return self.unreadable(state, &error),
        };
        if state.read == Some(found) {
            return;
        }
        match fs::read(&self.path) {
            Ok(bytes) => {
                state.content = replay(&bytes);
                state.void =
                    self.scope == HoldingScope::Boot && state.content.boot.is_some() && state.content.boot != self.boot;
                if state.void {
                    state.content = LedgerContent::default();
                } else if state.content.damage.is_none() {
                    state.content.damage = self.doubt(&state.content, found);
                }
                // What another process has appended since is read again.
                state.read = Some(found).filter(|found| found.length == bytes.len() as u64);
            }
            Err(error) => self.unreadable(state, &error),
        }
    }

    /// Brings a file back that a hand has removed, by its second name.
    fn found_again(&self) -> io::Result<Option<FileMark>> {
        let Some(link) = &self.link else { return Ok(None) };
        match fs::hard_link(link, &self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !link.exists() => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::hard_link(link, &self.path)?;
            }
            // Another process was faster.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::metadata(&self.path).map(|found| Some(FileMark::of(&found)))
    }

    /// Why a file that can be read does not say all that is held.
    fn doubt(&self, content: &LedgerContent, found: FileMark) -> Option<LedgerDamage> {
        let link = self.link.as_ref()?;
        let (own, now) = (content.namespaces, own_namespaces());
        if let Some((own, now)) = own.zip(now).filter(|(own, now)| own != now) {
            return Some(LedgerDamage::Elsewhere(if own.net == now.net { "process" } else { "network" }));
        }
        if self.is_cut_short(found) {
            return Some(LedgerDamage::File("it is shorter than it was: lines are missing at its end".to_owned()));
        }
        let is_replaced = fs::metadata(link).is_ok_and(|linked| linked.ino() != found.inode) && {
            // Written anew just now, by an agent that was ended before it gave the file its second name.
            let linked = fs::read(link).map(|bytes| replay(&bytes)).unwrap_or_default();
            linked.boot == content.boot && linked.written >= content.written
        };
        let text = || format!("another file was put in its place: {} is the one that was written", link.display());
        is_replaced.then(text).map(LedgerDamage::File)
    }

    fn unreadable(&self, state: &mut FileState, error: &io::Error) {
        let damage = LedgerDamage::File(format!("it cannot be read: {error}"));
        state.content = LedgerContent { damage: Some(damage), ..LedgerContent::default() };
        (state.read, state.void) = (None, false);
    }
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The namespaces of this process.
fn own_namespaces() -> Option<LedgerNamespaces> {
    // The program stays in those that it was started in.
    static READ: OnceLock<Option<LedgerNamespaces>> = OnceLock::new();
    let inode = |kind: &str| fs::metadata(format!("/proc/self/ns/{kind}")).map(|found| found.ino()).ok();
    *READ.get_or_init(|| Some(LedgerNamespaces { net: inode("net")?, pid: inode("pid")? }))
}

/// An open file with a lock, which ends with this value.
struct LockedFile(File);

impl LockedFile {
    /// Ends the lock and keeps the file. If the lock cannot be ended, it ends with the file.
    fn into_inner(self) -> Option<File> {
        Some(self.0).filter(|file| file.unlock().is_ok())
    }
}
