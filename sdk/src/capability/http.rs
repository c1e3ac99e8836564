//! HTTP/1.1 to a granted address or unix socket. Grants: `http`, `http.unix`. Redirects are returned, not followed.

use std::path::Path;
use std::time::Duration;

use super::{Answer, host, milliseconds, text};
use crate::Error;
use crate::bindings::hostler::driver::http as wit;
use crate::bindings::hostler::driver::types::Kv;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Request(wit::Request);

impl Request {
    /// To an address: `https://compute.googleapis.com/compute/v1/…`.
    pub fn new(method: &str, url: impl Into<String>) -> Request {
        Request::to(method, wit::Endpoint::Url(url.into()))
    }

    /// To a socket. `path` is the request's path with its query.
    pub fn unix(method: &str, socket: impl AsRef<Path>, path: impl Into<String>) -> Request {
        Request::to(method, wit::Endpoint::Unix((text(&socket), path.into())))
    }

    fn to(method: &str, endpoint: wit::Endpoint) -> Request {
        let method = method.to_owned();
        Request(wit::Request { method, endpoint, headers: Vec::new(), body: Vec::new(), timeout_ms: 0 })
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.0.headers.push(Kv { key: name.to_owned(), value: value.into() });
        self
    }

    /// The body, as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.0.body = body.into();
        self
    }

    /// A body of JSON, and the header that says so.
    pub fn json(self, document: &serde_json::Value) -> Request {
        self.header("content-type", "application/json").body(document.to_string())
    }

    /// How long to wait for the answer. By default until the action's deadline.
    pub fn timeout(mut self, timeout: Duration) -> Request {
        self.0.timeout_ms = milliseconds(timeout);
        self
    }

    /// Sends it. GET and HEAD count as reading, all others as changing something.
    pub fn send(&self) -> Answer<Response> {
        let response = host::http::send(&self.0)?;
        Ok(Response { status: response.status, headers: response.headers, body: response.body })
    }
}

/// What came back, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `200`.
    pub status: u16,
    headers: Vec<Kv>,
    /// At most 16 MiB.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    /// The body as text; what is no UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> crate::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Failed(format!("the answer is no JSON: {error}")))
    }
}
