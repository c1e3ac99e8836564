//! The import of `wit/http.wit`.

use super::{ImportResult, not_found, os};
pub(crate) use crate::bindings::hostler::driver::http::{Endpoint, Request, Response};
use crate::bindings::hostler::driver::types::Kv;
use crate::errno::ECONNREFUSED;
use crate::fake::grants::request;
use crate::fake::world::{FakeServer, HostState};
use crate::fake::{Host, ServerRequest, ServerResponse};

pub(crate) fn send(r: &Request) -> ImportResult<Response> {
    let to = match &r.endpoint {
        Endpoint::Url(url) => url.clone(),
        Endpoint::Unix((socket, path)) => format!("unix:{socket}{path}"),
    };
    let line = format!("{} {to}", r.method);
    let host = Host::current("http.send");
    let op = match &r.endpoint {
        Endpoint::Url(url) => request(&r.method, Some(url), None),
        Endpoint::Unix((socket, path)) => request(&r.method, None, Some((socket, path))),
    };
    op.iter().for_each(|op| host.hold("http.send", &**op));
    // The last server wins, so that a test can replace an earlier one.
    let found = |world: &mut HostState| match world.servers.iter().rev().find(|(base, _)| to.starts_with(base.as_str()))
    {
        Some((_, server)) => Ok(ResponseSource::Server(server.clone())),
        None => answer(world, r, &line).map(ResponseSource::Answer),
    };
    let found = if matches!(r.method.as_str(), "GET" | "HEAD") {
        Host::read("http.send", &line, found)?
    } else {
        Host::mutate("http.send", &line, |world| {
            // A request that changes something counts even if the server fails: it may have been executed.
            world.changes += 1;
            found(world)
        })?
    };
    // The server runs outside of the borrow of the host, which it may change.
    let server = match found {
        ResponseSource::Answer(answer) => return Ok(answer),
        ResponseSource::Server(server) => server,
    };
    // In lower case, so that a faked server need not care how the driver writes a name.
    let headers = r.headers.iter().map(|header| (header.key.to_ascii_lowercase(), header.value.clone())).collect();
    let ServerResponse { status, headers, body } =
        server(&ServerRequest { host: &host, method: &r.method, to: &to, headers, body: &r.body })?;
    let headers = headers.into_iter().map(|(key, value)| Kv { key, value }).collect();
    Ok(Response { status, headers, body })
}

/// The source of a response.
enum ResponseSource {
    Answer(Response),
    Server(FakeServer),
}

fn answer(world: &mut HostState, r: &Request, line: &str) -> ImportResult<Response> {
    match &r.endpoint {
        // A socket without answers is one that no engine has created.
        Endpoint::Unix((socket, _)) if !world.answers.contains_key(line) => not_found(socket),
        _ => scripted(world, line),
    }
}

/// The next prepared response; the last one stays.
fn scripted(world: &mut HostState, line: &str) -> ImportResult<Response> {
    match world.answers.get_mut(line) {
        Some(answers) if answers.len() > 1 => answers.pop_front().map_or_else(|| os(ECONNREFUSED, line), Ok),
        Some(answers) => answers.front().cloned().map_or_else(|| os(ECONNREFUSED, line), Ok),
        // At an address without answers, no server listens.
        None => os(ECONNREFUSED, line),
    }
}
