//! Blocking kernel calls: on a bounded number of threads, one at a time a resource.
//!
//! A thread in the kernel cannot be stopped: statfs(2) on a dead server may never return. So whoever waits for one gives up
//! at the deadline, the resource is *stuck* from then on, and further calls for it are refused until the thread comes back.
//! The threads are a [`Crew`]'s rather than a runtime's, which would wait for them when it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver::Cancel;
use model::{ObjectPath, Rid};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::Error;
use crate::crew::Crew;

/// How many kernel calls may be under way at once, stuck ones included.
const THREADS: usize = 64;

/// How long a kernel call may still take once the action is given up.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// A kernel call that did not come back in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// What was asked, as a grant line.
    pub call: String,
    /// How long ago.
    pub age: Duration,
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stuck in {:?} for {} s", self.call, self.age.as_secs())
    }
}

/// The resource that a call works for.
pub(crate) type Lane = (ObjectPath, Rid);

/// Where blocking kernel calls run.
#[derive(Debug, Clone)]
pub struct Lanes {
    threads: Arc<Semaphore>,
    crew: Arc<Crew>,
    board: Arc<Board>,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes::new(THREADS)
    }
}

/// Who is in the kernel.
#[derive(Debug, Default)]
struct Board {
    calls: Mutex<Calls>,
    /// Told whenever a call comes back.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Calls {
    running: HashMap<Lane, Running>,
    entered: u64,
}

#[derive(Debug)]
struct Running {
    id: u64,
    call: String,
    since: Instant,
    /// Nobody waits for it any more.
    abandoned: bool,
}

impl Board {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self, lane: &Lane) -> Option<Stuck> {
        let calls = self.calls();
        let running = calls.running.get(lane).filter(|running| running.abandoned)?;
        Some(Stuck { call: running.call.clone(), age: running.since.elapsed() })
    }
}

impl Lanes {
    /// At most `threads` calls at once.
    pub fn new(threads: usize) -> Lanes {
        Lanes { threads: Arc::new(Semaphore::new(threads)), crew: Arc::default(), board: Arc::default() }
    }

    /// The kernel call that this resource is stuck in.
    pub fn stuck(&self, object: &ObjectPath, rid: &Rid) -> Option<Stuck> {
        self.board.stuck(&(object.clone(), rid.clone()))
    }

    /// Runs `work` on another thread and waits for it, at most until the deadline. Dropping the future gives up too.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        call: String,
        deadline: Instant,
        cancel: &Cancel,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let thread = timeout_at(deadline, self.threads.clone().acquire_owned()).await.map_err(|_| Error::TimedOut)?;
        let thread = thread.map_err(|_| Error::Cancelled)?;
        let entry = timeout_at(deadline, self.enter(lane, call)).await.map_err(|_| Error::TimedOut)??;
        let mut watch = Watch { board: self.board.clone(), lane: entry.lane.clone(), id: entry.id, armed: true };
        let back = self.start(entry, thread, work)?;
        let result = tokio::select! {
            biased;
            result = back => Some(result.map_err(|_| Error::Other("the call crashed".to_owned()))),
            () = sleep_until(deadline) => None,
            () = cancelled(cancel) => return Err(Error::Cancelled),
        };
        match result {
            Some(result) => {
                watch.armed = false;
                result
            }
            None => Err(Error::TimedOut),
        }
    }

    /// Waits until the lane is free. Refused at once if it is stuck.
    async fn enter(&self, lane: Lane, call: String) -> Result<Entry, Error> {
        loop {
            let freed = self.board.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if let Some(stuck) = self.board.stuck(&lane) {
                return Err(Error::Other(stuck.to_string()));
            }
            if let Some(entry) = self.try_enter(&lane, &call) {
                return Ok(entry);
            }
            freed.await;
        }
    }

    fn try_enter(&self, lane: &Lane, call: &str) -> Option<Entry> {
        let mut calls = self.board.calls();
        if calls.running.contains_key(lane) {
            return None;
        }
        calls.entered += 1;
        let id = calls.entered;
        let running = Running { id, call: call.to_owned(), since: Instant::now(), abandoned: false };
        calls.running.insert(lane.clone(), running);
        Some(Entry { board: self.board.clone(), lane: lane.clone(), id })
    }

    fn start<T: Send + 'static>(
        &self,
        entry: Entry,
        thread: OwnedSemaphorePermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Error> {
        let (done, back) = oneshot::channel();
        let run = move || {
            let result = work();
            // The lane is free before the result is known, so that the next call never finds its predecessor there.
            drop((entry, thread));
            // Nobody may be waiting any more.
            let _ = done.send(result);
        };
        self.crew.run(run).map_err(|error| Error::io("cannot start a thread for a kernel call", &error))?;
        Ok(back)
    }
}

