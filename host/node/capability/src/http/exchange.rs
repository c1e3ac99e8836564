//! One request and its answer, over a connection that is open.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;

use super::dial::ByteStream;
use super::message::{HttpResponse, HyperRequest};
use crate::CapabilityError;

/// The largest answer, in bytes.
const MAX_BODY: usize = 16 << 20;

/// Sends the request and reads the whole answer.
pub(super) async fn exchange(
    wire: Box<dyn ByteStream>,
    message: HyperRequest,
) -> Result<HttpResponse, CapabilityError> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let answer = async {
        let response = sender.send_request(message).await.map_err(|error| failed(&error))?;
        receive(response).await
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The server may close the connection after its last byte. What it has sent is still to be read.
        _ = &mut connection => answer.await,
    }
}

async fn receive(response: hyper::Response<Incoming>) -> Result<HttpResponse, CapabilityError> {
    let (head, body) = response.into_parts();
    // Limited while it is read: Content-Length may be absent or wrong.
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return CapabilityError::Invalid(format!("the answer is longer than {MAX_BODY} bytes"));
        }
        CapabilityError::Other(format!("the answer was cut off: {error}"))
    })?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(HttpResponse {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_bytes().to_vec(),
    })
}

fn failed(error: &hyper::Error) -> CapabilityError {
    CapabilityError::Other(format!("the request failed: {error}"))
}
