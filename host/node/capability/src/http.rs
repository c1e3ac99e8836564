//! `wit/http.wit`: HTTP/1.1 to a granted address or unix socket. Connections are made in `dial.rs`.

use std::time::Duration;

use driver::Level;
use grant::op::{FetchUnix, FetchUrl};
use grant::{Access, Operation, SocketGuard};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::rt::TokioIo;
use url::Url;

use crate::argument::absolute;
use crate::dial::{Wire, dial_unix, dial_url};
use crate::engine::{self, Passed};
use crate::{Effect, Error, Scope};

/// The largest answer.
const MAX_BODY: usize = 16 << 20;

/// They say whom the request is for and where it ends, which is not the driver's to choose.
const HOSTS_OWN: [&str; 7] =
    ["host", "connection", "content-length", "proxy-authorization", "te", "transfer-encoding", "upgrade"];

/// Where to, as `endpoint` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `https://…`
    Url(String),
    /// A socket's path, and the request's path with its query.
    Unix(String, String),
}

/// What to send, as `request` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Where to.
    pub endpoint: Endpoint,
    /// Beside those that the host sets.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
    /// 0: at the deadline.
    pub timeout_ms: u64,
}

/// What came back, as `response` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Whatever it is.
    pub status: u16,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

/// Sends one request. GET and HEAD count as reading, all others as changing something.
pub async fn send(scope: &Scope, request: Request) -> Result<Response, Error> {
    let timeout = match request.timeout_ms {
        0 => scope.remaining(),
        milliseconds => Duration::from_millis(milliseconds).min(scope.remaining()),
    };
    let method = method(&request.method)?;
    match &request.endpoint {
        Endpoint::Url(text) => {
            let url = plain_url(text)?;
            let op = FetchUrl { method: method.to_string(), url: url.to_string() };
            let message = message(method, path_of(&url), host_of(&url), &request)?;
            perform(scope, op, None, timeout, message, url.as_str(), dial_url(&url)).await
        }
        Endpoint::Unix(socket, path) => {
            let socket = absolute(socket)?;
            let path = plain_path(path)?;
            let op = FetchUnix { socket: socket.clone(), method: method.to_string(), path: path.clone() };
            let shown = format!("{} {path}", socket.display());
            let asked = message(method.clone(), &path, LOCALHOST.to_owned(), &request)?;
            let Some(SocketGuard::Container) = scope.guard_of(op.clone()) else {
                return perform(scope, op, None, timeout, asked, &shown, dial_unix(&socket)).await;
            };
            match engine::pass(scope, &op, &request, timeout).await? {
                Passed::Answered(response) => Ok(response),
                Passed::Judged(forward) => {
                    let request = Request { headers: forward.headers, body: forward.body, ..request };
                    let message = message(method, &forward.target, LOCALHOST.to_owned(), &request)?;
                    perform(scope, op, Some(forward.what), timeout, message, &shown, dial_unix(&socket)).await
                }
            }
        }
    }
}

/// Whom requests to a unix socket are for.
pub(crate) const LOCALHOST: &str = "localhost";

pub(crate) type Message = hyper::Request<Full<Bytes>>;

async fn perform<O: Operation + Send>(
    scope: &Scope,
    op: O,
    judged: Option<String>,
    timeout: Duration,
    message: Message,
    shown: &str,
    dial: impl Future<Output = Result<Box<dyn Wire>, Error>> + Send,
) -> Result<Response, Error> {
    let method = message.method().clone();
    let sent = scope.change_judged(op, judged, |permit| async move {
        let deadline = tokio::time::Instant::now() + timeout;
        let wire = tokio::time::timeout_at(deadline, dial).await.map_err(|_| Error::TimedOut)??;
        let answer = tokio::time::timeout_at(deadline, exchange(wire, message)).await;
        let answer = answer.unwrap_or(Err(Error::TimedOut));
        // From here on the request may have arrived, whatever became of the answer.
        Ok(match permit.access() {
            Access::Read => Effect::Nothing(answer),
            Access::Mutate => Effect::Touched(answer),
        })
    });
    let answer = sent.await?;
    match &answer {
        Ok(response) => scope.say(Level::Debug, &format!("http: {method} {shown}: {}", response.status)),
        Err(error) => scope.say(Level::Debug, &format!("http: {method} {shown}: {error}")),
    }
    answer
}

pub(crate) async fn exchange(wire: Box<dyn Wire>, message: Message) -> Result<Response, Error> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let answer = async {
        let response = sender.send_request(message).await.map_err(|error| failed(&error))?;
        receive(response).await
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The server may hang up after its last byte; what it said is still to be read.
        _ = &mut connection => answer.await,
    }
}

async fn receive(response: hyper::Response<Incoming>) -> Result<Response, Error> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Error::Invalid(format!("the answer is longer than {MAX_BODY} bytes"));
        }
        Error::Other(format!("the answer broke off: {error}"))
    })?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_bytes().to_vec(),
    })
}

fn failed(error: &hyper::Error) -> Error {
    Error::Other(format!("the request failed: {error}"))
}

pub(crate) fn message(method: Method, path: &str, host: String, request: &Request) -> Result<Message, Error> {
    let invalid = |what: &str| Error::Invalid(format!("{what} is not what HTTP allows"));
    let uri: Uri = path.parse().map_err(|_| invalid(&format!("the path {path:?}")))?;
    let mut message = hyper::Request::new(Full::new(Bytes::from(request.body.clone())));
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    message.headers_mut().insert(HOST, HeaderValue::from_str(&host).map_err(|_| invalid("the host"))?);
    for (name, value) in &request.headers {
        let header: HeaderName = name.parse().map_err(|_| invalid(&format!("the header {name:?}")))?;
        if HOSTS_OWN.contains(&header.as_str()) {
            return Err(Error::Invalid(format!("the header {name} is the host's to set")));
        }
        let value = HeaderValue::from_str(value).map_err(|_| invalid(&format!("the value of the header {name}")))?;
        message.headers_mut().append(header, value);
    }
    Ok(message)
}

/// In upper case, because grants compare it; and none that turns the connection into something else.
pub(crate) fn method(text: &str) -> Result<Method, Error> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = text.parse().ok().filter(|method| is_word && ![Method::CONNECT, Method::TRACE].contains(method));
    method.ok_or_else(|| Error::Invalid(format!("{text:?} is no method: expected one such as GET or POST")))
}

/// The address in its one spelling, so that the grant is checked for what is really asked.
fn plain_url(text: &str) -> Result<Url, Error> {
    let invalid = |reason: &str| Error::Invalid(format!("{text:?} {reason}"));
    let mut url = Url::parse(text).map_err(|_| invalid("is no address"))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(invalid("is no address of http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("holds a user: say it in a header"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The path of a request to a unix socket. Any that a server could read in another way is refused.
pub(crate) fn plain_path(path: &str) -> Result<String, Error> {
    let as_url = Url::parse(&format!("http://localhost{path}")).ok().filter(|_| path.starts_with('/'));
    match as_url {
        Some(url) if path_of(&url) == path && url.fragment().is_none() => Ok(path.to_owned()),
        _ => Err(Error::Invalid(format!("{path:?} is no path in its plain form"))),
    }
}

fn path_of(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

fn host_of(url: &Url) -> String {
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
        let request = |name: &str, value: &str| Request {
            method: "GET".to_owned(),
            endpoint: Endpoint::Unix(String::new(), String::new()),
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
