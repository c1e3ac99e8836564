//! What runs by itself, and when: the schedules of an instance, with the last and the next run of each.

use std::hash::Hasher;

use fnv::FnvHasher;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::object::{Object, Resource, WrittenSchedule};
use model::status::State;
use model::{Group, ObjectPath, Rid, Verb, convert};
use protocol::{ScheduleDocument, ScheduledAction};
use schedule::{NextRun, ScheduleQuery, WaitReason, missed_run, next_run};

use crate::file::lock::holder_of;
use crate::state::{FreezeState, InstanceState};
use crate::{ActError, Agent, TaskRun};
use exec::blocking;

impl Agent {
    /// What the schedules of an instance start, and when.
    pub async fn timetable(&self, path: &ObjectPath) -> Result<ScheduleDocument, ActError> {
        let (agent, path) = (self.clone(), path.clone());
        blocking(move || {
            let configuration = agent.configuration(&path)?;
            let object = configuration.object()?;
            let zone = zone_of(object)?;
            let state = InstanceState::of(agent.home(), &path);
            let (runs, now) = (agent.task_runs(&path), Timestamp::now());
            let (obstacle, snoozed) = (obstacle(&agent, &state), state.snoozed(now).ok().flatten());
            Ok(InstanceClock { object, zone, obstacle, snoozed, state, runs, now }.document())
        })
        .await
    }
}

/// An instance at one moment.
struct InstanceClock<'a> {
    object: &'a Object,
    zone: TimeZone,
    state: InstanceState,
    /// The runs of tasks that go on.
    runs: Vec<TaskRun>,
    /// What keeps everything that is due from running.
    obstacle: Option<(&'static str, String)>,
    /// Until when nothing is started by a schedule.
    snoozed: Option<Timestamp>,
    now: Timestamp,
}

/// What keeps everything of an instance that is due from running: a word for programs, and a sentence.
fn obstacle(agent: &Agent, state: &InstanceState) -> Option<(&'static str, String)> {
    if state.frozen().is_ok_and(|frozen| frozen != FreezeState::No) {
        return Some(("frozen", "it is due, but the instance is frozen".to_owned()));
    }
    let last = state.last_status().ok().flatten();
    if let Some(avail) = last.map(|last| last.sums.avail).filter(|avail| !matches!(avail, State::Up | State::Na)) {
        let why = format!("it is due, but runs only where the instance is up, and that is {avail}");
        return Some(("not_up", why));
    }
    let no_daemon = || ("no_daemon", "it is due, but no daemon runs on this node: om daemon start".to_owned());
    holder_of(&agent.home().run.join("daemon.lock")).is_none().then(no_daemon)
}

