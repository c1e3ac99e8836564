//! Which windows a schedule has on which days, as moments in a time zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::convert::{Schedule, ScheduleDay, ScheduleElement, ScheduleWindow};

use crate::window::DatedWindow;

/// How far ahead a window is looked for. The rarest date that returns at all, such as a Monday that is a 29 February, returns within 40
/// years.
const HORIZON_DAYS: u32 = 40 * 366;

/// The windows of a schedule in a time zone.
pub(crate) struct Calendar<'a> {
    schedule: &'a Schedule,
    zone: &'a TimeZone,
}

impl<'a> Calendar<'a> {
    pub(crate) fn new(schedule: &'a Schedule, zone: &'a TimeZone) -> Calendar<'a> {
        Calendar { schedule, zone }
    }

    /// The window that decides about the moment: that of the first element that covers it.
    pub(crate) fn window_at(&self, moment: Timestamp) -> Option<DatedWindow> {
        let today = self.date(moment);
        // A window that crosses midnight began yesterday.
        let days = [today.yesterday().ok(), Some(today)];
        self.schedule.elements.iter().find_map(|element| {
            let windows = days.iter().flatten().flat_map(|day| self.windows_of(element, *day));
            windows.into_iter().find(|window| window.covers(moment))
        })
    }

    /// The next moment after this one at which a window begins or ends.
    pub(crate) fn boundary_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut day = self.date(moment).yesterday().ok()?;
        let mut nearest: Option<Timestamp> = None;
        for _ in 0..HORIZON_DAYS {
            let found = self.boundaries(day).filter(|boundary| *boundary > moment).min();
            // A window of the day after may begin before one of this day ends. Later ones cannot.
            match (nearest, found) {
                (Some(nearest), found) => return Some(found.map_or(nearest, |found| found.min(nearest))),
                (None, found) => nearest = found,
            }
            day = day.tomorrow().ok()?;
        }
        nearest
    }

    /// `days` later by the calendar, at the same time of the day.
    pub(crate) fn days_later(&self, moment: Timestamp, days: i32) -> Option<Timestamp> {
        let later = moment.to_zoned(self.zone.clone()).checked_add(days.days());
        later.ok().map(|zoned| zoned.timestamp())
    }

    fn date(&self, moment: Timestamp) -> Date {
        self.zone.to_datetime(moment).date()
    }

    fn boundaries(&self, day: Date) -> impl Iterator<Item = Timestamp> + use<'_, 'a> {
        let windows = self.schedule.elements.iter().flat_map(move |element| self.windows_of(element, day));
        windows.flat_map(|window| [window.begin, window.end])
    }

    /// The windows of the element that begin on the day.
    fn windows_of(&self, element: &ScheduleElement, day: Date) -> Vec<DatedWindow> {
        if !allows(element, day) {
            return Vec::new();
        }
        let dated = element.windows.iter().filter_map(|window| {
            let moments = (self.moment(day, window.begin)?, self.moment(day, end_of(window))?);
            Some(DatedWindow::new(moments, element.exclude, window))
        });
        dated.collect()
    }

    /// The moment of a second of a day. Seconds beyond its end belong to the next day.
    fn moment(&self, day: Date, second: u32) -> Option<Timestamp> {
        let day = if second >= DAY { day.tomorrow().ok()? } else { day };
        let second = second % DAY;
        let part = |value: u32| i8::try_from(value).ok();
        let (hour, minute, second) = (part(second / 3600)?, part(second / 60 % 60)?, part(second % 60)?);
        let local: DateTime = day.at(hour, minute, second, 0);
        self.zone.to_timestamp(local).ok()
    }
}

const DAY: u32 = 24 * 3600;

/// The second at which the window ends, counted from the start of the day on which it begins.
fn end_of(window: &ScheduleWindow) -> u32 {
    if window.end > window.begin { window.end } else { window.end + DAY }
}

/// Whether windows of the element may begin on the day. An empty list allows all.
fn allows(element: &ScheduleElement, day: Date) -> bool {
    let among =
        |list: &[u8], value: i8| list.is_empty() || u8::try_from(value).is_ok_and(|value| list.contains(&value));
    among(&element.months, day.month())
        && among(&element.weeks, day.iso_week_date().week())
        && (element.days.is_empty() || element.days.iter().any(|wanted| is_day(*wanted, day)))
}

fn is_day(wanted: ScheduleDay, day: Date) -> bool {
    let weekday =
        wanted.weekday.is_none_or(|weekday| i8::try_from(weekday) == Ok(day.weekday().to_monday_one_offset()));
    let from_end = day.day() - day.days_in_month() - 1;
    weekday && wanted.monthday.is_none_or(|monthday| monthday == day.day() || monthday == from_end)
}
