//! Threads for work that blocks. A thread that is done waits a while for more work, because starting a thread costs more
//! than most kernel calls.
//!
//! They do not belong to the tokio runtime, which would wait for them when it shuts down. The caller limits their number.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a thread waits for more work before it exits.
const IDLE: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce() + Send>;

/// A set of threads that grows as needed and shrinks when idle.
#[derive(Default)]
pub(crate) struct BlockingThreads {
    board: Mutex<WorkBoard>,
    posted: Condvar,
}

#[derive(Default)]
struct WorkBoard {
    /// Work that was handed in and not taken yet. There is a waiting thread for each piece.
    work: VecDeque<Work>,
    /// How many threads wait and have no piece of work reserved for them.
    idle: usize,
}

impl std::fmt::Debug for BlockingThreads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockingThreads").finish_non_exhaustive()
    }
}

impl BlockingThreads {
    /// Runs the work on a waiting thread, or on a new one.
    pub(crate) fn run(self: &Arc<BlockingThreads>, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if board.idle > 0 {
            board.idle -= 1;
            // Reserved and posted under one lock, so that two pieces of work never count on the same thread.
            board.work.push_back(Box::new(work));
            self.posted.notify_one();
            return Ok(());
        }
        // Not while a thread is started: others hand in work meanwhile.
        drop(board);
        let threads = Arc::clone(self);
        let life = move || {
            work();
            while let Some(work) = threads.more() {
                work();
            }
        };
        std::thread::Builder::new().name("kernel-call".to_owned()).spawn(life).map(drop)
    }

    /// Waits for more work. None if none comes for a while.
    fn more(&self) -> Option<Work> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.idle += 1;
        let nothing = |board: &mut WorkBoard| board.work.is_empty();
        let waited = self.posted.wait_timeout_while(board, IDLE, nothing).unwrap_or_else(PoisonError::into_inner);
        board = waited.0;
        let work = board.work.pop_front();
        // With work, `run` has already taken this thread off the count, under the same lock in which it posted the work.
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

    /// The thread that ran a piece of work, once it waits for more.
    fn run_by(threads: &Arc<BlockingThreads>) -> ThreadId {
        let (done, by) = mpsc::channel();
        threads.run(move || done.send(std::thread::current().id()).unwrap()).unwrap();
        let by = by.recv().unwrap();
        while threads.board.lock().unwrap().idle == 0 {
            std::thread::yield_now();
        }
        by
    }

    #[test]
    fn a_thread_that_is_done_takes_the_next_work() {
        let threads = Arc::new(BlockingThreads::default());
        let first = run_by(&threads);
        assert_eq!(run_by(&threads), first);
    }

    #[test]
    fn a_thread_that_is_blocked_blocks_no_other() {
        let threads = Arc::new(BlockingThreads::default());
        let (release, held) = mpsc::channel::<()>();
        threads.run(move || held.recv().unwrap()).unwrap();
        run_by(&threads);
        run_by(&threads);
        release.send(()).unwrap();
    }

    #[test]
    fn work_that_panics_leaves_the_other_threads_alone() {
        let threads = Arc::new(BlockingThreads::default());
        let first = run_by(&threads);
        threads.run(|| std::panic::resume_unwind(Box::new("crash"))).unwrap();
        assert_ne!(run_by(&threads), first);
    }
}
