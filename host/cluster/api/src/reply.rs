//! Answers: documents, texts and streams; and the one table of which HTTP status a failure has.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue};
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

/// A failure, with the status of its kind.
pub(crate) fn failure(failure: &RequestFailure) -> Response<ReplyBody> {
    failure_with(status_of(failure.kind), failure)
}

/// A failure of the conversation itself, which has a status of its own.
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
