//! One ledger on disk: appended to under a lock, read again when another process has changed it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use holding::{
    HoldingRecord, HoldingScope, HoldingStage, LedgerContent, LedgerDamage, LedgerEvent, LedgerHeader, VERSION,
    encode_event, encode_header, replay,
};

/// One file of a ledger.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    scope: HoldingScope,
    boot: Option<String>,
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    content: LedgerContent,
    /// The file that `content` was read from: its inode and its length.
    read: Option<(u64, u64)>,
    /// Whether the file is of an earlier boot, so that nothing of it counts.
    void: bool,
    open: Option<File>,
}

impl LedgerFile {
    pub(super) fn new(path: &Path, scope: HoldingScope) -> LedgerFile {
        let boot = (scope == HoldingScope::Boot).then(kernel::clock::boot_id).flatten();
        LedgerFile { path: path.to_owned(), scope, boot, state: Mutex::default() }
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
        // After damage the last line may be cut off: this one must not become a part of it.
        let start = if state.content.damage.is_some() { "\n" } else { "" };
        let events = make(&state.content);
        let text: String = events.iter().map(encode_event).collect();
        let written = (&file.0).write_all(format!("{start}{text}").as_bytes());
        let length = file.0.metadata().and_then(|found| written.map(|()| found));
        // If it failed, how much of it is there is not known: then the file is read again.
        state.read = None;
        let found = length?;
        if synced && self.scope == HoldingScope::Persistent {
            file.0.sync_data()?;
        }
        events.into_iter().for_each(|event| state.content.apply(event));
        (state.read, state.open) = (Some((found.ino(), found.len())), file.into_inner());
        Ok(())
    }

    /// Writes the ledger anew without what is not held any more; an empty one is removed. With `mend`, what was damaged is given up.
    pub(super) fn compact(&self, mend: bool) -> io::Result<()> {
        let mut state = self.state();
        if !self.path.exists() {
            return Ok(());
        }
        let _locked = self.locked(&mut state)?;
        if state.content.damage.is_none() || mend {
            match state.content.records.is_empty() {
                true => fs::remove_file(&self.path)?,
                false => self.replace(&state.content)?,
            }
            *state = FileState::default();
        }
        Ok(())
    }

    /// Puts a ledger of this content in the place of the one that is there.
    fn replace(&self, content: &LedgerContent) -> io::Result<()> {
        let beside = self.beside(content)?;
        fs::rename(&beside, &self.path)?;
        self.sync_directory()
    }

    /// Makes a ledger without events, unless another process made one meanwhile.
    fn create(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let beside = self.beside(&LedgerContent { next: 1, ..LedgerContent::default() })?;
        let linked = fs::hard_link(&beside, &self.path);
        fs::remove_file(&beside)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => self.sync_directory(),
        }
    }

    /// A whole ledger under a name of this process: a reader never sees one without its first line.
    fn beside(&self, content: &LedgerContent) -> io::Result<PathBuf> {
        let header = LedgerHeader { ledger: VERSION, boot: self.boot.clone(), next: content.next };
        let mut text = encode_header(&header);
        for HoldingRecord { rid, number, stage, holding } in content.records.iter().cloned() {
            text.push_str(&encode_event(&LedgerEvent::Intended { number, rid, holding: holding.clone() }));
            let stage = match stage {
                HoldingStage::Intended => continue,
                HoldingStage::Held => LedgerEvent::Held { number, holding },
                HoldingStage::Undone => LedgerEvent::Undone { number },
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
                None => self.open()?,
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
                self.create()?;
                open()
            }
            opened => opened,
        }
    }

    fn refresh(&self, state: &mut FileState) {
        let found = match fs::metadata(&self.path) {
            Ok(found) => (found.ino(), found.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (state.content, state.read, state.void) = (LedgerContent::default(), None, false);
                return;
            }
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
                }
                state.read = Some((found.0, bytes.len() as u64));
            }
            Err(error) => self.unreadable(state, &error),
        }
    }

    fn unreadable(&self, state: &mut FileState, error: &io::Error) {
        let damage = LedgerDamage::File(format!("it cannot be read: {error}"));
        state.content = LedgerContent { damage: Some(damage), ..LedgerContent::default() };
        (state.read, state.void) = (None, false);
    }
}

/// An open file with a lock, which ends with this value.
struct LockedFile(File);

impl LockedFile {
    /// Ends the lock and keeps the file. If the lock cannot be ended, it ends with the file.
    fn into_inner(self) -> Option<File> {
        Some(self.0).filter(|file| file.unlock().is_ok())
    }
}
