//! Cases of a calendar: what runs next, and what the answer says of now.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::convert::{Schedule, schedule};
use schedule::{NextRun, ScheduleQuery, WaitReason, missed_run, next_run};

struct Case {
    schedule: Schedule,
    zone: TimeZone,
    seed: u64,
}

impl Case {
    fn new(text: &str) -> Case {
        Case {
            schedule: schedule(text).unwrap_or_else(|error| panic!("{text}: {error}")),
            zone: TimeZone::UTC,
            seed: 7,
        }
    }

    fn in_zone(text: &str, zone: &str) -> Case {
        Case { zone: TimeZone::posix(zone).unwrap(), ..Case::new(text) }
    }

    fn moment(&self, local: &str) -> Timestamp {
        local.parse::<DateTime>().unwrap().to_zoned(self.zone.clone()).unwrap().timestamp()
    }

    fn ask(&self, now: &str, last: Option<&str>) -> NextRun {
        next_run(&self.query(now, last))
    }

    fn query(&self, now: &str, last: Option<&str>) -> ScheduleQuery<'_> {
        let last = last.map(|last| self.moment(last));
        ScheduleQuery { schedule: &self.schedule, zone: &self.zone, now: self.moment(now), last, seed: self.seed }
    }

    fn local(&self, moment: Timestamp) -> String {
        self.zone.to_datetime(moment).to_string()
    }

    /// Asks, and compares with the local time of the next run; `-` is never.
    fn check(&self, now: &str, last: Option<&str>, expected: &str) {
        let next = self.ask(now, last).at.map_or("-".to_owned(), |at| self.local(at));
        assert_eq!(next, expected, "at {now}, last {last:?}, {:?}", self.schedule);
    }
}

/// Central Europe, written out so that no time zone database is needed.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

#[test]
fn an_interval_counts_from_the_last_run() {
    let ten = Case::new("@10");
    ten.check("2026-11-29T12:00:00", None, "2026-11-29T12:00:00");
    ten.check("2026-11-29T12:00:00", Some("2026-11-29T11:55:30"), "2026-11-29T12:05:30");
    ten.check("2026-11-29T23:58:00", Some("2026-11-29T23:55:00"), "2026-11-30T00:05:00");
    assert_eq!(
        ten.ask("2026-11-29T12:00:00", Some("2026-11-29T11:55:30")).wait,
        WaitReason::Interval(std::time::Duration::from_secs(600))
    );
}

#[test]
fn without_an_interval_a_window_sees_one_run() {
    let nightly = Case::new("03:00-05:00 mon-fri");
    // A Sunday.
    nightly.check("2026-11-29T12:00:00", None, "2026-11-30T03:00:00");
    nightly.check("2026-11-30T04:30:00", None, "2026-11-30T04:30:00");
    nightly.check("2026-11-30T04:30:00", Some("2026-11-30T03:00:01"), "2026-12-01T03:00:00");
    nightly.check("2026-12-04T05:00:00", Some("2026-12-04T03:00:00"), "2026-12-07T03:00:00");
    let daily = Case::new("*");
    daily.check("2026-11-29T23:30:00", Some("2026-11-29T23:00:00"), "2026-11-30T00:00:00");
}

#[test]
fn a_window_that_crosses_midnight_belongs_to_the_day_on_which_it_begins() {
    let late = Case::new("22:00-02:00 sat");
    late.check("2026-11-28T21:00:00", None, "2026-11-28T22:00:00");
    late.check("2026-11-29T01:30:00", None, "2026-11-29T01:30:00");
    late.check("2026-11-29T01:30:00", Some("2026-11-28T22:10:00"), "2026-12-05T22:00:00");
    late.check("2026-11-29T02:00:00", None, "2026-12-05T22:00:00");
    // Nor does Friday night belong to Saturday.
    late.check("2026-11-28T01:00:00", None, "2026-11-28T22:00:00");
}

