//! One request over a connection of its own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use protocol::RequestFailure;
use protocol::daemon::{API_HEADER, API_VERSION};

use crate::ClientError;
use crate::server::{DaemonServer, explained};

/// A request that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) address: String,
    pub(crate) body: Option<Vec<u8>>,
}

impl Question {
    pub(crate) fn get(address: impl Into<String>) -> Question {
        Question { method: "GET", address: address.into(), body: None }
    }

    pub(crate) fn post(address: impl Into<String>) -> Question {
        Question { method: "POST", address: address.into(), body: None }
    }

    pub(crate) fn delete(address: impl Into<String>) -> Question {
        Question { method: "DELETE", address: address.into(), body: None }
    }

    /// With a document.
    pub(crate) fn with(self, document: &impl serde::Serialize) -> Question {
        // The documents of protocol are maps with text keys, which cannot fail to become JSON.
        Question { body: serde_json::to_vec(document).ok(), ..self }
    }

    fn request(self, server: &DaemonServer) -> Result<Request<Full<Bytes>>, ClientError> {
        let wrong = |error| ClientError::Answer(server.to_string(), Box::new(error));
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.address)
            .header(HOST, server.host())
            .header(API_HEADER, API_VERSION)
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = server.token() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request.body(Full::from(self.body.unwrap_or_default())).map_err(wrong)
    }
}

/// Asks, and waits until the daemon begins to answer. An answer that is a failure is an error. A daemon that says that requests
/// come too fast has not taken this one: it is asked again when it says, if there is time.
pub(crate) async fn begin(
    server: &DaemonServer,
    limit: Duration,
    question: Question,
) -> Result<Response<Incoming>, ClientError> {
    let mut left = limit;
    loop {
        let response = within(limit, send(server, question.clone())).await?;
        // Without time for the wait, the refusal is the answer.
        let wait = retry_after(&response).filter(|wait| *wait < left);
        match (response.status(), wait) {
            (status, _) if status.is_success() => return Ok(response),
            (StatusCode::TOO_MANY_REQUESTS, Some(wait)) => {
                left -= wait;
                tokio::time::sleep(wait).await;
            }
            (status, _) => return Err(refusal(status, &whole(limit, response).await?, server)),
        }
    }
}

fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Asks, and reads the whole answer.
pub(crate) async fn ask(server: &DaemonServer, limit: Duration, question: Question) -> Result<Bytes, ClientError> {
    let response = begin(server, limit, question).await?;
    whole(limit, response).await
}

async fn send(server: &DaemonServer, question: Question) -> Result<Response<Incoming>, ClientError> {
    let stream = server.connect().await?;
    let hung_up = |error| explained(server, error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(hung_up)?;
    // It ends when the answer was read, or is not read any more.
    tokio::spawn(connection);
    let response = sender.send_request(question.request(server)?).await.map_err(hung_up)?;
    // Another program at that port may answer with a success that means nothing.
    if !response.headers().contains_key(API_HEADER) {
        return Err(ClientError::Answer(server.to_string(), "it does not name its version".into()));
    }
    Ok(response)
}

async fn whole(limit: Duration, response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = within(limit, async { response.into_body().collect().await.map_err(ClientError::HungUp) });
    Ok(body.await?.to_bytes())
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(ClientError::Silent(limit)))
}

fn refusal(status: StatusCode, body: &[u8], server: &DaemonServer) -> ClientError {
    match (status, serde_json::from_slice::<RequestFailure>(body)) {
        (StatusCode::UPGRADE_REQUIRED, Ok(failure)) => ClientError::OtherVersion(failure.message),
        (StatusCode::UNAUTHORIZED, Ok(failure)) => ClientError::Unknown(failure),
        (_, Ok(failure)) => ClientError::Refused(failure),
        (_, Err(error)) => ClientError::Answer(server.to_string(), Box::new(error)),
    }
}
