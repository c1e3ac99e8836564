//! Finishes the story of an action whose process died: undoes what stands, or says that it was interrupted.

use std::path::PathBuf;

use driver::Level;

use crate::execution::Execution;
use crate::journal::{Journal, JournalError, Story, Tail, set_apart};
use crate::recorder::Recorder;
use crate::undo::{Undoing, undo};
use crate::{Facilities, Session, Undone, UndoneEnd};

/// What became of an unfinished action.
#[derive(Debug)]
pub enum Recovery {
    /// Its story is now at its end.
    Told {
        /// How far it had got.
        story: Story,
        /// What was made of it.
        recovered: Recovered,
        /// The steps that were to be undone, the last one first.
        undone: Vec<Undone>,
    },
    /// The journal's beginning is damaged. Nothing was done; the file is now here.
    SetApart(PathBuf),
}

/// What was made of an unfinished action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
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
pub async fn recover(facilities: &dyn Facilities, session: &Session) -> Result<Option<Recovery>, JournalError> {
    let story = match Journal::pending(&session.journal) {
        Ok(None) => return Ok(None),
        Ok(Some(story)) => story,
        Err(JournalError::Unreadable(path)) => {
            let apart = set_apart(&path)?;
            let text = format!("what an earlier action did cannot be read, see {}", apart.display());
            session.log.line(None, Level::Error, &text);
            return Ok(Some(Recovery::SetApart(apart)));
        }
        Err(error) => return Err(error),
    };
    let (recorder, story) = match Journal::resume(&session.journal) {
        Ok(None) => return Ok(None),
        Ok(Some((journal, story))) => (Recorder::with(Some(journal), session), story),
        Err(held @ JournalError::Held(_)) => return Err(held),
        // To undo it all once more next time does no harm.
        Err(error) => {
            let recorder = Recorder::with(None, session);
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
        let end = match undo(&execution, Undoing { at, rid: &step.rid, deadline, probe: step.probe }).await {
            Ok(()) => UndoneEnd::Stopped,
            Err(error) => UndoneEnd::Failed(error),
        };
        undone.push(Undone { rid: step.rid.clone(), end });
    }
    execution.recorder.done().await;
    Ok(Some(Recovery::Told { story, recovered, undone }))
}

/// What cannot be ended must not keep the rest from being undone.
async fn end_abandoned(facilities: &dyn Facilities, session: &Session, sid: &str) {
    match facilities.end_abandoned(sid).await {
        Ok(ended) => {
            ended
                .iter()
                .for_each(|line| session.log.line(None, Level::Warn, &format!("ended what it left running: {line}")));
        }
        Err(error) => session.log.line(None, Level::Error, &format!("cannot end what it left running: {error}")),
    }
}

fn verdict(story: &Story, session: &Session) -> Recovered {
    if story.tail == Tail::Damaged {
        Recovered::Damaged
    } else if story.is_complete() {
        Recovered::Complete
    } else if story.to_undo(&session.boot).next().is_some() {
        Recovered::Undone
    } else {
        Recovered::Interrupted
    }
}

fn announcement(story: &Story, recovered: Recovered) -> (Level, String) {
    let earlier = format!("an earlier {} (sid {})", story.action, story.sid);
    match recovered {
        Recovered::Complete => (Level::Info, format!("{earlier} was done, but could not say so")),
        Recovered::Undone => (Level::Warn, format!("{earlier} was interrupted, and is now rolled back")),
        Recovered::Interrupted => (Level::Warn, format!("{earlier} was interrupted, there is nothing to undo")),
        Recovered::Damaged => {
            (Level::Error, format!("{earlier} was interrupted, and its journal is damaged: nothing is undone"))
        }
    }
}
