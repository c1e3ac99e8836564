//! One request: who asks, whether both sides understand each other, whether the user may, the route; and what of it is recorded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use protocol::daemon::EventKind;
use protocol::{FailureKind, RequestFailure};
use serde_json::{Value, json};

use crate::access::{AccessRecord, Caller, ClientLink, recorded_options};
use crate::reply::{self, ReplyBody, ReplyRefusal};
use crate::route::{self, ApiRequest, Operation, Route};
use crate::server::{ApiServer, CONNECTIONS, PATIENCE};
use crate::version;

/// The largest body of a request.
const BODY: usize = 64 * 1024;

/// The same where it lists all objects of a node.
const LIST_BODY: usize = 4 << 20;

/// What is known of a request, for the trail.
#[derive(Debug)]
struct RequestNote {
    /// As HTTP says it.
    asked: String,
    is_change: bool,
    route: Option<&'static Route>,
    caller: Option<Caller>,
    path: Option<String>,
    options: Value,
}

impl ApiServer {
    /// Answers a request.
    pub(crate) async fn reply(
        &self,
        link: &Arc<ClientLink>,
        has_room: bool,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        if !has_room {
            let message = format!("{CONNECTIONS} connections are open already: try again later");
            let failure = RequestFailure { kind: FailureKind::Busy, message };
            return reply::failure_with(StatusCode::SERVICE_UNAVAILABLE, &failure);
        }
        let (head, body) = request.into_parts();
        let mut note = RequestNote {
            asked: shortened(&format!("{} {}", head.method, head.uri.path())),
            is_change: head.method != Method::GET,
            route: None,
            caller: None,
            path: None,
            options: Value::Null,
        };
        let answer = self.answer(&mut note, link, head, body).await;
        self.record(&note, link, answer.as_ref().err());
        answer.unwrap_or_else(|refusal| refusal.response())
    }

    async fn answer(
        &self,
        note: &mut RequestNote,
        link: &Arc<ClientLink>,
        head: Parts,
        body: Incoming,
    ) -> Result<Response<ReplyBody>, ReplyRefusal> {
        // Before the proof, so that guesses are limited too.
        self.access.count_address(link)?;
        let known = self.access.identify(link, &head.headers).await;
        if let (Err(refusal), Some(address)) = (&known, link.address())
            && refusal.status == StatusCode::UNAUTHORIZED
        {
            self.access.count_failure(address);
        }
        let caller = note.caller.insert(known?).clone();
        self.access.count_user(&caller)?;
        // Behind the proof: an asker who is not known does not learn which addresses there are.
        let found = route::find(&head.method, head.uri.path()).map_err(RequestFailure::from)?;
        note.route = Some(found.route);
        if found.route.template.contains("{path}") {
            note.path = found.values.first().map(|path| shortened(path));
        }
        // Whatever a client speaks, it may ask what this daemon speaks.
        if found.route.operation != Operation::Version {
            version::check(&head.headers).map_err(|failure| ReplyRefusal {
                status: StatusCode::UPGRADE_REQUIRED,
                ..ReplyRefusal::of(failure)
            })?;
        }
        let most = if found.route.operation == Operation::Join { LIST_BODY } else { BODY };
        // A body that never comes would keep its connection's place in the limit.
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, most).collect()).await;
        let body =
            body.map_err(|_| unreadable("it does not arrive"))?.map_err(|error| unreadable(&error.to_string()))?;
        let body = body.to_bytes();
        // Before the route judges, so that a request that it refuses is recorded with its options too.
        note.options = recorded_options(&body);
        let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let request = ApiRequest {
            daemon: self.daemon.clone(),
            caller,
            link: Arc::clone(link),
            access: Arc::clone(&self.access),
            listener: Arc::clone(&self.listener),
            headers: head.headers,
            values: found.values,
            query: query.into_owned().collect(),
            body,
            slots: self.slots.clone(),
            program: self.program.clone(),
            began: self.began,
            ending: self.ending.clone(),
        };
        Ok(route::answer(found.route, &request).await?)
    }

    /// Records what was changed, what could not be, and what was refused.
    fn record(&self, note: &RequestNote, link: &ClientLink, refusal: Option<&ReplyRefusal>) {
        let limited = refusal.is_some_and(|refusal| refusal.status == StatusCode::TOO_MANY_REQUESTS);
        let denied = limited || refusal.is_some_and(|refusal| refusal.failure.kind == FailureKind::Denied);
        // Daemons tell each other every second that they are there.
        let is_ping = note.route.is_some_and(|route| route.operation == Operation::Ping);
        if refusal.is_some_and(|refusal| !refusal.is_told) || (!denied && (!note.is_change || is_ping)) {
            return;
        }
        let outcome = match (denied, refusal) {
            (true, _) => "denied",
            (false, Some(_)) => "failed",
            (false, None) => "done",
        };
        let caller = note.caller.as_ref();
        let record = AccessRecord {
            at: wall(),
            user: caller.map(|caller| caller.user.clone()),
            auth: caller.map(Caller::auth),
            credential: caller.and_then(Caller::credential_id).map(str::to_owned),
            from: link.document(),
            asked: note.route.map_or_else(|| note.asked.clone(), |route| route.id.to_owned()),
            path: note.path.clone(),
            options: note.options.clone(),
            outcome,
            reason: refusal.map(|refusal| shortened(&refusal.failure.message)),
        };
        if denied {
            self.announce(&record, &note.asked);
        }
        self.access.trail.add(&record);
    }

    /// Records that a client's certificate was refused.
    pub(crate) fn record_handshake(&self, from: SocketAddr, reason: &str) {
        let record = AccessRecord {
            at: wall(),
            user: None,
            auth: None,
            credential: None,
            from: json!({"address": from.ip().to_canonical().to_string()}),
            asked: "handshake".to_owned(),
            path: None,
            options: Value::Null,
            outcome: "denied",
            reason: Some(reason.to_owned()),
        };
        self.announce(&record, "handshake");
        self.access.trail.add(&record);
    }

    /// Tells those who follow the events that something was refused.
    fn announce(&self, record: &AccessRecord, asked: &str) {
        let mut data = record.from.clone();
        data["user"] = json!(record.user);
        data["asked"] = json!(asked);
        data["reason"] = json!(record.reason);
        self.daemon.events().add(record.at, EventKind::AuditDenied, None, data);
    }
}

/// What a client says at any length is recorded at this one.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 400;
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

fn wall() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn unreadable(reason: &str) -> RequestFailure {
    RequestFailure { kind: FailureKind::Invalid, message: format!("cannot read the body: {reason}") }
}
