//! The accept loop, and one connection: who asks, whether both sides understand each other, and then the routes.
//!
//! Input: connections. Output: calls of the daemon's handle. The loop ends when the daemon does: answers that are under way
//! are finished, streams of events get what is left, and then the socket is removed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use daemon::DaemonHandle;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use protocol::daemon::EventKind;
use protocol::{FailureKind, RequestFailure};
use serde_json::json;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::access::Caller;
use crate::listener::DaemonSocket;
use crate::reply::{self, ReplyBody};
use crate::route::{self, ApiRequest, EventSlots, Operation};
use crate::version;

/// So many connections are served at once. All others are refused, with the reason.
const CONNECTIONS: usize = 256;

/// The largest body of a request.
const BODY: usize = 64 * 1024;

/// A client that connects has so long to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// So long may the last answers take when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Debug)]
struct ApiServer {
    daemon: DaemonHandle,
    /// The user of this process.
    owner: u32,
    slots: EventSlots,
    began: Instant,
    ending: watch::Receiver<bool>,
}

/// Serves the daemon's API until `ended` completes.
pub async fn serve(socket: DaemonSocket, daemon: DaemonHandle, ended: impl Future<Output = ()>) {
    let (end, ending) = watch::channel(false);
    let owner = rustix::process::geteuid().as_raw();
    let server = Arc::new(ApiServer { daemon, owner, slots: EventSlots::new(), began: Instant::now(), ending });
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => break,
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let slot = Arc::clone(&room).try_acquire_owned().ok();
                    connections.spawn(Arc::clone(&server).converse(stream, slot.is_some(), slot));
                }
                // Too many open files, most likely: those who hang up make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            // Collected as they end, so that the set does not grow.
            Some(_) = connections.join_next() => {}
        }
    }
    end.send_replace(true);
    let _ = tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

/// Waits for the end of the daemon.
pub(crate) async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error: the accept loop is gone, which is the end as well.
    let _ = ending.wait_for(|ending| *ending).await;
}

impl ApiServer {
    /// Serves one connection. `slot` is kept until it is closed.
    async fn converse<T>(self: Arc<Self>, stream: UnixStream, has_room: bool, slot: T) {
        // Without credentials there is nobody to answer.
        let Ok(caller) = Caller::of(&stream) else { return };
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.reply(caller, has_room, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        let mut ending = self.ending.clone();
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => {}
            () = ended(&mut ending) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
        drop(slot);
    }

    async fn reply(&self, caller: Caller, has_room: bool, request: Request<Incoming>) -> Response<ReplyBody> {
        if !has_room {
            let message = format!("{CONNECTIONS} connections are open already: try again later");
            let failure = RequestFailure { kind: FailureKind::Busy, message };
            return reply::failure_with(StatusCode::SERVICE_UNAVAILABLE, &failure);
        }
        if let Err(failure) = caller.check(self.owner) {
            self.audit(caller, &request, &failure);
            return reply::failure(&failure);
        }
        match self.routed(caller, request).await {
            Ok(response) => response,
            Err(ApiFailure::Version(failure)) => reply::failure_with(StatusCode::UPGRADE_REQUIRED, &failure),
            Err(ApiFailure::Request(failure)) => reply::failure(&failure),
        }
    }

    async fn routed(&self, caller: Caller, request: Request<Incoming>) -> Result<Response<ReplyBody>, ApiFailure> {
        let (head, body) = request.into_parts();
        let found = route::find(&head.method, head.uri.path()).map_err(RequestFailure::from)?;
        // Whatever a client speaks, it may ask what this daemon speaks.
        if found.route.operation != Operation::Version {
            version::check(&head.headers).map_err(ApiFailure::Version)?;
        }
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, BODY).collect()).await;
        let body =
            body.map_err(|_| unreadable("it does not arrive"))?.map_err(|error| unreadable(&error.to_string()))?;
        let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let request = ApiRequest {
            daemon: self.daemon.clone(),
            caller,
            headers: head.headers,
            values: found.values,
            query: query.into_owned().collect(),
            body: body.to_bytes(),
            slots: self.slots.clone(),
            began: self.began,
            ending: self.ending.clone(),
        };
        Ok(route::answer(found.route.operation, &request).await?)
    }

    /// Records that a request was refused.
    fn audit(&self, caller: Caller, request: &Request<Incoming>, failure: &RequestFailure) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let asked = format!("{} {}", request.method(), request.uri().path());
        let data = json!({"uid": caller.uid, "pid": caller.pid, "asked": asked, "reason": failure.message});
        self.daemon.events().add(at, EventKind::AuditDenied, None, data);
    }
}

/// Why a request gets no answer.
enum ApiFailure {
    /// The client speaks a version that this daemon does not.
    Version(RequestFailure),
    Request(RequestFailure),
}

impl From<RequestFailure> for ApiFailure {
    fn from(failure: RequestFailure) -> ApiFailure {
        ApiFailure::Request(failure)
    }
}

fn unreadable(reason: &str) -> RequestFailure {
    RequestFailure { kind: FailureKind::Invalid, message: format!("cannot read the body: {reason}") }
}