#[test]
fn the_first_element_that_covers_a_moment_decides() {
    let quiet = Case::new(r#"["!02:00-03:00", "@30"]"#);
    quiet.check("2026-11-29T01:55:00", Some("2026-11-29T01:40:00"), "2026-11-29T03:00:00");
    assert_eq!(quiet.ask("2026-11-29T02:30:00", None).wait, WaitReason::Excluded);
    // What follows the element that decides has no say.
    let loud = Case::new(r#"["@30", "!02:00-03:00"]"#);
    loud.check("2026-11-29T02:10:00", Some("2026-11-29T01:40:00"), "2026-11-29T02:10:00");
}

#[test]
fn weeks_are_those_of_the_date_that_is_tested() {
    // The first of January 2021 is a Friday of week 53 of 2020.
    let always = Case::new("12:00");
    always.check("2021-01-01T00:00:00", None, "2021-01-01T12:00:00");
    let last = Case::new("12:00 * 53");
    last.check("2020-12-20T00:00:00", None, "2020-12-28T12:00:00");
    last.check("2021-01-03T13:00:00", Some("2021-01-03T12:00:00"), "2026-12-28T12:00:00");
}

#[test]
fn days_of_the_month_count_from_both_ends() {
    Case::new("12:00 :last").check("2027-02-01T00:00:00", None, "2027-02-28T12:00:00");
    Case::new("12:00 :-2").check("2028-02-01T00:00:00", None, "2028-02-28T12:00:00");
    Case::new("12:00 :31").check("2026-11-01T00:00:00", None, "2026-12-31T12:00:00");
    Case::new("12:00 mon:29 * feb").check("2026-11-01T00:00:00", None, "2044-02-29T12:00:00");
    Case::new("12:00 :30 * feb").check("2026-11-01T00:00:00", None, "-");
}

#[test]
fn a_local_time_that_does_not_exist_comes_later_and_one_that_comes_twice_runs_once() {
    let early = Case::in_zone("02:30", BERLIN);
    // On 29 March 2026 the clocks go from 02:00 to 03:00.
    early.check("2026-03-29T00:00:00", Some("2026-03-28T02:30:00"), "2026-03-29T03:30:00");
    early.check("2026-03-29T03:31:00", Some("2026-03-29T03:30:00"), "2026-03-30T02:30:00");
    // On 25 October 2026 they go from 03:00 back to 02:00.
    early.check("2026-10-25T00:00:00", Some("2026-10-24T02:30:00"), "2026-10-25T02:30:00");
    let after = early.ask("2026-10-25T02:31:00", Some("2026-10-25T02:30:00")).at.unwrap();
    assert_eq!(early.local(after), "2026-10-26T02:30:00");
}

#[test]
fn whole_days_are_counted_by_the_calendar() {
    let daily = Case::in_zone("00:00-01:00@1d", BERLIN);
    // The 29th has 23 hours: counted in seconds, the run of the 30th would be an hour late and out of its window.
    daily.check("2026-03-29T12:00:00", Some("2026-03-29T00:00:05"), "2026-03-30T00:00:00");
    let weekly = Case::new("03:00-04:00@7d");
    weekly.check("2026-11-30T03:30:00", Some("2026-11-23T03:20:00"), "2026-11-30T03:30:00");
    weekly.check("2026-11-29T03:30:00", Some("2026-11-23T03:20:00"), "2026-11-30T03:00:00");
}

#[test]
fn an_interval_longer_than_the_window_does_not_drift_out_of_it() {
    let hourly = Case::new("00:00-00:10@60,01:00-01:10@60,02:00-02:10@60");
    hourly.check("2026-11-29T01:00:00", Some("2026-11-29T00:09:30"), "2026-11-29T01:00:00");
}

#[test]
fn a_clock_that_was_set_back_delays_a_run_by_its_interval_at_most() {
    let ten = Case::new("@10");
    ten.check("2026-11-29T12:00:00", Some("2026-11-29T18:00:00"), "2026-11-29T12:10:00");
    let nightly = Case::new("03:00-05:00");
    nightly.check("2026-11-29T03:30:00", Some("2036-11-29T03:30:00"), "2026-11-30T03:00:00");
}

#[test]
fn spread_chooses_one_moment_of_the_window_and_keeps_to_it() {
    let spread = Case::new("~00:00-06:00");
    let chosen = spread.ask("2026-11-28T12:00:00", None).at.unwrap();
    let (begin, end) = (spread.moment("2026-11-29T00:00:00"), spread.moment("2026-11-29T06:00:00"));
    assert!(begin <= chosen && chosen < end);
    // Asked in the window before that moment, the answer is the same; asked after it, the run is due.
    assert_eq!(spread.ask("2026-11-29T00:00:00", None), NextRun { at: Some(chosen), wait: WaitReason::Spread });
    let late = spread.ask("2026-11-29T05:59:59", None);
    assert_eq!(late.wait, WaitReason::Due);
    // Another seed and another day choose another moment.
    let other = Case { seed: 8, ..Case::new("~00:00-06:00") };
    assert_ne!(other.ask("2026-11-28T12:00:00", None).at, Some(chosen));
}

#[test]
fn never_is_never() {
    Case::new("").check("2026-11-29T12:00:00", None, "-");
    Case::new("@0").check("2026-11-29T12:00:00", None, "-");
    assert_eq!(Case::new("").ask("2026-11-29T12:00:00", None).wait, WaitReason::Closed);
}

#[test]
fn a_run_that_was_missed_is_told_by_its_moment() {
    let nightly = Case::new("03:00-05:00");
    let missed = |now, last| missed_run(&nightly.query(now, last)).map(|at| nightly.local(at));
    assert_eq!(missed("2026-11-29T12:00:00", Some("2026-11-28T03:00:00")).as_deref(), Some("2026-11-29T03:00:00"));
    assert_eq!(missed("2026-11-29T12:00:00", Some("2026-11-29T03:00:00")), None);
    // It is not missed while its window is open, and nobody knows what was missed of what never ran.
    assert_eq!(missed("2026-11-29T04:00:00", Some("2026-11-28T03:00:00")), None);
    assert_eq!(missed("2026-11-29T12:00:00", None), None);
}
