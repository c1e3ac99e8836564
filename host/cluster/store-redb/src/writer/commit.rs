//! Commits, and what follows a failed one: the file is opened again, and shows whether the commit is in it.

use store::{CompactedKeys, FaultKind, RevisionChange, StoreError, StoreFault, StoreHealth};

use super::Writer;
use crate::file::StoreFile;
use crate::medium::StoreMedium;
use crate::{DamageKind, StoreFileError};

/// Something to make durable, then to do to the timeline.
#[derive(Debug)]
pub(super) enum Commit {
    Append(Vec<RevisionChange>),
    Compact { revision: u64, current: u64, forgotten: CompactedKeys },
}

/// How a commit failed.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// It is not in the file.
    Undone(StoreFault),
    /// The file cannot be read. Whether the commit is in it shows when it can be.
    Unknown(StoreFault),
}

impl Commit {
    fn write(&self, file: &StoreFile) -> Result<(), StoreFileError> {
        match self {
            Commit::Append(changes) => file.append(changes),
            Commit::Compact { revision, current, forgotten } => file.compact(*revision, *current, forgotten),
        }
    }

    /// Whether the file holds it, which is either as it was before the commit or as after it.
    fn is_in(&self, file: &StoreFile) -> Result<bool, StoreFileError> {
        match self {
            Commit::Append(changes) => Ok(Some(file.revision()?) == changes.last().map(|change| change.revision)),
            Commit::Compact { revision, .. } => Ok(file.compacted()? == *revision),
        }
    }
}

impl<M: StoreMedium> Writer<M> {
    /// Makes a commit durable and visible.
    pub(super) fn commit(&mut self, commit: Commit) -> Result<(), CommitFailure> {
        let error = match &self.file {
            None => return Err(CommitFailure::Undone(StoreFault::new(FaultKind::Closed))),
            Some(file) => commit.write(file).err(),
        };
        let Some(error) = error else {
            // Only now: a reader must not see what a power loss may take back.
            self.publish(commit);
            self.state.set_health(StoreHealth::Serving);
            return Ok(());
        };
        let fault = error.into_fault();
        // redb takes no more writes after an error, and leaves the file to the next open.
        self.file = None;
        self.undecided = Some(commit);
        match self.reopen() {
            Ok(true) => Ok(()),
            Ok(false) => Err(CommitFailure::Undone(self.report(fault))),
            Err(error) => {
                self.report(error.into_fault());
                Err(CommitFailure::Unknown(fault))
            }
        }
    }

    /// Sees to it that the file is open.
    pub(super) fn ready(&mut self) -> Result<(), StoreFault> {
        if self.file.is_none() {
            self.reopen().map_err(|error| self.report(error.into_fault()))?;
        }
        Ok(())
    }

    /// Forgets the history before a revision.
    pub(super) fn compact(&mut self, revision: u64) -> Result<(), StoreError> {
        self.ready().map_err(StoreError::NotApplied)?;
        let (current, forgotten) = self.state.timeline.read(|timeline| {
            timeline.check_compaction(revision)?;
            Ok::<_, StoreError>((timeline.revision(), timeline.compacted_by(revision)))
        })?;
        self.commit(Commit::Compact { revision, current, forgotten }).map_err(|failure| match failure {
            CommitFailure::Undone(fault) => StoreError::NotApplied(fault),
            CommitFailure::Unknown(fault) => StoreError::MaybeApplied(fault),
        })
    }

    /// Opens the file, and decides about the commit that was under way when it was closed: whether it was applied.
    fn reopen(&mut self) -> Result<bool, StoreFileError> {
        let file = StoreFile::open(self.medium.open()?)?;
        // What cannot be read counts as not applied here, and fails by its revision below.
        let applied = self.undecided.as_ref().is_some_and(|commit| commit.is_in(&file).unwrap_or(false));
        let expected = match &self.undecided {
            Some(Commit::Append(changes)) if applied => changes.last().map(|change| change.revision),
            _ => None,
        };
        let expected = expected.unwrap_or_else(|| self.state.timeline.read(|timeline| timeline.revision()));
        let found = file.revision()?;
        // Neither as before the commit nor as after it: the timeline in memory and the file have parted, and more
        // commits would make it worse.
        if found != expected {
            let text = format!("it is at revision {found}, expected {expected}");
            return Err(StoreFileError::Damaged { kind: DamageKind::Content, text });
        }
        self.file = Some(file);
        if let Some(commit) = self.undecided.take_if(|_| applied) {
            self.publish(commit);
        }
        self.undecided = None;
        Ok(applied)
    }

    fn publish(&self, commit: Commit) {
        self.state.timeline.change(|timeline| match commit {
            Commit::Append(changes) => timeline.extend(changes),
            Commit::Compact { revision, .. } => timeline.compact(revision),
        });
    }

    /// Shows a fault as the store's health, until a commit succeeds.
    fn report(&self, fault: StoreFault) -> StoreFault {
        self.state.set_health(StoreHealth::ReadsOnly(fault.clone()));
        fault
    }
}
