//! Requests about who asks, about tokens, and about who did what.

use hyper::StatusCode;
use model::RoleGrants;
use protocol::daemon::{AccessQuery, CallerDocument, TokenRequest};
use protocol::{FailureKind, RequestFailure};

use crate::access::read_trail;
use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::route::node::done;
use crate::route::request::{beside, invalid};

/// So many records at most in one answer.
const LONGEST: usize = 10_000;

pub(super) fn whoami(request: &ApiRequest) -> Reply {
    let caller = &request.caller;
    let document = CallerDocument {
        node: request.daemon.node().to_string(),
        user: caller.user.clone(),
        auth: caller.auth().to_owned(),
        credential: caller.credential_id().map(str::to_owned),
        ends_at: caller.ends_at(),
        address: caller.address.map(|address| address.to_string()),
        grant: caller.grants.words(),
        limit: caller.limit.as_ref().map(RoleGrants::words),
    };
    reply::json(StatusCode::OK, &document)
}

pub(super) async fn make(request: &ApiRequest) -> Reply {
    let wanted: TokenRequest = request.document()?;
    let (access, caller) = (request.access.clone(), request.caller.clone());
    let token = beside(move || access.make_token(&caller, &wanted)).await?;
    reply::json(StatusCode::CREATED, &token)
}

pub(super) fn list(request: &ApiRequest) -> Reply {
    reply::json(StatusCode::OK, &request.access.list_tokens(&request.caller)?)
}

pub(super) async fn revoke(request: &ApiRequest) -> Reply {
    let id = request.values.first().cloned().unwrap_or_default();
    let (access, caller) = (request.access.clone(), request.caller.clone());
    beside(move || access.revoke_token(&caller, &id)).await?;
    Ok(done(StatusCode::NO_CONTENT))
}

pub(super) async fn audit(request: &ApiRequest) -> Reply {
    let lines = request.parameter("lines").unwrap_or("50");
    let lines: usize = lines.parse().map_err(|_| invalid(format!("lines={lines} is not a number")))?;
    let query = AccessQuery {
        user: request.parameter("user").map(str::to_owned),
        path: request.parameter("path").map(str::to_owned),
        denied: request.parameter("denied") == Some("true"),
        lines: if lines == 0 { LONGEST } else { lines.min(LONGEST) },
    };
    let log = request.access.places.log.clone();
    let records = beside(move || {
        read_trail(&log, &query).map_err(|error| RequestFailure {
            kind: FailureKind::Failed,
            message: format!("cannot read the trail of who did what: {error}"),
        })
    });
    reply::json(StatusCode::OK, &records.await?)
}
