//! The addresses that an `http` line allows.

use std::fmt;

use super::plain_url::PlainUrl;
use super::request_path::RequestPathSet;
use crate::line::glob::{Glob, GlobPart};

/// The addresses that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlSet {
    pub(super) scheme: String,
    pub(super) host: HostSet,
    pub(super) port: u16,
    pub(super) paths: RequestPathSet,
}

impl UrlSet {
    /// The one address that a keyword's value is.
    pub(super) fn exactly(value: &str) -> Result<UrlSet, &'static str> {
        const EXPECTED: &str = "expected an address such as https://host/path, without a user or a fragment";
        let url = PlainUrl::parse(value).ok_or(EXPECTED)?;
        let paths = RequestPathSet::exactly(&url.path).ok_or("its path is ambiguous")?;
        Ok(UrlSet { scheme: url.scheme, host: HostSet::One(url.host), port: url.port, paths })
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

    /// The address, if it is only one.
    pub(super) fn only(&self) -> Option<String> {
        let HostSet::One(host) = &self.host else { return None };
        Some(format!("{}://{host}:{}{}", self.scheme, self.port, self.paths.only()?))
    }

    /// Whether an address could be in both, as far as scheme, port and host say.
    pub(super) fn may_meet(&self, other: &UrlSet) -> bool {
        let host = match (&self.host, &other.host) {
            (HostSet::One(one), HostSet::One(two)) => one == two,
            (HostSet::One(one), more) | (more, HostSet::One(one)) => {
                let url = PlainUrl::parse(&format!("http://{one}/"));
                url.is_some_and(|url| more.contains(&url))
            }
            _ => true,
        };
        host && self.scheme == other.scheme && self.port == other.port
    }

    /// Whether the address is in the set.
    pub(super) fn contains(&self, url: &str) -> bool {
        let Some(url) = PlainUrl::parse(url) else { return false };
        self.scheme == url.scheme && self.port == url.port && self.host.contains(&url) && self.paths.contains(&url.path)
    }
}

/// The hosts that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostSet {
    /// A name or an address, in lower case.
    One(String),
    /// Names with stars, each of which stands for a part of one label: `*.example.net` is not `a.b.example.net`.
    Names(Glob),
    /// `**`: every name.
    AnyName,
}

impl HostSet {
    /// Host names do not depend on case; requests have them in lower case.
    pub(super) fn new(host: Glob) -> HostSet {
        let lower = |part| match part {
            GlobPart::Text(text) => GlobPart::Text(text.to_ascii_lowercase()),
            GlobPart::Star => GlobPart::Star,
        };
        let host = Glob(host.0.into_iter().map(lower).collect());
        host.literal().map_or(HostSet::Names(host), HostSet::One)
    }

    /// A star never stands for an address: the author of the line thought of names, and among the addresses are those of this
    /// machine and of the servers that give clouds their secrets.
    fn contains(&self, url: &PlainUrl) -> bool {
        match self {
            HostSet::One(own) => *own == url.host,
            HostSet::Names(names) => !url.is_literal && names.matches_within(&url.host, '.'),
            HostSet::AnyName => !url.is_literal,
        }
    }
}

impl fmt::Display for HostSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostSet::One(host) => Glob::text(host).fmt(f),
            HostSet::Names(names) => names.fmt(f),
            HostSet::AnyName => f.write_str("**"),
        }
    }
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
