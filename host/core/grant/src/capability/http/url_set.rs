//! The addresses that an `http` line allows.

use std::fmt;

use super::plain_url::PlainUrl;
use super::request_path::RequestPathSet;
use crate::line::glob::{Glob, GlobPart};

/// The addresses that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlSet {
    pub(super) scheme: String,
    pub(super) host: Glob,
    pub(super) port: u16,
    pub(super) paths: RequestPathSet,
}

impl UrlSet {
    /// The one address that a keyword's value is.
    pub(super) fn exactly(value: &str) -> Result<UrlSet, &'static str> {
        const EXPECTED: &str = "expected an address such as https://host/path, without a user or a fragment";
        let url = PlainUrl::parse(value).ok_or(EXPECTED)?;
        let paths = RequestPathSet::exactly(&url.path).ok_or("its path is ambiguous")?;
        Ok(UrlSet { scheme: url.scheme, host: Glob::text(&url.host), port: url.port, paths })
    }

    /// The address of a keyword's value, below which a line allows paths. A query or a slash at its end would make the paths
    /// lead elsewhere.
    pub(super) fn base(value: &str) -> Result<UrlSet, &'static str> {
        if value.contains(['?', '#']) || value.ends_with('/') {
            return Err(
                "expected an address such as https://host/path, without a query and without a slash at its end",
            );
        }
        UrlSet::exactly(value)
    }

    /// Whether the address is in the set.
    pub(super) fn contains(&self, url: &str) -> bool {
        let Some(url) = PlainUrl::parse(url) else { return false };
        self.scheme == url.scheme
            && self.port == url.port
            // A star stands for one label of a name, so `*.example.net` is not `a.b.example.net`.
            && self.host.matches_within(&url.host, '.')
            && self.paths.contains(&url.path)
    }
}

/// Host names do not depend on case; requests have them in lower case.
pub(super) fn lower(host: Glob) -> Glob {
    let lower = |part| match part {
        GlobPart::Text(text) => GlobPart::Text(text.to_ascii_lowercase()),
        GlobPart::Star => GlobPart::Star,
    };
    Glob(host.0.into_iter().map(lower).collect())
}

impl fmt::Display for UrlSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if (self.scheme.as_str(), self.port) != ("https", 443) && (self.scheme.as_str(), self.port) != ("http", 80) {
            write!(f, ":{}", self.port)?;
        }
        self.paths.fmt(f)
    }
}
