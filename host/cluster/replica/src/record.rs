//! What a node remembers of an instance, as it is on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use orchestrate::{ActionSequence, AttemptLog, BootTime, InstanceAction, InstanceRecord, LocalExpect, StoreRevision};
use serde::{Deserialize, Serialize};

use crate::word::{BootWord, EpisodeWord, action};

/// What a node remembers of an instance. A reboot makes a part of it void: `boot` says whether it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecord {
    boot: String,
    sequence: u64,
    started: bool,
    stop: Option<u64>,
    phase: BootWord,
    stopped: Vec<String>,
    /// Milliseconds after the boot.
    starts: Vec<u64>,
    restarts: BTreeMap<String, Vec<u64>>,
    monitor: Option<EpisodeWord>,
    last_start: Option<u64>,
    clears: u64,
    /// The action that has begun and not ended.
    #[serde(default)]
    pub running: Option<RunningRow>,
    /// What the files of the node and the store agreed about last: the freeze, and the checksum of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The last action of another process that it counts, by its number since the boot.
    #[serde(default)]
    pub followed: u64,
}

/// An action that the daemon has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRow {
    #[serde(with = "action")]
    pub action: InstanceAction,
    /// The order that it is done for.
    pub intent: Option<u128>,
}

impl StoredRecord {
    /// The record as it is in this boot.
    pub fn of(record: &InstanceRecord, boot: &str, running: Option<RunningRow>, followed: u64) -> StoredRecord {
        // Since the boot and not of the day: the clock of the day may be set, and a window of restarts would then
        // end early or never.
        let times = |log: &AttemptLog| log.times().map(|time| millis(time.since_boot())).collect();
        StoredRecord {
            boot: boot.to_owned(),
            sequence: record.sequence.0,
            started: record.local_expect == LocalExpect::Started,
            stop: record.stop.map(|sequence| sequence.0),
            phase: record.boot.into(),
            stopped: record.stopped.iter().map(ToString::to_string).collect(),
            starts: times(&record.starts),
            restarts: record.restarts.iter().map(|(rid, log)| (rid.to_string(), times(log))).collect(),
            monitor: record.monitor.map(EpisodeWord::from),
            last_start: record.last_start.map(|revision| revision.0),
            clears: record.clears,
            running,
            frozen: None,
            checksum: None,
            followed,
        }
    }

    /// Whether it is of this boot.
    pub fn is_of(&self, boot: &str) -> bool {
        self.boot == boot
    }

    /// The record as it was written, in the boot of the node that wrote it.
    pub fn as_written(&self) -> InstanceRecord {
        self.record(&self.boot)
    }

    /// The record, as it holds in this boot.
    pub fn record(&self, boot: &str) -> InstanceRecord {
        let log = |times: &[u64]| {
            let mut log = AttemptLog::new();
            times.iter().for_each(|time| log.add(BootTime::after_boot(Duration::from_millis(*time))));
            log
        };
        // What a later version wrote and this one cannot parse is left out: the record is read all the same.
        let restarts = self.restarts.iter().filter_map(|(rid, times)| Some((rid.parse().ok()?, log(times))));
        let mut record = InstanceRecord {
            sequence: ActionSequence(self.sequence),
            local_expect: if self.started { LocalExpect::Started } else { LocalExpect::None },
            stop: self.stop.map(ActionSequence),
            boot: self.phase.into(),
            stopped: self.stopped.iter().filter_map(|rid| rid.parse().ok()).collect(),
            starts: log(&self.starts),
            restarts: restarts.collect(),
            monitor: self.monitor.map(Into::into),
            last_start: self.last_start.map(StoreRevision),
            clears: self.clears,
        };
        // Times of another boot mean nothing here, and what ran then does not run now.
        if self.boot != boot {
            record.reboot();
        }
        record
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrate::BootPhase;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_reboot_voids_what_it_must() {
        let mut record = InstanceRecord::new();
        record.sequence = ActionSequence(3);
        record.local_expect = LocalExpect::Started;
        record.boot = BootPhase::Over;
        record.stopped.insert("app#1".parse().unwrap());
        record.starts.add(BootTime::after_boot(Duration::from_millis(1500)));
        let text = serde_json::to_string(&StoredRecord::of(&record, "b1", None, 2)).unwrap();
        let stored: StoredRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(stored.record("b1"), record);
        let after = stored.record("b2");
        assert_eq!((after.boot, after.local_expect), (BootPhase::Due, LocalExpect::None));
        assert_eq!((after.sequence, after.starts), (ActionSequence(3), AttemptLog::new()));
        assert_eq!(after.stopped, record.stopped);
    }
}
