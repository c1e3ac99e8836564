//! Valid and invalid schedules.

use super::*;

fn one(text: &str) -> ScheduleElement {
    let mut elements = schedule(text).unwrap_or_else(|error| panic!("{text}: {error}")).elements;
    assert_eq!(elements.len(), 1, "{text}");
    elements.remove(0)
}

#[test]
fn windows_have_a_beginning_an_end_and_an_interval() {
    let check = |text: &str, expected: &[(bool, u32, u32, Option<u64>)]| {
        let seen = |window: &ScheduleWindow| {
            (window.spread, window.begin, window.end, window.interval.map(|interval| interval.as_secs()))
        };
        assert_eq!(one(text).windows.iter().map(seen).collect::<Vec<_>>(), expected, "{text}");
    };
    check("@10", &[(false, 0, DAY, Some(600))]);
    check("@1h", &[(false, 0, DAY, Some(3600))]);
    check("*@10s", &[(false, 0, DAY, Some(10))]);
    check("03:00-05:00", &[(false, 3 * 3600, 5 * 3600, None)]);
    check("~22:30-02:00@90", &[(true, 22 * 3600 + 1800, 2 * 3600, Some(5400))]);
    check("12:00", &[(false, 43200, 43201, None)]);
    check("9:00-10:00,12:00:30-24:00", &[(false, 32400, 36000, None), (false, 43230, DAY, None)]);
}

#[test]
fn never_is_not_an_element() {
    for text in ["", "  ", "@0", "[]", "[\"@0\"]"] {
        assert_eq!(schedule(text), Ok(Schedule::default()), "{text}");
    }
}

#[test]
fn days_weeks_and_months_restrict() {
    let weekday = |weekday| ScheduleDay { weekday: Some(weekday), monthday: None };
    let all = one("* mon-wed,sunday 1,52-2 nov-jan");
    assert_eq!(all.days, [weekday(1), weekday(2), weekday(3), weekday(7)]);
    assert_eq!(all.weeks, [1, 52, 53, 1, 2]);
    assert_eq!(all.months, [11, 12, 1]);
    assert_eq!(one("@10 0,7").days, [weekday(7), weekday(7)]);
    assert_eq!(one("@10 mon:first").days, [ScheduleDay { weekday: Some(1), monthday: Some(1) }]);
    assert_eq!(one("@10 *:last,:-2").days.iter().map(|day| day.monthday).collect::<Vec<_>>(), [Some(-1), Some(-2)]);
    assert_eq!(one("@10 * * %2").months, [2, 4, 6, 8, 10, 12]);
    assert_eq!(one("@10 * * jan-jun%2+1").months, [1, 3, 5]);
    assert_eq!((one("@10 * * *").days, one("@10 * * *").months), (vec![], vec![]));
}

#[test]
fn a_list_is_in_brackets() {
    let both = schedule("[\"!03:00-05:00 sat\", \"@10\"]").unwrap();
    assert_eq!(both.elements.iter().map(|element| element.exclude).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn mistakes_are_named() {
    let check = |text: &str, expected: &str| {
        let found = schedule(text).expect_err(text).expected;
        assert!(found.ends_with(expected), "{text}: {found}");
    };
    check("foo", "\"foo\" is not a time of day");
    check("25:00-26:00", "\"25:00\" is not a time of day");
    check("24:01", "\"24:01\" is not a time of day");
    check("10:00-", "\"\" is not a time of day");
    check("1:2:3:4", "\"1:2:3:4\" is not a time of day");
    check("@ten", "\"ten\" is not an interval, which is minutes or has a unit, as in @10 or @1h");
    check("@10 someday", "\"someday\" is not a day of the week, such as mon");
    check("@10 mon:32", "\"32\" is not a day of the month, such as 1, -1, first or last");
    check("@10 * 54", "\"54\" is not a week from 1 to 53");
    check("@10 * * may-foo", "\"foo\" is not a month, such as jan");
    check("@10 * * %0", "%0 is not a step of months, such as %2 or %2+1");
    check("@10 * * * *", "\"*\" is one field too many");
    check("[\"@10\"", "the list does not end");
    check("[@10]", "\"@10\" is not quoted");
    check("!", "! excludes nothing");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in r#"([!~@:*%+,\[\]"-]|[0-9]{1,2}|mon|jan|last| |.)*"#) {
        let _ = schedule(&text);
    }
}
