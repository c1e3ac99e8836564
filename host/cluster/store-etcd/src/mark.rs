//! Which engine it is, and how far it has come: the highest mark seen, and the refusal of what falls behind it.
//!
//! etcd has no id that changes when it is wiped or restored from a copy of its directory: cluster, member and even the term of
//! raft stay what they were. What goes back is the revision. After a restore that Hostler makes, the generation is greater, and
//! then a lower revision is right.

use std::fmt;

use thiserror::Error;
use tokio::sync::watch;

/// What tells one state of an engine from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineMark {
    /// etcd's id of the cluster. 0: none was seen yet.
    pub cluster: u64,
    /// The generation that Hostler wrote into it, 0 without one.
    pub generation: u64,
    pub revision: u64,
}

impl fmt::Display for EngineMark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, generation, revision } = self;
        write!(formatter, "cluster {cluster:x}, generation {generation}, revision {revision}")
    }
}

/// An engine that is not the one that was seen, or not as far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MarkFault {
    #[error("it is another engine: {found}, expected {seen}")]
    Foreign { found: EngineMark, seen: EngineMark },
    #[error("it is older than what was seen: {found}, expected at least {seen}")]
    Older { found: EngineMark, seen: EngineMark },
}

impl EngineMark {
    /// Whether an engine with the mark `found` may follow one with this mark.
    fn admits(self, found: EngineMark) -> Result<(), MarkFault> {
        if self.cluster != 0 && found.cluster != self.cluster {
            return Err(MarkFault::Foreign { found, seen: self });
        }
        if (found.generation, found.revision) < (self.generation, self.revision) {
            return Err(MarkFault::Older { found, seen: self });
        }
        Ok(())
    }
}

/// Holds the highest mark, and judges answers by it.
#[derive(Debug)]
pub(crate) struct MarkGuard {
    highest: watch::Sender<EngineMark>,
}

impl MarkGuard {
    pub(crate) fn new(mark: EngineMark) -> Self {
        Self { highest: watch::Sender::new(mark) }
    }

    /// The mark that an answer to a request sent now must not fall behind.
    pub(crate) fn now(&self) -> EngineMark {
        *self.highest.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<EngineMark> {
        self.highest.subscribe()
    }

    /// From now on, this mark is what answers are compared with.
    pub(crate) fn reset(&self, mark: EngineMark) {
        self.highest.send_replace(mark);
    }

    /// Judges a member by all that it says of itself.
    pub(crate) fn prove(&self, found: EngineMark) -> Result<(), MarkFault> {
        self.judge(|highest| highest.admits(found).map(|()| found))
    }

    /// Judges an answer by its header; `since` is the mark when the request was sent.
    pub(crate) fn check(&self, cluster: u64, revision: u64, since: EngineMark) -> Result<(), MarkFault> {
        let found = EngineMark { cluster, generation: since.generation, revision };
        since.admits(found)?;
        self.judge(|highest| {
            // Meanwhile another engine may have been accepted, or a greater generation seen: this answer says nothing of it.
            let same = (highest.cluster, highest.generation) == (cluster, since.generation);
            Ok(if same { found } else { highest })
        })
    }

    fn judge(&self, judge: impl FnOnce(EngineMark) -> Result<EngineMark, MarkFault>) -> Result<(), MarkFault> {
        let mut verdict = Ok(());
        // Compared and set under one lock: of two answers at the same time, the lower one could stay otherwise.
        self.highest.send_if_modified(|highest| match judge(*highest) {
            Ok(found)
                if (found.generation, found.revision) > (highest.generation, highest.revision)
                    || highest.cluster == 0 =>
            {
                *highest = found;
                true
            }
            Ok(_) => false,
            Err(fault) => {
                verdict = Err(fault);
                false
            }
        });
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(cluster: u64, generation: u64, revision: u64) -> EngineMark {
        EngineMark { cluster, generation, revision }
    }

    #[test]
    fn only_what_is_not_behind_is_admitted() {
        let seen = mark(7, 2, 100);
        assert_eq!(seen.admits(mark(7, 2, 100)), Ok(()));
        assert_eq!(seen.admits(mark(7, 2, 101)), Ok(()));
        // A restore that Hostler made.
        assert_eq!(seen.admits(mark(7, 3, 5)), Ok(()));
        for found in [mark(7, 2, 99), mark(7, 1, 500), mark(7, 0, 1)] {
            assert_eq!(seen.admits(found), Err(MarkFault::Older { found, seen }));
        }
        let found = mark(8, 3, 500);
        assert_eq!(seen.admits(found), Err(MarkFault::Foreign { found, seen }));
        assert_eq!(EngineMark::default().admits(found), Ok(()));
    }

    #[test]
    fn an_answer_is_judged_by_what_was_seen_when_it_was_asked_for() {
        let guard = MarkGuard::new(mark(7, 1, 10));
        let since = guard.now();
        assert_eq!(guard.check(7, 20, since), Ok(()));
        // It was asked for before 20 was seen, so it may know less.
        assert_eq!(guard.check(7, 15, since), Ok(()));
        assert_eq!(guard.now(), mark(7, 1, 20));
        assert!(matches!(guard.check(7, 15, guard.now()), Err(MarkFault::Older { .. })));
        assert!(matches!(guard.check(9, 30, since), Err(MarkFault::Foreign { .. })));
        assert_eq!(guard.now(), mark(7, 1, 20));
    }

    #[test]
    fn late_answer_of_an_earlier_generation_moves_nothing() {
        let guard = MarkGuard::new(mark(7, 1, 100));
        let since = guard.now();
        assert_eq!(guard.prove(mark(7, 2, 5)), Ok(()));
        assert_eq!(guard.check(7, 101, since), Ok(()));
        assert_eq!(guard.now(), mark(7, 2, 5));
    }

    #[test]
    fn first_engine_is_taken_and_another_one_on_request_only() {
        let guard = MarkGuard::new(EngineMark::default());
        assert_eq!(guard.prove(mark(7, 0, 1)), Ok(()));
        assert!(guard.prove(mark(8, 0, 9)).is_err());
        guard.reset(EngineMark::default());
        assert_eq!(guard.prove(mark(8, 0, 9)), Ok(()));
        assert_eq!(guard.now(), mark(8, 0, 9));
    }
}
