//! Finishes the story of an action whose process died: undoes what stands, or says that it was interrupted.

use std::path::PathBuf;

use driver::Level;

use crate::execution::Execution;
use crate::journal::{Journal, JournalError, JournalTail, JournalledAction, set_apart};
use crate::recorder::ActionRecorder;
use crate::undo::{UndoStep, undo};
use crate::{ExecutionContext, Facilities, UndoOutcome, UndoneStep};

/// What became of an unfinished action.
#[derive(Debug)]
pub enum RecoveryReport {
    /// Its story is now at its end.
    Finished {
        /// How far it had got.
        story: JournalledAction,
        /// What was made of it.
        recovered: RecoveryVerdict,
        /// The steps that were to be undone, the last one first.
        undone: Vec<UndoneStep>,
    },
    /// The journal's beginning is damaged. Nothing was done; the file is now here.
    SetApart(PathBuf),
}

/// What was made of an unfinished action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryVerdict {
    /// Only the word that all was done was missing.
    Complete,
    /// What it had changed was undone, as far as possible.
    Undone,
    /// There was nothing to undo: the action is one that is not undone, or what it did went with the last boot.
    Interrupted,
    /// The journal is damaged: nothing was undone, only a look at the resources can tell how they are.
    Damaged,
}

/// Finishes the story in the session's journal, if it has none yet. The first thing that a mutating action does, under
/// the instance's lock. None if there is nothing to finish.
pub async fn recover(
    facilities: &dyn Facilities,
    session: &ExecutionContext,
) -> Result<Option<RecoveryReport>, JournalError> {
    let story = match Journal::pending(&session.journal) {
        Ok(None) => return Ok(None),
        Ok(Some(story)) => story,
        Err(JournalError::Unreadable(path)) => {
            let apart = set_apart(&path)?;
            let text = format!("what an earlier action did cannot be read, see {}", apart.display());
            session.log.line(None, Level::Error, &text);
            return Ok(Some(RecoveryReport::SetApart(apart)));
        }
        Err(error) => return Err(error),
    };
    let (recorder, story) = match Journal::resume(&session.journal) {
        Ok(None) => return Ok(None),
        Ok(Some((journal, story))) => (ActionRecorder::with(Some(journal), session), story),
        Err(held @ JournalError::Held(_)) => return Err(held),
        // To undo it all once more next time does no harm.
        Err(error) => {
            let recorder = ActionRecorder::with(None, session);
            recorder.warn(&error);
            (recorder, story)
        }
    };
    let execution = Execution::new(facilities, session, recorder, true);
    let recovered = verdict(&story, session);
    let (level, text) = announcement(&story, recovered);
    session.log.line(None, level, &text);
    end_abandoned(facilities, session, &story.sid).await;
    let mut undone = Vec::new();
    for (at, step) in story.to_undo(&session.boot) {
        let deadline = step.undo.unwrap_or_default();
        let end = match undo(&execution, UndoStep { at, rid: &step.rid, deadline, probe: step.probe }).await {
            Ok(()) => UndoOutcome::Stopped,
            Err(error) => UndoOutcome::Failed(error),
        };
        undone.push(UndoneStep { rid: step.rid.clone(), end });
    }
    execution.recorder.done().await;
    Ok(Some(RecoveryReport::Finished { story, recovered, undone }))
}

/// What cannot be ended must not keep the rest from being undone.
async fn end_abandoned(facilities: &dyn Facilities, session: &ExecutionContext, sid: &str) {
    match facilities.end_abandoned(sid).await {
        Ok(ended) => {
            ended
                .iter()
                .for_each(|line| session.log.line(None, Level::Warn, &format!("ended what it left running: {line}")));
        }
        Err(error) => session.log.line(None, Level::Error, &format!("cannot end what it left running: {error}")),
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

fn announcement(story: &JournalledAction, recovered: RecoveryVerdict) -> (Level, String) {
    let earlier = format!("an earlier {} (sid {})", story.action, story.sid);
    match recovered {
        RecoveryVerdict::Complete => (Level::Info, format!("{earlier} was done, but could not say so")),
        RecoveryVerdict::Undone => (Level::Warn, format!("{earlier} was interrupted, and is now rolled back")),
        RecoveryVerdict::Interrupted => (Level::Warn, format!("{earlier} was interrupted, there is nothing to undo")),
        RecoveryVerdict::Damaged => {
            (Level::Error, format!("{earlier} was interrupted, and its journal is damaged: nothing is undone"))
        }
    }
}
