//! The address of a request in its one spelling.

use url::{Host, Url};

/// An address without a user, a password or a fragment, in its one spelling.
pub(super) struct PlainUrl {
    pub(super) scheme: String,
    pub(super) host: String,
    /// Whether the host is an address and not a name.
    pub(super) is_literal: bool,
    pub(super) port: u16,
    pub(super) path: String,
}

impl PlainUrl {
    pub(super) fn parse(text: &str) -> Option<PlainUrl> {
        let url = Url::parse(text).ok()?;
        // `https://host@evil/` reads like one host and leads to another.
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let web = matches!(url.scheme(), "http" | "https");
        if !plain || !web {
            return None;
        }
        Some(PlainUrl {
            scheme: url.scheme().to_owned(),
            // `host.` and `host` are the same name.
            is_literal: matches!(url.host()?, Host::Ipv4(_) | Host::Ipv6(_)),
            host: url.host_str()?.trim_end_matches('.').to_owned(),
            port: url.port_or_known_default()?,
            path: url.path().to_owned(),
        })
    }
}
