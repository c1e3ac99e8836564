//! A container engine behind a socket. The guard reads each request before it is sent; the facts that the guard needs about
//! the engine are looked up here, over the same socket.

use std::path::Path;
use std::time::Duration;

use driver::{KeywordValue, Verb};
use grant::Grants;
use grant::op::FetchUnix;
use guard::{
    ContainerResource, EngineFacts, EngineLookup, ForwardedRequest, GuardVerdict, LookupResult, NamespaceRights,
    RequestedBy,
};
use hyper::Method;
use tokio::time::{Instant, timeout_at};

use super::dial::{dial_unix, judged_socket};
use super::exchange::exchange;
use super::message::{HttpEndpoint, HttpRequest, HttpResponse, LOCALHOST, message};
use super::{described, volumes};
use crate::{CallContext, CapabilityError, Subject};

/// The mount point of the control groups. An engine names a group by its path below it.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The most facts that the guard may ask for about one request. None needs more; the limit ends a loop.
const LOOKUPS: usize = 8;

/// The decision of the guard about a request.
pub(crate) enum GuardOutcome {
    /// The request may be sent, as the guard has rewritten it. If the engine has answered it already, when the guard asked the
    /// same, the answer stands here: what was judged is what the driver sees, and the engine is asked once.
    Judged(Box<ForwardedRequest>, Option<HttpResponse>),
    /// The guard has answered the request itself: it is not sent.
    Answered(HttpResponse),
}

