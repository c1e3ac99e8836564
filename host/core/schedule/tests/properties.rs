//! The answer against a second opinion that walks the minutes one by one.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::convert::{Schedule, ScheduleElement, schedule};
use proptest::prelude::*;
use schedule::{ScheduleQuery, WaitReason, next_run};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60;

/// Windows on whole minutes, in UTC, so that a walk by minutes misses nothing.
fn texts() -> impl Strategy<Value = String> {
    let time = (0..24u32, prop_oneof![Just(0u32), Just(10), Just(45)]);
    let window = (time.clone(), time, prop_oneof![Just(""), Just("@7"), Just("@45"), Just("@3h")]);
    let window = window.prop_filter("a window is longer than a second", |(begin, end, _)| begin != end);
    let window = window.prop_map(|((h, m), (eh, em), every)| format!("{h:02}:{m:02}-{eh:02}:{em:02}{every}"));
    let days = prop_oneof![Just(""), Just(" mon-fri"), Just(" sat,sun"), Just(" :last"), Just(" wed")];
    let element = (prop_oneof![3 => Just(""), 1 => Just("!")], window, days);
    let element = element.prop_map(|(exclude, window, days)| format!("{exclude}{window}{days}"));
    prop::collection::vec(element, 1..4).prop_map(|elements| format!("{elements:?}"))
}

/// A schedule, and the days on which the windows of its elements begin, worked out before the walk.
struct Walk<'a> {
    schedule: &'a Schedule,
    first_day: i64,
    allowed: Vec<Vec<bool>>,
}

impl<'a> Walk<'a> {
    fn new(schedule: &'a Schedule, first_day: i64, days: i64) -> Walk<'a> {
        let date = |number: i64| date(1970, 1, 1).checked_add(number.days()).unwrap();
        let row = |element: &ScheduleElement| {
            (first_day..first_day + days).map(|number| allows(element, date(number))).collect()
        };
        Walk { schedule, first_day, allowed: schedule.elements.iter().map(row).collect() }
    }

    /// The element that covers this minute, and the minute at which its window began.
    fn decides(&self, minute: i64) -> Option<(&'a ScheduleElement, i64)> {
        let (today, of_day) = (minute.div_euclid(DAY), minute.rem_euclid(DAY));
        self.schedule.elements.iter().zip(&self.allowed).find_map(|(element, allowed)| {
            let begins_on = |number: i64| usize::try_from(number - self.first_day).is_ok_and(|at| allowed[at]);
            [today - 1, today].into_iter().filter(|number| begins_on(*number)).find_map(|number| {
                let since = of_day + (today - number) * DAY;
                let covers = |begin: i64, end: i64| begin <= since && since < if end > begin { end } else { end + DAY };
                let windows = element.windows.iter().map(|window| (i64::from(window.begin), i64::from(window.end)));
                let mut minutes = windows.map(|(begin, end)| (begin / MINUTE, end / MINUTE));
                minutes.find(|(begin, end)| covers(*begin, *end)).map(|(begin, _)| (element, number * DAY + begin))
            })
        })
    }

    /// Whether something whose last run was at `last` may run in this minute.
    fn may_run(&self, minute: i64, last: Option<i64>) -> bool {
        let Some((element, begin)) = self.decides(minute) else { return false };
        if element.exclude {
            return false;
        }
        let of_day = begin.rem_euclid(DAY);
        let window = element.windows.iter().find(|window| i64::from(window.begin) / MINUTE == of_day).unwrap();
        match (window.interval, last) {
            (_, None) => true,
            (None, Some(last)) => last < begin,
            (Some(interval), Some(last)) => minute >= last + i64::try_from(interval.as_secs()).unwrap() / MINUTE,
        }
    }
}

fn allows(element: &ScheduleElement, date: Date) -> bool {
    let is_wanted = |weekday: Option<u8>, monthday: Option<i8>| {
        weekday.is_none_or(|weekday| i8::try_from(weekday) == Ok(date.weekday().to_monday_one_offset()))
            && monthday.is_none_or(|monthday| monthday == -1 && date == date.last_of_month())
    };
    element.days.is_empty() || element.days.iter().any(|wanted| is_wanted(wanted.weekday, wanted.monthday))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_next_run_is_the_first_minute_that_the_schedule_allows(
        text in texts(),
        now in 0..(60 * DAY),
        since in prop::option::of(0..(2 * DAY)),
    ) {
        let schedule = schedule(&text).unwrap();
        // Two windows of one element that begin together or overlap, and intervals longer than their window, have rules of their own,
        // which the table of cases shows.
        prop_assume!(schedule.elements.iter().all(|element| element.windows.iter().all(|window| {
            let length = (i64::from(window.end) - i64::from(window.begin)).rem_euclid(DAY * MINUTE);
            window.interval.is_none_or(|interval| i64::try_from(interval.as_secs()).unwrap() <= length)
        })));
        let now = now + 20_700 * DAY;
        let last = since.map(|since| now - since);
        let moment = |minute: i64| Timestamp::from_second(minute * MINUTE).unwrap();
        let query = ScheduleQuery { schedule: &schedule, zone: &TimeZone::UTC, now: moment(now), last: last.map(moment), seed: 0 };
        let walk = Walk::new(&schedule, now / DAY - 4, 16);
        let expected = (now..now + 9 * DAY).find(|minute| walk.may_run(*minute, last));
        let found = next_run(&query);
        match expected {
            Some(minute) => prop_assert_eq!(found.at, Some(moment(minute)), "{}", text),
            None => prop_assert!(found.at.is_none_or(|at| at >= moment(now + 9 * DAY)), "{}: {:?}", text, found),
        }
        prop_assert_eq!(found.wait == WaitReason::Due, found.at == Some(moment(now)));
    }

    #[test]
    fn no_schedule_and_no_moment_panics(
        text in "(!?~?[0-9*:@\\-]{0,12}( [a-z0-9:,*-]{0,8}){0,3}){1,2}",
        now in any::<i64>(),
        last in any::<i64>(),
        seed in any::<u64>(),
    ) {
        let Ok(schedule) = schedule(&text) else { return Ok(()) };
        let moment = |second: i64| Timestamp::from_second(second % 377_000_000_000).unwrap_or(Timestamp::MIN);
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        next_run(&ScheduleQuery { schedule: &schedule, zone: &zone, now: moment(now), last: Some(moment(last)), seed });
    }
}
