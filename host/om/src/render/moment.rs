//! Moments and lengths of time, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A moment in seconds since 1970, as the time of day here.
pub(crate) fn time_of_day(at: f64) -> String {
    formatted(at, "%H:%M:%S%.3f")
}

/// The same with its date.
pub(crate) fn date(at: f64) -> String {
    formatted(at, "%Y-%m-%d %H:%M:%S")
}

fn formatted(at: f64, format: &str) -> String {
    let moment = Timestamp::from_microsecond((at * 1e6) as i64).ok();
    moment.map_or("-".to_owned(), |moment| TimeZone::system().to_datetime(moment).strftime(format).to_string())
}

/// A length of time in its two largest units: `3d4h`, `5m12s`.
pub(crate) fn since(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let units = [("d", whole / 86400), ("h", whole / 3600 % 24), ("m", whole / 60 % 60), ("s", whole % 60)];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(3);
    units[first..].iter().take(2).map(|(unit, count)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_two_units() {
        let check = |seconds: f64, expected: &str| assert_eq!(since(seconds), expected);
        check(0.4, "0s");
        check(59.9, "59s");
        check(312.0, "5m12s");
        check(3600.0, "1h0m");
        check(273_600.0, "3d4h");
        check(-1.0, "0s");
    }
}
