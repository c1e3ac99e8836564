//! Recovers an action whose process died: undoes what is left of it, or reports that it was interrupted.

use std::path::{Path, PathBuf};

use driver::LogSeverity;

use crate::blocking::blocking;
use crate::execution::Execution;
use crate::journal::{Journal, JournalError, JournalTail, JournalledAction, set_apart};
use crate::recorder::ActionRecorder;
use crate::rollback::doubt;
use crate::undo::{UndoStep, undo};
use crate::{ExecutionContext, Facilities, UndoOutcome, UndoneStep};

/// What became of an interrupted action.
#[derive(Debug)]
pub enum RecoveryReport {
    /// Its journal is closed now.
    Finished {
        /// How far it had got.
        story: JournalledAction,
        /// How it was recovered.
        recovered: RecoveryVerdict,
        /// The steps that were to be undone, the last one first.
        undone: Vec<UndoneStep>,
    },
    /// The journal's beginning is damaged: nothing was undone, and the file was renamed to this path.
    SetApart(PathBuf),
}

/// How an interrupted action was recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryVerdict {
    /// It had finished: only the last record was missing.
    Complete,
    /// Its changes were undone, as far as possible.
    Undone,
    /// There was nothing to undo: actions of its kind are never undone, or the reboot has undone it.
    Interrupted,
    /// The journal is damaged: nothing was undone. Only the resources' status tells how they are.
    Damaged,
}

/// Recovers the interrupted action in the journal, if there is one. Every mutating action does this first, under the instance's
/// lock. Returns None if there is nothing to recover, and [`JournalError::Held`] if another process still uses the journal.
pub async fn recover(
    facilities: &dyn Facilities,
    session: &ExecutionContext,
) -> Result<Option<RecoveryReport>, JournalError> {
    let (story, journal) = match find(&session.journal).await {
        Ok(None) => return Ok(None),
        Ok(Some(found)) => found,
        Err(JournalError::Unreadable(path)) => {
            // Kept and not overwritten: something may be half done, and only a person can find out what.
            let apart = set_apart(&path)?;
            let text = format!("the journal of an earlier action cannot be read, it is kept as {}", apart.display());
            session.log.line(None, LogSeverity::Error, &text);
            return Ok(Some(RecoveryReport::SetApart(apart)));
        }
        Err(error) => return Err(error),
    };
    let recorder = match journal {
        Ok(journal) => ActionRecorder::resumed(journal, session),
        // The undone steps are not recorded then, so the next action undoes them once more: a stop of what is down does no harm.
        Err(error) => {
            let recorder = ActionRecorder::with(None, session);
            recorder.warn(&error);
            recorder
        }
    };
    let execution = Execution::new(facilities, session, recorder, true);
    let recovered = verdict(&story, session);
    let (level, text) = announcement(&story, recovered);
    session.log.line(None, level, &text);
    // Before the undo: a program that still runs could bring up again what is stopped below.
    end_abandoned(facilities, session, &story.sid).await;
    let mut undone = Vec::new();
    for (at, step) in story.to_undo(&session.boot) {
        // `to_undo` yields only steps that have a deadline.
        let deadline = step.undo.unwrap_or_default();
        let end = match undo(&execution, UndoStep { at, rid: &step.rid, deadline, probe: step.probe }).await {
            Ok(()) => UndoOutcome::Stopped,
            Err(error) => UndoOutcome::Failed(error),
        };
        undone.push(UndoneStep { rid: step.rid.clone(), end });
    }
    doubt(&execution, &mut undone).await;
    // Even if an undo failed: it was reported, and must not stop every later action at the same place.
    execution.recorder.done().await;
    Ok(Some(RecoveryReport::Finished { story, recovered, undone }))
}

/// An interrupted action, and the journal to record its recovery in, if that can be written.
type InterruptedAction = (JournalledAction, Result<Journal, JournalError>);

/// Finds the interrupted action, on a thread that may wait for the lock and for the disk.
async fn find(path: &Path) -> Result<Option<InterruptedAction>, JournalError> {
    let journal = path.to_owned();
    let find = move || {
        // Read first, and only then opened for writing: on a disk that has become read-only, the action is undone all the same.
        let Some(story) = Journal::interrupted(&journal)? else { return Ok(None) };
        match Journal::resume(&journal) {
            Ok(resumed) => Ok(resumed.map(|(journal, story)| (story, Ok(journal)))),
            Err(held @ JournalError::Held(_)) => Err(held),
            Err(error) => Ok(Some((story, Err(error)))),
        }
    };
    blocking(find).await
}

/// Stops the programs that the dead process left running. One that cannot be stopped must not keep the rest from being undone.
async fn end_abandoned(facilities: &dyn Facilities, session: &ExecutionContext, sid: &str) {
    match facilities.end_abandoned(sid).await {
        Ok(ended) => {
            ended.iter().for_each(|line| {
                session.log.line(None, LogSeverity::Warn, &format!("stopped what it left running: {line}"))
            });
        }
        Err(error) => session.log.line(None, LogSeverity::Error, &format!("cannot stop what it left running: {error}")),
    }
}

fn verdict(story: &JournalledAction, session: &ExecutionContext) -> RecoveryVerdict {
    if story.tail == JournalTail::Damaged {
        RecoveryVerdict::Damaged
    } else if story.is_complete() {
        RecoveryVerdict::Complete
    } else if story.to_undo(&session.boot).next().is_some() {
        RecoveryVerdict::Undone
    } else {
        RecoveryVerdict::Interrupted
    }
}

fn announcement(story: &JournalledAction, recovered: RecoveryVerdict) -> (LogSeverity, String) {
    let earlier = format!("an earlier {} (sid {})", story.action, story.sid);
    match recovered {
        RecoveryVerdict::Complete => {
            (LogSeverity::Info, format!("{earlier} had finished, only its last record was missing"))
        }
        RecoveryVerdict::Undone => (LogSeverity::Warn, format!("{earlier} was interrupted, and is now rolled back")),
        RecoveryVerdict::Interrupted => {
            (LogSeverity::Warn, format!("{earlier} was interrupted, there is nothing to undo"))
        }
        RecoveryVerdict::Damaged => {
            (LogSeverity::Error, format!("{earlier} was interrupted, and its journal is damaged: nothing is undone"))
        }
    }
}
