//! The path and the parameters of a request, which have one spelling.

use std::collections::BTreeMap;

use crate::refusal::GuardRefusal;

/// The oldest version of the API in which starting a container cannot change what it is.
const OLDEST: u32 = 24;

/// The path and the parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestTarget {
    /// `/v1.41`, or nothing.
    pub(crate) version: String,
    /// Without the version: `containers`, `web`, `start`.
    pub(crate) segments: Vec<String>,
    /// Each name once.
    pub(crate) parameters: BTreeMap<String, String>,
}

fn unclear(reason: impl Into<String>) -> GuardRefusal {
    GuardRefusal::Unclear(reason.into())
}

impl RequestTarget {
    /// Reads a path with its query.
    pub(crate) fn parse(text: &str) -> Result<RequestTarget, GuardRefusal> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.strip_prefix('/').ok_or_else(|| unclear("its path does not begin with a slash"))?;
        let mut segments = Vec::new();
        for segment in path.split('/') {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '@');
            // Engines resolve dots and merge slashes, so such a path is another one for them.
            if segment.is_empty() || segment.chars().all(|c| c == '.') || !segment.chars().all(plain) {
                return Err(unclear(format!("its path has the component {segment:?}")));
            }
            segments.push(segment.to_owned());
        }
        // It goes back in front of the path that is sent; routes are compared without it.
        let version = match version(&segments[0])? {
            true => format!("/{}", segments.remove(0)),
            false => String::new(),
        };
        Ok(RequestTarget { version, segments, parameters: parameters(query)? })
    }

    /// Refuses parameters other than these.
    pub(crate) fn knows(&self, names: &[&str]) -> Result<(), GuardRefusal> {
        match self.parameters.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(GuardRefusal::Member(format!("the parameter {name:?}"))),
            None => Ok(()),
        }
    }

    /// The request as it is sent: this path below the version, and the parameters.
    pub(crate) fn write(&self, path: &str) -> String {
        let mut text = format!("{}{path}", self.version);
        for (number, (name, value)) in self.parameters.iter().enumerate() {
            text += if number == 0 { "?" } else { "&" };
            text += &format!("{}={}", escaped(name), escaped(value));
        }
        text
    }
}

/// Whether the segment is a version such as `v1.41`. A segment that only looks like one is refused.
fn version(segment: &str) -> Result<bool, GuardRefusal> {
    let Some(number) = segment.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else {
        return Ok(false);
    };
    let minor = number.strip_prefix("1.").filter(|minor| minor.len() == 2 && !minor.starts_with('0'));
    match minor.and_then(|minor| minor.parse::<u32>().ok()).filter(|minor| *minor >= OLDEST) {
        Some(_) => Ok(true),
        None => Err(unclear(format!("{segment} is not a version of the API from 1.{OLDEST} on"))),
    }
}

fn parameters(query: &str) -> Result<BTreeMap<String, String>, GuardRefusal> {
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| unclear(format!("its parameter {pair:?} has no =")))?;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !plain {
            return Err(unclear(format!("it has the parameter {name:?}")));
        }
        let value = unescaped(value).ok_or_else(|| unclear(format!("the value of its parameter {name}")))?;
        // One server takes the first of two, another the last.
        if parameters.keys().any(|known: &String| known.eq_ignore_ascii_case(name)) {
            return Err(unclear(format!("it has the parameter {name} twice")));
        }
        parameters.insert(name.to_owned(), value);
    }
    Ok(parameters)
}

/// Resolves percent escapes, see RFC 3986 §2.1. In a query a `+` is a space.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &rest[2..];
            }
            b'+' => bytes.push(b' '),
            // Some servers split parameters at `;`, and `#` begins a fragment.
            b';' | b'#' | 0..=b' ' | 127.. => return None,
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Escapes all characters that are not unreserved.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for bad in [
            "",
            "containers/json",
            "/",
            "//containers/json",
            "/containers//json",
            "/containers/json/",
            "/v1.41/../containers/json",
            "/v1.41/./containers/json",
            "/containers/%6ason",
            "/containers/json#x",
            "/containers/a b/json",
            "/v1.23/containers/json",
            "/v1.041/containers/json",
            "/v2.41/containers/json",
            "/v1/containers/json",
            "/v1.4/containers/json",
            "http://other/containers/json",
            "/containers/json?all",
            "/containers/json?all=1&all=0",
            "/containers/json?all=1&All=0",
            "/containers/json?all=%zz",
            "/containers/json?all=1;b=2",
            "/containers/json?=1",
            "/containers/json?%61ll=1",
        ] {
            assert!(RequestTarget::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_target_is_written_as_it_was_read() {
        let target = RequestTarget::parse("/v1.41/containers/json?filters=%7B%22a+b%22%3A1%7D&all=1").unwrap();
        assert_eq!(target.version, "/v1.41");
        assert_eq!(target.segments, ["containers", "json"]);
        assert_eq!(target.parameters["filters"], r#"{"a b":1}"#);
        assert_eq!(target.write("/x"), "/v1.41/x?all=1&filters=%7B%22a%20b%22%3A1%7D");
        assert_eq!(RequestTarget::parse("/_ping").unwrap().write("/_ping"), "/_ping");
    }
}
