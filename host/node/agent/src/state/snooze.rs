//! What the schedules of an instance start is put off until a moment, on the word of an operator.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::{self, FileError};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct SnoozeDocument {
    until: Timestamp,
}

impl InstanceState {
    /// Until when nothing is started by a schedule. One that is over, or torn, counts as none.
    pub fn snoozed(&self, now: Timestamp) -> Result<Option<Timestamp>, FileError> {
        let document: Option<SnoozeDocument> = documents::load(&self.directory.join("snoozed"))?;
        Ok(document.map(|document| document.until).filter(|until| *until > now))
    }

    /// Puts what schedules start off until then.
    pub fn snooze(&self, until: Timestamp) -> Result<(), FileError> {
        documents::store(&self.directory.join("snoozed"), &SnoozeDocument { until })
    }

    /// Lets schedules start again what is due. False if it was not put off.
    pub fn unsnooze(&self, now: Timestamp) -> Result<bool, FileError> {
        let was = self.snoozed(now)?.is_some();
        durable::remove(&self.directory.join("snoozed"))?;
        Ok(was)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn an_instance_is_snoozed_until_its_moment_or_until_it_is_ended() {
        let (_root, web) = web();
        let [now, until, later] = [1_000, 2_000, 3_000].map(|second| Timestamp::constant(second, 0));
        assert_eq!(web.snoozed(now).unwrap(), None);
        assert!(!web.unsnooze(now).unwrap());
        web.snooze(until).unwrap();
        assert_eq!(web.snoozed(now).unwrap(), Some(until));
        assert_eq!(web.snoozed(until).unwrap(), None);
        web.snooze(later).unwrap();
        assert_eq!(web.snoozed(now).unwrap(), Some(later));
        assert!(web.unsnooze(now).unwrap());
        assert_eq!(web.snoozed(now).unwrap(), None);
        std::fs::write(web.directory.join("snoozed"), b"{\"until\":").unwrap();
        assert_eq!(web.snoozed(now).unwrap(), None);
    }
}
