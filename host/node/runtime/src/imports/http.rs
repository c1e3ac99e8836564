//! `wit/http.wit`: HTTP requests.

use bindings::driver::hostler::driver::http::{Endpoint, Host, Request, Response};
use capability::http;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer, kvs, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn send(&mut self, r: Request) -> ImportAnswer<Response> {
        within_bounds!(r);
        answer(http::send(&self.scope, request(r)).await.map(response))
    }
}

fn request(r: Request) -> http::HttpRequest {
    http::HttpRequest {
        method: r.method,
        endpoint: match r.endpoint {
            Endpoint::Url(url) => http::HttpEndpoint::Url(url),
            Endpoint::Unix((socket, path)) => http::HttpEndpoint::Unix(socket, path),
        },
        headers: pairs(r.headers),
        body: r.body,
        timeout_ms: r.timeout_ms,
    }
}

fn response(answered: http::HttpResponse) -> Response {
    Response { status: answered.status, headers: kvs(answered.headers), body: answered.body }
}
