//! `snooze`, `unsnooze`: what schedules start is put off on this node, until a moment.

use anyhow::anyhow;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::command::SnoozeArgs;
use crate::each::each;
use crate::exit::Outcome;
use crate::session::Session;
use crate::words::Target;

pub(crate) fn snooze(session: &Session, target: &Target, args: &SnoozeArgs) -> Outcome {
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    let until = match (&args.time, &args.until) {
        (Some(time), _) => SignedDuration::try_from(*time).ok().and_then(|time| now.checked_add(time).ok()),
        (None, Some(text)) => Some(moment(text, now, &zone)?),
        // The parser demands one of the two.
        (None, None) => None,
    };
    let until = until.ok_or_else(|| anyhow!("--for: the end is too far away"))?;
    if until <= now {
        let until = zone.to_datetime(until).strftime("%F %T");
        return Err(anyhow!("--until: {until} has passed already").into());
    }
    Ok(each(session.select_instances(target, "snooze")?, |path| {
        session.backend.snooze(&path, Some(until))?;
        let end = zone.to_datetime(until).strftime("%F %T").to_string();
        session.note(&format!("{path}: no schedule starts anything on this node before {end}"));
        Ok(())
    })
    .into())
}

pub(crate) fn unsnooze(session: &Session, target: &Target) -> Outcome {
    Ok(each(session.select_instances(target, "unsnooze")?, |path| {
        let was = session.backend.snooze(&path, None)?;
        session.note(&format!("{path}: {}", if was { "its schedules hold again" } else { "not snoozed" }));
        Ok(())
    })
    .into())
}

/// A moment, as it is typed: with an offset, as a date and a time here, or as the next time of day.
fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let here = |at: DateTime| zone.to_timestamp(at).map_err(anyhow::Error::from);
    // A date with a time is read as a time too, the date left out.
    if !text.contains('-')
        && let Ok(time) = text.parse::<Time>()
    {
        let today = zone.to_datetime(now).date();
        let at = here(today.to_datetime(time))?;
        return if at > now { Ok(at) } else { here(today.tomorrow()?.to_datetime(time)) };
    }
    let expected = "expected a time such as 08:00, 2026-12-24T08:00 or 2026-12-24T08:00:00Z";
    text.parse::<DateTime>().map_or_else(|_| Err(anyhow!("--until {text:?}: {expected}")), here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_typed() {
        let (zone, now) = (TimeZone::fixed(jiff::tz::offset(1)), "2026-11-30T09:30:00Z".parse().unwrap());
        let check = |text: &str, expected: &str| {
            assert_eq!(moment(text, now, &zone).unwrap(), expected.parse().unwrap(), "{text}");
        };
        check("2026-12-24T08:00:00Z", "2026-12-24T08:00:00Z");
        check("2026-12-24T08:00", "2026-12-24T07:00:00Z");
        check("2026-12-24 08:00:30", "2026-12-24T07:00:30Z");
        check("2026-12-24", "2026-12-23T23:00:00Z");
        check("11:00", "2026-11-30T10:00:00Z");
        check("10:00", "2026-12-01T09:00:00Z");
        for text in ["", "tomorrow", "25:00", "8"] {
            let error = moment(text, now, &zone).unwrap_err().to_string();
            assert!(error.contains("expected a time such as 08:00"), "{text}: {error}");
        }
    }
}
