//! The requests that need a permit, and the lines that allow them.

use std::path::PathBuf;

use super::words::{SocketPattern, UrlPattern};
use crate::capability::files::path_text;
use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::line::token::quoted;
use crate::operation::{Access, Operation, RuleMatch};

/// Send a request to a network address. Grant `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchUrl {
    /// `GET`, in upper case.
    pub method: String,
    /// The whole address.
    pub url: String,
}

/// Send a request to a unix socket. Grant `http.unix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchUnix {
    pub socket: PathBuf,
    /// `GET`, in upper case.
    pub method: String,
    /// The path and query of the request.
    pub path: String,
}

/// GET and HEAD read; every other method may change something.
fn method_access(method: &str) -> Access {
    match method {
        "GET" | "HEAD" => Access::Read,
        _ => Access::Mutate,
    }
}

fn without_query(url: &str) -> &str {
    // A query may hold a token, and lines are shown and logged.
    url.split(['?', '#']).next().unwrap_or(url)
}

impl Operation for FetchUrl {
    fn access(&self) -> Access {
        method_access(&self.method)
    }

    fn line(&self) -> String {
        format!("http = {} {}", quoted(&self.method), quoted(without_query(&self.url)))
    }
}

impl RuleMatch for FetchUrl {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        let own = rule.pattern::<UrlPattern>();
        own.is_some_and(|own| own.methods.contains(&self.method) && own.urls.contains(&self.url))
    }
}

impl Operation for FetchUnix {
    fn access(&self) -> Access {
        method_access(&self.method)
    }

    fn line(&self) -> String {
        let path = quoted(without_query(&self.path));
        format!("http.unix = {} {} {path}", quoted(&self.method), path_text(&self.socket))
    }
}

impl RuleMatch for FetchUnix {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<SocketPattern>().is_some_and(|own| {
            own.methods.contains(&self.method) && own.socket.matches(&self.socket) && own.paths.contains(&self.path)
        })
    }
}
