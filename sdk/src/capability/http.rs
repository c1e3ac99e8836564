//! HTTP/1.1 to a granted address or unix socket. Grants: `http`, `http.unix`. Redirects are returned, not followed.

use std::path::Path;
use std::time::Duration;

use super::{CapabilityResult, host, milliseconds, text};
use crate::Error;
use crate::bindings::hostler::driver::http as wit;
use crate::bindings::hostler::driver::types::Kv;

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct HttpRequest(wit::Request);

impl HttpRequest {
    /// A request to a URL: `https://compute.googleapis.com/compute/v1/…`.
    pub fn new(method: &str, url: impl Into<String>) -> HttpRequest {
        HttpRequest::to(method, wit::Endpoint::Url(url.into()))
    }

    /// A request to a unix socket. `path` is the request's path with its query.
    pub fn unix(method: &str, socket: impl AsRef<Path>, path: impl Into<String>) -> HttpRequest {
        HttpRequest::to(method, wit::Endpoint::Unix((text(&socket), path.into())))
    }

    fn to(method: &str, endpoint: wit::Endpoint) -> HttpRequest {
        let method = method.to_owned();
        // A timeout of 0 is the action's deadline.
        HttpRequest(wit::Request { method, endpoint, headers: Vec::new(), body: Vec::new(), timeout_ms: 0 })
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> HttpRequest {
        self.0.headers.push(Kv { key: name.to_owned(), value: value.into() });
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> HttpRequest {
        self.0.body = body.into();
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, document: &serde_json::Value) -> HttpRequest {
        self.header("content-type", "application/json").body(document.to_string())
    }

    /// Sets how long to wait for the response. The default is the action's deadline.
    pub fn timeout(mut self, timeout: Duration) -> HttpRequest {
        self.0.timeout_ms = milliseconds(timeout);
        self
    }

    /// Sends the request. GET and HEAD count as reading, all other methods as changing something.
    pub fn send(&self) -> CapabilityResult<HttpResponse> {
        let response = host::http::send(&self.0)?;
        Ok(HttpResponse { status: response.status, headers: response.headers, body: response.body })
    }
}

/// A response, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status, such as 200.
    pub status: u16,
    headers: Vec<Kv>,
    /// The body, at most 16 MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Whether the status is 2xx.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header. The case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    /// The body as text. Bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> crate::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Failed(format!("the answer is not JSON: {error}")))
    }
}