/// Returns once the action was given up and its kernel call had its grace.
pub(crate) async fn cancelled(cancel: &Cancel) {
    cancel.cancelled().await;
    sleep(CANCEL_GRACE).await;
}

/// A call's place on the board, from before it starts until it is back.
#[derive(Debug)]
struct Entry {
    board: Arc<Board>,
    lane: Lane,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut calls = self.board.calls();
        if calls.running.get(&self.lane).is_some_and(|running| running.id == self.id) {
            calls.running.remove(&self.lane);
        }
        drop(calls);
        self.board.freed.notify_waiters();
    }
}

/// Waits for a call; dropped before the call is back, it leaves the lane stuck.
struct Watch {
    board: Arc<Board>,
    lane: Lane,
    id: u64,
    armed: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut calls = self.board.calls();
        if let Some(running) = calls.running.get_mut(&self.lane).filter(|running| running.id == self.id) {
            running.abandoned |= self.armed;
        }
        drop(calls);
        // Whoever waits for the lane must learn that it is stuck.
        self.board.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn lane() -> Lane {
        ("web".parse().unwrap(), "fs#1".parse().unwrap())
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_call_that_does_not_come_back_leaves_its_resource_stuck_until_it_does() {
        let lanes = Lanes::default();
        let cancel = Cancel::default();
        let (release, held) = mpsc::channel::<()>();
        let call = "mount = * * on /srv".to_owned();
        let late = lanes.run(lane(), call.clone(), soon(), &cancel, move || held.recv()).await;
        assert_eq!(late.unwrap_err(), Error::TimedOut);
        assert_eq!(lanes.stuck(&lane().0, &lane().1).unwrap().call, call);
        let refused = lanes.run(lane(), "next".to_owned(), later(), &cancel, || ()).await.unwrap_err();
        assert!(refused.to_string().starts_with("stuck in \"mount = * * on /srv\" for "), "{refused}");
        let other = ("web".parse().unwrap(), "fs#2".parse().unwrap());
        lanes.run(other, "other".to_owned(), later(), &cancel, || ()).await.unwrap();

        let freed = lanes.board.freed.notified();
        release.send(()).unwrap();
        freed.await;
        assert_eq!(lanes.stuck(&lane().0, &lane().1), None);
        lanes.run(lane(), "next".to_owned(), later(), &cancel, || ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_dropped_waiter_leaves_the_resource_stuck() {
        let lanes = Lanes::default();
        let cancel = Cancel::default();
        let (release, held) = mpsc::channel::<()>();
        let waiter = lanes.run(lane(), "umount".to_owned(), later(), &cancel, move || held.recv());
        tokio::time::timeout(Duration::from_millis(20), waiter).await.unwrap_err();
        assert!(lanes.stuck(&lane().0, &lane().1).is_some());
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn calls_of_a_resource_follow_each_other() {
        let lanes = Lanes::default();
        let cancel = Cancel::default();
        let (release, held) = mpsc::channel::<()>();
        let first = lanes.run(lane(), "first".to_owned(), later(), &cancel, move || held.recv().is_ok());
        let second = async {
            release.send(()).unwrap();
            lanes.run(lane(), "second".to_owned(), later(), &cancel, || 2).await
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first, second), (Ok(true), Ok(2)));
    }

    #[tokio::test]
    async fn threads_are_bounded() {
        let lanes = Lanes::new(1);
        let cancel = Cancel::default();
        let (release, held) = mpsc::channel::<()>();
        let first = lanes.run(lane(), "first".to_owned(), soon(), &cancel, move || held.recv()).await;
        assert_eq!(first.unwrap_err(), Error::TimedOut);
        let other = ("web".parse().unwrap(), "fs#2".parse().unwrap());
        let second = lanes.run(other, "second".to_owned(), soon(), &cancel, || ()).await;
        assert_eq!(second.unwrap_err(), Error::TimedOut);
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_crash_frees_the_lane() {
        let lanes = Lanes::default();
        let cancel = Cancel::default();
        let crash = || -> () { std::panic::resume_unwind(Box::new("crash")) };
        let crashed = lanes.run(lane(), "crash".to_owned(), later(), &cancel, crash).await;
        assert_eq!(crashed.unwrap_err(), Error::Other("the call crashed".to_owned()));
        lanes.run(lane(), "next".to_owned(), later(), &cancel, || ()).await.unwrap();
    }
}
