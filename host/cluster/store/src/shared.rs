//! A timeline that several tasks read while one extends it, and the feeds that follow it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{FaultKind, KeyRange, RevisionChange, StoreError, StoreFault, StoreFuture, Timeline, WatchFeed};

/// A timeline with followers.
///
/// A feed is a position in the timeline, not a queue: however many feeds there are and however slow they are, changes are held
/// once, and a feed that the compaction overtakes must list again. Feeds end when the last owner of this drops it.
#[derive(Debug)]
pub struct SharedTimeline {
    timeline: Arc<Mutex<Timeline>>,
    /// Marked as changed at every change of the timeline. False once there will be no more of them.
    signal: watch::Sender<bool>,
}

impl SharedTimeline {
    pub fn new(timeline: Timeline) -> Self {
        Self { timeline: Arc::new(Mutex::new(timeline)), signal: watch::Sender::new(true) }
    }

    /// Reads the timeline.
    pub fn read<T>(&self, read: impl FnOnce(&Timeline) -> T) -> T {
        read(&lock(&self.timeline))
    }

    /// Changes the timeline, then wakes the feeds.
    pub fn change<T>(&self, change: impl FnOnce(&mut Timeline) -> T) -> T {
        let result = change(&mut lock(&self.timeline));
        // After the change, which a feed that wakes must see, and without its lock, which it takes first.
        self.signal.send_modify(|_| {});
        result
    }

    /// Ends all feeds, after what they have not seen yet.
    pub fn close(&self) {
        self.signal.send_replace(false);
    }

    /// A feed of a range from a revision on.
    pub fn watch(&self, range: KeyRange, from: u64) -> Result<Box<dyn WatchFeed>, StoreError> {
        // Here and not at the first change: a caller that asks for what is compacted or not there yet must list,
        // and not wait.
        self.read(|timeline| timeline.check_watch(from))?;
        let feed =
            TimelineFeed { timeline: Arc::clone(&self.timeline), signal: self.signal.subscribe(), range, next: from };
        Ok(Box::new(feed))
    }
}

/// A position in a timeline.
#[derive(Debug)]
struct TimelineFeed {
    timeline: Arc<Mutex<Timeline>>,
    signal: watch::Receiver<bool>,
    range: KeyRange,
    /// The first revision that the feed has not looked at.
    next: u64,
}

impl WatchFeed for TimelineFeed {
    fn next(&mut self) -> StoreFuture<'_, RevisionChange> {
        Box::pin(async move {
            loop {
                // Before the look, so that a change that comes just after it is not slept through.
                let open = *self.signal.borrow_and_update();
                let (change, next) = lock(&self.timeline).next_change(&self.range, self.next)?;
                self.next = next;
                if let Some(change) = change {
                    return Ok(change);
                }
                // Only when nothing is left to read, so that a feed ends after the last change.
                if !open || self.signal.changed().await.is_err() {
                    return Err(StoreError::WatchLost(StoreFault::new(FaultKind::Closed)));
                }
            }
        })
    }
}

/// A task that panicked while it held the lock left the timeline as it was: no change of it is half done.
fn lock(timeline: &Mutex<Timeline>) -> MutexGuard<'_, Timeline> {
    timeline.lock().unwrap_or_else(PoisonError::into_inner)
}