/// Lets the guard read a request of the driver.
pub(crate) async fn pass(
    context: &CallContext,
    op: &FetchUnix,
    request: &HttpRequest,
    timeout: Duration,
) -> Result<GuardOutcome, CapabilityError> {
    let asked = match context.verb() {
        Verb::Exec => RequestedBy::Console(Some(context.argv())),
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
    pass_as(context, op, &asked, timeout).await
}

/// Lets the guard read a request, and looks up what the guard asks for.
pub(crate) async fn pass_as(
    context: &CallContext,
    op: &FetchUnix,
    request: &guard::EngineRequest<'_>,
    timeout: Duration,
) -> Result<GuardOutcome, CapabilityError> {
    // Before the host itself asks the engine anything. Where nothing is, the request says so.
    match judged_socket(context, op) {
        Err(CapabilityError::NotFound(_)) | Ok(_) => {}
        Err(error) => return Err(error),
    }
    check_socket(context, op).await?;
    // One deadline for all look-ups together: an engine that is slow must not multiply it.
    let deadline = Instant::now() + timeout;
    let (mut known, mut answers) = (EngineFacts::new(), Vec::new());
    for _ in 0..LOOKUPS {
        match judge(context, request, &known) {
            GuardVerdict::Forward(forward) => {
                check_paths(context, op, &forward).await?;
                check_sources(context, &forward).await?;
                let answered = answered(&forward, request.target, &known, answers);
                return Ok(GuardOutcome::Judged(forward, answered));
            }
            GuardVerdict::Answer { status, body, stranger } => {
                // In the place of the engine, for example that a container of another resource does not exist.
                let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                headers.extend(described::stranger(stranger));
                return Ok(GuardOutcome::Answered(HttpResponse { status, headers, body }));
            }
            GuardVerdict::Deny(refusal) => return Err(context.refuse(op, refusal.to_string())),
            GuardVerdict::LookUp(lookup) => {
                let answer = ask(&op.socket, Method::GET, &lookup.path(request.target), deadline).await?;
                known.insert(lookup.clone(), read(&lookup, &answer)?);
                answers.push((lookup, answer));
            }
        }
    }
    Err(context.refuse(op, "the engine's answers did not settle the request".to_owned()))
}

/// The answer to a request that describes a container, if the guard has asked for the same description.
fn answered(
    forward: &ForwardedRequest,
    target: &str,
    known: &EngineFacts,
    answers: Vec<(EngineLookup, HttpResponse)>,
) -> Option<HttpResponse> {
    let described = forward.describes.as_ref()?;
    // One with parameters asks for more.
    if forward.target != EngineLookup::Container(described.clone()).path(target) {
        return None;
    }
    let is_it = |lookup: &EngineLookup| matches!(&known[lookup], LookupResult::Container { id, .. } if id == described);
    answers.into_iter().find(|(lookup, _)| is_it(lookup)).map(|(_, answer)| answer)
}

fn judge(context: &CallContext, request: &guard::EngineRequest<'_>, known: &EngineFacts) -> GuardVerdict {
    let cgroup = context.cgroup();
    let (subject, keywords) = (context.subject(), context.keywords());
    with_resource(subject, keywords, context.grants(), cgroup.as_deref(), |resource| {
        guard::judge(request, resource, known)
    })
}

/// Describes what the guard lets a resource ask of its engine, one sentence for each. The error says why the guard refuses
/// everything.
pub fn guarded(subject: &Subject, keywords: &[KeywordValue], grants: &Grants) -> Result<Vec<String>, String> {
    with_resource(subject, keywords, grants, None, guard::sentences).map_err(|refusal| refusal.to_string())
}

/// Calls `then` with the resource as the guard sees it.
fn with_resource<T>(
    subject: &Subject,
    keywords: &[KeywordValue],
    grants: &Grants,
    cgroup: Option<&Path>,
    then: impl FnOnce(&ContainerResource<'_>) -> T,
) -> T {
    let keywords: Vec<guard::ContainerKeyword<'_>> = {
        // What the guard allows is what the configuration says, and not the default of a driver that the guard watches.
        let binding = keywords.iter().filter(|keyword| keyword.provenance.binds());
        binding.map(|k| guard::ContainerKeyword { name: &k.name, values: &k.values }).collect()
    };
    let allows = |path: &Path, write: bool| grants.namespace_allows(path, write);
    // Objects of the namespace `root` may use keywords that amount to root.
    let namespace = if subject.object.is_root() { NamespaceRights::Root } else { NamespaceRights::Other(&allows) };
    let cgroup = cgroup.and_then(|path| path.strip_prefix(CGROUPS).ok());
    let cgroup = cgroup.map(|path| format!("/{}", path.display()));
    then(&ContainerResource {
        object: &subject.object,
        rid: &subject.rid,
        node: &subject.node,
        keywords: &keywords,
        namespace,
        cgroup: cgroup.as_deref(),
    })
}

/// Looks up a fact about the engine, as the host itself.
pub(crate) async fn look_up(
    socket: &Path,
    lookup: &EngineLookup,
    target: &str,
    deadline: Instant,
) -> Result<LookupResult, CapabilityError> {
    read(lookup, &ask(socket, Method::GET, &lookup.path(target), deadline).await?)
}

fn read(lookup: &EngineLookup, answer: &HttpResponse) -> Result<LookupResult, CapabilityError> {
    lookup.read(answer.status, &answer.body).map_err(|error| CapabilityError::Other(error.to_string()))
}

/// Sends one request without a body, as the host itself.
pub(crate) async fn ask(
    socket: &Path,
    method: Method,
    path: &str,
    deadline: Instant,
) -> Result<HttpResponse, CapabilityError> {
    let request = HttpRequest {
        method: method.to_string(),
        endpoint: HttpEndpoint::Unix(socket.display().to_string(), path.to_owned()),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 0,
    };
    let message = message(method, path, LOCALHOST.to_owned(), &request)?;
    // No permit and no audit: the host asks for itself, and the driver never sees the answer.
    let answer = async { exchange(dial_unix(socket).await?, message).await };
    timeout_at(deadline, answer).await.unwrap_or(Err(CapabilityError::TimedOut))
}

/// Checks the node's paths that a container will see, if they were judged. The engine is root, and opens them by name.
async fn check_paths(context: &CallContext, op: &FetchUnix, forward: &ForwardedRequest) -> Result<(), CapabilityError> {
    if forward.paths.is_empty() {
        return Ok(());
    }
    let (paths, beside) = (forward.paths.clone(), forward.beside.clone());
    let checked = context.aside("look at the container's volumes".to_owned(), move || volumes::check(&paths, &beside));
    checked.await?.map_err(|reason| context.refuse(op, reason))
}

/// Checks that the socket is one that only root could have put there. An object outside of the namespace `root` chooses it, and
/// what listens there is believed and told secrets.
async fn check_socket(context: &CallContext, op: &FetchUnix) -> Result<(), CapabilityError> {
    if context.subject().object.is_root() {
        return Ok(());
    }
    let socket = op.socket.clone();
    let checked = context.aside(format!("look at {}", socket.display()), move || volumes::check_socket(&socket));
    checked.await?.map_err(|reason| context.refuse(op, reason))
}

/// Checks that the paths exist which a container is to see. On an empty directory, which an engine would make in their place, a
/// database would begin anew.
async fn check_sources(context: &CallContext, forward: &ForwardedRequest) -> Result<(), CapabilityError> {
    for source in &forward.sources {
        let path = source.clone();
        let look = move || std::fs::metadata(&path).map(drop);
        let found = context.aside(format!("look at {}", source.display()), look).await?;
        found.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => CapabilityError::Invalid(format!(
                "{} does not exist on this node, and the engine would make an empty directory: make it, or start what mounts it",
                source.display()
            )),
            _ => CapabilityError::io(&format!("look at {}", source.display()), &error),
        })?;
    }
    Ok(())
}
