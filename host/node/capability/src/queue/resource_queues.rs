//! Blocking kernel calls, on a bounded number of threads, one at a time for each resource.
//!
//! A thread in the kernel cannot be stopped: statfs(2) on a dead server may never return. So a caller waits no longer
//! than its deadline. If the call has not returned by then, its resource is *stuck*: further calls for it are refused
//! until the thread comes back.
//!
//! ```text
//!  enter ──▶ running ──returns──▶ free            the next call for the resource may enter
//!               │
//!               └─caller leaves─▶ stuck ──returns──▶ free
//! ```
//!
//! The threads belong to [`BlockingThreads`] and not to the tokio runtime, which would wait for them when it shuts down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{ObjectPath, Rid};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::blocking_threads::BlockingThreads;
use crate::CapabilityError;

/// How many kernel calls may be in progress at once, stuck ones included.
const THREADS: usize = 64;

/// A kernel call that did not return in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckCall {
    /// The call, as a grant line.
    pub call: String,
    /// How long ago it was made.
    pub age: Duration,
}

impl std::fmt::Display for StuckCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stuck in {:?} for {} s", self.call, self.age.as_secs())
    }
}

/// The resource that a kernel call works for, and the queue that the call waits in.
type ResourceKey = (ObjectPath, Rid, CallLane);

/// The queue of a kernel call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallLane {
    /// That of all calls for the resource.
    Usual,
    /// Beside it: for the call that frees one which is stuck.
    Beside,
}

/// One queue of kernel calls for each resource.
#[derive(Debug, Clone)]
pub struct ResourceQueues {
    /// How many more calls may be made.
    free_threads: Arc<Semaphore>,
    threads: Arc<BlockingThreads>,
    calls: Arc<CallsInProgress>,
}

impl Default for ResourceQueues {
    fn default() -> ResourceQueues {
        ResourceQueues::new(THREADS)
    }
}

/// The call that each resource has in the kernel.
#[derive(Debug, Default)]
struct CallsInProgress {
    calls: Mutex<CallTable>,
    /// Notified when a call returns, and when one becomes stuck.
    changed: Notify,
}

#[derive(Debug, Default)]
struct CallTable {
    running: HashMap<ResourceKey, KernelCall>,
    entered: u64,
}

#[derive(Debug)]
struct KernelCall {
    id: u64,
    call: String,
    since: Instant,
    /// Whether its caller has stopped waiting for it.
    abandoned: bool,
}

impl CallsInProgress {
    fn table(&self) -> MutexGuard<'_, CallTable> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self, object: &ObjectPath, rid: &Rid, lane: CallLane) -> Option<StuckCall> {
        let table = self.table();
        // Each is looked at, as there are no more than threads: to make a key of the names would take longer.
        let (_, call) = table.running.iter().find(|((of, resource, queue), call)| {
            call.abandoned && *queue == lane && resource == rid && of == object
        })?;
        Some(StuckCall { call: call.call.clone(), age: call.since.elapsed() })
    }
}

impl ResourceQueues {
    /// Allows at most `threads` calls at once.
    pub fn new(threads: usize) -> ResourceQueues {
        ResourceQueues {
            free_threads: Arc::new(Semaphore::new(threads)),
            threads: Arc::default(),
            calls: Arc::default(),
        }
    }

    /// The kernel call that this resource is stuck in.
    pub fn stuck(&self, object: &ObjectPath, rid: &Rid) -> Option<StuckCall> {
        self.calls.stuck(object, rid, CallLane::Usual)
    }

    /// Runs `work` on another thread and waits for it until the deadline, or until the action is `given_up`. A caller that
    /// drops the future stops waiting too.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        resource: ResourceKey,
        call: String,
        deadline: Instant,
        given_up: impl Future<Output = ()>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CapabilityError> {
        let thread = timeout_at(deadline, self.free_threads.clone().acquire_owned()).await;
        let thread = thread.map_err(|_| CapabilityError::TimedOut)?.map_err(|_| CapabilityError::Cancelled)?;
        let entry = timeout_at(deadline, self.enter(resource, call)).await.map_err(|_| CapabilityError::TimedOut)??;
        let mut wait =
            CallWait { calls: self.calls.clone(), resource: entry.resource.clone(), id: entry.id, armed: true };
        let returned = self.start(entry, thread, work)?;
        tokio::select! {
            // A call that has returned counts, even if the deadline has passed by now.
            biased;
            result = returned => {
                wait.armed = false;
                result.map_err(|_| CapabilityError::Other("the call crashed".to_owned()))
            }
            () = sleep_until(deadline) => Err(CapabilityError::TimedOut),
            () = given_up => Err(CapabilityError::Cancelled),
        }
    }

    /// Waits until the resource has no call in progress. A resource that is stuck is refused at once.
    async fn enter(&self, resource: ResourceKey, call: String) -> Result<CallEntry, CapabilityError> {
        loop {
            // Registered before the look at the table: a call that returns in between still wakes us.
            let changed = self.calls.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (object, rid, lane) = &resource;
            if let Some(stuck) = self.calls.stuck(object, rid, *lane) {
                return Err(CapabilityError::Other(stuck.to_string()));
            }
            if let Some(entry) = self.try_enter(&resource, &call) {
                return Ok(entry);
            }
            changed.await;
        }
    }

