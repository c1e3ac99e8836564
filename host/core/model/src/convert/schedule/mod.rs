//! Schedules: `[!][~]HH:MM-HH:MM[@interval] [days[:monthday]] [weeks] [months]`, one or a list of them.
//!
//! This is the parsed text and nothing more. The scheduler, which has a clock, computes when it is time.

use std::time::Duration;

use super::{ConvertError, duration};

/// When something runs on its own. Without an element: never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The first that matches a moment decides.
    pub elements: Vec<ScheduleElement>,
}

/// One line of a schedule. An empty list does not restrict anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleElement {
    /// `!`: what matches is excluded.
    pub exclude: bool,
    /// The windows of the day.
    pub windows: Vec<ScheduleWindow>,
    /// The days.
    pub days: Vec<ScheduleDay>,
    /// ISO weeks of the year, 1 to 53.
    pub weeks: Vec<u8>,
    /// Months of the year, 1 to 12.
    pub months: Vec<u8>,
}

/// A part of the day, which crosses midnight if it ends before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleWindow {
    /// `~`: somewhere in the window rather than as it begins.
    pub spread: bool,
    /// The second of the day at which it begins.
    pub begin: u32,
    /// The second of the day before which it ends.
    pub end: u32,
    /// How long to wait between two runs in the window. None: once per window.
    pub interval: Option<Duration>,
}

/// A day of the week, of the month, or both at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleDay {
    /// 1 is Monday, 7 is Sunday.
    pub weekday: Option<u8>,
    /// From 1; from the end where negative: -1 is the last.
    pub monthday: Option<i8>,
}

const DAY: u32 = 24 * 3600;
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ORDINALS: [&str; 5] = ["1st", "2nd", "3rd", "4th", "5th"];
const NTH: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// Reads a schedule: one, or `["…", "…"]`.
pub fn schedule(text: &str) -> Result<Schedule, ConvertError> {
    let example = "HH:MM-HH:MM[@interval] [days] [weeks] [months], such as 03:00-05:00 mon-fri, or @10";
    parse(text.trim()).map_err(|reason| ConvertError::new("a schedule", format!("{example}: {reason}")))
}

fn parse(text: &str) -> Result<Schedule, String> {
    let Some(list) = text.strip_prefix('[') else {
        return Ok(Schedule { elements: element(text)?.into_iter().collect() });
    };
    let list = list.strip_suffix(']').ok_or("the list does not end")?;
    let mut elements = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (text, after) = quoted.ok_or_else(|| format!("{rest:?} is not quoted"))?;
        elements.extend(element(text)?);
        let after = after.trim_start();
        // The comma is optional, so a list may end with one.
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    Ok(Schedule { elements })
}

/// None if it says that there is never a time.
fn element(text: &str) -> Result<Option<ScheduleElement>, String> {
    let (exclude, text) = text.trim().strip_prefix('!').map_or((false, text.trim()), |rest| (true, rest));
    let mut fields = text.split_whitespace();
    let Some(windows) = fields.next().map(windows).transpose()? else {
        // An empty text means never: it is how a default schedule is switched off.
        return if exclude { Err("! excludes nothing".to_owned()) } else { Ok(None) };
    };
    let element = ScheduleElement {
        exclude,
        windows,
        days: items(fields.next(), days)?,
        weeks: items(fields.next(), |text| range(text, 53, |text| number(text, 53), "a week from 1 to 53"))?,
        months: items(fields.next(), months)?,
    };
    match fields.next() {
        Some(extra) => Err(format!("{extra:?} is one field too many")),
        // An element that never matches, such as `@0`, is left out: it is how people switch a schedule off.
        None => Ok(Some(element).filter(|element| !element.windows.iter().all(ScheduleWindow::is_never))),
    }
}

/// The elements of a field, separated by commas. `*` and a missing field do not restrict anything.
fn items<T>(field: Option<&str>, read: impl Fn(&str) -> Result<Vec<T>, String>) -> Result<Vec<T>, String> {
    let Some(field) = field.filter(|field| *field != "*") else { return Ok(Vec::new()) };
    let read: Vec<Vec<T>> = field.split(',').map(read).collect::<Result<_, _>>()?;
    Ok(read.into_iter().flatten().collect())
}

fn windows(field: &str) -> Result<Vec<ScheduleWindow>, String> {
    field.split(',').map(window).collect()
}

fn window(text: &str) -> Result<ScheduleWindow, String> {
    let (spread, text) = text.strip_prefix('~').map_or((false, text), |rest| (true, rest));
    let (times, interval) = match text.split_once('@') {
        Some((times, interval)) => (times, Some(every(interval)?)),
        None => (text, None),
    };
    let (begin, end) = match times.split_once('-') {
        // `@10` and `*@10` mean the whole day. So does `*`, but once, and an empty text says nothing at all.
        None if matches!(times, "" | "*") && interval.is_some() => (0, DAY),
        None if times == "*" => (0, DAY),
        // A time alone is a window of one second.
        None => time(times).map(|begin| (begin, begin + 1))?,
        Some((begin, end)) => (time(begin)?, time(end)?),
    };
    Ok(ScheduleWindow { spread, begin, end, interval })
}

