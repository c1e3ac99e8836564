//! What the executor saw of resources right after it had acted on them. An action ends with a look at all resources, and one that was
//! looked at a moment ago is not asked once more: each look is a call of a driver.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use driver::StatusReport;
use model::Rid;

/// How long a look counts. In that time a later look could have taken place earlier: so much passes between two looks at an instance
/// of many resources.
const COUNTS: Duration = Duration::from_millis(100);

/// The statuses that were seen, and when.
#[derive(Debug, Default)]
pub(crate) struct RecentLooks(Mutex<BTreeMap<Rid, (Instant, StatusReport)>>);

impl RecentLooks {
    pub(crate) fn note(&self, rid: &Rid, seen: StatusReport) {
        self.with(|looks| looks.insert(rid.clone(), (Instant::now(), seen)));
    }

    /// Something is about to be done to that resource.
    pub(crate) fn forget(&self, rid: &Rid) {
        self.with(|looks| looks.remove(rid));
    }

    /// Something was done that may concern any resource.
    pub(crate) fn clear(&self) {
        self.with(BTreeMap::clear);
    }

    /// The status of a resource if it was seen a moment ago. It is taken out: the next look is one at the resource.
    pub(crate) fn take(&self, rid: &Rid) -> Option<StatusReport> {
        let seen = self.with(|looks| looks.remove(rid));
        seen.filter(|(at, _)| at.elapsed() < COUNTS).map(|(_, seen)| seen)
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<Rid, (Instant, StatusReport)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use model::status::{Provisioned, State};

    use super::*;

    fn seen(label: &str) -> StatusReport {
        StatusReport {
            state: State::Up,
            provisioned: Provisioned::True,
            label: label.to_owned(),
            messages: Vec::new(),
            exposes: Vec::new(),
            uses: Vec::new(),
            fault: None,
        }
    }

    #[test]
    fn a_look_counts_once_and_not_for_long() {
        let (looks, rid) = (RecentLooks::default(), "fs#1".parse().unwrap());
        looks.note(&rid, seen("first"));
        looks.note(&rid, seen("second"));
        assert_eq!(looks.take(&rid).unwrap().label, "second");
        assert!(looks.take(&rid).is_none());
        looks.note(&rid, seen("old"));
        sleep(COUNTS);
        assert!(looks.take(&rid).is_none());
    }

    #[test]
    fn what_acts_makes_earlier_looks_void() {
        let (looks, rid, other) = (RecentLooks::default(), "fs#1".parse().unwrap(), "fs#2".parse().unwrap());
        looks.note(&rid, seen("a"));
        looks.note(&other, seen("b"));
        looks.forget(&rid);
        assert!(looks.take(&rid).is_none());
        looks.clear();
        assert!(looks.take(&other).is_none());
    }
}