    fn try_enter(&self, resource: &ResourceKey, call: &str) -> Option<CallEntry> {
        let mut table = self.calls.table();
        if table.running.contains_key(resource) {
            return None;
        }
        table.entered += 1;
        let id = table.entered;
        let entered = KernelCall { id, call: call.to_owned(), since: Instant::now(), abandoned: false };
        table.running.insert(resource.clone(), entered);
        Some(CallEntry { calls: self.calls.clone(), resource: resource.clone(), id })
    }

    fn start<T: Send + 'static>(
        &self,
        entry: CallEntry,
        thread: OwnedSemaphorePermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, CapabilityError> {
        let (done, returned) = oneshot::channel();
        let run = move || {
            let result = work();
            // The queue is free before the result is sent, so that the resource's next call never finds this one in its way.
            drop((entry, thread));
            // The caller may have stopped waiting.
            let _ = done.send(result);
        };
        let started = self.threads.run(run);
        started.map_err(|error| CapabilityError::io("cannot start a thread for a kernel call", &error))?;
        Ok(returned)
    }
}

/// The entry of a call in the table, from before the call starts until it has returned.
#[derive(Debug)]
struct CallEntry {
    calls: Arc<CallsInProgress>,
    resource: ResourceKey,
    id: u64,
}

impl Drop for CallEntry {
    fn drop(&mut self) {
        let mut table = self.calls.table();
        if table.running.get(&self.resource).is_some_and(|call| call.id == self.id) {
            table.running.remove(&self.resource);
        }
        drop(table);
        self.calls.changed.notify_waiters();
    }
}

/// The wait for a call. Dropped while armed, which is before the call has returned, it leaves the resource stuck.
struct CallWait {
    calls: Arc<CallsInProgress>,
    resource: ResourceKey,
    id: u64,
    armed: bool,
}

impl Drop for CallWait {
    fn drop(&mut self) {
        let mut table = self.calls.table();
        // The number matters: the call may have returned a moment ago, and the entry may be the next call's.
        if let Some(call) = table.running.get_mut(&self.resource).filter(|call| call.id == self.id) {
            call.abandoned |= self.armed;
        }
        drop(table);
        // Wakes the calls that wait for this one, so that they are refused now and not at their deadlines.
        self.calls.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn resource() -> ResourceKey {
        ("web".parse().unwrap(), "fs#1".parse().unwrap(), CallLane::Usual)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_call_that_does_not_return_leaves_its_resource_stuck_until_it_does() {
        let queues = ResourceQueues::default();
        let never = std::future::pending;
        let (release, held) = mpsc::channel::<()>();
        let call = "mount = * * on /srv".to_owned();
        let late = queues.run(resource(), call.clone(), soon(), never(), move || held.recv()).await;
        assert_eq!(late.unwrap_err(), CapabilityError::TimedOut);
        assert_eq!(queues.stuck(&resource().0, &resource().1).unwrap().call, call);
        let refused = queues.run(resource(), "next".to_owned(), later(), never(), || ()).await.unwrap_err();
        assert!(refused.to_string().starts_with("stuck in \"mount = * * on /srv\" for "), "{refused}");
        let other = ("web".parse().unwrap(), "fs#2".parse().unwrap(), CallLane::Usual);
        queues.run(other, "other".to_owned(), later(), never(), || ()).await.unwrap();

        let changed = queues.calls.changed.notified();
        release.send(()).unwrap();
        changed.await;
        assert_eq!(queues.stuck(&resource().0, &resource().1), None);
        queues.run(resource(), "next".to_owned(), later(), never(), || ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_dropped_waiter_leaves_the_resource_stuck() {
        let queues = ResourceQueues::default();
        let never = std::future::pending;
        let (release, held) = mpsc::channel::<()>();
        let waiter = queues.run(resource(), "umount".to_owned(), later(), never(), move || held.recv());
        tokio::time::timeout(Duration::from_millis(20), waiter).await.unwrap_err();
        assert!(queues.stuck(&resource().0, &resource().1).is_some());
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn calls_of_a_resource_follow_each_other() {
        let queues = ResourceQueues::default();
        let never = std::future::pending;
        let (release, held) = mpsc::channel::<()>();
        let first = queues.run(resource(), "first".to_owned(), later(), never(), move || held.recv().is_ok());
        let second = async {
            release.send(()).unwrap();
            queues.run(resource(), "second".to_owned(), later(), never(), || 2).await
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first, second), (Ok(true), Ok(2)));
    }

    #[tokio::test]
    async fn threads_are_bounded() {
        let queues = ResourceQueues::new(1);
        let never = std::future::pending;
        let (release, held) = mpsc::channel::<()>();
        let first = queues.run(resource(), "first".to_owned(), soon(), never(), move || held.recv()).await;
        assert_eq!(first.unwrap_err(), CapabilityError::TimedOut);
        let other = ("web".parse().unwrap(), "fs#2".parse().unwrap(), CallLane::Usual);
        let second = queues.run(other, "second".to_owned(), soon(), never(), || ()).await;
        assert_eq!(second.unwrap_err(), CapabilityError::TimedOut);
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_crash_frees_the_resource() {
        let queues = ResourceQueues::default();
        let never = std::future::pending;
        let crash = || -> () { std::panic::resume_unwind(Box::new("crash")) };
        let crashed = queues.run(resource(), "crash".to_owned(), later(), never(), crash).await;
        assert_eq!(crashed.unwrap_err(), CapabilityError::Other("the call crashed".to_owned()));
        queues.run(resource(), "next".to_owned(), later(), never(), || ()).await.unwrap();
    }
}
