//! The events of the daemon: a ring that readers follow at their own speed.
//!
//! A reader is a position in the ring, not a queue: one that stops reading costs no memory and delays no other reader. If the ring has
//! dropped what it would have read next, it gets a `resync` instead, and goes on with the oldest event that is there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{NodeName, ObjectPath};
use protocol::daemon::{DaemonEvent, EventKind};
use serde_json::Value;
use tokio::sync::watch;

/// The events that readers may still ask for.
const KEPT: usize = 10_000;

/// The log of events. A clone is the same log.
#[derive(Clone, Debug)]
pub struct EventLog {
    node: NodeName,
    ring: Arc<Mutex<EventRing>>,
    /// The number of the last event, for those who wait for the next.
    last: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct EventRing {
    events: VecDeque<Arc<DaemonEvent>>,
    last: u64,
}

/// Follows the log.
#[derive(Debug)]
pub struct EventReader {
    log: EventLog,
    /// The last event that was read.
    position: u64,
    last: watch::Receiver<u64>,
}

impl EventLog {
    /// A log whose first event comes after the number `last`: a daemon that starts again goes on counting.
    pub fn new(node: NodeName, last: u64) -> EventLog {
        let ring = EventRing { events: VecDeque::new(), last };
        EventLog { node, ring: Arc::new(Mutex::new(ring)), last: Arc::new(watch::Sender::new(last)) }
    }

    /// Adds an event that happened at `at`, in seconds since 1970.
    pub fn add(&self, at: f64, kind: EventKind, path: Option<&ObjectPath>, data: Value) {
        let mut ring = self.ring();
        ring.last += 1;
        let event = DaemonEvent { id: ring.last, at, kind, node: self.node.clone(), path: path.cloned(), data };
        if ring.events.len() == KEPT {
            ring.events.pop_front();
        }
        ring.events.push_back(Arc::new(event));
        // Under the lock: of two that add at the same time, the lower number must not be announced last.
        self.last.send_replace(ring.last);
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.ring().last
    }

    /// Follows the log from behind event `after`; without one, from now on.
    pub fn follow(&self, after: Option<u64>) -> EventReader {
        let position = after.unwrap_or_else(|| self.last());
        EventReader { log: self.clone(), position, last: self.last.subscribe() }
    }

    fn ring(&self) -> MutexGuard<'_, EventRing> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventReader {
    /// The next event. Waits until there is one; None at the end of the daemon.
    pub async fn next(&mut self) -> Option<Arc<DaemonEvent>> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            // The log that this reader holds keeps the sender alive, so this fails never.
            self.last.changed().await.ok()?;
        }
    }

    /// The next event, if it is there already.
    pub fn ready(&mut self) -> Option<Arc<DaemonEvent>> {
        let ring = self.log.ring();
        // A number from another life of the daemon that this one has not reached: the reader knows things that were lost.
        let ahead = self.position > ring.last;
        let first = ring.events.front().map_or(ring.last + 1, |event| event.id);
        if ahead || self.position + 1 < first {
            let position = first - 1;
            drop(ring);
            self.position = position;
            return Some(Arc::new(self.resync(position)));
        }
        let index = usize::try_from(self.position + 1 - first).ok()?;
        let event = Arc::clone(ring.events.get(index)?);
        drop(ring);
        self.position = event.id;
        Some(event)
    }

    fn resync(&self, id: u64) -> DaemonEvent {
        let node = self.log.node.clone();
        DaemonEvent { id, at: 0.0, kind: EventKind::Resync, node, path: None, data: Value::Null }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(last: u64) -> EventLog {
        EventLog::new("n1".parse().unwrap(), last)
    }

    fn add(log: &EventLog, count: usize) {
        (0..count).for_each(|_| log.add(1.0, EventKind::InstanceStatus, None, Value::Null));
    }

    fn read(reader: &mut EventReader) -> Vec<(u64, EventKind)> {
        std::iter::from_fn(|| reader.ready()).map(|event| (event.id, event.kind)).collect()
    }

    #[test]
    fn a_reader_follows_from_now_or_from_behind_an_event() {
        let log = log(100);
        add(&log, 2);
        let (mut now, mut earlier) = (log.follow(None), log.follow(Some(101)));
        add(&log, 1);
        let status = EventKind::InstanceStatus;
        assert_eq!(read(&mut now), [(103, status)]);
        assert_eq!(read(&mut earlier), [(102, status), (103, status)]);
    }

    #[test]
    fn a_reader_that_is_too_slow_learns_of_it_and_goes_on() {
        let log = log(0);
        let mut slow = log.follow(None);
        add(&log, KEPT + 5);
        let events = read(&mut slow);
        assert_eq!(events[0], (5, EventKind::Resync));
        assert_eq!(events[1].0, 6);
        assert_eq!(events.len(), KEPT + 1);
    }

    #[test]
    fn a_reader_from_before_a_restart_that_lost_events_learns_of_it() {
        let log = log(7);
        add(&log, 1);
        assert_eq!(read(&mut log.follow(Some(9)))[0].1, EventKind::Resync);
        assert_eq!(read(&mut log.follow(Some(3)))[0], (7, EventKind::Resync));
    }

    #[tokio::test]
    async fn a_reader_waits_for_the_next_event() {
        let log = log(0);
        let mut reader = log.follow(None);
        let waiting = tokio::spawn(async move { reader.next().await.map(|event| event.id) });
        tokio::task::yield_now().await;
        add(&log, 1);
        assert_eq!(waiting.await.unwrap(), Some(1));
    }
}
