//! One request over a connection of its own.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use protocol::RequestFailure;
use protocol::daemon::{API_HEADER, API_VERSION};
use tokio::net::UnixStream;

use crate::ClientError;

/// A request that is to be made.
#[derive(Debug)]
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

    /// With a document.
    pub(crate) fn with(self, document: &impl serde::Serialize) -> Question {
        // The documents of protocol are maps with text keys, which cannot fail to become JSON.
        Question { body: serde_json::to_vec(document).ok(), ..self }
    }

    fn request(self) -> Result<Request<Full<Bytes>>, ClientError> {
        let wrong = |error| ClientError::Answer(String::new(), Box::new(error));
        Request::builder()
            .method(self.method)
            .uri(self.address)
            .header(HOST, "daemon")
            .header(API_HEADER, API_VERSION)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(self.body.unwrap_or_default()))
            .map_err(wrong)
    }
}

/// Asks, and waits until the daemon begins to answer. An answer that is a failure is an error.
pub(crate) async fn begin(
    socket: &Path,
    limit: Duration,
    question: Question,
) -> Result<Response<Incoming>, ClientError> {
    let response = within(limit, send(socket, question)).await?;
    match response.status() {
        status if status.is_success() => Ok(response),
        status => Err(refusal(status, &whole(limit, response).await?, socket)),
    }
}

/// Asks, and reads the whole answer.
pub(crate) async fn ask(socket: &Path, limit: Duration, question: Question) -> Result<Bytes, ClientError> {
    let response = begin(socket, limit, question).await?;
    whole(limit, response).await
}

async fn send(socket: &Path, question: Question) -> Result<Response<Incoming>, ClientError> {
    let stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
        // A socket without a daemon behind it was left by one that was killed.
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => ClientError::NotRunning,
        ErrorKind::PermissionDenied => ClientError::NoAccess(socket.to_owned()),
        _ => ClientError::Connect(socket.to_owned(), error),
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::HungUp)?;
    // It ends when the answer was read, or is not read any more.
    tokio::spawn(connection);
    let response = sender.send_request(question.request()?).await.map_err(ClientError::HungUp)?;
    if !response.headers().contains_key(API_HEADER) {
        return Err(ClientError::Answer(socket.display().to_string(), "it does not name its version".into()));
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

fn refusal(status: StatusCode, body: &[u8], socket: &Path) -> ClientError {
    match serde_json::from_slice::<RequestFailure>(body) {
        Ok(failure) if status == StatusCode::UPGRADE_REQUIRED => ClientError::OtherVersion(failure.message),
        Ok(failure) => ClientError::Refused(failure),
        Err(error) => ClientError::Answer(socket.display().to_string(), Box::new(error)),
    }
}
