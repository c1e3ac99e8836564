//! The signal that gives up an action: raised once by the caller, seen by everything that works for the action.
//!
//! A future that waits for it costs nothing until it is raised. `host/core` has no tokio, so the list of waiting tasks is kept
//! here, as [`Waker`]s of whichever executor polls them.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Asks everything that works for an action to stop. Clones share one signal.
#[derive(Clone, Default)]
pub struct CancelSignal(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    raised: AtomicBool,
    waiting: Mutex<WaitingTasks>,
}

/// The tasks to wake, each under the number of its [`CancelWait`].
#[derive(Default)]
struct WaitingTasks {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl CancelSignal {
    /// Raises the signal, and wakes every task that waits for it.
    pub fn cancel(&self) {
        let mut waiting = self.0.waiting();
        // Raised under the lock: a task that looked before is listed by now, and a task that looks later sees the signal.
        self.0.raised.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut waiting.wakers);
        // A waker may run code of its executor, which may drop a `CancelWait`: never under the lock.
        drop(waiting);
        wakers.into_values().for_each(Waker::wake);
    }

    /// Whether the signal was raised.
    pub fn is_cancelled(&self) -> bool {
        // Pairs with the release in `cancel`: a task that sees the signal also sees all that was done before it was raised.
        self.0.raised.load(Ordering::Acquire)
    }

    /// Completes once the signal is raised.
    pub fn cancelled(&self) -> CancelWait<'_> {
        CancelWait { signal: &self.0, number: None }
    }
}

impl CancelState {
    /// Nothing panics while the lock is held, so a poisoned lock means nothing.
    fn waiting(&self) -> MutexGuard<'_, WaitingTasks> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelSignal").field(&self.is_cancelled()).finish()
    }
}

/// The wait of one task for a [`CancelSignal`].
pub struct CancelWait<'a> {
    signal: &'a CancelState,
    /// Where the task's waker stands, once it was polled.
    number: Option<u64>,
}

impl Future for CancelWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let signal = self.signal;
        let mut waiting = signal.waiting();
        // Under the lock: the signal cannot be raised between this look and the entry below.
        if signal.raised.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        // A number and not the waker: two waits of one task have the same waker, and are dropped one by one.
        let number = *self.number.get_or_insert_with(|| {
            waiting.next += 1;
            waiting.next
        });
        // The task may have moved to another executor since the last poll: the newest waker counts.
        let replaced = waiting.wakers.insert(number, context.waker().clone());
        // Dropping a waker may run an executor's code as well: not under the lock either.
        drop(waiting);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for CancelWait<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // Two statements: the first one gives the lock back, so the waker is not dropped under it.
            let removed = self.signal.waiting().wakers.remove(&number);
            drop(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_waiting_task_is_woken_once_and_no_other() {
        let (cancel, woken, dropped) =
            (CancelSignal::default(), Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        let mut waits = pin!(cancel.cancelled());
        assert!(waits.as_mut().poll(&mut Context::from_waker(&woken.clone().into())).is_pending());
        {
            let given_up = pin!(cancel.cancelled());
            assert!(given_up.poll(&mut Context::from_waker(&dropped.clone().into())).is_pending());
        }
        cancel.clone().cancel();
        cancel.cancel();
        let counts = (woken.0.load(Ordering::Relaxed), dropped.0.load(Ordering::Relaxed));
        assert_eq!((counts, cancel.is_cancelled()), ((1, 0), true));
        assert!(waits.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn a_wait_that_begins_after_the_signal_is_over_at_once() {
        let cancel = CancelSignal::default();
        cancel.cancel();
        assert!(pin!(cancel.cancelled()).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn no_task_stays_listed_after_its_wait() {
        let cancel = CancelSignal::default();
        for _ in 0..3 {
            let wait = pin!(cancel.cancelled());
            assert!(wait.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert!(cancel.0.waiting().wakers.is_empty());
    }
}
