//! The whole emulator behind one function from requests to responses, without a socket and without a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::check::{self, MessageSide};
use crate::cloud::{EmulatedCloud, MethodCall};
use crate::discovery;
use crate::metadata::{self, NodeIdentity, TokenIssuer};
use crate::{ApiError, control};

/// The path of the API, as on the real service.
const API: &str = "/compute/v1/";
/// The path of the metadata, as on the real service.
const METADATA: &str = "/computeMetadata/v1/";
/// The path for injecting faults.
const CONTROL: &str = "/control/";

/// A request.
#[derive(Debug, Clone, Default)]
pub struct GatewayRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// All of it.
    pub body: Vec<u8>,
    /// The instance that sends the request, if the metadata server received it.
    pub instance: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers in addition to those of every response.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl GatewayResponse {
    /// A document.
    pub fn json(status: u16, body: &Value) -> GatewayResponse {
        let headers = vec![("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())];
        GatewayResponse { status, headers, body: body.to_string().into_bytes() }
    }

    /// A text.
    pub fn text(status: u16, body: &str) -> GatewayResponse {
        let headers = vec![("content-type".to_owned(), "application/text".to_owned())];
        GatewayResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    /// With the header by which the metadata server makes itself known.
    #[must_use]
    pub fn with_flavor(mut self) -> GatewayResponse {
        self.headers.push(("Metadata-Flavor".to_owned(), "Google".to_owned()));
        self
    }
}

/// The cloud, with its tokens and the record of calls.
pub struct ApiGateway {
    /// The cloud.
    pub cloud: EmulatedCloud,
    /// The valid tokens.
    pub tokens: TokenIssuer,
    /// The methods that were called so far: `disks.insert`.
    pub called: Vec<String>,
    /// The zone of instances for which no other zone is given.
    pub zone: String,
}

impl ApiGateway {
    /// A gateway to a cloud.
    pub fn new(cloud: EmulatedCloud) -> ApiGateway {
        ApiGateway {
            cloud,
            tokens: TokenIssuer::new(Duration::from_secs(3600)),
            called: Vec::new(),
            zone: "europe-west1-b".to_owned(),
        }
    }

    /// Answers a request. None if the request was executed but the connection must break.
    pub fn answer(&mut self, request: &GatewayRequest, now: Duration) -> Option<GatewayResponse> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if let Some(path) = path.strip_prefix(CONTROL) {
            return Some(control::answer(self, &request.method, path, &request.body));
        }
        if path == "/" || path.starts_with(METADATA) || METADATA.trim_end_matches('/') == path {
            return Some(self.metadata(request, path, now));
        }
        match path.strip_prefix(API) {
            Some(path) => self.api(request, path, query, now),
            None => Some(refused(&ApiError::new(404, "notFound", format!("nothing is at {path}")))),
        }
    }

    fn metadata(&mut self, request: &GatewayRequest, path: &str, now: Duration) -> GatewayResponse {
        if request.headers.get("metadata-flavor").map(String::as_str) != Some("Google") {
            return GatewayResponse::text(403, "Missing Metadata-Flavor:Google header.");
        }
        if request.headers.contains_key("x-forwarded-for") {
            return GatewayResponse::text(403, "Request with X-Forwarded-For is refused.");
        }
        if request.method != "GET" {
            return GatewayResponse::text(405, "only GET").with_flavor();
        }
        let instance = request.instance.clone().unwrap_or_else(|| "stand-in".to_owned());
        let suffix = format!("/instances/{instance}");
        let found = self.cloud.resources().find(|(path, _)| path.ends_with(&suffix));
        let zone = found.and_then(|(path, _)| path.split('/').nth(3)).unwrap_or(&self.zone).to_owned();
        let id = found.and_then(|(_, resource)| resource["id"].as_str()).unwrap_or("1").to_owned();
        let path = path.strip_prefix(METADATA).unwrap_or_default();
        metadata::answer(path, &self.cloud.project, &NodeIdentity { instance, zone, id }, &mut self.tokens, now)
    }

    fn api(&mut self, request: &GatewayRequest, path: &str, query: &str, now: Duration) -> Option<GatewayResponse> {
        let call = match self.checked(request, path, query, now) {
            Ok(call) => call,
            Err(error) => return Some(refused(&error)),
        };
        self.called.push(call.id.trim_start_matches("compute.").to_owned());
        let answer = self.cloud.call(&call, now);
        if self.cloud.faults.is_lost(call.id) {
            return None;
        }
        Some(match answer {
            Ok(body) => honest(&call, &body),
            Err(error) => refused(&error),
        })
    }

    /// The method call of a request, if the API has the method and the request matches its schema.
    fn checked(
        &self,
        request: &GatewayRequest,
        path: &str,
        query: &str,
        now: Duration,
    ) -> Result<MethodCall, ApiError> {
        let token = request.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| self.tokens.is_good(token, now)) {
            return Err(ApiError::new(401, "authError", "Request had invalid authentication credentials."));
        }
        let Some((id, method, mut parameters)) = discovery::method_of(&request.method, path) else {
            let status = if discovery::is_known_path(path) { 405 } else { 404 };
            return Err(ApiError::new(status, "notFound", format!("the stand-in knows no {} {path}", request.method)));
        };
        parameters.extend(query_of(query));
        let mut problems = check::parameters(method, &parameters);
        let body = match (&method.request, &request.body[..]) {
            (None, []) => Value::Null,
            (None, body) => {
                if body != b"{}" {
                    problems.push(format!("{id} takes no body"));
                }
                Value::Null
            }
            (Some(schema), body) => match serde_json::from_slice(body) {
                Ok(body) => {
                    problems.extend(check::document(schema, &body, MessageSide::Request(id)));
                    body
                }
                Err(error) => return Err(ApiError::new(400, "parseError", format!("the body is not JSON: {error}"))),
            },
        };
        if problems.is_empty() {
            return Ok(MethodCall { id, parameters, body });
        }
        Err(ApiError::new(400, "badRequest", problems.join("; ")))
    }
}

fn refused(error: &ApiError) -> GatewayResponse {
    GatewayResponse::json(error.status, &error.body())
}

/// Checks that the response matches the schema. If it does not, the emulator has an error.
fn honest(call: &MethodCall, body: &Value) -> GatewayResponse {
    let schema = discovery::DOCUMENT.methods.get(call.id).and_then(|method| method.response.as_deref());
    let problems = schema.map(|schema| check::document(schema, body, MessageSide::Answer)).unwrap_or_default();
    if problems.is_empty() {
        return GatewayResponse::json(200, body);
    }
    GatewayResponse::json(
        500,
        &json!({"error": {"code": 500, "message": format!("the stand-in is wrong: {}", problems.join("; ")), "errors": []}}),
    )
}

/// The parameters of a query.
fn query_of(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(name), unescaped(value))
    })
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
