//! The one function of the interface: check, ask the guard if there is one, send, log.

use std::time::Duration;

use driver::LogSeverity;
use grant::op::{FetchUnix, FetchUrl};
use grant::{Operation, SocketGuard};
use guard::ContainerEffect;
use hyper::Method;

use super::described::describe;
use super::dial::{dial_granted, dial_url};
use super::exchange::exchange;
use super::guarded::{self, GuardOutcome};
use super::held::{self, EffectRecord};
use super::message::{
    HttpEndpoint, HttpRequest, HttpResponse, LOCALHOST, host_of, message, method, path_of, plain_path, plain_url,
    within_bounds,
};
use crate::argument::absolute;
use crate::{CallContext, CapabilityError, Effect};

/// Sends one request. GET and HEAD count as reading, all others as changing something.
pub async fn send(context: &CallContext, request: HttpRequest) -> Result<HttpResponse, CapabilityError> {
    within_bounds(&request)?;
    let timeout = context.timeout(request.timeout_ms);
    let method = method(&request.method)?;
    match &request.endpoint {
        HttpEndpoint::Url(text) => {
            let url = plain_url(text)?;
            let op = FetchUrl { method: method.to_string(), url: url.to_string() };
            let message = message(method.clone(), path_of(&url), host_of(&url), &request)?;
            let answer = async { exchange(dial_url(&url).await?, message).await };
            perform(context, op, RequestAudit::default(), timeout, (&method, url.as_str()), answer).await
        }
        HttpEndpoint::Unix(socket, path) => {
            let socket = absolute(socket)?;
            let path = plain_path(path)?;
            let op = FetchUnix { socket: socket.clone(), method: method.to_string(), path: path.clone() };
            let shown = format!("{} {path}", socket.display());
            // Built before a permit is requested, so that a malformed request is `invalid` and not `denied`.
            let plain = message(method.clone(), &path, LOCALHOST.to_owned(), &request)?;
            let Some(SocketGuard::Container) = context.guard_of(op.clone()) else {
                let answer = async { exchange(dial_granted(context, &op).await?, plain).await };
                return perform(context, op.clone(), RequestAudit::default(), timeout, (&method, &shown), answer).await;
            };
            match guarded::pass(context, &op, &request, timeout).await? {
                GuardOutcome::Answered(response) => Ok(response),
                GuardOutcome::Judged(forward, answered) => {
                    let forward = *forward;
                    // The guard's own copy of the body is sent, never the driver's.
                    let request = HttpRequest { headers: forward.headers, body: forward.body, ..request };
                    let message = message(method.clone(), &forward.target, LOCALHOST.to_owned(), &request)?;
                    let judged = RequestAudit { what: Some(forward.what), image: forward.image };
                    let made = matches!(forward.effect, Some(ContainerEffect::Made(_)));
                    // Before the record: what is refused must leave no note.
                    held::refuse_of_others(context, &op, forward.effect.as_ref())?;
                    let record =
                        forward.effect.map(|effect| EffectRecord::begin(context, &socket, effect)).transpose()?;
                    let answer = async {
                        match answered {
                            Some(answer) => Ok(answer),
                            None => exchange(dial_granted(context, &op).await?, message).await,
                        }
                    };
                    let answer = perform(context, op.clone(), judged, timeout, (&method, &shown), answer).await;
                    // Before the end of the record: an answer that is not believed must not bring the id of another
                    // object's container into the ledger.
                    let answer = answer.and_then(|answer| held::own_container(context, made, answer));
                    if let Some(record) = record {
                        record.end(context, &answer, &forward.target).await;
                    }
                    let response = answer?;
                    match forward.describes {
                        Some(id) => describe(context, &socket, &id, response).await,
                        None => Ok(response),
                    }
                }
            }
        }
    }
}

/// What the audit says of a request that a guard has read.
#[derive(Default)]
struct RequestAudit {
    what: Option<String>,
    /// The digest of the image of the container.
    image: Option<String>,
}

/// Waits for the answer, within `timeout`. The log shows the method and where it went.
async fn perform<O: Operation + Send>(
    context: &CallContext,
    op: O,
    judged: RequestAudit,
    timeout: Duration,
    (method, shown): (&Method, &str),
    answer: impl Future<Output = Result<HttpResponse, CapabilityError>> + Send,
) -> Result<HttpResponse, CapabilityError> {
    let sent = context.admit(op)?.judged(judged.what).noting("image", judged.image.unwrap_or_default()).waiting(
        |permit| async move {
            let answer = tokio::time::timeout(timeout, answer).await.unwrap_or(Err(CapabilityError::TimedOut));
            // The request may have arrived even if there is no answer, so an error here is still an effect.
            Ok(Effect::by(permit.access(), answer))
        },
    );
    let answer = sent.await?;
    match &answer {
        Ok(response) => context.say(LogSeverity::Debug, &format!("http: {method} {shown}: {}", response.status)),
        Err(error) => context.say(LogSeverity::Debug, &format!("http: {method} {shown}: {error}")),
    }
    answer
}
