//! A request as a driver describes it, checked and put into the one spelling that grants are compared with.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use url::Url;

use crate::CapabilityError;

/// Headers that a driver may not set: they name the receiver of the request and where the request ends.
const HOSTS_OWN: [&str; 7] =
    ["host", "connection", "content-length", "proxy-authorization", "te", "transfer-encoding", "upgrade"];

/// The most headers of a request, and the most bytes in them. Servers refuse more, and so does the map that keeps them, by a panic.
const MOST_HEADERS: usize = 100;
const HEADER_BYTES: usize = 64 << 10;

/// The longest address, or path with its query.
const LONGEST_URL: usize = 16 << 10;

/// The largest body, in bytes.
const LARGEST_BODY: usize = 16 << 20;

/// Checks the sizes of a request, before anything else is done with it.
pub(super) fn within_bounds(request: &HttpRequest) -> Result<(), CapabilityError> {
    let url = match &request.endpoint {
        HttpEndpoint::Url(url) => url.len(),
        HttpEndpoint::Unix(_, path) => path.len(),
    };
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    for (what, size, limit) in [
        ("headers", request.headers.len(), MOST_HEADERS),
        ("bytes of headers", headers, HEADER_BYTES),
        ("bytes of an address", url, LONGEST_URL),
        ("bytes of a body", request.body.len(), LARGEST_BODY),
    ] {
        if size > limit {
            return Err(CapabilityError::Invalid(format!("a request has at most {limit} {what}, not {size}")));
        }
    }
    Ok(())
}

/// The host name in requests to a unix socket.
pub(crate) const LOCALHOST: &str = "localhost";

pub(crate) type HyperRequest = hyper::Request<Full<Bytes>>;

/// The receiver of a request, as `endpoint` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpEndpoint {
    /// `https://…`
    Url(String),
    /// The path of a socket, and the path of the request with its query.
    Unix(String, String),
}

/// A request, as `request` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`.
    pub method: String,
    pub endpoint: HttpEndpoint,
    /// The headers, besides those that the host sets.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How long the answer may take. 0 means until the deadline.
    pub timeout_ms: u64,
}

/// The answer to a request, as `response` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Any status: an error of the server is an answer too.
    pub status: u16,
    /// In the order in which they arrived.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Builds the request to send.
pub(crate) fn message(
    method: Method,
    path: &str,
    host: String,
    request: &HttpRequest,
) -> Result<HyperRequest, CapabilityError> {
    let invalid = |what: &str| CapabilityError::Invalid(format!("{what} is not what HTTP allows"));
    let uri: Uri = path.parse().map_err(|_| invalid(&format!("the path {path:?}")))?;
    let mut message = hyper::Request::new(Full::new(Bytes::from(request.body.clone())));
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    message.headers_mut().insert(HOST, HeaderValue::from_str(&host).map_err(|_| invalid("the host"))?);
    for (name, value) in &request.headers {
        let header: HeaderName = name.parse().map_err(|_| invalid(&format!("the header {name:?}")))?;
        // A second Host or a Transfer-Encoding could make the server see another request than the grant was checked for.
        if HOSTS_OWN.contains(&header.as_str()) {
            return Err(CapabilityError::Invalid(format!("the header {name} is the host's to set")));
        }
        let value = HeaderValue::from_str(value).map_err(|_| invalid(&format!("the value of the header {name}")))?;
        // Not `append`, which panics where there are too many.
        let appended = message.headers_mut().try_append(header, value);
        appended.map_err(|_| CapabilityError::Invalid("the request has too many headers".to_owned()))?;
    }
    Ok(message)
}

/// Checks a method: in upper case, because grants compare it, and not one that turns the connection into something else.
pub(crate) fn method(text: &str) -> Result<Method, CapabilityError> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = text.parse().ok().filter(|method| is_word && ![Method::CONNECT, Method::TRACE].contains(method));
    method
        .ok_or_else(|| CapabilityError::Invalid(format!("{text:?} is not a method: expected one such as GET or POST")))
}

