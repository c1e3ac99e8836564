//! How the values of options are written: sizes, processors, flags, and the small compound ones.
//!
//! The error of each reader says what it expected instead of the text.

use crate::spec::{DeviceMapping, NamedValue, RestartPolicy, TmpfsMount, Ulimit};

pub(crate) type ParseResult<T> = Result<T, &'static str>;

/// Reads a flag as Go does, since docker is written in it.
pub(crate) fn flag(text: &str) -> ParseResult<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("true or false"),
    }
}

pub(crate) fn integer(text: &str) -> ParseResult<i64> {
    text.parse().map_err(|_| "a whole number")
}

/// Bytes: a number and a binary unit, `512m`, `1.5g`, `64kb`, `2GiB`.
pub(crate) fn size(text: &str) -> ParseResult<i64> {
    const EXPECTED: &str = "a size such as 512m or 2g";
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    // docker reads k, kb and kib alike, each as 1024.
    let shift = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        "p" => 50,
        _ => return Err(EXPECTED),
    };
    let factor = 1_i64 << shift;
    match number.split_once('.') {
        None => number.parse::<i64>().ok().and_then(|number| number.checked_mul(factor)).ok_or(EXPECTED),
        Some(_) => decimal(number, factor).ok_or(EXPECTED),
    }
}

/// Bytes, or -1 for no limit.
pub(crate) fn size_or_unlimited(text: &str) -> ParseResult<i64> {
    if text == "-1" { Ok(-1) } else { size(text) }
}

/// Billionths of processors: `1.5`.
pub(crate) fn cpus(text: &str) -> ParseResult<i64> {
    decimal(text, 1_000_000_000).ok_or("a number of processors such as 1.5")
}

/// A decimal number times a factor, rounded down.
fn decimal(text: &str, factor: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // docker refuses more places than these as well ("value is too precise").
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let places = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    // In 128 bits, so that nothing is lost before the division.
    let scaled = whole.checked_mul(places)?.checked_add(fraction)?.checked_mul(factor.into())?;
    i64::try_from(scaled / places).ok()
}

/// Any text but the empty one.
pub(crate) fn word(text: &str) -> ParseResult<String> {
    if text.is_empty() { Err("a value") } else { Ok(text.to_owned()) }
}

/// Nanoseconds: numbers with units, `30s`, `1m30s`, `500ms`.
pub(crate) fn nanoseconds(text: &str) -> ParseResult<i64> {
    const EXPECTED: &str = "a duration such as 30s or 1m30s";
    const UNITS: [(&str, i64); 6] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (mut rest, mut sum) = (text, 0_i64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(EXPECTED)?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(letters);
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(EXPECTED)?;
        let part = number.parse::<i64>().ok().and_then(|number| number.checked_mul(*unit)).ok_or(EXPECTED)?;
        sum = sum.checked_add(part).ok_or(EXPECTED)?;
        rest = next;
    }
    // The engines take no less than a millisecond.
    if sum < 1_000_000 { Err(EXPECTED) } else { Ok(sum) }
}

/// `NAME=VALUE`.
pub(crate) fn variable(text: &str) -> ParseResult<NamedValue> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(NamedValue { name: name.to_owned(), value: value.to_owned() }),
        _ => Err("NAME=VALUE"),
    }
}

/// `NAME`, or `NAME=VALUE`.
pub(crate) fn label(text: &str) -> ParseResult<NamedValue> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("NAME or NAME=VALUE");
    }
    Ok(NamedValue { name: name.to_owned(), value: value.to_owned() })
}

/// `NAME`, or `CAP_NAME`, in any case.
pub(crate) fn capability(text: &str) -> ParseResult<String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let legal = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if legal { Ok(name.to_owned()) } else { Err("a name of capabilities(7) such as NET_ADMIN, or ALL") }
}

/// `name:address`, or `name=address`.
pub(crate) fn extra_host(text: &str) -> ParseResult<String> {
    match text.split_once(['=', ':']) {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => {
            // The API takes version 6 addresses without brackets.
            let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
            Ok(format!("{name}:{address}"))
        }
        _ => Err("NAME:ADDRESS"),
    }
}

impl std::str::FromStr for DeviceMapping {
    type Err = &'static str;

    /// `/dev/host[:/dev/container][:rwm]`.
    fn from_str(text: &str) -> ParseResult<DeviceMapping> {
        const EXPECTED: &str = "/dev/ON-THE-NODE[:/dev/IN-THE-CONTAINER][:PERMISSIONS], the permissions of r, w and m";
        let permissions = |text: &str| !text.is_empty() && text.bytes().all(|byte| b"rwm".contains(&byte));
        let parts: Vec<&str> = text.split(':').collect();
        let (host, container, allowed) = match parts[..] {
            [host] => (host, host, "rwm"),
            // `/dev/a:rw` are permissions: a path in the container would begin with a slash.
            [host, allowed] if permissions(allowed) => (host, host, allowed),
            [host, container] => (host, container, "rwm"),
            [host, container, allowed] if permissions(allowed) => (host, container, allowed),
            _ => return Err(EXPECTED),
        };
        if !host.starts_with('/') || !container.starts_with('/') {
            return Err(EXPECTED);
        }
        Ok(DeviceMapping { host: host.to_owned(), container: container.to_owned(), permissions: allowed.to_owned() })
    }
}

impl std::str::FromStr for NamedValue {
    type Err = &'static str;

    fn from_str(text: &str) -> ParseResult<NamedValue> {
        variable(text)
    }
}

/// `/path[:options]`.
pub(crate) fn tmpfs(text: &str) -> ParseResult<TmpfsMount> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    if !target.starts_with('/') {
        return Err("/PATH[:OPTIONS]");
    }
    Ok(TmpfsMount { target: target.to_owned(), options: options.to_owned() })
}

/// `name=soft[:hard]`.
pub(crate) fn ulimit(text: &str) -> ParseResult<Ulimit> {
    const EXPECTED: &str = "NAME=SOFT[:HARD], such as nofile=1024:4096";
    let (name, limits) = text.split_once('=').ok_or(EXPECTED)?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= -1).ok_or(EXPECTED);
    let (soft, hard) = (number(soft)?, number(hard)?);
    // setrlimit(2) refuses a soft limit above the hard one, at the start of the container.
    let above = hard != -1 && (soft == -1 || soft > hard);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) || above {
        return Err(EXPECTED);
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard })
}

/// `no`, `always`, `unless-stopped`, `on-failure[:times]`.
pub(crate) fn restart(text: &str) -> ParseResult<RestartPolicy> {
    const EXPECTED: &str = "no, always, unless-stopped or on-failure[:TIMES]";
    match text {
        "" | "no" => Ok(RestartPolicy::No),
        "always" => Ok(RestartPolicy::Always),
        "unless-stopped" => Ok(RestartPolicy::UnlessStopped),
        "on-failure" => Ok(RestartPolicy::OnFailure(0)),
        text => {
            let times = text.strip_prefix("on-failure:").and_then(|times| times.parse().ok());
            times.map(RestartPolicy::OnFailure).ok_or(EXPECTED)
        }
    }
}
