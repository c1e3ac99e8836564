//! Sizes and durations: numbers with units.

use std::time::Duration;

use super::ConvertError;

/// A number as people write it, exactly: the digits without the point, and how many of them stand behind it.
struct DecimalNumber {
    digits: u128,
    fraction: u32,
}

impl DecimalNumber {
    /// The number at the beginning of a text and what follows it. A comma is a point, too.
    fn split(text: &str) -> Option<(DecimalNumber, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        // A number longer than any quantity would overflow below.
        if whole.is_empty() || !plain(whole) || !plain(fraction) || whole.len() + fraction.len() > 24 {
            return None;
        }
        // Integers, because floats would make 0.1g a byte more or less than people expect.
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some((DecimalNumber { digits, fraction: u32::try_from(fraction.len()).ok()? }, rest))
    }

    /// That many units, rounded down.
    fn times(&self, unit: u64) -> Option<u128> {
        // `split` takes at most 24 digits, so the power fits.
        self.digits.checked_mul(u128::from(unit)).map(|product| product / 10_u128.pow(self.fraction))
    }
}

/// Bytes: `20g`, `512m`, `1.5gib`. Units are binary however they are written.
pub fn size(text: &str) -> Result<u64, ConvertError> {
    let parsed = || {
        let (number, unit) = DecimalNumber::split(text.trim())?;
        let bytes = number.times(1 << size_unit(unit.trim())?)?;
        // Kernel interfaces count in signed 64 bits.
        u64::try_from(bytes).ok().filter(|bytes| i64::try_from(*bytes).is_ok())
    };
    parsed().ok_or_else(|| ConvertError::new("a size", "a number with an optional unit, such as 512m or 20g"))
}

/// The power of two that a unit stands for.
fn size_unit(unit: &str) -> Option<u32> {
    let unit = unit.to_ascii_lowercase();
    let mut letters = unit.chars();
    let power = match letters.next() {
        None => return Some(0),
        Some('b') if unit.len() == 1 => return Some(0),
        Some('k') => 10,
        Some('m') => 20,
        Some('g') => 30,
        Some('t') => 40,
        Some('p') => 50,
        Some('e') => 60,
        Some(_) => return None,
    };
    matches!(letters.as_str(), "" | "b" | "i" | "ib").then_some(power)
}

/// `10s`, `5m`, `1h30m`, `500ms`. A bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, ConvertError> {
    let error = || ConvertError::new("a duration", "a number with an optional unit, such as 30, 10s or 1h30m");
    let mut rest = text.trim();
    let mut total: u128 = 0;
    // Only a text of digits alone is seconds: `1h30` is a mistake rather than an hour and 30 seconds.
    let bare = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    if rest.is_empty() {
        return Err(error());
    }
    while !rest.is_empty() {
        let (number, after) = DecimalNumber::split(rest).ok_or_else(error)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = if bare { "s" } else { &after[..end] };
        let millis = duration_unit(unit).and_then(|unit| number.times(unit)).ok_or_else(error)?;
        total = total.checked_add(millis).ok_or_else(error)?;
        rest = after[end..].trim_start();
    }
    u64::try_from(total).map(Duration::from_millis).map_err(|_| error())
}

/// The milliseconds that a unit stands for.
fn duration_unit(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1000;
    const DAY: u64 = 24 * 3600 * SECOND;
    Some(match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => DAY,
        "w" => 7 * DAY,
        "y" => 365 * DAY,
        _ => return None,
    })
}