/// The URL in its one spelling, so that the grant is checked against the URL that is requested.
pub(super) fn plain_url(text: &str) -> Result<Url, CapabilityError> {
    let invalid = |reason: &str| CapabilityError::Invalid(format!("{text:?} {reason}"));
    let mut url = Url::parse(text).map_err(|_| invalid("is not a URL"))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(invalid("is not a URL of http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("holds a user: use a header for that"));
    }
    // A fragment is not sent, so it must not make two spellings of one request.
    url.set_fragment(None);
    Ok(url)
}

/// Checks the path of a request to a unix socket. A path that a server could read in two ways is refused.
pub(crate) fn plain_path(path: &str) -> Result<String, CapabilityError> {
    // The parser resolves `..` and escapes. A path that it changes has a second spelling, and is refused.
    let as_url = Url::parse(&format!("http://localhost{path}")).ok().filter(|_| path.starts_with('/'));
    match as_url {
        Some(url) if path_of(&url) == path && url.fragment().is_none() => Ok(path.to_owned()),
        _ => Err(CapabilityError::Invalid(format!("{path:?} is not a path in its plain form"))),
    }
}

pub(super) fn path_of(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

pub(super) fn host_of(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_one_spelling() {
        for (text, expected) in [
            ("https://Host.example/a/../b/./c?x=1#frag", Some("https://host.example/b/c?x=1")),
            ("http://10.0.0.1:8080", Some("http://10.0.0.1:8080/")),
            ("http://0x7f.1/", Some("http://127.0.0.1/")),
            ("https://host/%2e%2e/b", Some("https://host/b")),
            ("https://user@host/", None),
            ("ftp://host/", None),
            ("/a/b", None),
        ] {
            assert_eq!(plain_url(text).ok().map(String::from).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_request_is_bounded_before_it_is_read() {
        let request = |url: usize, headers: usize, value: usize, body: usize| HttpRequest {
            method: "GET".to_owned(),
            endpoint: HttpEndpoint::Url("x".repeat(url)),
            headers: vec![("a".to_owned(), "v".repeat(value)); headers],
            body: vec![0; body],
            timeout_ms: 0,
        };
        assert_eq!(within_bounds(&request(LONGEST_URL, MOST_HEADERS, 600, LARGEST_BODY)), Ok(()));
        for (request, reason) in [
            (request(1, 24_576, 1, 0), "at most 100 headers, not 24576"),
            (request(1, 100, 700, 0), "at most 65536 bytes of headers"),
            (request(LONGEST_URL + 1, 0, 0, 0), "bytes of an address"),
            (request(1, 0, 0, LARGEST_BODY + 1), "bytes of a body"),
        ] {
            let error = within_bounds(&request).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        // What the map itself refuses is an error as well.
        let many = (0..40_000).map(|number| (format!("x-{number}"), String::new())).collect();
        let many = HttpRequest { headers: many, ..request(1, 0, 0, 0) };
        assert!(message(Method::GET, "/", "h".to_owned(), &many).is_err());
    }

    #[test]
    fn a_path_that_could_be_read_in_two_ways_is_refused() {
        for good in ["/", "/v1.45/containers/json?all=1", "/a%2Fb"] {
            assert_eq!(plain_path(good).as_deref(), Ok(good));
        }
        for bad in ["", "a", "/a/../b", "/%2e%2e/b", "/a b", "/a#b", "/a\r\nX: y", "//host/../x"] {
            assert!(plain_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn methods_are_words_and_headers_of_the_host_are_refused() {
        assert!(method("GET").is_ok() && method("PATCH").is_ok());
        for bad in ["get", "", "CONNECT", "GET /", "TRACE"] {
            assert!(method(bad).is_err(), "{bad:?}");
        }
        let request = |name: &str, value: &str| HttpRequest {
            method: "GET".to_owned(),
            endpoint: HttpEndpoint::Unix(String::new(), String::new()),
            headers: vec![(name.to_owned(), value.to_owned())],
            body: Vec::new(),
            timeout_ms: 0,
        };
        let made = |name, value| message(Method::GET, "/", "h".to_owned(), &request(name, value));
        assert!(made("Accept", "text/plain").is_ok());
        for (name, value) in [("Host", "other"), ("transfer-encoding", "chunked"), ("a b", "c"), ("x", "a\r\nb: c")] {
            assert!(made(name, value).is_err(), "{name}");
        }
    }
}
