//! What runs by itself, and when.

use model::{NodeName, ObjectPath, Rid};
use serde::{Deserialize, Serialize};

use crate::word;

/// What the scheduler does for one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleDocument {
    #[serde(with = "word")]
    pub path: ObjectPath,
    #[serde(with = "word")]
    pub node: NodeName,
    /// The IANA name of the time zone that the schedules are read in, or `UTC+1` and the like where it has none.
    pub timezone: String,
    /// Until when an operator wants no run of a task or copy, in seconds since 1970. Absent if schedules hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<i64>,
    pub entries: Vec<ScheduledAction>,
}

/// An action that a schedule starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledAction {
    /// `status`, `resource_monitor`, `sync_update` or `run`.
    pub action: String,
    /// The resource, unless the action concerns them all.
    #[serde(with = "word::optional", default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<Rid>,
    /// The keyword that holds the schedule, such as `task#1.schedule`.
    pub keyword: String,
    /// The schedule, as it is written.
    pub schedule: String,
    /// When it ran last, in seconds since 1970. Absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<i64>,
    /// When the schedule lets it run next. Absent if it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<i64>,
    /// Why it does not run now: `due`, `closed`, `excluded`, `has_run`, `interval` or `spread`; what is due by its schedule:
    /// `running`, `frozen`, `not_up`, `no_daemon`, `missed` or `snoozed`.
    pub wait: String,
    /// The same for people.
    pub reason: String,
}
