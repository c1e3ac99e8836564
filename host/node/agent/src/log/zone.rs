//! The time zone of this machine, for the lines of logs.

use jiff::tz::TimeZone;

/// The file of the machine's time zone, see localtime(5).
const LOCALTIME: &str = "/etc/localtime";

/// The time zone of this machine, as tzset(3) finds it.
///
/// jiff finds the same zone, and its name. For the name it reads the whole directory of time zones, which takes longer than to
/// start a service, and a log shows no name of a zone.
pub(super) fn local() -> TimeZone {
    // The variable may name a zone, and only jiff's database knows names.
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let zone = std::fs::read(LOCALTIME).ok().and_then(|rules| TimeZone::tzif("local", &rules).ok());
    zone.unwrap_or_else(TimeZone::system)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn it_is_the_zone_that_jiff_finds() {
        // A summer and a winter, now and long ago.
        for second in [1_750_000_000, 1_735_000_000, 100_000_000, 115_000_000] {
            let at = Timestamp::constant(second, 0);
            assert_eq!(super::local().to_offset(at), TimeZone::system().to_offset(at));
        }
    }
}
