//! The paths of requests that a line allows. A query is not restricted.

use std::fmt;

use crate::bind::binder::{BindFailure, Binder};
use crate::line::glob::{Glob, GlobPart};
use crate::line::token::TokenPiece;

/// The paths of requests that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestPathSet {
    segments: Vec<Glob>,
    /// Whether all paths below are allowed as well.
    below: bool,
}

impl RequestPathSet {
    fn new(parts: Vec<GlobPart>, below: bool) -> RequestPathSet {
        let mut segments = vec![Glob::default()];
        for part in parts {
            let last = segments.len() - 1;
            match part {
                GlobPart::Star => segments[last].0.push(GlobPart::Star),
                GlobPart::Text(text) => {
                    for (i, part) in text.split('/').enumerate() {
                        if i > 0 {
                            segments.push(Glob::default());
                        }
                        let last = segments.len() - 1;
                        if !part.is_empty() {
                            segments[last].0.push(GlobPart::Text(part.to_owned()));
                        }
                    }
                }
            }
        }
        // The part before the first slash is empty.
        segments.remove(0);
        // The text before `/**` ends in a slash, which left one empty segment.
        if below {
            segments.pop();
        }
        RequestPathSet { segments, below }
    }

    pub(super) fn bind(pieces: &[TokenPiece], binder: &Binder<'_>) -> Result<RequestPathSet, BindFailure> {
        match pieces {
            [front @ .., TokenPiece::DoubleStar] => Ok(RequestPathSet::new(binder.parts(front)?, true)),
            pieces => Ok(RequestPathSet::new(binder.parts(pieces)?, false)),
        }
    }

    /// The one path of a request. `None` if a server could read it in two ways.
    pub(super) fn exactly(path: &str) -> Option<RequestPathSet> {
        let segments = decoded(path)?.iter().map(|segment| Glob::text(segment)).collect();
        Some(RequestPathSet { segments, below: false })
    }

    /// The path, if it is only one. None also where it would have to be escaped.
    pub(super) fn only(&self) -> Option<String> {
        let segments = self.segments.iter().map(Glob::literal).collect::<Option<Vec<String>>>()?;
        let path = format!("/{}", segments.join("/"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        (!self.below && path.chars().all(plain)).then_some(path)
    }

    /// Puts these paths below one path. The path of the root adds nothing.
    pub(super) fn below(mut self, base: RequestPathSet) -> RequestPathSet {
        let mut segments = base.segments;
        segments.retain(|segment| segment.literal().is_none_or(|text| !text.is_empty()));
        segments.append(&mut self.segments);
        RequestPathSet { segments, below: self.below }
    }

    /// Whether the path of a request, with or without its query, is in the set.
    pub(super) fn contains(&self, path: &str) -> bool {
        // A line does not restrict the query.
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let Some(segments) = decoded(path) else { return false };
        // `/**` allows the directory itself and everything below, as in a line about files.
        let fits = segments.len() == self.segments.len() || (self.below && segments.len() > self.segments.len());
        fits && self.segments.iter().zip(&segments).all(|(glob, segment)| glob.matches(segment))
    }
}

/// The segments of a path, unescaped, so that a path has one spelling. `None` if a server could read it as another path.
fn decoded(path: &str) -> Option<Vec<String>> {
    let segments: Vec<String> = path.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<_>>()?;
    let inner = segments.len().saturating_sub(1);
    // A server may resolve dots, and read an escaped slash or a backslash as a separator.
    let odd = |s: &String| s == "." || s == ".." || s.contains(['/', '\\', '\0']);
    let bad = segments.iter().any(odd) || segments[..inner].iter().any(String::is_empty);
    (!bad).then_some(segments)
}

/// Resolves percent escapes, see RFC 3986 §2.1.
fn unescaped(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            // A cut off or odd escape: servers differ in what they make of it.
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for RequestPathSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            f.write_str("/")?;
            // A segment without text is a slash at the end, and not a quoted word.
            if segment.texts().any(|text| text != Some("")) {
                segment.fmt(f)?;
            }
        }
        f.write_str(if self.below { "/**" } else { "" })
    }
}
