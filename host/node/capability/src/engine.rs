//! A container engine behind a socket: what the guard wants to know of it is looked up here, and nothing is sent that it did
//! not let through.

use std::path::{Path, PathBuf};
use std::time::Duration;

use driver::{Call, Verb};
use grant::Grants;
use grant::op::FetchUnix;
use guard::{
    ContainerResource, EngineFacts, EngineLookup, ForwardedRequest, GuardVerdict, LookupResult, NamespaceRights,
    RequestedBy,
};
use hyper::Method;
use kernel::path::{LastLink, resolve};
use tokio::time::{Instant, timeout_at};

use crate::dial::dial_unix;
use crate::http::{Endpoint, LOCALHOST, Request, Response, exchange, message};
use crate::{Error, Scope};

/// The namespace in which keywords may ask for what amounts to root.
const ROOT: &str = "root";

/// Where control groups are mounted: an engine names them from there.
const CGROUPS: &str = "/sys/fs/cgroup";

/// No request needs to know more of the engine.
const LOOKUPS: usize = 8;

/// What became of a request.
pub(crate) enum Passed {
    /// It may be sent, like this.
    Judged(ForwardedRequest),
    /// It needs not be sent.
    Answered(Response),
}

/// Lets the guard read a request of the driver's.
pub(crate) async fn pass(scope: &Scope, op: &FetchUnix, request: &Request, timeout: Duration) -> Result<Passed, Error> {
    let asked = match scope.verb() {
        Verb::Exec => RequestedBy::Console(Some(scope.argv())),
        Verb::Enter | Verb::Logs => RequestedBy::Console(None),
        _ => RequestedBy::Action,
    };
    let asked = guard::EngineRequest {
        method: &op.method,
        target: &op.path,
        headers: &request.headers,
        body: &request.body,
        asked,
    };
    pass_as(scope, op, &asked, timeout).await
}

/// Lets the guard read a request. What it wants to know is looked up over the same socket.
pub(crate) async fn pass_as(
    scope: &Scope,
    op: &FetchUnix,
    request: &guard::EngineRequest<'_>,
    timeout: Duration,
) -> Result<Passed, Error> {
    let deadline = Instant::now() + timeout;
    let mut known = EngineFacts::new();
    for _ in 0..LOOKUPS {
        match judge(scope, request, &known) {
            GuardVerdict::Forward(forward) => {
                check_paths(scope, op, &forward).await?;
                return Ok(Passed::Judged(forward));
            }
            GuardVerdict::Answer { status, body } => {
                let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                return Ok(Passed::Answered(Response { status, headers, body }));
            }
            GuardVerdict::Deny(refusal) => return Err(scope.refuse(op, refusal.to_string())),
            GuardVerdict::LookUp(lookup) => {
                let found = look_up(&op.socket, &lookup, request.target, deadline).await?;
                known.insert(lookup, found);
            }
        }
    }
    Err(scope.refuse(op, "the engine's answers lead nowhere".to_owned()))
}

fn judge(scope: &Scope, request: &guard::EngineRequest<'_>, known: &EngineFacts) -> GuardVerdict {
    let cgroup = scope.paths().cgroup.as_deref();
    with_resource(scope.call(), scope.grants(), cgroup, |resource| guard::judge(request, resource, known))
}

/// What the guard lets through for a resource, a sentence each. The error says why it lets nothing through.
pub fn guarded(call: &Call, grants: &Grants) -> Result<Vec<String>, String> {
    with_resource(call, grants, None, guard::sentences).map_err(|refusal| refusal.to_string())
}

/// The resource of a call, as the guard sees it.
fn with_resource<T>(
    call: &Call,
    grants: &Grants,
    cgroup: Option<&Path>,
    then: impl FnOnce(&ContainerResource<'_>) -> T,
) -> T {
    let keywords: Vec<guard::ContainerKeyword<'_>> =
        call.keywords.iter().map(|k| guard::ContainerKeyword { name: &k.name, values: &k.values }).collect();
    let allows = |path: &Path, write: bool| grants.namespace_allows(path, write);
    let namespace =
        if call.object.namespace() == ROOT { NamespaceRights::Root } else { NamespaceRights::Other(&allows) };
    let cgroup = cgroup.and_then(|path| path.strip_prefix(CGROUPS).ok());
    let cgroup = cgroup.map(|path| format!("/{}", path.display()));
    then(&ContainerResource {
        object: &call.object,
        rid: &call.rid,
        node: &call.node,
        keywords: &keywords,
        namespace,
        cgroup: cgroup.as_deref(),
    })
}

/// Asks the engine, as the host itself.
pub(crate) async fn look_up(
    socket: &Path,
    lookup: &EngineLookup,
    target: &str,
    deadline: Instant,
) -> Result<LookupResult, Error> {
    let response = ask(socket, Method::GET, &lookup.path(target), deadline).await?;
    lookup.read(response.status, &response.body).map_err(|error| Error::Other(error.to_string()))
}

/// One request without a body, as the host itself.
pub(crate) async fn ask(socket: &Path, method: Method, path: &str, deadline: Instant) -> Result<Response, Error> {
    let request = Request {
        method: method.to_string(),
        endpoint: Endpoint::Unix(socket.display().to_string(), path.to_owned()),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 0,
    };
    let message = message(method, path, LOCALHOST.to_owned(), &request)?;
    let answer = async { exchange(dial_unix(socket).await?, message).await };
    timeout_at(deadline, answer).await.unwrap_or(Err(Error::TimedOut))
}

/// The paths of the node that a container will see must be there, and be no links to elsewhere: the engine would follow them.
async fn check_paths(scope: &Scope, op: &FetchUnix, forward: &ForwardedRequest) -> Result<(), Error> {
    for (path, _) in &forward.paths {
        let found = {
            let path = path.clone();
            scope.aside(format!("look at {}", path.display()), move || where_it_leads(&path)).await?
        };
        match found {
            Ok(real) if real == *path => {}
            Ok(real) => {
                let reason = format!("{} leads to {}: name that", path.display(), real.display());
                return Err(scope.refuse(op, reason));
            }
            Err(error) => return Err(scope.refuse(op, format!("{}: {error}", path.display()))),
        }
    }
    Ok(())
}

fn where_it_leads(path: &Path) -> Result<PathBuf, kernel::Error> {
    let place = resolve(path, LastLink::Follow)?;
    place.existing()?;
    Ok(place.path().to_owned())
}
