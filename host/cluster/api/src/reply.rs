//! Answers: documents, texts and streams; and the one table of which HTTP status a failure has.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use protocol::daemon::API_HEADER;
use protocol::{FailureKind, RequestFailure};
use serde::Serialize;

use crate::version;

/// The body of an answer.
pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, Infallible>;

/// The answer to a request, or why there is none.
pub(crate) type Reply = Result<Response<ReplyBody>, RequestFailure>;

/// A piece of an answer that is streamed.
pub(crate) type ReplyFrame = Result<Frame<Bytes>, Infallible>;

/// Why a request gets no answer, where the kind of the failure does not say all that HTTP can.
#[derive(Debug)]
pub(crate) struct ReplyRefusal {
    pub(crate) status: StatusCode,
    /// Seconds after which it may be tried again.
    pub(crate) retry_after: Option<u64>,
    /// Whether it belongs in the trail: of a flood only the first refusal does.
    pub(crate) is_told: bool,
    pub(crate) failure: RequestFailure,
}

impl ReplyRefusal {
    /// With the status of its kind.
    pub(crate) fn of(failure: RequestFailure) -> ReplyRefusal {
        ReplyRefusal { status: status_of(failure.kind), retry_after: None, is_told: true, failure }
    }

    pub(crate) fn response(&self) -> Response<ReplyBody> {
        let mut response = failure_with(self.status, &self.failure);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<RequestFailure> for ReplyRefusal {
    fn from(failure: RequestFailure) -> ReplyRefusal {
        ReplyRefusal::of(failure)
    }
}

/// The HTTP status of a failure of that kind.
pub(crate) fn status_of(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Invalid => StatusCode::BAD_REQUEST,
        FailureKind::Denied => StatusCode::FORBIDDEN,
        FailureKind::NoMatch | FailureKind::NotHere => StatusCode::NOT_FOUND,
        FailureKind::Busy => StatusCode::CONFLICT,
        FailureKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        FailureKind::NotSupported => StatusCode::NOT_IMPLEMENTED,
    }
}

/// A document.
pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Reply {
    let bytes = serde_json::to_vec(document).map_err(|error| RequestFailure {
        kind: FailureKind::Failed,
        message: format!("cannot write the answer: {error}"),
    })?;
    Ok(with(status, "application/json", Full::from(bytes).boxed_unsync()))
}

/// A text.
pub(crate) fn text(content_type: &'static str, text: String) -> Response<ReplyBody> {
    with(StatusCode::OK, content_type, Full::from(text).boxed_unsync())
}

/// A failure, with a status of its own.
pub(crate) fn failure_with(status: StatusCode, failure: &RequestFailure) -> Response<ReplyBody> {
    // Text cannot fail to become JSON.
    let bytes = serde_json::to_vec(failure).unwrap_or_default();
    with(status, "application/json", Full::from(bytes).boxed_unsync())
}

pub(crate) fn with(status: StatusCode, content_type: &'static str, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(API_HEADER, version::header());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_is_an_error_of_http() {
        let codes = FailureKind::ALL.map(|kind| status_of(kind).as_u16());
        assert_eq!(codes, [500, 404, 404, 501, 409, 400, 403]);
    }
}
