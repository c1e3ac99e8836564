//! Requests of a node that joins the cluster.

use hyper::StatusCode;
use protocol::daemon::{JoinRequest, SeatRequest};

use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::route::request::beside;

pub(super) async fn join(request: &ApiRequest) -> Reply {
    let wanted: JoinRequest = request.document()?;
    let (source, token) = (request.access.source.clone(), token(request));
    reply::json(StatusCode::OK, &beside(move || source.admit(&token, &wanted)).await?)
}

pub(super) async fn seat(request: &ApiRequest) -> Reply {
    let wanted: SeatRequest = request.document()?;
    let (source, token) = (request.access.source.clone(), token(request));
    reply::json(StatusCode::OK, &beside(move || source.seat(&token, &wanted)).await?)
}

fn token(request: &ApiRequest) -> String {
    request.caller.join_token().unwrap_or_default().to_owned()
}