impl InstanceClock<'_> {
    fn document(&self) -> ScheduleDocument {
        let resources = self.object.resources.iter().filter(|resource| !resource.disable);
        let entries = self.of_instance().into_iter().chain(resources.filter_map(|resource| self.of_resource(resource)));
        ScheduleDocument {
            path: self.object.path.clone(),
            node: self.object.node.clone(),
            timezone: self.zone.iana_name().map_or_else(|| self.offset(), str::to_owned),
            snoozed_until: self.snoozed.map(|until| until.as_second()),
            entries: entries.collect(),
        }
    }

    /// The looks at the instance: at all of it, and more often at what is monitored.
    fn of_instance(&self) -> Vec<ScheduledAction> {
        let seen =
            self.state.last_status().ok().flatten().and_then(|status| Timestamp::from_second(status.seen_at).ok());
        let monitored = self.object.resources.iter().any(|resource| resource.monitor);
        let looks = [("status", "status_schedule", true), ("resource_monitor", "monitor_schedule", monitored)];
        let looks = looks.into_iter().filter(|(_, _, wanted)| *wanted && !self.object.resources.is_empty());
        let entry = |(action, keyword, _)| {
            let text = self.object.keywords.get(keyword)?.concat();
            let written = WrittenSchedule { keyword: format!("DEFAULT.{keyword}"), text };
            self.entry(action, None, &written, seen)
        };
        looks.filter_map(entry).collect()
    }

    fn of_resource(&self, resource: &Resource) -> Option<ScheduledAction> {
        let (action, verb) = match resource.rid.group() {
            Group::Sync => ("sync_update", Verb::Sync),
            Group::Task => ("run", Verb::Run),
            _ => return None,
        };
        let last = self.state.last_run(&resource.rid, verb).ok().flatten().map(|run| run.began);
        let mut entry = self.entry(action, Some(&resource.rid), resource.schedule.as_ref()?, last)?;
        if resource.catch_up {
            self.make_good(&mut entry, resource.schedule.as_ref()?, last);
        }
        if let Some(until) = self.snoozed.filter(|until| entry.next_run_at.is_some_and(|at| at < until.as_second())) {
            self.put_off(&mut entry, resource, last, until);
        } else if entry.next_run_at.is_some_and(|at| at <= self.now.as_second()) {
            self.hold_back(&mut entry, resource);
        }
        Some(entry)
    }

    /// A run that was missed is due now.
    fn make_good(&self, entry: &mut ScheduledAction, written: &WrittenSchedule, last: Option<Timestamp>) {
        let Ok(schedule) = convert::schedule(&written.text) else { return };
        let seed = self.seed(&written.keyword);
        let query = ScheduleQuery { schedule: &schedule, zone: &self.zone, now: self.now, last, seed };
        if let Some(missed) = missed_run(&query) {
            let missed = self.zone.to_datetime(missed).strftime("%F %T").to_string();
            entry.next_run_at = Some(self.now.as_second());
            (entry.wait, entry.reason) =
                ("missed".to_owned(), format!("the run of {missed} was missed, and is due (catch_up)"));
        }
    }

    /// Puts a run off that an operator does not want before then.
    fn put_off(&self, entry: &mut ScheduledAction, resource: &Resource, last: Option<Timestamp>, until: Timestamp) {
        let schedule = resource.schedule.as_ref().and_then(|written| convert::schedule(&written.text).ok());
        let seed = self.seed(&entry.keyword);
        // As of then: a window that closes before is skipped, unless it is made good.
        let next = schedule.and_then(|schedule| {
            next_run(&ScheduleQuery { schedule: &schedule, zone: &self.zone, now: until, last, seed }).at
        });
        entry.next_run_at = if resource.catch_up { Some(until) } else { next }.map(|at| at.as_second());
        let end = self.zone.to_datetime(until).strftime("%F %T");
        (entry.wait, entry.reason) =
            ("snoozed".to_owned(), format!("it is snoozed until {end} (om unsnooze ends that)"));
    }

    /// Says what keeps from running what is due by its schedule.
    fn hold_back(&self, entry: &mut ScheduledAction, resource: &Resource) {
        let own = || self.runs.iter().filter(|run| run.rid == resource.rid);
        let (wait, reason) = match (own().next(), &self.obstacle) {
            (Some(run), _) if own().count() >= resource.max_parallel => {
                ("running", format!("process {} has been running it since {:.0}", run.holder.pid, run.holder.since))
            }
            (_, Some((wait, reason))) => (*wait, reason.clone()),
            _ => return,
        };
        (entry.wait, entry.reason) = (wait.to_owned(), reason);
    }

    /// None if the text is empty or not a schedule, which `validate` reports.
    fn entry(
        &self,
        action: &str,
        rid: Option<&Rid>,
        written: &WrittenSchedule,
        last: Option<Timestamp>,
    ) -> Option<ScheduledAction> {
        let schedule = convert::schedule(&written.text).ok().filter(|schedule| !schedule.elements.is_empty())?;
        let seed = self.seed(&written.keyword);
        let next = next_run(&ScheduleQuery { schedule: &schedule, zone: &self.zone, now: self.now, last, seed });
        Some(ScheduledAction {
            action: action.to_owned(),
            rid: rid.cloned(),
            keyword: written.keyword.clone(),
            schedule: written.text.clone(),
            last_run_at: last.map(|last| last.as_second()),
            next_run_at: next.at.map(|at| at.as_second()),
            wait: code(next.wait).to_owned(),
            reason: self.reason(&next),
        })
    }

    /// The same for one schedule of one instance each time, another one for every other: so `~` spreads a thousand services, and the
    /// nodes of one of them, over the window.
    fn seed(&self, keyword: &str) -> u64 {
        // Not std's hasher, whose algorithm may change with any release of Rust: all
        // schedules would move with an upgrade.
        let mut hasher = FnvHasher::default();
        let object = self.object.path.to_string();
        for word in [object.as_str(), self.object.node.as_str(), keyword] {
            hasher.write(word.as_bytes());
            // Between the words, so that two schedules whose words run together alike have different seeds.
            hasher.write_u8(0);
        }
        hasher.finish()
    }

    fn reason(&self, next: &NextRun) -> String {
        match next.wait {
            WaitReason::Due => "it is due".to_owned(),
            WaitReason::Closed => "now is outside of its windows".to_owned(),
            WaitReason::Excluded => "an exclusion covers now".to_owned(),
            WaitReason::HasRun { window_end } => {
                format!("it has run in the window that ends at {}", self.zone.to_datetime(window_end).time())
            }
            WaitReason::Interval(interval) => format!("its last run was less than {interval:?} ago"),
            WaitReason::Spread => "a later moment of this window was chosen at random".to_owned(),
        }
    }

    fn offset(&self) -> String {
        format!("UTC{}", self.zone.to_offset(self.now))
    }
}

/// The time zone of the object's schedules: its own, or the node's.
pub(crate) fn zone_of(object: &Object) -> Result<TimeZone, ActError> {
    match object.keywords.get("timezone").map(|words| words.concat()).filter(|name| !name.is_empty()) {
        None => Ok(TimeZone::system()),
        Some(zone) => TimeZone::get(&zone).map_err(|_| ActError::Zone { object: object.path.clone(), zone }),
    }
}

fn code(wait: WaitReason) -> &'static str {
    match wait {
        WaitReason::Due => "due",
        WaitReason::Closed => "closed",
        WaitReason::Excluded => "excluded",
        WaitReason::HasRun { .. } => "has_run",
        WaitReason::Interval(_) => "interval",
        WaitReason::Spread => "spread",
    }
}
