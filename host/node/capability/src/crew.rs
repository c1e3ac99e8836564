//! Threads for work that blocks. One that is done waits a while for more: to start a thread costs more than most kernel calls.
//!
//! They are no runtime's, which would wait for them when it ends. How many there may be is the caller's business.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a thread waits for more work before it ends.
const IDLE: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Default)]
pub(crate) struct Crew {
    board: Mutex<Board>,
    posted: Condvar,
}

#[derive(Default)]
struct Board {
    /// Each piece has a waiting thread that will take it.
    work: VecDeque<Work>,
    /// The threads that wait and have no work coming.
    idle: usize,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

impl Crew {
    /// Does the work on a thread that waits, or on a new one.
    pub(crate) fn run(self: &Arc<Crew>, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if board.idle > 0 {
            board.idle -= 1;
            board.work.push_back(Box::new(work));
            self.posted.notify_one();
            return Ok(());
        }
        drop(board);
        let crew = Arc::clone(self);
        let life = move || {
            work();
            while let Some(work) = crew.more() {
                work();
            }
        };
        std::thread::Builder::new().name("kernel-call".to_owned()).spawn(life).map(drop)
    }

    /// Waits for more work. None when there is none for a while.
    fn more(&self) -> Option<Work> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.idle += 1;
        let nothing = |board: &mut Board| board.work.is_empty();
        let waited = self.posted.wait_timeout_while(board, IDLE, nothing).unwrap_or_else(PoisonError::into_inner);
        board = waited.0;
        let work = board.work.pop_front();
        if work.is_none() {
            board.idle -= 1;
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::ThreadId;

    use super::*;

    /// The thread that did a piece of work, once it waits for more.
    fn done_by(crew: &Arc<Crew>) -> ThreadId {
        let (done, by) = mpsc::channel();
        crew.run(move || done.send(std::thread::current().id()).unwrap()).unwrap();
        let by = by.recv().unwrap();
        while crew.board.lock().unwrap().idle == 0 {
            std::thread::yield_now();
        }
        by
    }

    #[test]
    fn a_thread_that_is_done_takes_the_next_work() {
        let crew = Arc::new(Crew::default());
        let first = done_by(&crew);
        assert_eq!(done_by(&crew), first);
    }

    #[test]
    fn a_thread_that_is_held_up_holds_up_nobody() {
        let crew = Arc::new(Crew::default());
        let (release, held) = mpsc::channel::<()>();
        crew.run(move || held.recv().unwrap()).unwrap();
        done_by(&crew);
        done_by(&crew);
        release.send(()).unwrap();
    }

    #[test]
    fn work_that_crashes_takes_no_other_with_it() {
        let crew = Arc::new(Crew::default());
        let first = done_by(&crew);
        crew.run(|| std::panic::resume_unwind(Box::new("crash"))).unwrap();
        assert_ne!(done_by(&crew), first);
    }
}
