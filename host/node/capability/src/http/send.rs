//! The one function of the interface: check, ask the guard if there is one, send, log.

use std::time::Duration;

use driver::LogSeverity;
use grant::op::{FetchUnix, FetchUrl};
use grant::{Operation, SocketGuard};
use guard::ContainerEffect;

use super::described::describe;
use super::dial::{ByteStream, dial_granted, dial_url};
use super::exchange::exchange;
use super::guarded::{self, GuardOutcome};
use super::held::{self, EffectRecord};
use super::message::{
    HttpEndpoint, HttpRequest, HttpResponse, HyperRequest, LOCALHOST, host_of, message, method, path_of, plain_path,
    plain_url, within_bounds,
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
            let message = message(method, path_of(&url), host_of(&url), &request)?;
            perform(context, op, RequestAudit::default(), timeout, message, url.as_str(), dial_url(&url)).await
        }
        HttpEndpoint::Unix(socket, path) => {
            let socket = absolute(socket)?;
            let path = plain_path(path)?;
            let op = FetchUnix { socket: socket.clone(), method: method.to_string(), path: path.clone() };
            let shown = format!("{} {path}", socket.display());
            // Built before a permit is requested, so that a malformed request is `invalid` and not `denied`.
            let plain = message(method.clone(), &path, LOCALHOST.to_owned(), &request)?;
            let Some(SocketGuard::Container) = context.guard_of(op.clone()) else {
                let wire = dial_granted(context, &op);
                return perform(context, op.clone(), RequestAudit::default(), timeout, plain, &shown, wire).await;
            };
            match guarded::pass(context, &op, &request, timeout).await? {
                GuardOutcome::Answered(response) => Ok(response),
                GuardOutcome::Judged(forward) => {
                    let forward = *forward;
                    // The guard's own copy of the body is sent, never the driver's.
                    let request = HttpRequest { headers: forward.headers, body: forward.body, ..request };
                    let message = message(method, &forward.target, LOCALHOST.to_owned(), &request)?;
                    let judged = RequestAudit { what: Some(forward.what), image: forward.image };
                    let made = matches!(forward.effect, Some(ContainerEffect::Made(_)));
                    // Before the record: what is refused must leave no note.
                    held::refuse_of_others(context, &op, forward.effect.as_ref())?;
                    let record =
                        forward.effect.map(|effect| EffectRecord::begin(context, &socket, effect)).transpose()?;
                    let wire = dial_granted(context, &op);
                    let answer = perform(context, op.clone(), judged, timeout, message, &shown, wire).await;
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

/// Dials, sends and reads the answer, within `timeout`.
async fn perform<O: Operation + Send>(
    context: &CallContext,
    op: O,
    judged: RequestAudit,
    timeout: Duration,
    message: HyperRequest,
    shown: &str,
    dial: impl Future<Output = Result<Box<dyn ByteStream>, CapabilityError>> + Send,
) -> Result<HttpResponse, CapabilityError> {
    let method = message.method().clone();
    let sent = context.admit(op)?.judged(judged.what).noting("image", judged.image.unwrap_or_default()).waiting(
        |permit| async move {
            let deadline = tokio::time::Instant::now() + timeout;
            let wire = tokio::time::timeout_at(deadline, dial).await.map_err(|_| CapabilityError::TimedOut)??;
            let answer = tokio::time::timeout_at(deadline, exchange(wire, message)).await;
            let answer = answer.unwrap_or(Err(CapabilityError::TimedOut));
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
