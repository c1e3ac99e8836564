//! The last action on an instance, for a daemon that follows what operators do: which action was asked for, and how it ended.
//!
//! It is kept below `run`, as what it says is void after a reboot. It is written under the action's lock. A daemon that sees
//! one that has not ended, while the lock is free, knows that it was interrupted.

use model::Rid;
use plan::Action;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::RequestOrigin;
use crate::file::durable::FileError;

/// The last action on an instance since the boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastAction {
    /// The boot of the node. What another one says is void: below a root directory of its own, `run` outlives a boot.
    boot: Option<String>,
    /// It is the n-th since the boot.
    pub number: u64,
    /// `start`, `stop`…
    pub action: String,
    /// `user`, `daemon` or `scheduler`.
    pub origin: String,
    /// The resources that it was limited to. None: it was about all of the instance.
    pub rids: Option<Vec<String>>,
    /// How it ended. None: it has not, or was interrupted.
    pub end: Option<LastEnd>,
    /// Whether a person has started the instance as a whole, and not stopped it since. None: neither, since the boot.
    pub wanted_up: Option<bool>,
    /// How often the instance was cleared.
    pub clears: u64,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastEnd {
    Done,
    Failed(String),
    Interrupted,
}

impl LastAction {
    /// The resources that it was limited to.
    pub fn resources(&self) -> Option<Vec<Rid>> {
        Some(self.rids.as_ref()?.iter().filter_map(|rid| rid.parse().ok()).collect())
    }

    /// The action that follows, as it begins.
    pub(crate) fn next(&self, action: Action, origin: RequestOrigin, rids: Option<&[Rid]>) -> LastAction {
        let by_hand = origin == RequestOrigin::User && rids.is_none();
        LastAction {
            boot: kernel::clock::boot_id(),
            number: self.number + 1,
            action: action.as_str().to_owned(),
            origin: origin.as_str().to_owned(),
            rids: rids.map(|rids| rids.iter().map(Rid::to_string).collect()),
            end: None,
            // From the first moment on, so that no restart comes between the stop and its end.
            wanted_up: if by_hand && takes_down(action) { Some(false) } else { self.wanted_up },
            clears: self.clears,
        }
    }

    /// The same action when it has ended.
    pub(crate) fn ended(self, end: LastEnd) -> LastAction {
        let starts = matches!(self.action.as_str(), "start" | "restart" | "provision");
        let by_hand = self.origin == RequestOrigin::User.as_str() && self.rids.is_none();
        let wanted_up = if by_hand && starts && end == LastEnd::Done { Some(true) } else { self.wanted_up };
        LastAction { end: Some(end), wanted_up, ..self }
    }
}

fn takes_down(action: Action) -> bool {
    matches!(action, Action::Stop | Action::Shutdown | Action::Unprovision)
}

impl InstanceState {
    /// The last action. Torn, absent or of another boot: none since the boot.
    pub fn last_action(&self) -> Result<Option<LastAction>, FileError> {
        let last: Option<LastAction> = documents::load(&self.last_action)?;
        Ok(last.filter(|last| last.boot == kernel::clock::boot_id()))
    }

    /// Tells a daemon that the instance was frozen, thawed or cleared: it watches this file.
    pub(crate) fn announce(&self, clears: u64) {
        let last = self.last_action().ok().flatten().unwrap_or_default();
        // A daemon that does not hear of it looks at its next turn.
        let boot = kernel::clock::boot_id();
        let _ = self.set_last_action(&LastAction { boot, clears: last.clears + clears, ..last });
    }

    /// Writes down the last action.
    pub(crate) fn set_last_action(&self, last: &LastAction) -> Result<(), FileError> {
        documents::jot(&self.last_action, last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn a_stop_by_hand_counts_from_its_beginning_and_a_start_from_its_success() {
        let begun = |last: &LastAction, action| last.next(action, RequestOrigin::User, None);
        let last = begun(&LastAction::default(), Action::Start);
        assert_eq!((last.number, last.wanted_up), (1, None));
        assert_eq!(last.clone().ended(LastEnd::Failed("no".to_owned())).wanted_up, None);
        let started = last.ended(LastEnd::Done);
        assert_eq!(started.wanted_up, Some(true));
        let stopping = begun(&started, Action::Stop);
        assert_eq!((stopping.number, stopping.wanted_up), (2, Some(false)));
        // What the daemon does, and what is about some resources alone, says nothing of what a person wants.
        let restarted = stopping.next(Action::Start, RequestOrigin::Daemon, None).ended(LastEnd::Done);
        assert_eq!(restarted.wanted_up, Some(false));
        let rid: Rid = "fs#1".parse().unwrap();
        let part = restarted.next(Action::Start, RequestOrigin::User, Some(std::slice::from_ref(&rid)));
        assert_eq!(part.resources(), Some(vec![rid]));
        assert_eq!(part.ended(LastEnd::Done).wanted_up, Some(false));
    }

    #[test]
    fn it_is_kept_until_the_next_one_and_one_that_is_torn_or_of_another_boot_counts_as_none() {
        let (_root, web) = web();
        assert_eq!(web.last_action().unwrap(), None);
        let last = LastAction::default().next(Action::Stop, RequestOrigin::User, None);
        web.set_last_action(&last).unwrap();
        assert_eq!(web.last_action().unwrap(), Some(last));
        std::fs::write(&web.last_action, b"{\"boot\":\"another\",\"number\":1}").unwrap();
        assert_eq!(web.last_action().unwrap(), None);
        std::fs::write(&web.last_action, b"{\"number\":1").unwrap();
        assert_eq!(web.last_action().unwrap(), None);
    }
}