impl ScheduleWindow {
    fn is_never(&self) -> bool {
        self.interval == Some(Duration::ZERO)
    }
}

/// The interval of a window. A bare number is minutes here, unlike in durations.
fn every(text: &str) -> Result<Duration, String> {
    let minutes = text.parse::<u32>().ok().map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
    let read = minutes.or_else(|| duration(text).ok());
    read.ok_or_else(|| format!("{text:?} is not an interval, which is minutes or has a unit, as in @10 or @1h"))
}

fn time(text: &str) -> Result<u32, String> {
    let read = || {
        let mut parts = text.split(':');
        let mut part = |most: u32| {
            let digits = parts.next().filter(|digits| matches!(digits.len(), 1 | 2))?;
            let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
            digits.parse().ok().filter(|number| *number <= most)
        };
        // 24:00 is the end of a day, as in 20:00-24:00. Later times are refused below.
        let (hour, minute) = (part(24)?, part(59)?);
        let second = if text.matches(':').count() > 1 { part(59)? } else { 0 };
        let at = hour * 3600 + minute * 60 + second;
        (parts.next().is_none() && at <= DAY).then_some(at)
    };
    read().ok_or_else(|| format!("{text:?} is not a time of day"))
}

fn days(text: &str) -> Result<Vec<ScheduleDay>, String> {
    let (weekdays, monthday) = match text.split_once(':') {
        Some((weekdays, monthday)) => (weekdays, Some(self::monthday(monthday)?)),
        None => (text, None),
    };
    // `:1` and `*:1` restrict the day of the month alone.
    if matches!(weekdays, "" | "*") && monthday.is_some() {
        return Ok(vec![ScheduleDay { weekday: None, monthday }]);
    }
    // Cron counts Sunday as 0 and as 7.
    let day = |text: &str| named(text, &WEEKDAYS).or_else(|| number(text, 7)).or((text == "0").then_some(7));
    let weekdays = range(weekdays, 7, day, "a day of the week, such as mon")?;
    Ok(weekdays.into_iter().map(|weekday| ScheduleDay { weekday: Some(weekday), monthday }).collect())
}

fn monthday(text: &str) -> Result<i8, String> {
    let nth = NTH.into_iter().chain(ORDINALS).zip((1..=5).cycle()).find(|(name, _)| *name == text).map(|(_, nth)| nth);
    let counted = || text.parse::<i8>().ok().filter(|day| (1..=31).contains(&day.unsigned_abs()));
    let day = nth.or((text == "last").then_some(-1)).or_else(counted);
    day.ok_or_else(|| format!("{text:?} is not a day of the month, such as 1, -1, first or last"))
}

/// `jan-jun`, `%2` for every second month, `%2+1` for the others.
fn months(text: &str) -> Result<Vec<u8>, String> {
    let (listed, step) = text.split_once('%').map_or((text, None), |(listed, step)| (listed, Some(step)));
    let month = |text: &str| named(text, &MONTHS).or_else(|| number(text, 12));
    let months = match listed {
        "" | "*" if step.is_some() => (1..=12).collect(),
        _ => range(listed, 12, month, "a month, such as jan")?,
    };
    let Some(step) = step else { return Ok(months) };
    let (modulo, shift) = step.split_once('+').unwrap_or((step, "0"));
    let shift = if shift == "0" { Some(0) } else { number(shift, 11) };
    match number(modulo, 12).zip(shift) {
        // `number` gives no 0, so the remainder is defined.
        Some((modulo, shift)) => Ok(months.into_iter().filter(|month| (month + shift) % modulo == 0).collect()),
        None => Err(format!("%{step} is not a step of months, such as %2 or %2+1")),
    }
}

/// `a` or `a-b`, round the end where `b` is less than `a`.
fn range(text: &str, last: u8, read: impl Fn(&str) -> Option<u8>, what: &str) -> Result<Vec<u8>, String> {
    let one = |text: &str| read(text).ok_or_else(|| format!("{text:?} is not {what}"));
    let Some((begin, end)) = text.split_once('-') else { return Ok(vec![one(text)?]) };
    let (begin, end) = (one(begin)?, one(end)?);
    // `fri-mon` and `nov-feb` go round the end of the week and the year.
    if begin <= end { Ok((begin..=end).collect()) } else { Ok((begin..=last).chain(1..=end).collect()) }
}

fn number(text: &str, most: u8) -> Option<u8> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}

/// The place of a name in a list, written in full or by at least three letters, from 1.
fn named(text: &str, names: &[&str]) -> Option<u8> {
    let text = text.to_ascii_lowercase();
    let fits = |name: &&str| text.len() >= 3 && name.starts_with(&text);
    names.iter().zip(1..).find(|(name, _)| fits(name)).map(|(_, place)| place)
}

#[cfg(test)]
mod tests;
